"""One writer at a time, of several processes: waits its turn, and a crash gives the turn back."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def appending(lock: Path) -> Iterator[None]:
    """Holds the file ``lock`` locked; other processes (and other calls in this one) wait.

    Raises:
        OSError: the file cannot be made, or its disk knows no locks.
    """
    descriptor = os.open(lock, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        _wait_for(descriptor)
        yield
    finally:
        # Closing gives the lock back.
        os.close(descriptor)


if sys.platform == "win32":
    import msvcrt

    def _wait_for(descriptor: int) -> None:
        msvcrt.locking(descriptor, msvcrt.LK_LOCK, 1)

else:
    import fcntl

    def _wait_for(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
