"""Reviewing the clips of one label by the screenful: a click says 'not this', one key takes all the others."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal, Slot

from vidlabel.core.words import Changes, ClipRow
from vidlabel.services.deciding import Deciding
from vidlabel.services.filmstrips import Filmstrips
from vidlabel.services.project import ProjectSession
from vidlabel.services.review_words import (
    Asked,
    Choice,
    Mark,
    Mode,
    Screenful,
    decisions_of,
    find,
    is_open,
    saved_words,
    write_screenful,
)
from vidlabel.services.settings import Settings

if TYPE_CHECKING:
    from vidlabel.store.project_store import ProjectStore

LEAST_STEP = 0.05
_FOLLOW_MS = 2000
"""How soon labels and counts follow what a model says meanwhile."""
_REMEMBERED = 100
"""Screenfuls that an undo shows again as they were."""


class Reviewing(QObject):
    """What is under review, the screenful of it on screen, and the clicks.

    A snapshot of clip ids is walked through; a screenful stays as it is until it is left, whatever comes meanwhile.
    """

    choices_changed = Signal()
    """Other labels, or another number of clips of them."""
    screen_changed = Signal()
    """Other clips are on screen."""
    tiles_changed = Signal(object)
    """set[int] of clips that are clicked, or decided about, otherwise than before"""
    state_changed = Signal()
    """What the head line and the buttons say."""
    refused = Signal(str)
    saved = Signal(str)
    failed = Signal(str)

    def __init__(
        self,
        session: ProjectSession,
        settings: Settings,
        *,
        deciding: Deciding,
        filmstrips: Filmstrips,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._session = session
        self._settings = settings
        self._deciding = deciding
        self._filmstrips = filmstrips
        self._following = QTimer(self)
        self._following.setSingleShot(True)
        self._following.setInterval(_FOLLOW_MS)
        self._following.timeout.connect(self.look)
        self._asked = Asked(Mode.SUGGESTED, "", settings.review_least)
        self._capacity = 0
        self._writing = False
        self._choices: dict[Mode, tuple[Choice, ...]] = {}
        self._done: list[Screenful] = []
        self._undone: list[Screenful] = []
        self._start_over()
        session.changed.connect(self._on_changed)
        session.closed.connect(self._on_closed)
        deciding.blind_changed.connect(self._on_blind)

    def _start_over(self) -> None:
        self._ids: array[int] = array("q")
        self._place = 0
        self._rows: dict[int, ClipRow] = {}
        self._screen: tuple[int, ...] = ()
        self._coming: tuple[int, ...] | None = None
        self._marks: dict[int, Mark] = {}
        self._painted: set[int] = set()
        self._accepted = 0
        self._found = False

    # --- what is under review --------------------------------------------------------------------
    @property
    def mode(self) -> Mode:
        return self._asked.mode

    @property
    def label(self) -> str:
        """The label under review; '' before one is chosen."""
        return self._asked.label

    @property
    def least(self) -> float:
        """Least confidence of the suggestions, 0..1."""
        return self._asked.least

    @property
    def choices(self) -> tuple[Choice, ...]:
        """Labels that can be reviewed, most clips first."""
        return self._choices.get(self._asked.mode, ())

    @property
    def known(self) -> bool:
        """Whether it has been asked which labels there are."""
        return self._asked.mode in self._choices

    @property
    def blind(self) -> bool:
        """Blind mode hides suggestions: they cannot be reviewed then."""
        return self._deciding.blind

    @Slot()
    def look(self) -> None:
        """Asks which labels can be reviewed now; the first is taken where none is under review."""
        self._following.stop()
        if self._session.is_open:
            self._session.read(partial(_counts, self._asked.least), self._on_counts)

    def choose(self, label: str) -> None:
        """Reviews another label."""
        if label and label != self._asked.label:
            self._ask(replace(self._asked, label=label))

    def set_mode(self, mode: Mode) -> None:
        """Suggested or decided clips."""
        if mode is not self._asked.mode:
            self._ask(replace(self._asked, mode=mode))
            self.choices_changed.emit()
            self.look()

    def toggle_mode(self) -> None:
        self.set_mode(Mode.DECIDED if self.mode is Mode.SUGGESTED else Mode.SUGGESTED)

    def set_least(self, least: float) -> None:
        """Only suggestions with at least this confidence."""
        least = min(max(round(least, 2), 0.0), 0.99)
        if least != self._asked.least:
            self._settings.review_least = least
            self._ask(replace(self._asked, least=least))
            self._following.start()

    def go_label(self, steps: int) -> None:
        """The next (or an earlier) label of the choices."""
        names = [choice.label for choice in self.choices]
        if not names:
            return
        place = names.index(self.label) + steps if self.label in names else 0
        self.choose(names[place % len(names)])

    # --- the screenful ---------------------------------------------------------------------------
    @property
    def rows(self) -> tuple[ClipRow, ...]:
        """The clips on screen, as they were when they came."""
        return tuple(self._rows[clip_id] for clip_id in self._screen)

    @property
    def total(self) -> int:
        """Clips in this review, those already passed included."""
        return len(self._ids)

    @property
    def place(self) -> int:
        """How many of them were before this screenful."""
        return self._place

    @property
    def accepted(self) -> int:
        """Clips that were decided about in this review, less what was taken back."""
        return self._accepted

    @property
    def loaded(self) -> bool:
        """Whether the clips of the label have been asked for and answered."""
        return self._found

    def set_capacity(self, tiles: int) -> None:
        """How many clips fit on the screen; it begins with the same clip as before."""
        if tiles > 0 and tiles != self._capacity:
            self._capacity = tiles
            if self._found:
                self._show(self._place)

    def mark(self, clip_id: int) -> Mark | None:
        """The click on a clip."""
        return self._marks.get(clip_id)

    def is_open(self, row: ClipRow) -> bool:
        """Whether Enter decides about the clip: it can be shown, and nobody has decided otherwise meanwhile."""
        return is_open(row, self._asked) and not self._filmstrips.has_none(row)

    def toggle(self, clip_id: int) -> None:
        """Clicks a clip, or takes the click back."""
        self._set_mark((clip_id,), None if clip_id in self._marks else Mark())

    def invert(self) -> None:
        """Clicks all that are not clicked, and no others."""
        clicked = {row.clip_id for row in self.rows if row.clip_id in self._marks}
        for row in self.rows:
            if row.clip_id in clicked:
                self._marks.pop(row.clip_id)
            elif self.is_open(row):
                self._marks[row.clip_id] = Mark()
        self._tell(self._screen)

    def give(self, label: str, focused: int | None) -> None:
        """Says what the clicked clips show that have no other label yet; where there is none, the focused one."""
        bare = [row.clip_id for row in self.rows if self._marks.get(row.clip_id) == Mark()]
        wanted = bare or ([focused] if focused is not None else [])
        self._set_mark(wanted, None if label == self.label else Mark(label))

    def _set_mark(self, clip_ids: Iterable[int], mark: Mark | None) -> None:
        changed = [
            clip_id
            for clip_id in clip_ids
            if clip_id in self._screen and self.is_open(self._rows[clip_id]) and not self._writing
        ]
        for clip_id in changed:
            if mark is None:
                self._marks.pop(clip_id, None)
            else:
                self._marks[clip_id] = mark
        self._tell(changed)

    def on_painted(self, clip_ids: Iterable[int]) -> None:
        """These clips have a picture on the screen."""
        before = self.waiting
        self._painted.update(clip_ids)
        if before != self.waiting:
            self.state_changed.emit()

    @property
    def waiting(self) -> int:
        """Clips on screen whose pictures are not painted yet: until then no key decides about them."""
        return sum(row.clip_id not in self._painted for row in self._open_rows())

    @property
    def clicked(self) -> int:
        return sum(row.clip_id in self._marks for row in self._open_rows())

    @property
    def open(self) -> int:
        """Clips on screen that are decided about by Enter, the clicked ones included."""
        return len(self._open_rows())

    def _open_rows(self) -> tuple[ClipRow, ...]:
        return tuple(row for row in self.rows if self.is_open(row))

    # --- wishes ----------------------------------------------------------------------------------
    def accept(self) -> None:
        """Takes all that are not clicked (of decided clips: lets the clicked ones go), and goes on."""
        if not self._found or self._writing or not self._screen or self._is_hidden() or self._is_read_only():
            return
        if self.waiting:
            self.refused.emit(
                self.tr("{0} of {1} clips are not on the screen yet.").format(self.waiting, len(self._screen))
            )
            return
        rows = self._open_rows()
        decisions = decisions_of(
            rows, self._marks, self._asked, clicked=self._settings.review_clicked, blind=self.blind
        )
        if not decisions:
            self._leave(frozenset())
            return
        seen = {row.clip_id: row.decided_at_us for row in rows}
        self._writing = True
        self.state_changed.emit()
        self._session.write(
            partial(write_screenful, decisions, seen, self._session.annotator),
            self._on_written,
            self._on_failed,
        )

    def next_screen(self) -> None:
        """Passes over this screenful; nothing is decided about it."""
        if not self._writing and self._place + len(self._screen) < len(self._ids):
            self._show(self._place + len(self._screen))

    def previous_screen(self) -> None:
        """Back to the screenful before."""
        if not self._writing and self._place:
            self._show(max(0, self._place - self._capacity))

    def _is_hidden(self) -> bool:
        if self.blind and self.mode is Mode.SUGGESTED:
            self.refused.emit(self.tr("Blind mode: suggestions are hidden. B shows them."))
            return True
        return False

    def _is_read_only(self) -> bool:
        facts = self._session.facts
        if facts is None or not facts.read_only:
            return False
        self.refused.emit(facts.words)
        return True

    # --- asking and writing ----------------------------------------------------------------------
    def _on_counts(self, counts: dict[str, int]) -> None:
        decided = self._session.counts.by_label
        before = self._choices
        self._choices = {Mode.SUGGESTED: _ordered(counts), Mode.DECIDED: _ordered(decided)}
        if self._choices != before:
            self.choices_changed.emit()
        if not self.label and self.choices:
            self.choose(self.choices[0].label)
        elif self._found and not self._screen and self.label:
            # What came meanwhile is shown where there is nothing else to look at.
            self._ask(self._asked)

    def _ask(self, asked: Asked) -> None:
        self._asked = asked
        self._start_over()
        self._filmstrips.forget()
        self.screen_changed.emit()
        self.state_changed.emit()
        if asked.label and self._session.is_open:
            self._session.read(partial(find, asked), partial(self._on_found, asked))

    def _on_found(self, asked: Asked, ids: array[int]) -> None:
        if asked != self._asked:
            return
        self._found = True
        self._ids = ids
        self._show(0)

    def _show(self, place: int) -> None:
        """The screenful that begins there, when its rows are known."""
        ids = tuple(self._ids[place : place + self._capacity])
        self._place = place
        self._coming = ids
        following = tuple(self._ids[place + len(ids) : place + 2 * len(ids)])
        unknown = [clip_id for clip_id in (*ids, *following) if clip_id not in self._rows]
        if unknown:
            self._session.read(partial(_rows, tuple(unknown)), partial(self._on_rows, self._asked, ids))
        else:
            self._put(ids)

    def _on_rows(self, asked: Asked, ids: tuple[int, ...], rows: Sequence[ClipRow]) -> None:
        if asked != self._asked:
            return
        self._rows.update({row.clip_id: row for row in rows})
        if ids == self._coming:
            self._put(ids)

    def _put(self, ids: tuple[int, ...]) -> None:
        self._coming = None
        self._screen = tuple(clip_id for clip_id in ids if clip_id in self._rows)
        self._painted &= set(self._screen)
        self._filmstrips.forget()
        self.screen_changed.emit()
        self.state_changed.emit()

    @property
    def upcoming(self) -> tuple[ClipRow, ...]:
        """The clips of the next screenful, as far as they are known."""
        begin = self._place + len(self._screen)
        ids = self._ids[begin : begin + self._capacity]
        return tuple(self._rows[clip_id] for clip_id in ids if clip_id in self._rows)

    def _on_written(self, changes: Changes | None) -> None:
        self._writing = False
        if changes is None or not changes.decisions:
            self.refused.emit(self.tr("These clips were decided about meanwhile; nothing was written."))
            self._refresh(self._screen)
            return
        self._accepted += len(changes.clips)
        self._undone.clear()
        self.saved.emit(saved_words(changes, self._asked))
        self._take_in(changes)
        self._leave(frozenset(changes.clips))

    def _on_failed(self, words: str) -> None:
        self._writing = False
        self.state_changed.emit()
        self.failed.emit(words)

    def _leave(self, written: frozenset[int]) -> None:
        """On to the next screenful; this one can come back."""
        if written:
            left = Screenful(
                asked=self._asked, of=self._ids, ids=self._screen, marks=dict(self._marks), written=written
            )
            self._done = [*self._done, left][-_REMEMBERED:]
        self._marks = {clip: mark for clip, mark in self._marks.items() if clip not in self._screen}
        self._show(self._place + len(self._screen))

    # --- what happens ----------------------------------------------------------------------------
    @Slot(object)
    def _on_changed(self, changes: Changes) -> None:
        if changes.decisions:
            clips = frozenset(decision.clip_id for decision in changes.decisions)
            if any(decision.undoes is not None for decision in changes.decisions):
                self._on_undo(clips, changes)
            else:
                self._take_in(changes)
        if (changes.library or changes.models or changes.labels or changes.clips) and not (
            self._following.isActive()
        ):
            self._following.start()

    def _on_undo(self, clips: frozenset[int], changes: Changes) -> None:
        """A screenful that was taken back stands there again, with its clicks; one done again is passed."""
        back = bool(self._done) and self._done[-1].written == clips
        forth = bool(self._undone) and self._undone[-1].written == clips
        if not back:
            self._take_in(changes)
        if back:
            # All of it is asked for again, so that nothing is shown as it was before.
            self._screen = ()
            for clip_id in clips:
                self._rows.pop(clip_id, None)
            left = self._done.pop()
            self._undone.append(left)
            self._return_to(left)
            self._accepted = max(0, self._accepted - len(clips))
            self._marks.update(left.marks)
            self._show(self._ids.index(left.ids[0]))
        elif forth:
            left = self._undone.pop()
            self._done.append(left)
            self._return_to(left)
            self._accepted += len(clips)
            self._show(self._ids.index(left.ids[-1]) + 1)

    def _return_to(self, left: Screenful) -> None:
        """To the review that a screenful was of, where another one was begun meanwhile."""
        if left.asked != self._asked:
            changed = left.asked.mode is not self._asked.mode
            self._asked = left.asked
            self._start_over()
            self._ids = left.of
            self._found = True
            if changed:
                self.choices_changed.emit()

    def _take_in(self, changes: Changes) -> None:
        """What is decided about clips that are known here; who decides elsewhere is seen here, too."""
        self._refresh([decision.clip_id for decision in changes.decisions])

    def _refresh(self, clip_ids: Iterable[int]) -> None:
        known = tuple(clip_id for clip_id in clip_ids if clip_id in self._rows)
        if known:
            self._session.read(partial(_rows, known), partial(self._on_refreshed, self._asked))

    def _on_refreshed(self, asked: Asked, rows: Sequence[ClipRow]) -> None:
        """The state is the new one; the suggestion stays the one that is on screen."""
        if asked != self._asked:
            return
        for row in rows:
            shown = self._rows.get(row.clip_id)
            if shown is None:
                continue
            self._rows[row.clip_id] = replace(
                shown,
                state=row.state,
                label=row.label,
                annotator=row.annotator,
                decided_at_us=row.decided_at_us,
            )
        self._tell([row.clip_id for row in rows])

    @Slot()
    def _on_closed(self) -> None:
        self._following.stop()
        self._writing = False
        self._choices = {}
        self._done.clear()
        self._undone.clear()
        self._ask(Asked(Mode.SUGGESTED, "", self._settings.review_least))
        self.choices_changed.emit()

    @Slot(bool)
    def _on_blind(self, _on: bool) -> None:
        self.state_changed.emit()

    def _tell(self, clip_ids: Iterable[int]) -> None:
        changed = set(clip_ids) & set(self._screen)
        if changed:
            self.tiles_changed.emit(changed)
            self.state_changed.emit()


def _ordered(counts: dict[str, int]) -> tuple[Choice, ...]:
    found = [Choice(label, number) for label, number in counts.items() if number]
    return tuple(sorted(found, key=lambda choice: (-choice.clips, choice.label)))


def _counts(least: float, store: ProjectStore) -> dict[str, int]:
    return store.suggested_counts(least)


def _rows(clip_ids: tuple[int, ...], store: ProjectStore) -> tuple[ClipRow, ...]:
    return store.clip_rows(clip_ids)
