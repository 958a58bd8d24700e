"""Rows of the library, fetched in pages when they are looked at and changed singly."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal, Slot

from vidlabel.core.words import ClipRow, ClipState, Decision, DecisionKind
from vidlabel.services.project import ProjectSession

if TYPE_CHECKING:
    from vidlabel.store.project_store import ProjectStore

PAGE = 100
MOST_ROWS = 20_000
_PAGES_AT_ONCE = 3
_TROUBLE = frozenset({ClipState.MISSING, ClipState.UNREADABLE})


class RowCache(QObject):
    """Clip id to row. What is asked for last is fetched first: it is what the person looks at."""

    arrived = Signal(object)
    """list[int]: indices in the view."""
    lost = Signal(object)
    """list[int]: clips whose file turned out to be missing or unreadable."""

    def __init__(
        self,
        session: ProjectSession,
        indices_of: Callable[[Iterable[int]], list[int]],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._session = session
        self._indices_of = indices_of
        self._rows: dict[int, ClipRow] = {}
        self._wanted: dict[int, None] = {}
        self._stale: set[int] = set()
        self._fetching = False
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(0)
        self._timer.timeout.connect(self._fetch_wanted)

    def known(self, clip_id: int) -> ClipRow | None:
        return self._rows.get(clip_id)

    def get(self, clip_id: int, ids: array[int], index: int) -> ClipRow | None:
        """The row, or None after asking for it and its neighbours."""
        row = self._rows.get(clip_id)
        if row is None and clip_id not in self._wanted:
            start = index - index % PAGE
            self._want(neighbour for neighbour in ids[start : start + PAGE] if neighbour not in self._rows)
        return row

    def put(self, rows: Iterable[ClipRow]) -> None:
        """Rows that came with something else."""
        for row in rows:
            self._rows[row.clip_id] = row

    def clear(self) -> None:
        self._rows.clear()
        self._wanted.clear()
        self._stale.clear()
        self._fetching = False

    def refresh(self, clip_ids: Iterable[int]) -> None:
        """These are another in the store; the known ones are fetched again."""
        stale = [clip_id for clip_id in clip_ids if clip_id in self._rows]
        if stale:
            self._want(stale)

    def refresh_all(self) -> None:
        """What a model says of any of them may be shown otherwise."""
        self.refresh(tuple(self._rows))

    def fetch(self, clip_ids: Sequence[int], on_done: Callable[[tuple[ClipRow, ...]], None]) -> None:
        """``on_done`` gets the rows, at once where all are known."""
        if all(clip_id in self._rows for clip_id in clip_ids):
            on_done(tuple(self._rows[clip_id] for clip_id in clip_ids))
        else:
            self._session.read(partial(_rows, tuple(clip_ids)), partial(self._on_asked, on_done))

    def decide(self, decision: Decision) -> ClipState:
        """Changes a row as the decision says, without asking the store; answers the clip's state."""
        row = self._rows.get(decision.clip_id)
        withdrawn = decision.kind is DecisionKind.WITHDRAWN
        if row is None:
            return ClipState.UNDECIDED if withdrawn else ClipState(decision.kind.value)
        if withdrawn:
            state = ClipState.UNDECIDED if row.suggested is None else ClipState.SUGGESTED
        else:
            state = ClipState(decision.kind.value)
        shown = row.state if row.state in _TROUBLE else state
        self._rows[decision.clip_id] = replace(
            row,
            state=shown,
            label=decision.label,
            annotator=None if withdrawn else decision.annotator,
            decided_at_us=None if withdrawn else decision.decided_at_us,
        )
        return shown

    def _want(self, clip_ids: Iterable[int]) -> None:
        for clip_id in clip_ids:
            self._wanted.pop(clip_id, None)
            self._wanted[clip_id] = None
        if not self._fetching:
            self._timer.start()

    @Slot()
    def _fetch_wanted(self) -> None:
        if self._fetching or not self._wanted:
            return
        newest = list(self._wanted)[-PAGE * _PAGES_AT_ONCE :]
        self._fetching = True
        self._session.read(partial(_rows, tuple(newest)), self._on_rows, self._on_failed)

    def _on_rows(self, rows: tuple[ClipRow, ...]) -> None:
        self._fetching = False
        if len(self._rows) > MOST_ROWS:
            self._forget_oldest()
        for row in rows:
            self._wanted.pop(row.clip_id, None)
        lost = [row.clip_id for row in rows if row.state in _TROUBLE and self._was_usable(row.clip_id)]
        self.put(rows)
        if lost:
            self.lost.emit(lost)
        self.arrived.emit(self._indices_of(row.clip_id for row in rows))
        if not rows:
            # Clips that are gone: asking again would ask for ever.
            self._wanted.clear()
        if self._wanted:
            self._timer.start()

    def _was_usable(self, clip_id: int) -> bool:
        known = self._rows.get(clip_id)
        return known is not None and known.state not in _TROUBLE

    def _on_failed(self, words: str) -> None:
        self._fetching = False
        self._wanted.clear()
        self._session.write_failed.emit(words)

    def _on_asked(self, on_done: Callable[[tuple[ClipRow, ...]], None], rows: tuple[ClipRow, ...]) -> None:
        self.put(rows)
        on_done(rows)
        self.arrived.emit(self._indices_of(row.clip_id for row in rows))

    def _forget_oldest(self) -> None:
        for clip_id in list(self._rows)[: MOST_ROWS // 2]:
            del self._rows[clip_id]


def _rows(clip_ids: tuple[int, ...], store: ProjectStore) -> tuple[ClipRow, ...]:
    return store.clip_rows(clip_ids)
