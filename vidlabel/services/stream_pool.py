"""The streams that are open in the engine: the clip on screen and those decoded ahead of it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from PySide6.QtCore import QObject, Signal, Slot
from PySide6.QtGui import QImage

from vidlabel.core import messages as m
from vidlabel.core.words import ClipRow
from vidlabel.services.engine_client import EngineClient
from vidlabel.services.streams import AHEAD_LEAST, CREDIT_PREPARED, Ahead, Stream


class StreamPool(QObject):
    """Keeps count of credit and memory. Frames of prepared clips leave the shared memory as they come."""

    opened = Signal(object)
    """Stream"""
    arrived = Signal(object)
    """Stream: a frame is in ``ahead``"""
    failed = Signal(object)
    """Stream"""
    lost = Signal()
    """The engine died; all streams are gone."""
    back = Signal()
    """It can be asked again."""

    def __init__(self, engine: EngineClient, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._engine = engine
        self._streams: dict[int, Stream] = {}
        self._current: Stream | None = None
        self._box = (640, 360)
        self._was_lost = False
        engine.message_received.connect(self._on_message)
        engine.crashed.connect(self._on_crashed)
        engine.ready.connect(self._on_ready)

    def take(self, row: ClipRow) -> Stream:
        """The stream of a clip that is now on screen: the prepared one, if there is."""
        stream = self._find(row.clip_id)
        if stream is not None and stream.shown is None and stream is not self._current:
            stream.row = row
            self._current = stream
            self._engine.send(m.Urgent(stream=stream.id))
            return stream
        self._current = self._open(row, urgent=True)
        return self._current

    def prepare(self, rows: Sequence[ClipRow], keep: Collection[int]) -> None:
        """Opens what is not open yet, closes what is not among them, the current one excepted."""
        wanted = {row.clip_id for row in rows}
        self.keep_only([s.id for s in self._streams.values() if s.id in keep or s.row.clip_id in wanted])
        for row in rows:
            if self._find(row.clip_id) is None:
                self._open(row, urgent=False)

    def keep_only(self, stream_ids: Iterable[int]) -> None:
        keep = set(stream_ids)
        for stream in [stream for stream in self._streams.values() if stream.id not in keep]:
            self.close(stream)

    def close(self, stream: Stream) -> None:
        if self._streams.pop(stream.id, None) is not None:
            stream.ahead.clear()
            self._engine.send(m.CloseStream(stream=stream.id))
        if stream is self._current:
            self._current = None

    @property
    def streams(self) -> tuple[Stream, ...]:
        """Those that the engine has: the one on screen and those decoded ahead."""
        return tuple(self._streams.values())

    def alive(self, stream: Stream) -> bool:
        """Whether the engine has it; not after it was closed, failed, or died with the engine."""
        return stream.id in self._streams

    def fail(self, stream: Stream, reason: str) -> None:
        """Gives a stream up as if the engine had said so."""
        self.close(stream)
        stream.failed = (reason, False)
        self.failed.emit(stream)

    def set_box(self, width: int, height: int) -> None:
        """Room for pictures in device pixels, for all streams from their next frame on."""
        box = (max(width, 16), max(height, 16))
        if box != self._box:
            self._box = box
            for stream in self._streams.values():
                self._engine.send(m.Resize(stream=stream.id, width=box[0], height=box[1]))

    def seek(self, stream: Stream, frame: int, *, few: bool) -> None:
        """Goes on from a frame. One seek is on its way at a time; of later wishes the last counts."""
        stream.next_seek = frame
        # What takes the place of a lost stream begins there.
        if not stream.waits_for_seek and self.alive(stream):
            self._send_seek(stream, few=few)

    def seek_on(self, stream: Stream) -> None:
        """The frame of the last seek is there; goes on with the one that was asked for meanwhile."""
        if stream.next_seek is None:
            return
        if stream.next_seek == stream.sent_seek:
            stream.next_seek = None
        else:
            self._send_seek(stream, few=False)

    def raise_credit(self, stream: Stream) -> None:
        """Lets a second of frames come."""
        if not self.alive(stream):
            return
        newest = stream.ahead[-1] if stream.ahead else stream.shown
        more = stream.wanted_credit(newest.message if newest else None) - stream.credit
        if more > 0:
            stream.credit += more
            self._engine.send(m.Credit(stream=stream.id, frames=more))

    def image(self, stream: Stream, ahead: Ahead) -> QImage:
        """The picture of a frame that is shown now; another may come in its place."""
        image = ahead.image if ahead.image is not None else self._engine.take_frame(ahead.message)
        self._taken(stream)
        return image

    def leave_out(self, stream: Stream, ahead: Ahead) -> None:
        """The frame is late and is not shown."""
        if ahead.image is None:
            self._engine.drop(ahead.message)
        self._taken(stream)

    def _taken(self, stream: Stream) -> None:
        if self.alive(stream):
            self._engine.send(m.Credit(stream=stream.id, frames=1))

    def _send_seek(self, stream: Stream, *, few: bool) -> None:
        frame = stream.next_seek
        if frame is None:
            return
        for ahead in stream.ahead:
            if ahead.image is None:
                self._engine.drop(ahead.message)
        stream.ahead.clear()
        stream.generation += 1
        stream.waits_for_seek = True
        stream.sent_seek = frame
        stream.credit = (
            AHEAD_LEAST if few else stream.wanted_credit(stream.shown.message if stream.shown else None)
        )
        low, high = stream.bounds
        self._engine.send(
            m.Seek(
                stream=stream.id,
                generation=stream.generation,
                frame=frame,
                credit=stream.credit,
                stride=stream.stride,
                loop_start=low,
                loop_end=high,
            )
        )

    def _find(self, clip_id: int) -> Stream | None:
        return next((s for s in self._streams.values() if s.row.clip_id == clip_id), None)

    def _open(self, row: ClipRow, *, urgent: bool) -> Stream:
        stream = Stream(self._engine.request_id(), row, CREDIT_PREPARED)
        self._streams[stream.id] = stream
        width, height = self._box
        self._engine.send(
            m.OpenStream(
                stream=stream.id,
                path=row.path,
                start_us=row.start_us,
                end_us=row.end_us,
                width=width,
                height=height,
                credit=CREDIT_PREPARED,
                urgent=urgent,
            )
        )
        return stream

    @Slot(object)
    def _on_message(self, message: m.Message) -> None:
        if isinstance(message, m.FrameReady):
            stream = self._streams.get(message.stream)
            if stream is None or message.generation != stream.generation:
                self._engine.drop(message)
                return
            ahead = stream.put(message)
            if stream is not self._current:
                ahead.image = self._engine.take_frame(message)
            self.arrived.emit(stream)
        elif isinstance(message, m.StreamOpened):
            stream = self._streams.get(message.stream)
            if stream is None:
                self._engine.drop(message)
                return
            stream.opened = message
            stream.times = self._engine.take_times(message)
            self.opened.emit(stream)
        elif isinstance(message, m.StreamFailed):
            stream = self._streams.pop(message.stream, None)
            if stream is not None:
                stream.failed = (message.reason, message.missing)
                self.failed.emit(stream)

    @Slot(str, object)
    def _on_crashed(self, _words: str, _suspects: tuple[str, ...]) -> None:
        self._was_lost = True
        for stream in self._streams.values():
            # Their memory went with the engine.
            stream.ahead.clear()
        self._streams.clear()
        self._current = None
        self.lost.emit()

    @Slot()
    def _on_ready(self) -> None:
        if self._was_lost:
            self._was_lost = False
            self.back.emit()
