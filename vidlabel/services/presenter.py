"""Puts the frames of one stream on the screen, each at its own time. The clock of playback lives here."""

from __future__ import annotations

from time import monotonic

from PySide6.QtCore import QObject, Qt, QTimer, Signal, Slot

from vidlabel.services.clock import PlaybackClock
from vidlabel.services.stall import StallWatch
from vidlabel.services.stream_pool import StreamPool
from vidlabel.services.streams import Ahead, FrameInfo, Stream, stride_for

_EARLY_US = 1_500
"""A frame due within this is shown now: timers only know whole milliseconds."""


class Presenter(QObject):
    """Late frames are left out; where the decoder is late, time stands still and nothing is skipped."""

    shown = Signal(object, object)
    """(QImage, FrameInfo)"""
    stream_opened = Signal(object)
    """Stream: its times and bounds are known"""
    stalled = Signal(bool)
    sought = Signal(object)
    """time in µs at which playback goes on"""
    playing_changed = Signal(bool)

    def __init__(self, pool: StreamPool, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._pool = pool
        self.stream: Stream | None = None
        self.info: FrameInfo | None = None
        """The frame on screen."""
        self._playing = False
        self._clock = PlaybackClock(monotonic)
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._show_due)
        self._stall = StallWatch(self)
        self._stall.changed.connect(self.stalled)
        pool.opened.connect(self._on_opened)
        pool.arrived.connect(self._on_arrived)

    @property
    def playing(self) -> bool:
        return self._playing

    @property
    def speed(self) -> float:
        return self._clock.speed

    def clear(self) -> None:
        """Another clip is about to come: nothing is on screen for it yet."""
        self.stop_timers()
        self.stream = None
        self.info = None

    def begin(self, stream: Stream) -> None:
        """Shows this stream from now on, at once where its first frame is there already."""
        self.stream = stream
        if stream.opened is not None:
            self._on_opened(stream)
        if stream.ahead and stream.opened is not None and not stream.waits_for_seek:
            self._show_first(stream)
            if stream.stride > 1:
                # It was prepared before it was known that it is played fast.
                self.seek(stream.opened.first)
        else:
            self.wait()

    def wait(self) -> None:
        """The picture stays; frames are to come."""
        self._timer.stop()
        self._stall.begin()

    def stop_timers(self) -> None:
        """No more frames are to be expected."""
        self._timer.stop()
        self._stall.end()

    def play(self) -> None:
        if self.stream is None or self._playing:
            return
        self.set_playing(True)
        self._clock.start()
        self._pool.raise_credit(self.stream)
        self._schedule()

    def pause(self) -> None:
        if self._playing:
            self.stop_timers()
            self.set_playing(False)

    def set_playing(self, playing: bool) -> None:
        """What is wanted; frames follow when they come."""
        if playing != self._playing:
            self._playing = playing
            self.playing_changed.emit(playing)
        if not playing:
            self._clock.stop()

    def step_to(self, frame: int) -> None:
        """Shows a frame while paused, at once where it is the next one."""
        stream = self.stream
        if stream is None:
            return
        if stream.ahead and stream.ahead[0].frame == frame and not stream.waits_for_seek:
            ahead = stream.ahead.popleft()
            self._show(stream, ahead)
            self._clock.set(ahead.media_us)
        elif frame != stream.place:
            self.seek(frame)

    def seek(self, frame: int) -> None:
        """To a frame of the video, within the clip."""
        stream = self.stream
        if stream is None or stream.opened is None:
            return
        first, last = stream.clip_bounds
        self._pool.seek(stream, min(max(frame, first), last - 1), few=not self._playing)
        self._timer.stop()
        if self._playing:
            self._stall.begin()

    def set_speed(self, speed: float) -> None:
        """0.1 to 8; fast play leaves frames out before they are decoded."""
        self._clock.set_speed(speed)
        stream = self.stream
        if stream is None or stream.opened is None:
            return
        if stride_for(speed, stream.opened.fps) != stream.stride:
            stream.stride = stride_for(speed, stream.opened.fps)
            self.seek(stream.place)
        elif self._playing:
            self._schedule()

    # --- frames ----------------------------------------------------------------------------------
    def _show_first(self, stream: Stream) -> None:
        """After opening and after a seek: whatever comes first is what was asked for."""
        ahead = stream.ahead.popleft()
        self._stall.end()
        self._clock.set(ahead.media_us)
        if self._playing:
            self._clock.start()
        self._show(stream, ahead)
        if self._playing:
            self._pool.raise_credit(stream)
            self._schedule()
        self.sought.emit(ahead.time_us)

    @Slot()
    def _show_due(self) -> None:
        stream = self.stream
        if stream is None or not self._playing:
            return
        now = self._clock.media_us() + _EARLY_US * self._clock.speed
        due: Ahead | None = None
        while stream.ahead and stream.ahead[0].media_us <= now:
            if due is not None:
                self._pool.leave_out(stream, due)
            due = stream.ahead.popleft()
        if due is not None:
            self._show(stream, due)
        self._schedule()

    def _schedule(self) -> None:
        stream = self.stream
        if stream is None or not self._playing:
            return
        if stream.ahead:
            self._timer.start(self._clock.ms_until(stream.ahead[0].media_us))
        else:
            self._stall.begin()

    def _show(self, stream: Stream, ahead: Ahead) -> None:
        image = self._pool.image(stream, ahead)
        info = stream.info_of(ahead)
        if image.isNull() or info is None:
            return
        stream.shown = ahead
        ahead.image = None
        self.info = info
        self.shown.emit(image, info)

    @Slot(object)
    def _on_opened(self, stream: Stream) -> None:
        if stream is not self.stream or stream.opened is None:
            return
        self.stream_opened.emit(stream)
        stream.stride = stride_for(self._clock.speed, stream.opened.fps)
        if stream.resume is not None:
            frame, stream.resume = stream.resume, None
            self.seek(frame)
        elif stream.stride > 1 and not stream.ahead:
            self.seek(stream.opened.first)

    @Slot(object)
    def _on_arrived(self, stream: Stream) -> None:
        """A frame came. Where the screen waits for it, it is shown now."""
        if stream is not self.stream or stream.opened is None:
            return
        if stream.shown is None or stream.waits_for_seek:
            stream.waits_for_seek = False
            self._show_first(stream)
            self._pool.seek_on(stream)
        elif self._playing and not self._timer.isActive():
            self._stall.end()
            late_us = self._clock.media_us() - stream.ahead[0].media_us
            if late_us > 0:
                # The decoder was late: time stood still meanwhile, nothing is skipped.
                self._clock.set(stream.ahead[0].media_us)
            self._schedule()
