"""How the processor's cores are shared between decoding and the network, from what both cost here."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from typing import Protocol

_MOST_DECODERS = 16
_WORTH_MORE_THREADS = 1.03
"""More threads wake and wait more: they must give at least so much."""
_FIRST_LOOK = 4
_LOOK_EVERY = 64


class Cost(Protocol):
    """Seconds a clip: ``wall`` on the clock, ``work`` of processor time over all threads."""

    @property
    def wall(self) -> float: ...
    @property
    def work(self) -> float: ...


def decoders_for(kind: str) -> int:
    """How many threads decode ahead: as many as there are cores.

    On the CPU the network wants the same cores, and still no fewer decode: whichever of the two is behind then
    has all of them, and what is decoded ahead is bounded.
    """
    return max(2 if kind != "cpu" else 1, min(os.cpu_count() or 1, _MOST_DECODERS))


def counts_to_measure(cores: int) -> tuple[int, ...]:
    """The numbers of network threads worth measuring: 1, 2, 4, ... and all cores, most first."""
    counts = {1, cores}
    while (count := 2 * max(counts - {cores}, default=1)) < cores:
        counts.add(count)
    return tuple(sorted(counts, reverse=True))


def network_threads(costs: Mapping[int, Cost], *, decode_work: float, cores: int) -> int:
    """With how many threads the network lets most clips a second through.

    Two things bound them: the network itself, which takes one batch at a time, and the cores, which have to do
    the work of both. Few threads waste less work in waiting for each other; with too few the network is what all
    wait for.

    Args:
        costs: of a clip in the network, by number of threads.
        decode_work: seconds of processor time to decode a clip.
        cores: of the processor.
    """
    best, best_rate = 1, 0.0
    for count, cost in sorted(costs.items()):
        rate = min(1 / cost.wall, cores / (decode_work + cost.work))
        if rate > best_rate * _WORTH_MORE_THREADS:
            best, best_rate = count, rate
    return best


class DecodeMeter:
    """The processor time that decoding a clip takes, told by the decoding threads; a mean that forgets slowly."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._mean = 0.0
        self._clips = 0
        self._next_look = _FIRST_LOOK

    def add(self, seconds: float) -> None:
        """One clip was decoded in so much processor time."""
        with self._lock:
            self._clips += 1
            self._mean += (seconds - self._mean) / min(self._clips, _LOOK_EVERY)

    def due(self) -> float | None:
        """Seconds a clip when it is time to look at the split again (after 4, 16, 64 clips, then every 64)."""
        with self._lock:
            if self._clips < self._next_look:
                return None
            self._next_look = min(4 * self._next_look, self._clips + _LOOK_EVERY)
            return self._mean
