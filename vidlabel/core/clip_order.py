"""The clips of a view in order, and where each of them stands: small also for a million of them.

Everything here is arrays of numbers, made off the GUI thread; looking one up takes about a microsecond.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, insort
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

NOWHERE = -1


class Places:
    """Clip id to its place in an order; read like a dictionary."""

    def __init__(self, known: Sequence[int], places: Sequence[int]) -> None:
        """Args:
        known: clip ids, ascending; there may be more than are in the order.
        places: of each its place in the order, or ``NOWHERE``.
        """
        self._known = known
        self._places = places

    @classmethod
    def of(cls, ids: Sequence[int]) -> Places:
        """The places of these ids in this order."""
        by_id = sorted(range(len(ids)), key=ids.__getitem__)
        return cls(array("q", (ids[place] for place in by_id)), array("i", by_id))

    def get(self, clip_id: int, default: int | None = None) -> int | None:
        """The place of a clip, or ``default`` where it is not in the order."""
        at = bisect_left(self._known, clip_id)
        if at < len(self._known) and self._known[at] == clip_id and self._places[at] != NOWHERE:
            return self._places[at]
        return default

    def __getitem__(self, clip_id: int) -> int:
        place = self.get(clip_id)
        if place is None:
            raise KeyError(clip_id)
        return place

    def __contains__(self, clip_id: int) -> bool:
        return self.get(clip_id) is not None


class WaitingPlaces:
    """The places of an order at which a clip waits. It starts from a list that is shared and never changed."""

    def __init__(self, places: Sequence[int]) -> None:
        """Args:
        places: ascending.
        """
        self._first = places
        self._gone: set[int] = set()
        self._come: list[int] = []
        self._top = 0

    def __len__(self) -> int:
        return len(self._first) - len(self._gone) + len(self._come)

    def add(self, place: int) -> None:
        """A clip waits (again)."""
        if self._started_with(place):
            if place in self._gone:
                self._gone.discard(place)
                self._top = min(self._top, bisect_left(self._first, place))
        elif place not in self._come:
            insort(self._come, place)

    def discard(self, place: int) -> None:
        """A clip no longer waits."""
        if self._started_with(place):
            self._gone.add(place)
        elif place in self._come:
            self._come.remove(place)

    def starting_at(self, place: int) -> Iterator[int]:
        """The waiting places from ``place`` on, ascending."""
        # What was decided at the top is not walked through again and again.
        while self._top < len(self._first) and self._first[self._top] in self._gone:
            self._top += 1
        at = max(bisect_left(self._first, place), self._top)
        late = bisect_left(self._come, place)
        for index in range(at, len(self._first)):
            found = self._first[index]
            if found in self._gone:
                continue
            while late < len(self._come) and self._come[late] < found:
                yield self._come[late]
                late += 1
            yield found
        yield from self._come[late:]

    def _started_with(self, place: int) -> bool:
        at = bisect_left(self._first, place)
        return at < len(self._first) and self._first[at] == place


@dataclass(frozen=True, slots=True, kw_only=True)
class ClipOrder:
    """A snapshot of a view.

    ``waiting`` are the places, ascending, of clips that wait for a decision; ``skipped`` the ids of skipped ones
    in the order in which they were skipped. Where it is not ``complete`` there are only the first clips of it:
    the rest of a large project takes a moment.
    """

    ids: array[int] = field(default_factory=lambda: array("q"))
    places: Places = field(default_factory=lambda: Places((), ()))
    waiting: Sequence[int] = ()
    skipped: Sequence[int] = ()
    complete: bool = True

    @classmethod
    def of(
        cls, ids: array[int], waiting: Iterable[int], *, skipped: Iterable[int], complete: bool = True
    ) -> ClipOrder:
        """From ids: those of the clips that wait need no order."""
        places = Places.of(ids)
        found = (places.get(clip_id) for clip_id in waiting)
        return cls(
            ids=ids,
            places=places,
            waiting=array("i", sorted(place for place in found if place is not None)),
            skipped=array("q", skipped),
            complete=complete,
        )
