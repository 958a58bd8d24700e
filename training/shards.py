"""Batches out of rendered shards: the same number of clips of every label, silhouettes and figures mixed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from vidlabel.learning.batches import Augment, Batch


class Shards:
    """All shards of one kind in a work folder, mapped and not read.

    Raises:
        FileNotFoundError: there is none.
    """

    def __init__(self, work: Path, kind: str) -> None:
        paths = sorted(
            path for path in work.glob(f"{kind}-[0-9]*.npy") if not path.name.endswith(".labels.npy")
        )
        if not paths:
            raise FileNotFoundError(f"{work} holds no shards of {kind}; render them with training.make_clips")
        self._frames = [np.load(path, mmap_mode="r") for path in paths]
        self.labels: NDArray[np.int64] = np.concatenate(
            [np.load(path.with_suffix(".labels.npy")) for path in paths]
        )
        self._starts = np.concatenate([[0], np.cumsum([len(frames) for frames in self._frames])])

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, place: int) -> NDArray[np.uint8]:
        """One clip, uint8 (T, H, W, 3)."""
        shard = int(np.searchsorted(self._starts, place, side="right")) - 1
        clip: NDArray[np.uint8] = self._frames[shard][place - self._starts[shard]]
        return clip

    def batches(self, size: int, *, side: int) -> Iterator[tuple[NDArray[np.uint8], NDArray[np.int64]]]:
        """All clips in order, ``size`` a batch, at ``side`` x ``side`` px: for measuring."""
        for start in range(0, len(self), size):
            end = min(start + size, len(self))
            yield (
                resized(np.stack([self[place] for place in range(start, end)]), side),
                self.labels[start:end],
            )


def resized(frames: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
    """Clips (B, T, H, W, 3) at another height and width, averaged over areas when they shrink."""
    if frames.shape[2:4] == (size, size):
        return frames
    way = cv2.INTER_AREA if size < frames.shape[2] else cv2.INTER_LINEAR
    flat = [cv2.resize(picture, (size, size), interpolation=way) for clip in frames for picture in clip]
    return np.stack(flat).reshape(*frames.shape[:2], size, size, 3)


class BalancedBatches:
    """What ``fit`` draws from: each epoch takes ``per_label`` clips of every label from every kind that has it.

    A label with silhouettes thus counts double, which is the truth about how much is known of it; without this
    the many composites of 21 labels would drown the other 30.

    Args:
        kinds: the shards of each kind.
        per_label: clips of a label and kind an epoch; a kind with fewer repeats them.
        size: clips a batch.
        seed: of the choice, the order and the augmentation.
        augment: changes a batch at random.
    """

    def __init__(
        self, kinds: list[Shards], *, per_label: int, size: int, seed: int, augment: Augment | None
    ) -> None:
        self._kinds = kinds
        self._seed, self._size, self._augment = seed, size, augment
        self._pools = [
            (kind, np.flatnonzero(shards.labels == label))
            for kind, shards in enumerate(kinds)
            for label in np.unique(shards.labels)
        ]
        self._per_label = per_label

    def __len__(self) -> int:
        return len(self._pools) * self._per_label // self._size

    def epoch(self, number: int, *, first: int = 0) -> Iterator[Batch]:
        """The batches of an epoch from place ``first`` on."""
        rng = np.random.default_rng([self._seed, number])
        chosen = [
            (kind, int(place)) for kind, pool in self._pools for place in self._drawn(pool, number, kind)
        ]
        order = rng.permutation(len(chosen))
        for place in range(first, len(self)):
            drawn = [chosen[n] for n in order[place * self._size : (place + 1) * self._size]]
            frames = np.stack([self._kinds[kind][clip] for kind, clip in drawn])
            labels = np.array([self._kinds[kind].labels[clip] for kind, clip in drawn], np.int64)
            if self._augment is not None:
                frames = self._augment(frames, np.random.default_rng([self._seed, number, place]))
            yield Batch(frames, labels)

    def _drawn(self, pool: NDArray[np.int64], number: int, kind: int) -> NDArray[np.int64]:
        """This epoch's share of a pool: it is gone through in one shuffled order, epoch after epoch."""
        shuffled = np.random.default_rng([self._seed, kind, int(pool[0])]).permutation(pool)
        return shuffled[(number * self._per_label + np.arange(self._per_label)) % len(pool)]
