"""Work that may hang in the system (a name server, a silent connection), to be left at once all the same."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

from vidlabel.core.errors import StoppedError

T = TypeVar("T")

_LOOK_S = 0.05
_LEAVE_S = 0.15


class _Work(Generic[T]):
    """What the thread does, and what came of it."""

    def __init__(self, work: Callable[[], T]) -> None:
        self._work = work
        self.ended = threading.Event()
        self.result: list[T] = []
        self.error: BaseException | None = None

    def run(self) -> None:
        """Does it."""
        try:
            self.result.append(self._work())
        except BaseException as error:  # noqa: BLE001 - a thread's border: raised again by the one who waits
            self.error = error
        finally:
            self.ended.set()


def watched(
    work: Callable[[], T],
    *,
    stop: threading.Event,
    look: Callable[[], None] = lambda: None,
    wake: Callable[[], None] = lambda: None,
) -> T:
    """Does ``work`` in a thread and answers its result.

    The caller's thread stays free: Ctrl+C reaches it at once, and ``look`` runs there every 0.05 s. When
    ``stop`` is set, or anything is raised here, ``wake`` is called to end what the work waits for; the thread
    is left behind if that does not end it within 0.15 s. So the work must change nothing once ``stop`` is set.

    Raises:
        StoppedError: ``stop`` was set.
        BaseException: what ``work`` or ``look`` raised; ``stop`` is set if it was not the work.
    """
    doing = _Work(work)
    # A daemon: one that hangs in a name server shall not keep the program from ending.
    thread = threading.Thread(target=doing.run, daemon=True)
    thread.start()
    try:
        while not doing.ended.wait(_LOOK_S) and not stop.is_set():
            look()
    except BaseException:
        stop.set()
        raise
    finally:
        if not doing.ended.is_set():
            wake()
            doing.ended.wait(_LEAVE_S)
    if stop.is_set():
        raise StoppedError("Stopped.")
    thread.join()
    look()
    if doing.error is not None:
        raise doing.error
    return doing.result[0]
