"""Batches composed while training: every clip is new and follows from (seed, epoch, place), so that a run resumes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.render.actors import Actor, by_label
from training.render.compose import Stage, compose
from vidlabel.learning.batches import Batch

Share = Callable[[float], float]


@dataclass(frozen=True)
class Mixture:
    """Some actors and their share of the clips; within it every label is as frequent as the others."""

    actors: Sequence[Actor]
    share: float


class OnlineBatches:
    """What ``fit`` draws from.

    Args:
        mixtures: who acts; shares add up to 1.
        stage: where; its ``size`` and ``frames`` are the clips'.
        steps: batches an epoch.
        size: clips a batch.
        epochs: of the whole run, for ``plain``.
        plain: the share of easy clips as the run goes on, from progress (0 to 1) to a share (0 to 1).
        told: likewise, the share of clips of which the network is told where the actor is.
        seed: of everything.
    """

    def __init__(
        self,
        mixtures: Sequence[Mixture],
        stage: Stage,
        *,
        steps: int,
        size: int,
        epochs: int,
        plain: Share,
        told: Share,
        seed: int,
    ) -> None:
        self._shares = np.cumsum([mixture.share for mixture in mixtures])
        if not mixtures or abs(self._shares[-1] - 1) > 1e-6:
            raise ValueError("the shares of the mixtures must add up to 1")
        self._pools = [by_label(mixture.actors) for mixture in mixtures]
        self._stage, self._steps, self._size = stage, steps, size
        self._epochs, self._seed = epochs, seed
        self._plain, self._told = plain, told

    def __len__(self) -> int:
        return self._steps

    def epoch(self, number: int, *, first: int = 0) -> Iterator[Batch]:
        """The batches of an epoch from place ``first`` on."""
        for place in range(first, self._steps):
            done = (number + place / self._steps) / self._epochs
            rng = np.random.default_rng([self._seed, number, place])
            yield self._batch(rng, plain=self._plain(done), told=self._told(done))

    def _batch(self, rng: np.random.Generator, *, plain: float, told: float) -> Batch:
        side = self._stage.size
        pictures = np.empty((self._size, self._stage.frames, side, side), np.uint8)
        covers = np.empty_like(pictures)
        labels = np.empty(self._size, np.int64)
        for n in range(self._size):
            pool = self._pools[int(np.searchsorted(self._shares, rng.random() * self._shares[-1]))]
            label = list(pool)[int(rng.integers(len(pool)))]
            actor = pool[label][int(rng.integers(len(pool[label])))]
            pictures[n], covers[n] = compose(actor, rng, self._stage, plain=plain)
            labels[n] = label
        return Batch(in_three(pictures), labels, covers, rng.random(self._size) < told)


def in_three(pictures: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Grey (..., H, W) as the three equal colours that networks take, (..., H, W, 3)."""
    return np.repeat(pictures[..., None], 3, axis=-1)


def falling(first: float, last: float, *, until: float) -> Share:
    """A share that goes from ``first`` to ``last`` along a line and stays there from ``until`` on."""
    return lambda done: last + (first - last) * max(0.0, 1 - done / until)
