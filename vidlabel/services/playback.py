"""Playing one clip, with the next ones decoded ahead. The clock of playback lives here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from time import monotonic

from PySide6.QtCore import QObject, Qt, QTimer, Signal, Slot

from vidlabel.core.words import ClipRow
from vidlabel.services.clock import PlaybackClock
from vidlabel.services.engine_client import EngineClient
from vidlabel.services.stream_pool import StreamPool
from vidlabel.services.streams import Ahead, Stream, stride_for

SPEEDS = (0.1, 0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0)
_EARLY_US = 1_500
"""A frame due within this is shown now: timers only know whole milliseconds."""
_STALL_MS = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameInfo:
    """The frame on screen. Times are from the video's start; ``first``, ``last`` (exclusive) bound it."""

    clip_id: int
    frame: int
    time_us: int
    frames: int
    fps: float
    duration_us: int
    first: int
    last: int


class Player(QObject):
    """Shows each frame at its own time, so variable rates play as recorded; late frames are left out."""

    opened = Signal(object)
    """ClipRow: the stream is open; ``times`` and the bounds are known."""
    frame_shown = Signal(object, object)
    """(QImage, FrameInfo): show this now."""
    first_frame_painted = Signal(object)
    """ClipRow: its first frame is on the screen; the decision keys act from now on."""
    failed = Signal(object, str, bool)
    """(ClipRow, reason, missing): the current clip cannot be played."""
    trouble_found = Signal(object, str, bool)
    """The same for any clip, also one that was only prepared."""
    cleared = Signal()
    """No clip: show nothing."""
    playing_changed = Signal(bool)
    speed_changed = Signal(float)
    loop_changed = Signal(object, object)
    """A and B in microseconds from the video's start, None where not set."""
    stalled = Signal(bool)
    """Whether the picture has been waiting for the decoder for a while."""
    sought = Signal(object)
    """time in µs: playback goes on from here (a seek, a loop set or left, a speed that needs it)."""

    def __init__(self, engine: EngineClient, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._pool = StreamPool(engine, self)
        self._engine = engine
        self._row: ClipRow | None = None
        self._stream: Stream | None = None
        self._info: FrameInfo | None = None
        self._painted_clip: int | None = None
        self._playing = False
        self._resume_frame: int | None = None
        self._loop_start: int | None = None
        self._clock = PlaybackClock(monotonic)
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._show_due)
        self._stall_timer = QTimer(self)
        self._stall_timer.setSingleShot(True)
        self._stall_timer.setInterval(_STALL_MS)
        self._stall_timer.timeout.connect(self._on_stalled)
        self._is_stalled = False
        self._pool.opened.connect(self._on_opened)
        self._pool.arrived.connect(self._on_arrived)
        self._pool.failed.connect(self._on_failed)
        self._pool.lost.connect(self._on_lost)
        self._pool.back.connect(self._on_back)

    # --- which clip ------------------------------------------------------------------------------
    def open(self, row: ClipRow | None) -> None:
        """Plays a clip from its start. One that was prepared is on screen before this returns."""
        self._timer.stop()
        self._stall_timer.stop()
        previous = self._stream
        self._row = row
        self._info = None
        self._painted_clip = None
        self._resume_frame = None
        self._loop_start = None
        self._set_stalled(False)
        if row is None:
            self._stream = None
            self._pool.keep_only(())
            self.cleared.emit()
            self._set_playing(False)
            return
        self._stream = self._pool.take(row)
        if previous is not None and previous is not self._stream:
            self._pool.close(previous)
        self.loop_changed.emit(None, None)
        self._set_playing(True)
        self._begin(self._stream)

    def prepare(self, rows: Sequence[ClipRow]) -> None:
        """Decodes the first frames of these clips ahead, in this order; others are let go."""
        keep = [self._stream.id] if self._stream is not None else []
        self._pool.prepare(
            [row for row in rows if self._row is None or row.clip_id != self._row.clip_id], keep
        )

    def refuse(self, row: ClipRow, reason: str, *, missing: bool) -> None:
        """A clip that is known to be unplayable is current: nothing is opened, ``failed`` is told."""
        self.open(None)
        self._row = row
        self.failed.emit(row, reason, missing)

    def give_up(self, reason: str) -> None:
        """The current clip is not to be tried again."""
        if self._stream is not None and self._stream.failed is None:
            self._pool.fail(self._stream, reason)

    def frame_painted(self, clip_id: int) -> None:
        """The view calls this from its paintEvent after painting a frame of this clip."""
        row = self._row
        if (
            row is not None
            and clip_id == row.clip_id
            and clip_id != self._painted_clip
            and self._info is not None
        ):
            self._painted_clip = clip_id
            self.first_frame_painted.emit(row)

    def set_box(self, width: int, height: int) -> None:
        """The room for the picture in device pixels."""
        self._pool.set_box(width, height)
        stream = self._stream
        if stream is not None and stream.shown is not None and not self._playing:
            # What stands still is not replaced by a next frame of the new size.
            self.seek_frame(stream.shown.frame)

    @property
    def row(self) -> ClipRow | None:
        return self._row

    @property
    def info(self) -> FrameInfo | None:
        """The frame on screen."""
        return self._info

    def times(self) -> Sequence[int]:
        """The time in µs of each frame of the video (empty until opened): the ticks of the timeline."""
        return self._stream.times if self._stream is not None else ()

    @property
    def stream_id(self) -> int | None:
        """The engine's number for what is played, where it has sound."""
        stream = self._stream
        return stream.id if stream is not None and stream.opened is not None and stream.opened.audio else None

    def bounds_us(self) -> tuple[int, int]:
        """From when to when is played, in µs: the A-B loop or the clip."""
        if self._stream is None or self._stream.opened is None:
            return (0, 0)
        first, last = self._stream.bounds
        return (self._stream.time_of(first), self._stream.time_of(last))

    # --- play ------------------------------------------------------------------------------------
    @property
    def playing(self) -> bool:
        return self._playing

    @property
    def speed(self) -> float:
        return self._clock.speed

    def play(self) -> None:
        if self._stream is None or self._playing:
            return
        self._set_playing(True)
        self._clock.start()
        self._pool.raise_credit(self._stream)
        self._schedule()

    def pause(self) -> None:
        if self._playing:
            self._timer.stop()
            self._stall_timer.stop()
            self._set_stalled(False)
            self._clock.stop()
            self._set_playing(False)

    def toggle(self) -> None:
        if self._playing:
            self.pause()
        else:
            self.play()

    def step(self, frames: int) -> None:
        """Exactly so many frames on (back where negative), within the clip; pauses."""
        self.pause()
        stream = self._stream
        if stream is None or stream.shown is None:
            return
        first, last = stream.clip_bounds
        target = min(max(self._place(stream) + frames, first), last - 1)
        if stream.ahead and stream.ahead[0].frame == target and not stream.waits_for_seek:
            ahead = stream.ahead.popleft()
            self._show(stream, ahead)
            self._clock.set(ahead.media_us)
        elif target != self._place(stream):
            self.seek_frame(target)

    def seek_frame(self, frame: int) -> None:
        """To a frame of the video, within the clip."""
        stream = self._stream
        if stream is None or stream.opened is None:
            return
        first, last = stream.clip_bounds
        self._pool.seek(stream, min(max(frame, first), last - 1), few=not self._playing)
        self._timer.stop()
        if self._playing:
            self._stall_timer.start()

    def seek_us(self, time_us: int) -> None:
        """To a time from the video's first frame, within the clip."""
        if self._stream is not None and self._stream.opened is not None:
            self.seek_frame(self._stream.frame_at(time_us))

    def seek_by(self, delta_us: int) -> None:
        """So much on or back, staying within the clip."""
        stream = self._stream
        if stream is not None and stream.opened is not None:
            self.seek_us(stream.time_of(self._place(stream)) + delta_us)

    def set_speed(self, speed: float) -> None:
        """0.1 to 8."""
        speed = min(max(speed, SPEEDS[0]), SPEEDS[-1])
        if speed == self._clock.speed:
            return
        self._clock.set_speed(speed)
        stream = self._stream
        if stream is not None and stream.opened is not None:
            if stride_for(speed, stream.opened.fps) != stream.stride:
                stream.stride = stride_for(speed, stream.opened.fps)
                self.seek_frame(self._place(stream))
            elif self._playing:
                self._schedule()
        self.speed_changed.emit(speed)

    def faster(self) -> None:
        self.set_speed(next((speed for speed in SPEEDS if speed > self.speed + 1e-6), SPEEDS[-1]))

    def slower(self) -> None:
        self.set_speed(next((speed for speed in reversed(SPEEDS) if speed < self.speed - 1e-6), SPEEDS[0]))

    def normal_speed(self) -> None:
        self.set_speed(1.0)

    def cycle_loop(self) -> None:
        """A: loop start; again: loop end; again: loop off."""
        stream = self._stream
        if stream is None or stream.opened is None:
            return
        here = self._place(stream)
        if stream.loop is not None:
            stream.loop = None
            self._loop_start = None
            self.seek_frame(here)
            self.loop_changed.emit(None, None)
        elif self._loop_start is None:
            self._loop_start = here
            self.loop_changed.emit(stream.time_of(here), None)
        else:
            low, high = sorted((self._loop_start, here))
            stream.loop = (low, high + 1)
            self.seek_frame(low)
            self.loop_changed.emit(stream.time_of(low), stream.time_of(high + 1))

    # --- frames ----------------------------------------------------------------------------------
    def _place(self, stream: Stream) -> int:
        """The frame the person is at: the one a seek is on its way to, or the one on screen."""
        if stream.next_seek is not None:
            return stream.next_seek
        return stream.shown.frame if stream.shown is not None else stream.clip_bounds[0]

    def _begin(self, stream: Stream) -> None:
        if stream.failed is not None:
            self.failed.emit(stream.row, *stream.failed)
            return
        if stream.opened is not None:
            self._on_opened(stream)
        if stream.ahead and stream.opened is not None and not stream.waits_for_seek:
            self._show_first(stream)
            if stream.stride > 1:
                # It was prepared before it was known that it is played fast.
                self.seek_frame(stream.opened.first)
        else:
            self._stall_timer.start()

    def _show_first(self, stream: Stream) -> None:
        """After opening and after a seek: whatever comes first is what was asked for."""
        ahead = stream.ahead.popleft()
        self._stall_timer.stop()
        self._set_stalled(False)
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
        stream = self._stream
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
        stream = self._stream
        if stream is None or not self._playing:
            return
        if stream.ahead:
            self._timer.start(self._clock.ms_until(stream.ahead[0].media_us))
        elif not self._stall_timer.isActive():
            self._stall_timer.start()

    def _show(self, stream: Stream, ahead: Ahead) -> None:
        image = self._pool.image(stream, ahead)
        opened = stream.opened
        if image.isNull() or opened is None:
            return
        stream.shown = ahead
        ahead.image = None
        self._info = FrameInfo(
            clip_id=stream.row.clip_id,
            frame=ahead.frame,
            time_us=ahead.time_us,
            frames=opened.frames,
            fps=opened.fps,
            duration_us=opened.duration_us,
            first=opened.first,
            last=opened.last,
        )
        self.frame_shown.emit(image, self._info)

    # --- what the engine says --------------------------------------------------------------------
    @Slot(object)
    def _on_opened(self, stream: Stream) -> None:
        if stream is not self._stream or stream.opened is None:
            return
        self.opened.emit(stream.row)
        stream.stride = stride_for(self._clock.speed, stream.opened.fps)
        if self._resume_frame is not None:
            frame, self._resume_frame = self._resume_frame, None
            self.seek_frame(frame)
        elif stream.stride > 1 and not stream.ahead:
            self.seek_frame(stream.opened.first)

    @Slot(object)
    def _on_arrived(self, stream: Stream) -> None:
        """A frame came. Where the screen waits for it, it is shown now."""
        if stream is not self._stream or stream.opened is None:
            return
        if stream.shown is None or stream.waits_for_seek:
            stream.waits_for_seek = False
            self._show_first(stream)
            self._pool.seek_on(stream)
        elif self._playing and not self._timer.isActive():
            self._stall_timer.stop()
            self._set_stalled(False)
            late_us = self._clock.media_us() - stream.ahead[0].media_us
            if late_us > 0:
                # The decoder was late: time stood still meanwhile, nothing is skipped.
                self._clock.set(stream.ahead[0].media_us)
            self._schedule()

    @Slot(object)
    def _on_failed(self, stream: Stream) -> None:
        if stream.failed is None:
            return
        reason, missing = stream.failed
        if stream is self._stream:
            self._timer.stop()
            self._stall_timer.stop()
            self._set_stalled(False)
            self._set_playing(False)
            self.failed.emit(stream.row, reason, missing)
        self.trouble_found.emit(stream.row, reason, missing)

    @Slot()
    def _on_lost(self) -> None:
        """The engine is gone; what is on screen stays until it is back."""
        self._timer.stop()
        if self._stream is not None:
            self._resume_frame = self._place(self._stream) if self._stream.shown is not None else None
            self._stall_timer.start()

    @Slot()
    def _on_back(self) -> None:
        if self._row is not None and self._stream is not None and self._stream.failed is None:
            self._stream = self._pool.take(self._row)
            self._loop_start = None
            self.loop_changed.emit(None, None)

    @Slot()
    def _on_stalled(self) -> None:
        self._set_stalled(True)

    def _set_stalled(self, stalled: bool) -> None:
        if stalled != self._is_stalled:
            self._is_stalled = stalled
            self.stalled.emit(stalled)

    def _set_playing(self, playing: bool) -> None:
        if playing != self._playing:
            self._playing = playing
            self.playing_changed.emit(playing)
        if not playing:
            self._clock.stop()
