"""The order of a view's clips, and which of them comes next in the queue."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from time import perf_counter
from typing import TYPE_CHECKING

from vidlabel.core.words import ClipQuery, ClipRow, ClipState

if TYPE_CHECKING:
    from vidlabel.store.project_store import ProjectStore

FIRST_ROWS = 60
_WAITING = frozenset({ClipState.UNDECIDED, ClipState.SUGGESTED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """A snapshot of a view: its clip ids in order, which of them wait, and how long it took to ask."""

    query: ClipQuery | None
    ids: array[int]
    positions: dict[int, int]
    waiting: set[int]
    skipped: tuple[int, ...]
    """In the order in which they were skipped."""
    first_rows: tuple[ClipRow, ...] = ()
    seconds: float = field(default=0.0, compare=False)

    @classmethod
    def empty(cls) -> Order:
        return cls(query=None, ids=array("q"), positions={}, waiting=set(), skipped=())


def fetch_order(query: ClipQuery, store: ProjectStore) -> Order:
    """Asks the store; off the GUI thread."""
    begin = perf_counter()
    ids = store.clip_ids(query)
    waiting = _narrowed(query, _WAITING, store)
    skipped = _narrowed(replace(query, sort="queue"), frozenset({ClipState.SKIPPED}), store)
    first = next((clip_id for clip_id in ids if clip_id in waiting), None) if waiting else None
    wanted = list(dict.fromkeys([*([first] if first is not None else []), *ids[:FIRST_ROWS]]))
    return Order(
        query=query,
        ids=ids,
        positions={clip_id: index for index, clip_id in enumerate(ids)},
        waiting=set(waiting),
        skipped=tuple(skipped),
        first_rows=store.clip_rows(wanted) if wanted else (),
        seconds=perf_counter() - begin,
    )


def _narrowed(query: ClipQuery, states: frozenset[ClipState], store: ProjectStore) -> array[int]:
    """The clips of the query that are in one of these states."""
    wanted = query.states & states if query.states else states
    return store.clip_ids(replace(query, states=wanted)) if wanted else array("q")


class PendingQueue:
    """Walks what waits: from the top of the order, or, once the person went elsewhere, from there and round.

    What is skipped comes back at the end.
    """

    def __init__(self, order: Order) -> None:
        self._following = True
        self.renew(order)

    def renew(self, order: Order) -> None:
        """Another snapshot."""
        self._order = order
        self._waiting = order.waiting
        self._skipped = dict.fromkeys(order.skipped)
        self._top = 0

    @property
    def is_empty(self) -> bool:
        """Whether nothing waits, skipped ones included."""
        return not self._waiting and not self._skipped

    def follow(self) -> None:
        """From the top again."""
        self._following = True

    def go_from(self, clip_id: int) -> None:
        """The person left the order for this clip, unless it is what comes first anyway."""
        self._following = clip_id == next(self._from_top(), None)

    def walk(self, after: int | None) -> Iterator[int]:
        """The clips to come, without ``after`` itself.

        Through chosen clips in their own order it goes once, decided or not: they are there to be looked at again.
        """
        if self._sorted_as_chosen:
            yield from self._below(after)
            return
        from_top = self._following and self._sorted_as_queue
        ahead = self._from_top() if from_top else self._from_place(after)
        for clip_id in ahead:
            if clip_id != after:
                yield clip_id
        for clip_id in self._skipped:
            if clip_id != after:
                yield clip_id

    def note(self, clip_id: int, state: ClipState) -> None:
        """A clip's state is another now."""
        self._skipped.pop(clip_id, None)
        if state in _WAITING and clip_id in self._order.positions:
            self._waiting.add(clip_id)
            self._top = min(self._top, self._order.positions[clip_id])
        else:
            self._waiting.discard(clip_id)
        if state is ClipState.SKIPPED:
            self._skipped[clip_id] = None

    @property
    def _sorted_as_queue(self) -> bool:
        query = self._order.query
        return query is not None and query.sort == "queue" and not query.descending

    @property
    def _sorted_as_chosen(self) -> bool:
        query = self._order.query
        return query is not None and query.chosen is not None and query.sort == "chosen"

    def _below(self, after: int | None) -> Iterator[int]:
        place = -1 if after is None else self._order.positions.get(after, -1)
        yield from self._order.ids[place + 1 :]

    def _from_top(self) -> Iterator[int]:
        ids, waiting = self._order.ids, self._waiting
        if not waiting:
            return
        while self._top < len(ids) and ids[self._top] not in waiting:
            self._top += 1
        for index in range(self._top, len(ids)):
            if ids[index] in waiting:
                yield ids[index]

    def _from_place(self, after: int | None) -> Iterator[int]:
        ids, waiting = self._order.ids, self._waiting
        place = -1 if after is None else self._order.positions.get(after, -1)
        if not waiting:
            return
        for index in range(place + 1, len(ids)):
            if ids[index] in waiting:
                yield ids[index]
        for index in range(place):
            if ids[index] in waiting:
                yield ids[index]
