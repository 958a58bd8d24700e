"""Building in slices: one step in each turn of the event loop, so that keys and pictures come in between."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable

from PySide6.QtCore import QObject, QTimer, Signal, Slot


class Slices(QObject):
    """Takes steps one after the other; ``done`` when there are none left."""

    done = Signal()

    def __init__(self, steps: Iterable[Callable[[], None]], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._steps = deque(steps)
        self._timer = QTimer(self)
        self._timer.setInterval(0)
        self._timer.timeout.connect(self._step)

    @Slot()
    def start(self) -> None:
        self._timer.start()

    @Slot()
    def _step(self) -> None:
        if self._steps:
            self._steps.popleft()()
        if not self._steps:
            self._timer.stop()
            self.done.emit()
