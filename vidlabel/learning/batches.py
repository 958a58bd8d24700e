"""Where training gets its clips: batches that follow from (seed, epoch, place), so a run can be resumed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Frames = NDArray[np.uint8]
Embeddings = NDArray[np.float32]
Augment = Callable[[Frames, np.random.Generator], Frames]


@dataclass(frozen=True)
class Batch:
    """Prepared clips; fewer than usual, or none, where some could not be read.

    Attributes:
        frames: uint8 (B, T, H, W, 3); or float32 (B, D), embeddings from which only the head learns.
        labels: int64 (B,), places in the label list.
        covers: uint8 (B, T, H, W), 255 where whoever acts is seen; None where that is not known.
        told: bool (B,), whether the network is told so of a clip, or has to find it; None is of none.
    """

    frames: Frames | Embeddings
    labels: NDArray[np.int64]
    covers: NDArray[np.uint8] | None = None
    told: NDArray[np.bool_] | None = None

    def part(self, piece: slice) -> Batch:
        """Some of its clips."""
        covers = None if self.covers is None else self.covers[piece]
        told = None if self.told is None else self.told[piece]
        return Batch(self.frames[piece], self.labels[piece], covers, told)


class Batches(Protocol):
    """What ``fit`` draws from."""

    def __len__(self) -> int:
        """Batches an epoch."""

    def epoch(self, number: int, *, first: int = 0) -> Iterator[Batch]:
        """The batches of an epoch from place ``first`` on: the same ones whenever they are asked for."""


class ArrayBatches:
    """Batches of clips that lie in one array (in memory or mapped from a file).

    Args:
        frames: uint8 (N, T, H, W, 3), N at least 1.
        labels: integer (N,).
        size: clips a batch; a last batch of a single clip joins the one before (batch norm needs two).
        seed: of the order and of what ``augment`` does.
        augment: changes a batch's frames at random; None leaves them, as for measuring.
    """

    def __init__(
        self,
        frames: Frames,
        labels: NDArray[np.integer],
        *,
        size: int,
        seed: int = 0,
        augment: Augment | None = None,
    ) -> None:
        if len(frames) == 0 or len(frames) != len(labels) or size < 1:
            raise ValueError(
                f"{len(frames)} clips, {len(labels)} labels and a size of {size} make no batches"
            )
        self._frames = frames
        self._labels = labels
        self._seed = seed
        self._augment = augment
        bounds = [*range(0, len(frames), size), len(frames)]
        if len(bounds) > 2 and bounds[-1] - bounds[-2] == 1:
            del bounds[-2]
        self._bounds = bounds

    def __len__(self) -> int:
        return len(self._bounds) - 1

    def epoch(self, number: int, *, first: int = 0) -> Iterator[Batch]:
        order = np.random.default_rng([self._seed, number]).permutation(len(self._frames))
        for place in range(first, len(self)):
            chosen = order[self._bounds[place] : self._bounds[place + 1]]
            frames = self._frames[chosen]
            if self._augment is not None:
                frames = self._augment(frames, np.random.default_rng([self._seed, number, place]))
            yield Batch(frames, self._labels[chosen].astype(np.int64))


def flip_shift_shade(frames: Frames, rng: np.random.Generator) -> Frames:
    """Mirrors half of the clips, moves each by up to an eighth, and changes its brightness by up to 20 %.

    The same for all frames of a clip: what changes within a clip would look like motion.

    Args:
        frames: uint8 (B, T, H, W, 3).
        rng: decides.

    Returns:
        A changed copy.
    """
    height, width = frames.shape[2:4]
    changed = np.empty_like(frames)
    for index, clip in enumerate(frames):
        down, right = (int(rng.integers(-side // 8, side // 8 + 1)) for side in (height, width))
        rows = np.clip(np.arange(height) + down, 0, height - 1)
        columns = np.clip(np.arange(width) + right, 0, width - 1)
        if rng.random() < 0.5:
            columns = columns[::-1]
        shade = np.clip(np.arange(256) * rng.uniform(0.8, 1.2), 0, 255).astype(np.uint8)
        changed[index] = shade[clip[:, rows][:, :, columns]]
    return changed
