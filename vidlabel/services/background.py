"""What runs in the background, for the status bar."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from time import monotonic

from PySide6.QtCore import QObject, QTimer, Signal, Slot

TELL_EVERY_MS = 250
_RATE_OVER_S = 10.0
_RATE_AFTER_S = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class BackgroundJob:
    """One piece of work. ``total`` 0: not known yet; ``rate`` per second; ``left_s`` None: not known."""

    key: str
    name: str
    done: int
    total: int
    rate: float
    left_s: float | None
    can_stop: bool

    @property
    def words(self) -> str:
        """'Scanning 1,200 of 3,000 · 350/s · 5 s left'"""
        parts = [self.name]
        if self.total:
            parts[0] += f" {self.done:,} of {self.total:,}"
        elif self.done:
            parts[0] += f" {self.done:,}"
        if self.rate > 0:
            parts.append(f"{self.rate:,.0f}/s" if self.rate >= 10 else f"{self.rate:.1f}/s")
        if self.left_s is not None:
            parts.append(f"{left_words(self.left_s)} left")
        return " · ".join(parts)


def left_words(seconds: float) -> str:
    """'5 s', '3 min', '2 h 10 min'"""
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"


@dataclass(slots=True)
class _Running:
    name: str
    stop: Callable[[], None] | None
    done: int = 0
    total: int = 0
    history: deque[tuple[float, int]] = field(default_factory=deque)

    def tell(self, done: int, total: int, now: float) -> None:
        self.done, self.total = done, total
        self.history.append((now, done))
        while len(self.history) > 2 and self.history[0][0] < now - _RATE_OVER_S:
            self.history.popleft()

    def as_job(self, key: str) -> BackgroundJob:
        rate = 0.0
        if self.history:
            (first_at, first), (last_at, last) = self.history[0], self.history[-1]
            if last_at - first_at >= _RATE_AFTER_S:
                rate = max(0.0, (last - first) / (last_at - first_at))
        left = (self.total - self.done) / rate if rate > 0 and self.total else None
        return BackgroundJob(
            key=key, name=self.name, done=self.done, total=self.total, rate=rate, left_s=left,
            can_stop=self.stop is not None,
        )  # fmt: skip


class Background(QObject):
    """Gathers what the services tell; says it at most four times a second."""

    changed = Signal(object)
    """tuple[BackgroundJob, ...]"""
    device_changed = Signal(str)

    def __init__(self, parent: QObject | None = None, *, now: Callable[[], float] = monotonic) -> None:
        super().__init__(parent)
        self._now = now
        self._running: dict[str, _Running] = {}
        self._device = ""
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(TELL_EVERY_MS)
        self._timer.timeout.connect(self._tell)

    @property
    def jobs(self) -> tuple[BackgroundJob, ...]:
        return tuple(running.as_job(key) for key, running in self._running.items())

    @property
    def device(self) -> str:
        """What suggests, such as 'bundled · cpu'; '' for nothing."""
        return self._device

    def set_device(self, words: str) -> None:
        if words != self._device:
            self._device = words
            self.device_changed.emit(words)

    def begin(self, key: str, name: str, stop: Callable[[], None] | None = None) -> None:
        """Something starts, or goes on under another name."""
        self._running[key] = _Running(name, stop)
        self._tell()

    def update(self, key: str, done: int, total: int = 0) -> None:
        """How far it is; ``total`` 0 while that is not known."""
        running = self._running.get(key)
        if running is not None:
            running.tell(done, total, self._now())
            if not self._timer.isActive():
                self._timer.start()

    def end(self, key: str) -> None:
        if self._running.pop(key, None) is not None:
            self._tell()

    def stop(self, key: str) -> None:
        """Asks a job to stop."""
        running = self._running.get(key)
        if running is not None and running.stop is not None:
            running.stop()

    @Slot()
    def _tell(self) -> None:
        self._timer.stop()
        self.changed.emit(self.jobs)
