"""How long measuring may take: a person waits for it, and a large network on a busy machine has no end of it."""

from __future__ import annotations

import time


class Budget:
    """Seconds on the clock that begin to run now; None is as long as it takes."""

    def __init__(self, seconds: float | None) -> None:
        self._until = None if seconds is None else time.perf_counter() + seconds

    def runs(self, wanted: int, seconds: float) -> int:
        """How many runs of so many seconds each still fit, at most ``wanted``."""
        if self._until is None:
            return wanted
        left = self._until - time.perf_counter()
        return max(0, min(wanted, int(left / max(seconds, 1e-9))))
