"""Notices when the picture waits for the decoder long enough to say so."""

from __future__ import annotations

from PySide6.QtCore import QObject, QTimer, Signal, Slot

STALL_MS = 300


class StallWatch(QObject):
    """A short wait is nothing; after ``STALL_MS`` it is a stall, until a frame comes."""

    changed = Signal(bool)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._stalled = False
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(STALL_MS)
        self._timer.timeout.connect(self._on_timeout)

    def begin(self) -> None:
        """The screen waits for a frame from now on, or has been waiting already."""
        if not self._timer.isActive():
            self._timer.start()

    def end(self) -> None:
        """It waits no more."""
        self._timer.stop()
        self._set(stalled=False)

    @Slot()
    def _on_timeout(self) -> None:
        self._set(stalled=True)

    def _set(self, *, stalled: bool) -> None:
        if stalled != self._stalled:
            self._stalled = stalled
            self.changed.emit(stalled)
