"""Which parts of the arena are taken: first fit, in blocks of 64-byte multiples."""

from __future__ import annotations

import bisect
import threading

ALIGNMENT = 64


class Blocks:
    """The engine's book of the room ``[start, end)`` of the arena. Safe to use from any thread."""

    def __init__(self, start: int, end: int) -> None:
        self._lock = threading.Lock()
        self._start = -(-start // ALIGNMENT) * ALIGNMENT
        self._end = end // ALIGNMENT * ALIGNMENT
        self._holes: list[tuple[int, int]] = [(self._start, self._end)]
        self._taken: dict[int, int] = {}

    @property
    def room(self) -> int:
        """Bytes in all, taken or not."""
        return self._end - self._start

    @property
    def free(self) -> int:
        """Bytes that are not taken, perhaps in several pieces."""
        with self._lock:
            return sum(end - start for start, end in self._holes)

    def take(self, nbytes: int, *, leave: int = 0) -> int | None:
        """The offset of a new block of at least ``nbytes``.

        Args:
            nbytes: size of the block.
            leave: bytes that must stay free for more urgent things.

        Returns:
            None when there is no room at present.
        """
        size = max(ALIGNMENT, -(-nbytes // ALIGNMENT) * ALIGNMENT)
        with self._lock:
            if leave and sum(end - start for start, end in self._holes) - size < leave:
                return None
            for place, (start, end) in enumerate(self._holes):
                if end - start >= size:
                    if end - start == size:
                        del self._holes[place]
                    else:
                        self._holes[place] = (start + size, end)
                    self._taken[start] = size
                    return start
        return None

    def give_back(self, offset: int) -> None:
        """Frees a block; one that is not taken is ignored, since the other side may say so twice."""
        with self._lock:
            size = self._taken.pop(offset, None)
            if size is None:
                return
            start, end = offset, offset + size
            place = bisect.bisect(self._holes, (start, end))
            if place < len(self._holes) and self._holes[place][0] == end:
                end = self._holes.pop(place)[1]
            if place > 0 and self._holes[place - 1][1] == start:
                start = self._holes.pop(place - 1)[0]
                place -= 1
            self._holes.insert(place, (start, end))
