"""What a clip costs a network on the processor: on the clock, and of its cores' time."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

RUNS = 3
"""On the clock, after one to warm up."""


@dataclass(frozen=True)
class ClipCost:
    """Seconds a clip: ``wall`` on the clock, ``work`` of processor time over all threads."""

    wall: float
    work: float

    @classmethod
    def of(cls, run: Callable[[], object], *, runs: int = RUNS) -> ClipCost:
        """The least of some runs after one to warm up; other programs only slow a run."""
        run()
        walls, works = [], []
        for _ in range(runs):
            wall, work = time.perf_counter(), time.process_time()
            run()
            walls.append(time.perf_counter() - wall)
            works.append(time.process_time() - work)
        return cls(min(walls), min(works))
