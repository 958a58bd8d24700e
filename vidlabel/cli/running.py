"""A run in this very process: shown while it goes on, stopped in good order by Ctrl+C."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from vidlabel.cli.output import Output
from vidlabel.cli.run_display import displayed
from vidlabel.core.runs import RunFolder
from vidlabel.learning.run_wishes import Wishes

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


def run_here(folder: RunFolder, output: Output) -> dict[str, Any]:
    """Carries a run on until its last word, which is answered (``finished``, ``stopped`` or ``failed``).

    Ctrl+C wishes it to stop with a checkpoint; pressed again, it ends at once and can be resumed from the one before.

    Raises:
        KeyboardInterrupt: pressed again.
    """
    # Only now: torch takes its time.
    from vidlabel.cli.train_worker import train_here

    wishes = Wishes()
    with displayed(output.log) as display, _stopping(wishes, output.log):
        return train_here(folder, on_event=display, wishes=wishes)


def join_here(folder: RunFolder) -> dict[str, Any]:
    """The same for the other processes of torchrun, which tell nothing."""
    from vidlabel.cli.train_worker import train_here

    wishes = Wishes()
    with _stopping(wishes, lambda _: None):
        return train_here(folder, on_event=lambda _: None, wishes=wishes)


@contextmanager
def _stopping(wishes: Wishes, log: Callable[[str], None]) -> Iterator[None]:
    """Turns the signals to stop into wishes while the block runs."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(number: int, frame: FrameType | None) -> None:
        del number, frame
        if wishes.stopping:
            raise KeyboardInterrupt
        log("vidlabel: stopping after this step, with a checkpoint (Ctrl+C again stops at once).")
        wishes.stop()

    before = {number: signal.signal(number, stop) for number in _SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
