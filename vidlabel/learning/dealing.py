"""Which clips make which batch: a function of (seed, epoch, place) alone, so that a run can be resumed anywhere."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from vidlabel.core.errors import TrainingError

Balance = Literal["none", "sampling"]
BALANCES: tuple[Balance, ...] = ("none", "sampling")


class Dealing:
    """Deals clips to batches, and a batch to the processes that share it.

    A last batch that is too small (for two clips, which batch norm needs, or for a clip for each process) joins the
    one before.

    Args:
        labels: integer (N,), of all clips.
        size: clips a batch, over all processes.
        seed: of the order.
        balance: with ``sampling`` an epoch shows each label as often as any other, rare ones several times; its
            length stays.
        rank: which of the processes this is.
        world: how many share each batch.

    Raises:
        TrainingError: there are too few clips, or too few a batch for so many processes.
    """

    def __init__(
        self,
        labels: NDArray[np.integer[Any]],
        *,
        size: int,
        seed: int = 0,
        balance: Balance = "none",
        rank: int = 0,
        world: int = 1,
    ) -> None:
        if balance not in BALANCES or not 0 <= rank < world:
            raise ValueError(f"balance {balance!r}, process {rank} of {world}")
        if len(labels) < max(2, world) or size < max(2, world):
            of = f" for {world} processes" if world > 1 else ""
            raise TrainingError(f"{len(labels)} clips in batches of {size} are too few to train on{of}.")
        self._labels = np.asarray(labels, np.int64)
        self._seed, self._balance = seed, balance
        self.rank, self.world = rank, world
        bounds = [*range(0, len(labels), size), len(labels)]
        if len(bounds) > 2 and bounds[-1] - bounds[-2] < max(2, world):
            del bounds[-2]
        self._bounds = bounds

    def __len__(self) -> int:
        """Batches an epoch."""
        return len(self._bounds) - 1

    def order(self, epoch: int) -> NDArray[np.int64]:
        """The clips of an epoch by their numbers, int64 (N,), over all batches and processes."""
        rng = np.random.default_rng([self._seed, epoch])
        if self._balance == "none":
            return rng.permutation(len(self._labels))
        known = np.unique(self._labels)
        each = -(-len(self._labels) // len(known))
        shown = [_rounds(np.flatnonzero(self._labels == label), each, rng) for label in known]
        # In rounds over the labels, so that what is cut off at the end is one clip of a few labels.
        turns = np.stack([rng.permuted(column) for column in np.stack(shown, axis=1)])
        return rng.permutation(turns.reshape(-1)[: len(self._labels)])

    def slots(self, place: int) -> range:
        """The part of an epoch's order that this process shows in batch ``place``; at least one clip."""
        start, stop = self._bounds[place], self._bounds[place + 1]
        count = stop - start
        return range(start + count * self.rank // self.world, start + count * (self.rank + 1) // self.world)

    def after(self, place: int) -> list[int]:
        """All other slots, from the next batch on and round: who may stand in for a clip that cannot be read."""
        start, stop, count = self._bounds[place], self._bounds[place + 1], len(self._labels)
        others = [slot % count for slot in range(stop, count + start)]
        return others[self.rank :: self.world]


def _rounds(clips: NDArray[np.int64], wanted: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """So many of these clips: all of them before any comes again."""
    rounds = [rng.permutation(clips) for _ in range(-(-wanted // len(clips)))]
    return np.concatenate(rounds)[:wanted]
