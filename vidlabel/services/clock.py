"""Where playback is: media time as a function of the monotonic clock, speed and pauses."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic

SPEEDS = (0.1, 0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0)


def faster_than(speed: float) -> float:
    """The next of the speeds, or the fastest."""
    return next((step for step in SPEEDS if step > speed + 1e-6), SPEEDS[-1])


def slower_than(speed: float) -> float:
    """The one before, or the slowest."""
    return next((step for step in reversed(SPEEDS) if step < speed - 1e-6), SPEEDS[0])


class PlaybackClock:
    """Media time in microseconds, unrolled over loops (it only grows while playing)."""

    def __init__(self, now: Callable[[], float] = monotonic) -> None:
        self._now = now
        self._media_us = 0.0
        self._since = now()
        self._speed = 1.0
        self._running = False

    @property
    def running(self) -> bool:
        return self._running

    @property
    def speed(self) -> float:
        return self._speed

    def media_us(self) -> float:
        """The media time now."""
        if not self._running:
            return self._media_us
        return self._media_us + (self._now() - self._since) * 1e6 * self._speed

    def set(self, media_us: float) -> None:
        """It is this media time now (a seek, or waiting for the decoder)."""
        self._media_us = media_us
        self._since = self._now()

    def start(self) -> None:
        self.set(self.media_us())
        self._running = True

    def stop(self) -> None:
        self.set(self.media_us())
        self._running = False

    def set_speed(self, speed: float) -> None:
        self.set(self.media_us())
        self._speed = speed

    def ms_until(self, media_us: float) -> int:
        """Whole milliseconds of waiting until a media time is due, 0 when it is past."""
        return max(0, int((media_us - self.media_us()) / self._speed / 1000))
