"""Clips read on threads: for training as ``clip_batches`` deals them, for measuring one after the other."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vidlabel.core.errors import MediaError
from vidlabel.learning.augment import Augmentation, vary
from vidlabel.learning.batches import Batch, Frames
from vidlabel.learning.clip_cache import ClipCache, open_cache
from vidlabel.learning.clip_stock import LabelledClip
from vidlabel.ml.preprocess import Preprocessing

_MOST_WORKERS = 16
_AHEAD_BYTES = 400_000_000
_AHEAD = (2, 4)
"""Batches that are made ahead, at least and at most; between, as many as fit into that many bytes."""

OnTrouble = Callable[[LabelledClip, str], None]
Trouble = str | None
"""Why a clip could not be read; None where it could."""


class ClipReader:
    """Reads clips into given room and remembers which could not be read.

    Args:
        clips: at least one.
        preprocessing: of the model.
        cache: keeps decoded clips; None decodes them anew each time.
        workers: decoding threads; 0 takes what the machine has.
        on_trouble: told once of each clip that cannot be read, and why, in the thread that calls ``good``.
    """

    def __init__(
        self,
        clips: Sequence[LabelledClip],
        preprocessing: Preprocessing,
        *,
        cache: ClipCache | None,
        workers: int,
        on_trouble: OnTrouble,
    ) -> None:
        self.clips = tuple(clips)
        self.labels = np.array([clip.label for clip in clips], np.int64)
        self.preprocessing = preprocessing
        self.cache = cache or open_cache(Path(), preprocessing, most_bytes=0)
        if self.cache.preprocessing != preprocessing:
            raise ValueError("the cache is of another preprocessing")
        self.workers = workers or min(os.cpu_count() or 1, _MOST_WORKERS)
        self._on_trouble = on_trouble
        self._told: set[int] = set()

    @contextmanager
    def threads(self) -> Iterator[ThreadPoolExecutor]:
        """Threads that end with the block; what they have not begun is left."""
        pool = ThreadPoolExecutor(self.workers, thread_name_prefix="clips")
        try:
            yield pool
        finally:
            pool.shutdown(cancel_futures=True)
            self.cache.tell()

    def room(self, clips: int) -> Frames:
        """For so many clips as the network sees them, not filled."""
        p = self.preprocessing
        return np.empty((clips, p.frames, p.height, p.width, 3), np.uint8)

    def ahead(self, size: int) -> int:
        """How many batches of this size are worth having ready."""
        p = self.preprocessing
        return min(
            _AHEAD[1], max(_AHEAD[0], _AHEAD_BYTES // max(1, size * p.frames * p.height * p.width * 3))
        )

    def good(self, clip: int, trouble: Trouble) -> bool:
        """Whether it could be read; tells of the trouble the first time."""
        if trouble is not None and clip not in self._told:
            self._told.add(clip)
            self._on_trouble(self.clips[clip], trouble)
        return trouble is None

    # --- in any thread ---------------------------------------------------------------------------
    def plain(self, clip: int, out: Frames) -> Trouble:
        """A clip exactly as the model sees it."""
        try:
            out[...] = self.cache.stock(self.clips[clip], plain=True).frames
        except MediaError as error:
            return error.reason
        return None

    def varied(
        self, clip: int, out: Frames, *, how: Augmentation, rng: np.random.Generator, mirror: bool
    ) -> Trouble:
        """A clip changed by chance."""
        try:
            stock = self.cache.stock(self.clips[clip], plain=False)
        except MediaError as error:
            return error.reason
        vary(stock, self.preprocessing, how, rng=rng, mirror=mirror, out=out)
        return None

    def keep(self, clip: int, *, plain: bool) -> Trouble:
        """A clip into the cache."""
        try:
            self.cache.stock(self.clips[clip], plain=plain)
        except MediaError as error:
            return error.reason
        return None


class ClipsInOrder:
    """Clips to be measured: each that can be read once, exactly as the model sees it. May be walked repeatedly.

    Args:
        clips: at least one.
        preprocessing: of the model.
        size: clips at once.
        cache, workers, on_trouble: as for ``ClipReader``.
        rank: of the processes that share the clips.
        world: how many there are; each gets every ``world``-th clip.
    """

    def __init__(
        self,
        clips: Sequence[LabelledClip],
        preprocessing: Preprocessing,
        *,
        size: int,
        cache: ClipCache | None = None,
        workers: int = 0,
        rank: int = 0,
        world: int = 1,
        on_trouble: OnTrouble = lambda clip, why: None,
    ) -> None:
        self._reader = ClipReader(clips, preprocessing, cache=cache, workers=workers, on_trouble=on_trouble)
        self._own = np.arange(rank, len(clips), world)
        self._size = size

    def __iter__(self) -> Iterator[tuple[NDArray[np.int64], Batch]]:
        """The places of some clips, int64 (B,), and the clips."""
        reader, size = self._reader, self._size
        with reader.threads() as pool:
            ahead: deque[tuple[NDArray[np.int64], Frames, list[Future[Trouble]]]] = deque()
            for start in range(0, len(self._own), size):
                chosen = self._own[start : start + size]
                frames = reader.room(len(chosen))
                read = [pool.submit(reader.plain, int(clip), frames[n]) for n, clip in enumerate(chosen)]
                ahead.append((chosen, frames, read))
                if len(ahead) > reader.ahead(size):
                    yield from self._readable(*ahead.popleft())
            while ahead:
                yield from self._readable(*ahead.popleft())

    def _readable(
        self, chosen: NDArray[np.int64], frames: Frames, read: list[Future[Trouble]]
    ) -> Iterator[tuple[NDArray[np.int64], Batch]]:
        good = [self._reader.good(int(clip), one.result()) for clip, one in zip(chosen, read, strict=True)]
        self._reader.cache.tell()
        if any(good):
            yield (
                chosen[good],
                Batch(frames if all(good) else frames[good], self._reader.labels[chosen[good]]),
            )
