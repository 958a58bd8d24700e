"""Playing one clip, with the next ones decoded ahead: what the person asks of it and what becomes of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import QObject, Signal, Slot

from vidlabel.core.words import ClipRow
from vidlabel.services.clock import SPEEDS, faster_than, slower_than
from vidlabel.services.engine_client import EngineClient
from vidlabel.services.presenter import Presenter
from vidlabel.services.stream_pool import StreamPool
from vidlabel.services.streams import FrameInfo, Stream

__all__ = ["SPEEDS", "FrameInfo", "Player"]


class Player(QObject):
    """Shows each frame at its own time, so variable rates play as recorded; late frames are left out.

    Args:
        engine: what decodes.
        parent: owner.
        may_play: whether the engine may have the file at this path now; :meth:`retry` when that has changed.
    """

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

    def __init__(
        self,
        engine: EngineClient,
        parent: QObject | None = None,
        *,
        may_play: Callable[[str], bool] = lambda path: True,
    ) -> None:
        super().__init__(parent)
        self._pool = StreamPool(engine, self)
        self._screen = Presenter(self._pool, self)
        self._may_play = may_play
        self._row: ClipRow | None = None
        self._painted_clip: int | None = None
        self._held = False
        """The file waits until it may be played."""
        self._screen.shown.connect(self.frame_shown)
        self._screen.stalled.connect(self.stalled)
        self._screen.sought.connect(self.sought)
        self._screen.playing_changed.connect(self.playing_changed)
        self._screen.stream_opened.connect(self._on_opened)
        self._pool.failed.connect(self._on_failed)
        self._pool.lost.connect(self._on_lost)
        self._pool.back.connect(self._on_back)

    # --- which clip ------------------------------------------------------------------------------
    def open(self, row: ClipRow | None) -> None:
        """Plays a clip from its start. One that was prepared is on screen before this returns."""
        previous = self._stream
        self._screen.clear()
        self._row = row
        self._painted_clip = None
        self._held = False
        if row is None:
            self._pool.keep_only(())
            self.cleared.emit()
            self._screen.set_playing(False)
            return
        self._held = not self._may_play(row.path)
        stream = None if self._held else self._pool.take(row)
        if previous is not None and previous is not stream:
            self._pool.close(previous)
        self.loop_changed.emit(None, None)
        self._screen.set_playing(True)
        if stream is None:
            self._screen.wait()
        else:
            self._begin(stream)

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
        held, self._held = self._held, False
        if self._stream is not None and self._stream.failed is None:
            self._pool.fail(self._stream, reason)
        elif held and self._row is not None:
            self.refuse(self._row, reason, missing=False)

    def retry(self) -> None:
        """The current clip may be played now, if it could not be before."""
        if self._held:
            self._take_again()

    def frame_painted(self, clip_id: int) -> None:
        """The view calls this from its paintEvent after painting a frame of this clip."""
        row = self._row
        if (
            row is not None
            and clip_id == row.clip_id
            and clip_id != self._painted_clip
            and self.info is not None
        ):
            self._painted_clip = clip_id
            self.first_frame_painted.emit(row)

    def set_box(self, width: int, height: int) -> None:
        """The room for the picture in device pixels."""
        self._pool.set_box(width, height)
        stream = self._stream
        if stream is not None and stream.shown is not None and not self.playing:
            # What stands still is not replaced by a next frame of the new size.
            self.seek_frame(stream.shown.frame)

    @property
    def row(self) -> ClipRow | None:
        return self._row

    @property
    def info(self) -> FrameInfo | None:
        """The frame on screen."""
        return self._screen.info

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
        return self._screen.playing

    @property
    def speed(self) -> float:
        return self._screen.speed

    def play(self) -> None:
        self._screen.play()

    def pause(self) -> None:
        self._screen.pause()

    def toggle(self) -> None:
        if self.playing:
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
        target = min(max(stream.place + frames, first), last - 1)
        self._screen.step_to(target)

    def seek_frame(self, frame: int) -> None:
        """To a frame of the video, within the clip."""
        self._screen.seek(frame)

    def seek_us(self, time_us: int) -> None:
        """To a time from the video's first frame, within the clip."""
        if self._stream is not None and self._stream.opened is not None:
            self.seek_frame(self._stream.frame_at(time_us))

    def seek_by(self, delta_us: int) -> None:
        """So much on or back, staying within the clip."""
        stream = self._stream
        if stream is not None and stream.opened is not None:
            self.seek_us(stream.time_of(stream.place) + delta_us)

    def set_speed(self, speed: float) -> None:
        """0.1 to 8."""
        speed = min(max(speed, SPEEDS[0]), SPEEDS[-1])
        if speed != self.speed:
            self._screen.set_speed(speed)
            self.speed_changed.emit(speed)

    def faster(self) -> None:
        self.set_speed(faster_than(self.speed))

    def slower(self) -> None:
        self.set_speed(slower_than(self.speed))

    def normal_speed(self) -> None:
        self.set_speed(1.0)

    def cycle_loop(self) -> None:
        """A: loop start; again: loop end; again: loop off."""
        stream = self._stream
        if stream is None or stream.opened is None:
            return
        target = stream.cycle_loop()
        if target is not None:
            self.seek_frame(target)
        self.loop_changed.emit(*stream.loop_times())

    # --- what happens ----------------------------------------------------------------------------
    @property
    def _stream(self) -> Stream | None:
        return self._screen.stream

    def _begin(self, stream: Stream) -> None:
        self._screen.stream = stream
        if stream.failed is not None:
            self.failed.emit(stream.row, *stream.failed)
        else:
            self._screen.begin(stream)

    @Slot(object)
    def _on_opened(self, stream: Stream) -> None:
        self.opened.emit(stream.row)
        if stream.resume is not None:
            self.loop_changed.emit(*stream.loop_times())

    @Slot(object)
    def _on_failed(self, stream: Stream) -> None:
        if stream.failed is None:
            return
        reason, missing = stream.failed
        if stream is self._stream:
            self._screen.stop_timers()
            self._screen.set_playing(False)
            self.failed.emit(stream.row, reason, missing)
        self.trouble_found.emit(stream.row, reason, missing)

    @Slot()
    def _on_lost(self) -> None:
        """The engine is gone; what is on screen stays until it is back."""
        if self._stream is not None and self._stream.failed is None:
            self._screen.wait()

    @Slot()
    def _on_back(self) -> None:
        stream = self._stream
        if stream is not None and stream.failed is None and not self._pool.alive(stream):
            self._take_again()

    def _take_again(self) -> None:
        """Goes on with the current clip where it was when its stream was lost, as soon as it may be played."""
        row, lost = self._row, self._stream
        if row is None:
            return
        self._held = not self._may_play(row.path)
        if self._held:
            return
        stream = self._pool.take(row)
        if lost is not None:
            stream.go_on_as(lost)
        self._begin(stream)
