"""Batches of clips from video files: decoded ahead on threads, kept in a cache, changed by chance.

What is in a batch follows from (seed, epoch, place) alone, whatever the number of threads and whether there is a
cache; so a run can be stopped at any step and resumed to the same numbers.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vidlabel.core.errors import TrainingError
from vidlabel.learning.augment import Augmentation, augmentation
from vidlabel.learning.batches import Batch, Frames
from vidlabel.learning.clip_cache import ClipCache
from vidlabel.learning.clip_reading import ClipReader, ClipsInOrder, OnTrouble, Trouble
from vidlabel.learning.clip_stock import LabelledClip, clips_of
from vidlabel.learning.dealing import Balance, Dealing
from vidlabel.ml.preprocess import Preprocessing

__all__ = ["ClipBatches", "ClipsInOrder", "LabelledClip", "clips_of"]


@dataclass
class _Pending:
    """A batch on its way: what it will hold, and for each of its clips what came of it."""

    place: int
    chosen: NDArray[np.int64]
    frames: Frames
    read: list[Future[Trouble]]


class ClipBatches:
    """What ``fit`` draws from; implements ``Batches``.

    Args:
        clips: at least two.
        preprocessing: of the model.
        size: clips a batch, over all processes; a last batch of a single clip joins the one before.
        seed: of the order and of what varies.
        strength: ``none`` shows clips exactly as the model sees them, ``light`` and ``strong`` change them.
        cache: keeps decoded clips; None decodes them anew each time.
        workers: decoding threads; 0 takes what the machine has.
        rank: which of the processes that share each batch this is; it gets its part of it.
        world: how many there are. Parts may differ by a clip, and by those that cannot be read: weigh by clips.
        balance: ``sampling`` shows each label as often as any other.
        unmirrored: labels whose clips are never mirrored.
        on_trouble: told once of each clip that cannot be read, and why, in the thread that draws. It is left out;
            where a batch would be left with a single clip, others stand in.

    Raises:
        TrainingError: there are too few clips.
        UsageError: there is no such strength.
    """

    def __init__(
        self,
        clips: Sequence[LabelledClip],
        preprocessing: Preprocessing,
        *,
        size: int,
        seed: int,
        strength: str | Augmentation = "light",
        cache: ClipCache | None = None,
        workers: int = 0,
        rank: int = 0,
        world: int = 1,
        balance: Balance = "none",
        unmirrored: Collection[int] = (),
        on_trouble: OnTrouble = lambda clip, why: None,
    ) -> None:
        self._reader = ClipReader(clips, preprocessing, cache=cache, workers=workers, on_trouble=on_trouble)
        self._dealing = Dealing(
            self._reader.labels, size=size, seed=seed, balance=balance, rank=rank, world=world
        )
        self._seed = seed
        self._how = augmentation(strength)
        self._unmirrored = frozenset(unmirrored)
        self._ahead = self._reader.ahead(size // world)

    def __len__(self) -> int:
        return len(self._dealing)

    def epoch(self, number: int, *, first: int = 0) -> Iterator[Batch]:
        """The batches of an epoch from place ``first`` on.

        Raises:
            TrainingError: no clip can be read any more.
        """
        order = self._dealing.order(number)
        with self._reader.threads() as pool:
            ahead: deque[_Pending] = deque()
            for place in range(first, len(self)):
                ahead.append(self._begin(pool, order, epoch=number, place=place))
                if len(ahead) > self._ahead:
                    yield self._gather(ahead.popleft(), order, epoch=number)
            while ahead:
                yield self._gather(ahead.popleft(), order, epoch=number)

    def fill(
        self,
        *,
        should_stop: Callable[[], bool] = lambda: False,
        on_progress: Callable[[int, int], None] = lambda done, total: None,
    ) -> None:
        """Decodes all clips into the cache ahead of the first epoch, which does it as well."""
        reader, total = self._reader, len(self._reader.clips)
        with reader.threads() as pool:
            waiting: deque[tuple[int, Future[Trouble]]] = deque()
            for clip in range(total + 1):
                while waiting and (clip == total or len(waiting) > 4 * reader.workers):
                    first, read = waiting.popleft()
                    reader.good(first, read.result())
                    on_progress(first + 1, total)
                if should_stop():
                    return
                if clip < total:
                    waiting.append((clip, pool.submit(reader.keep, clip, plain=self._how is None)))

    def _begin(
        self, pool: ThreadPoolExecutor, order: NDArray[np.int64], *, epoch: int, place: int
    ) -> _Pending:
        slots = self._dealing.slots(place)
        frames = self._reader.room(len(slots))
        read = [
            pool.submit(self._show, int(order[slot]), frames[n], epoch=epoch, slot=slot)
            for n, slot in enumerate(slots)
        ]
        return _Pending(place, order[slots.start : slots.stop], frames, read)

    def _gather(self, pending: _Pending, order: NDArray[np.int64], *, epoch: int) -> Batch:
        reader = self._reader
        chosen, frames = pending.chosen, pending.frames
        good = [
            reader.good(int(clip), read.result()) for clip, read in zip(chosen, pending.read, strict=True)
        ]
        reader.cache.tell()
        labels = reader.labels[chosen]
        if all(good):
            return Batch(frames, labels)
        frames, labels = frames[good], labels[good]
        least = 2 if self._dealing.world == 1 else 1
        for slot in self._dealing.after(pending.place):
            if len(frames) >= least:
                break
            clip, other = int(order[slot]), reader.room(1)
            if reader.good(clip, self._show(clip, other[0], epoch=epoch, slot=slot)):
                frames, labels = np.concatenate([frames, other]), np.append(labels, reader.labels[clip])
        if len(frames) == 0:
            raise TrainingError("None of the clips can be read any more. Is the disk still there?")
        return Batch(frames, labels)

    def _show(self, clip: int, out: Frames, *, epoch: int, slot: int) -> Trouble:
        """One clip as it is shown at one place of an epoch, in any thread."""
        if self._how is None:
            return self._reader.plain(clip, out)
        rng = np.random.default_rng([self._seed, epoch, slot, 1])
        mirror = int(self._reader.labels[clip]) not in self._unmirrored
        return self._reader.varied(clip, out, how=self._how, rng=rng, mirror=mirror)
