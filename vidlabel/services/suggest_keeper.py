"""Writes what the engine answers in batches: suggestions, and the embeddings they were read from."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QObject, QTimer, Signal, Slot

from vidlabel.core import messages as m
from vidlabel.core.words import Suggestion
from vidlabel.services import suggest_jobs
from vidlabel.services.project import ProjectSession
from vidlabel.services.tasks import Rank

SAVE_EVERY_MS = 500


class SuggestionKeeper(QObject):
    """Gathers answers and hands them to the database thread twice a second, or at once."""

    saved = Signal(object)
    """frozenset[int]: clips whose suggestion is in the project now"""
    told = Signal(str)
    """Embeddings cannot be kept; suggestions go on."""

    def __init__(self, session: ProjectSession, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._fresh: list[Suggestion] = []
        self._seen: dict[int, str] = {}
        self._trunk = ""
        self._refused = False
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(SAVE_EVERY_MS)
        self._timer.timeout.connect(self.save)
        session.closed.connect(self._on_closed)

    def pending(self) -> set[int]:
        """Clips whose suggestion has been computed and is not in the project yet."""
        return {suggestion.clip_id for suggestion in self._fresh}

    def take(self, answer: m.Suggested, trunk: str) -> None:
        """Takes a batch of the model whose trunk this is ('' keeps no embeddings)."""
        if trunk != self._trunk:
            self._seen.clear()
            self._trunk = trunk
        self._fresh += [suggest_jobs.suggestion_of(scores, answer.model_hash) for scores in answer.clips]
        if trunk and not self._refused:
            self._seen |= {scores.clip_id: scores.embedding for scores in answer.clips if scores.embedding}
        if not self._timer.isActive():
            self._timer.start()

    @Slot()
    def save(self) -> None:
        """Now, for the clip on screen waits for it."""
        self._timer.stop()
        if self._fresh:
            fresh, self._fresh = tuple(self._fresh), []
            done = partial(self._on_saved, frozenset(suggestion.clip_id for suggestion in fresh))
            self._session.write(partial(suggest_jobs.save, fresh), done, rank=Rank.ENGINE)
        if self._seen:
            seen, self._seen = self._seen, {}
            # On the reading thread: it waits for the disk, and a decision must not wait for that.
            self._session.read(
                partial(suggest_jobs.keep_embeddings, self._trunk, seen), self._on_kept, self._on_refused
            )

    def forget(self) -> None:
        """What is not written is not wanted any more."""
        self._timer.stop()
        self._fresh.clear()
        self._seen.clear()

    def _on_saved(self, clip_ids: frozenset[int], _changes: object) -> None:
        self.saved.emit(clip_ids)

    def _on_kept(self, _added: int) -> None:
        """Nobody waits for it."""

    def _on_refused(self, words: str) -> None:
        if not self._refused:
            self._refused = True
            self.told.emit(words)

    @Slot()
    def _on_closed(self) -> None:
        self._refused = False
