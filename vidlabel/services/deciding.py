"""What the person decides about the clip on screen: written first, then the next clip shows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from time import monotonic
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal, Slot

from vidlabel.core.words import Changes, ClipRow, ClipState, DecisionKind, Suggestion
from vidlabel.services.decision_making import Wish, decisions_for, saved_words, write_decisions
from vidlabel.services.library import Library
from vidlabel.services.project import ProjectSession
from vidlabel.services.suggestion_cache import SuggestionCache

if TYPE_CHECKING:
    from vidlabel.store.project_store import ProjectStore

BLIND = "Blind mode: suggestions are hidden. B shows them, / opens the label picker."
COVERED = "No clip is on the screen; ↑ or ↓ shows one."
_TROUBLE = frozenset({ClipState.MISSING, ClipState.UNREADABLE})


class Deciding(QObject):
    """The decision keys. They act once the clip's first frame is painted and while nothing is being written.

    The suggestion that is on screen stays as it is until the clip is left, whatever the model says meanwhile.
    """

    decided = Signal(object)
    """Decision (the newest of the step), on disk"""
    refused = Signal(str)
    """Why a key did nothing."""
    saved = Signal(str)
    """'Saved: wave on clip_07.mp4'"""
    failed = Signal(str)
    """A decision could not be written; the clip stays."""
    suggestions_changed = Signal(object)
    """Suggestion on screen, or None"""
    blind_changed = Signal(bool)
    can_act_changed = Signal(bool)

    def __init__(self, session: ProjectSession, library: Library, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._library = library
        self._cache = SuggestionCache(session, self)
        self._cache.arrived.connect(self._on_suggestion)
        self._row: ClipRow | None = None
        self._suggestion: Suggestion | None = None
        self._painted_at: float | None = None
        self._unplayable = ""
        self._covered = False
        self._writing = False
        self._blind = False
        self._could_act = False
        session.closed.connect(self._on_closed)

    # --- what is on screen -----------------------------------------------------------------------
    @property
    def suggestion(self) -> Suggestion | None:
        """What is on screen; in blind mode nothing is."""
        return None if self._blind else self._suggestion

    @property
    def can_act(self) -> bool:
        painted = self._painted_at is not None and not self._covered
        return self._row is not None and painted and not self._writing

    @property
    def blind(self) -> bool:
        return self._blind

    def set_blind(self, on: bool) -> None:
        """Hides the suggestions; decisions then count as made without them."""
        if on != self._blind:
            self._blind = on
            self.blind_changed.emit(on)
            self.suggestions_changed.emit(self.suggestion)

    def toggle_blind(self) -> None:
        self.set_blind(not self._blind)

    def set_current(self, row: ClipRow | None) -> None:
        """Another clip is on its way to the screen."""
        self._row = row
        self._painted_at = None
        self._unplayable = ""
        self._suggestion = None if row is None else self._cache.get(row.clip_id)
        self._tell_can_act()
        self.suggestions_changed.emit(self.suggestion)

    def prefetch(self, clip_ids: Sequence[int]) -> None:
        """The suggestions of the clips to come, so that they are there together with the picture."""
        self._cache.keep([*([self._row.clip_id] if self._row else []), *clip_ids])

    def on_painted(self, row: ClipRow) -> None:
        """The clip's first frame is on the screen."""
        if self._row is not None and row.clip_id == self._row.clip_id and self._painted_at is None:
            self._painted_at = monotonic()
            self._tell_can_act()

    def on_unplayable(self, row: ClipRow, reason: str) -> None:
        """The clip will never be painted."""
        if self._row is not None and row.clip_id == self._row.clip_id:
            self._unplayable = reason

    def set_covered(self, covered: bool) -> None:
        """Whether words stand where the picture was: nobody decides about what they do not see."""
        self._covered = covered
        self._tell_can_act()

    # --- wishes ----------------------------------------------------------------------------------
    def accept(self) -> None:
        """Takes the first suggestion; of several selected clips each its own."""
        several = self._several()
        if several and not self._blind:
            self._decide(Wish(own_first=True), several)
        else:
            self.take(1)

    def take(self, number: int) -> None:
        """Takes the suggestion with this number, counted from 1; several selected clips all get that label."""
        if self._blind:
            self.refused.emit(BLIND)
            return
        several = self._several()
        suggestion = self._suggestion
        if self._unplayable and not several:
            self._refuse_unplayable()
        elif suggestion is None or not suggestion.scores:
            if self._row is not None:
                self.refused.emit("No suggestion for this clip yet. / opens the label picker.")
        elif number > len(suggestion.scores):
            self.refused.emit(f"There are only {len(suggestion.scores)} suggestions.")
        else:
            self._decide(Wish(label=suggestion.scores[number - 1].label), several)

    def give(self, label: str) -> None:
        """Gives a label of the label set, from the picker."""
        self._decide(Wish(label=label), self._several())

    def skip(self) -> None:
        """The clip comes back at the end of the queue. One that cannot be played is just left."""
        if (
            self._row is not None
            and (self._unplayable or self._row.state in _TROUBLE)
            and not self._several()
        ):
            self._library.go_on()
            return
        self._decide(Wish(kind=DecisionKind.SKIPPED), self._several())

    def unsure(self) -> None:
        self._decide(Wish(kind=DecisionKind.UNSURE), self._several())

    def unusable(self) -> None:
        self._decide(Wish(kind=DecisionKind.UNUSABLE), self._several())

    def undo(self) -> None:
        """Takes the newest step back; its clip is current again."""
        self._step_back_or_on(_undo, "Nothing to undo.")

    def redo(self) -> None:
        self._step_back_or_on(_redo, "Nothing to redo.")

    # --- writing ---------------------------------------------------------------------------------
    def _several(self) -> tuple[int, ...]:
        selection = self._library.selection
        return selection if len(selection) > 1 else ()

    def _decide(self, wish: Wish, several: tuple[int, ...]) -> None:
        row = self._row
        if row is None or self._writing or self._is_read_only():
            return
        if not several and self._unplayable:
            self._refuse_unplayable()
            return
        if self._covered:
            self.refused.emit(COVERED)
            return
        if self._painted_at is None:
            return
        self._set_writing(True)
        took_us = round((monotonic() - self._painted_at) * 1e6)
        suggestion = self.suggestion
        job: Callable[[ProjectStore], Changes | None]
        if several:
            job = partial(decisions_for, wish, several, self._session.annotator, self._blind)
        else:
            job = partial(
                write_decisions, (wish.decision(row.clip_id, suggestion, took_us),), self._session.annotator
            )
        self._session.write(job, partial(self._on_written, row), self._on_failed)

    def _refuse_unplayable(self) -> None:
        if self._row is not None:
            why = self._unplayable.rstrip(".")
            self.refused.emit(f"{self._row.name} cannot be shown: {why}. S goes on.")

    def _is_read_only(self) -> bool:
        facts = self._session.facts
        if facts is not None and facts.read_only:
            self.refused.emit(facts.words)
            return True
        return False

    def _on_written(self, row: ClipRow, changes: Changes | None) -> None:
        self._set_writing(False)
        if changes is None or not changes.decisions:
            self.refused.emit("None of the selected clips has a suggestion.")
            return
        self._library.apply(changes)
        if self._row is not None and self._row.clip_id == row.clip_id:
            self._library.go_on()
        self.saved.emit(saved_words(changes, row))
        self.decided.emit(changes.decisions[-1])

    def _on_failed(self, words: str) -> None:
        self._set_writing(False)
        self.failed.emit(words)

    def _step_back_or_on(self, job: object, nothing: str) -> None:
        if not self._session.is_open or self._writing or self._is_read_only():
            return
        self._set_writing(True)
        self._session.write(
            partial(_step, job, self._session.annotator), partial(self._on_stepped, nothing), self._on_failed
        )

    def _on_stepped(self, nothing: str, changes: Changes | None) -> None:
        self._set_writing(False)
        if changes is None:
            self.refused.emit(nothing)
            return
        self._library.apply(changes)
        if changes.decisions:
            self._library.show(changes.decisions[0].clip_id)
        self.saved.emit(changes.words)
        if changes.decisions:
            self.decided.emit(changes.decisions[-1])

    def _set_writing(self, writing: bool) -> None:
        self._writing = writing
        self._tell_can_act()

    def _tell_can_act(self) -> None:
        if self.can_act != self._could_act:
            self._could_act = self.can_act
            self.can_act_changed.emit(self._could_act)

    @Slot(int)
    def _on_suggestion(self, clip_id: int) -> None:
        """It appears where none was on screen; where one was, that one stays."""
        if self._row is None or self._row.clip_id != clip_id or self._suggestion is not None:
            return
        self._suggestion = self._cache.get(clip_id)
        if self._suggestion is not None and not self._blind:
            self.suggestions_changed.emit(self._suggestion)

    @Slot()
    def _on_closed(self) -> None:
        self._writing = False
        self._cache.clear()
        self.set_current(None)


def _step(job: object, annotator: str, store: ProjectStore) -> Changes | None:
    changes: Changes | None = job(store, annotator)  # type: ignore[operator]
    return changes


def _undo(store: ProjectStore, annotator: str) -> Changes | None:
    return store.undo(annotator=annotator)


def _redo(store: ProjectStore, annotator: str) -> Changes | None:
    return store.redo(annotator=annotator)
