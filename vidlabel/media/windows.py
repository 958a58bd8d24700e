"""One pass over a video of any length in overlapping windows: each frame decoded once, few kept.

What is in memory at a time: the frames of one window at the network's size, the decoder, and the video's frame
index, which is some dozen bytes a frame (about 5 MB for an hour).
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vidlabel.core.sweeps import SweepPlan
from vidlabel.media.frame_index import FrameIndex
from vidlabel.media.reader import FrameReader

MOST_MISSING = 0.5
"""A window of which more than this share cannot be decoded was not looked at."""

Positions = Callable[[int, float], Sequence[int]]
Size = Callable[[int, int], tuple[int, int]]


@dataclass(frozen=True, eq=False, slots=True)
class Window:
    """The pictures of one window: uint8 (T, height, width, 3), or None where it could not be read."""

    number: int
    frames: NDArray[np.uint8] | None


def read_windows(
    path: Path,
    plan: SweepPlan,
    *,
    positions: Positions,
    size: Size,
    first: int = 0,
    index: FrameIndex | None = None,
    threads: int | None = None,
) -> Iterator[Window]:
    """The windows ``[first, plan.windows)``, each as ``read_positions`` would read it as a clip, in order.

    Only frames that some window looks at are converted; frames between them that no other frame needs are not
    decoded at all. It begins at the key frame before window ``first``.

    Args:
        path: the video.
        plan: its windows.
        positions: from (frames in the window, frames a second) to rising places in the window, from 0.
        size: from (width, height) as shown to the (width, height) wanted.
        first: the window to begin with.
        index: the video's frame index, if there is one already.
        threads: decoding threads; None suits the size of the picture.

    Raises:
        MissingVideoError: the file is not there (any more).
        UnreadableVideoError: it is no video that can be decoded.
    """
    if first >= plan.windows:
        return
    with FrameReader(path, index, threads=threads) as reader:
        wanted = _Wanted(reader.index, plan, positions, first=first)
        shape = reader.shape
        pictures: dict[int, NDArray[np.uint8]] = {}
        for frame, picture in reader.pictures(wanted, size=size(shape.width, shape.height)):
            pictures[frame] = picture
            yield from wanted.complete(pictures, up_to=frame)
        # The file ended, or went bad, before its last frame.
        yield from wanted.complete(pictures, up_to=len(reader.index))


class _Wanted(Iterator[int]):
    """The frames that the windows look at, rising, each once; and the windows still waiting for some."""

    def __init__(self, index: FrameIndex, plan: SweepPlan, positions: Positions, *, first: int) -> None:
        self._index = index
        self._plan = plan
        self._positions = positions
        self._following = first
        self._open: deque[tuple[int, tuple[int, ...]]] = deque()
        self._frames: list[int] = []
        self._last = -1
        self._next_places: tuple[int, ...] | None = self._places(first)

    def __next__(self) -> int:
        while True:
            while self._next_places is not None and (
                not self._frames or self._next_places[0] <= self._frames[0]
            ):
                self._begin()
            if not self._frames:
                raise StopIteration
            frame = heapq.heappop(self._frames)
            if frame > self._last:
                self._last = frame
                return frame

    def complete(self, pictures: dict[int, NDArray[np.uint8]], *, up_to: int) -> Iterator[Window]:
        """The windows whose last frame is at most ``up_to``; pictures that none needs any more are dropped."""
        while self._next_places is not None and self._next_places[-1] <= up_to:
            # Reached only where frames are missing: then the reader has stopped asking.
            self._begin()
        while self._open and self._open[0][1][-1] <= up_to:
            number, places = self._open.popleft()
            yield Window(number, _stacked(places, pictures))
        needed = self._open[0][1][0] if self._open else self._last
        for frame in [frame for frame in pictures if frame < needed]:
            del pictures[frame]

    def _begin(self) -> None:
        places = self._next_places
        assert places is not None
        self._open.append((self._following, places))
        for frame in dict.fromkeys(places):
            heapq.heappush(self._frames, frame)
        self._following += 1
        self._next_places = self._places(self._following)

    def _places(self, number: int) -> tuple[int, ...] | None:
        if number >= self._plan.windows:
            return None
        first, end = self._index.range(*self._plan.window(number))
        return tuple(first + place for place in self._positions(end - first, self._index.fps))


def _stacked(places: tuple[int, ...], pictures: dict[int, NDArray[np.uint8]]) -> NDArray[np.uint8] | None:
    """A window's pictures; one that is missing repeats the one before (at the start: the one after)."""
    there = [place for place in dict.fromkeys(places) if place in pictures]
    if len(there) < len(set(places)) * (1 - MOST_MISSING):
        return None
    nearest = np.maximum(np.searchsorted(there, places, side="right") - 1, 0)
    return np.stack([pictures[there[place]] for place in nearest])
