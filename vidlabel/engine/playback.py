"""Decodes streams into the arena, the one on screen first, a frame at a time so that it never waits long."""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vidlabel.core import messages as m
from vidlabel.core.arena import Arena
from vidlabel.core.errors import MediaError, MissingVideoError, UnreadableVideoError
from vidlabel.engine.blocks import Blocks
from vidlabel.engine.cache import FrameCache, Picture
from vidlabel.engine.outbox import Send
from vidlabel.engine.stream import IndexShelf, Stream
from vidlabel.media.picture import fit_size
from vidlabel.media.reader import FrameReader

log = logging.getLogger(__name__)

THREADS = 2
CACHE_BYTES = 256 * 1024 * 1024
MAX_READERS = 8
_TINY = (8, 8)
_BAD_FRAMES = 8
Message = m.OpenStream | m.Urgent | m.Credit | m.Seek | m.Resize | m.CloseStream


@dataclass(frozen=True, slots=True)
class _Step:
    """What a thread has agreed to do for a stream, as things stood when it took the job."""

    stream: Stream
    generation: int
    position: int
    box: tuple[int, int]


class Playback:
    """All open streams and the threads that serve them.

    Args:
        arena: where frames go.
        blocks: the book of the arena's room.
        send: takes messages for the window, from any thread.
    """

    def __init__(self, arena: Arena, blocks: Blocks, send: Send) -> None:
        self._arena = arena
        self._blocks = blocks
        self._send = send
        self._cache = FrameCache(CACHE_BYTES)
        self._shelf = IndexShelf()
        self._streams: dict[int, Stream] = {}
        self._opened = 0
        self._steps = 0
        self._work = threading.Condition()
        for lane in range(THREADS):
            threading.Thread(target=self._serve, args=(lane,), name=f"playback {lane}", daemon=True).start()

    # --- wishes of the window, from the thread that reads messages --------------------------------
    def handle(self, message: Message) -> None:
        """Takes one message; never waits for decoding."""
        with self._work:
            if isinstance(message, m.OpenStream):
                self._open(message)
            else:
                stream = self._streams.get(message.stream)
                if stream is not None:
                    self._change(stream, message)
            self._work.notify_all()

    def room_returned(self) -> None:
        """Blocks of the arena were given back."""
        with self._work:
            waiting = [stream for stream in self._streams.values() if stream.short_of_room]
            for stream in waiting:
                stream.short_of_room = False
            if waiting:
                self._work.notify_all()

    def path_of(self, stream: int) -> str | None:
        """The file of an open stream."""
        with self._work:
            found = self._streams.get(stream)
            return None if found is None else found.path

    def is_pressed(self) -> bool:
        """Whether the stream on screen waits for frames, so that spare-time work should hold back."""
        with self._work:
            return any(
                stream.urgent and (stream.busy or stream.has_work()) for stream in self._streams.values()
            )

    def _open(self, wish: m.OpenStream) -> None:
        self._opened += 1
        stream = Stream(wish, self._opened, wish.width, wish.height, credit=wish.credit, urgent=False)
        self._streams[wish.stream] = stream
        if wish.urgent:
            self._put_on_screen(stream)

    def _change(self, stream: Stream, message: Message) -> None:
        if isinstance(message, m.Credit):
            stream.credit += message.frames
        elif isinstance(message, m.Seek):
            stream.generation = message.generation
            stream.credit = message.credit
            stream.stride = max(1, message.stride)
            stream.seek(message.frame, loop_start=message.loop_start, loop_end=message.loop_end)
        elif isinstance(message, m.Resize):
            stream.width, stream.height = message.width, message.height
        elif isinstance(message, m.Urgent):
            self._put_on_screen(stream)
        elif isinstance(message, m.CloseStream):
            del self._streams[message.stream]
            stream.closed = True
            self._cache.forget(message.stream)
            if not stream.busy:
                _close_reader(stream)

    def _put_on_screen(self, stream: Stream) -> None:
        for other in self._streams.values():
            other.urgent = False
        stream.urgent = True
        stream.short_of_room = False

    # --- threads ---------------------------------------------------------------------------------
    def _serve(self, lane: int) -> None:
        while True:
            with self._work:
                step = self._next_step()
                while step is None:
                    self._work.wait()
                    step = self._next_step()
            stream = step.stream
            try:
                with self._arena.working_on(lane, stream.path):
                    self._take(step)
            except MediaError as error:
                self._fail(stream, error.reason, missing=isinstance(error, MissingVideoError))
            except Exception as error:
                log.exception("playing %s", stream.path)
                self._fail(stream, f"it could not be played: {error}", missing=False)
            with self._work:
                stream.busy = False
                if stream.closed or stream.failed:
                    _close_reader(stream)
                    self._cache.forget(stream.wish.stream)
                self._work.notify_all()

    def _next_step(self) -> _Step | None:
        ready = [stream for stream in self._streams.values() if stream.has_work()]
        if not ready:
            return None
        stream = min(ready, key=lambda each: (not each.urgent, each.order))
        if not stream.urgent and self._last_thread_is_kept():
            return None
        stream.busy = True
        self._steps += 1
        stream.used = self._steps
        return _Step(stream, stream.generation, stream.position, (stream.width, stream.height))

    def _last_thread_is_kept(self) -> bool:
        """While a clip is on screen, one thread stays free for it: a seek must not wait for others."""
        on_screen = any(stream.urgent for stream in self._streams.values())
        busy = sum(stream.busy for stream in self._streams.values() if not stream.urgent)
        return on_screen and busy >= THREADS - 1

    def _take(self, step: _Step) -> None:
        if not step.stream.opened:
            self._begin(step.stream)
        else:
            self._deliver(step)

    def _begin(self, stream: Stream) -> None:
        """Opens the file and tells what is in it."""
        reader = self._reader(stream)
        index = reader.index
        first, last = index.range(stream.wish.start_us, stream.wish.end_us)
        # The picture's shape is only known once a frame is decoded; this one is needed next anyway.
        reader.read(first, size=_TINY)
        times = index.times_us
        offset = self._room(stream, times.nbytes)
        if offset is None:
            return
        self._arena.view(offset, times.nbytes)[:] = times.tobytes()
        with self._work:
            if stream.closed:
                self._blocks.give_back(offset)
                return
            stream.set_clip(first, last, frames=len(index))
        self._send(
            m.StreamOpened(
                stream=stream.wish.stream, frames=len(index), first=first, last=last, fps=float(index.fps),
                duration_us=index.duration_us, width=reader.shape.width, height=reader.shape.height,
                audio=stream.audio, times_offset=offset,
            )
        )  # fmt: skip

    def _deliver(self, step: _Step) -> None:
        """Sends one frame, unless the window has changed its mind meanwhile."""
        stream = step.stream
        reader = self._reader(stream)
        try:
            picture = self._picture(step, reader)
        except UnreadableVideoError as error:
            self._skip(step, error)
            return
        height, width = picture.shape[:2]
        offset = self._room(stream, picture.nbytes)
        if offset is None:
            return
        target = np.frombuffer(self._arena.mapping, np.uint8, picture.nbytes, offset).reshape(picture.shape)
        target[...] = picture
        with self._work:
            stale = stream.closed or stream.generation != step.generation
            if not stale:
                stream.advance()
        if stale:
            self._blocks.give_back(offset)
            self.room_returned()
            return
        self._send(
            m.FrameReady(
                stream=stream.wish.stream, generation=step.generation, frame=step.position,
                time_us=int(reader.index.times_us[step.position]), offset=offset,
                width=width, height=height, stride=width * 4,
            )
        )  # fmt: skip

    def _skip(self, step: _Step, error: UnreadableVideoError) -> None:
        """Some frames of a damaged file may be beyond decoding; many in a row end it."""
        stream = step.stream
        with self._work:
            stream.bad_frames += 1
            if stream.bad_frames >= min(_BAD_FRAMES, stream.loop_end - stream.loop_start):
                raise error
            if stream.generation == step.generation:
                stream.skip()

    def _picture(self, step: _Step, reader: FrameReader) -> Picture:
        shape = reader.shape
        width, height = fit_size(shape.width, shape.height, step.box)
        key = (step.stream.wish.stream, step.position, width, height)
        picture = self._cache.get(key)
        if picture is None:
            picture = reader.read(step.position, size=(width, height), fmt="bgra")
            self._cache.put(key, picture)
        return picture

    # --- small things ----------------------------------------------------------------------------
    def _reader(self, stream: Stream) -> FrameReader:
        """The stream's reader, opened again where it was closed in favour of others."""
        if stream.reader is None:
            known = self._shelf.look_up(stream.path)
            stream.audio = known.audio
            stream.reader = FrameReader(Path(stream.path), known.index)
            self._close_idle_readers()
        return stream.reader

    def _close_idle_readers(self) -> None:
        with self._work:
            holders = [stream for stream in self._streams.values() if stream.reader is not None]
            idle = sorted((s for s in holders if not s.busy and not s.urgent), key=lambda each: each.used)
            for stream in idle[: max(0, len(holders) - MAX_READERS)]:
                _close_reader(stream)

    def _room(self, stream: Stream, nbytes: int) -> int | None:
        """A block, or None when the stream has to wait until the window gives some back."""
        if nbytes > self._blocks.room // 2:
            raise MemoryError(f"{nbytes / 1e6:.0f} MB do not fit into the memory shared with the window")
        with self._work:
            # What is decoded ahead must leave room for the clip on screen.
            offset = self._blocks.take(nbytes, leave=0 if stream.urgent else self._blocks.room // 3)
            stream.short_of_room = offset is None
        return offset

    def _fail(self, stream: Stream, reason: str, *, missing: bool) -> None:
        with self._work:
            stream.failed = True
            told = not stream.closed
        if told:
            self._send(m.StreamFailed(stream=stream.wish.stream, reason=reason, missing=missing))


def _close_reader(stream: Stream) -> None:
    reader, stream.reader = stream.reader, None
    if reader is not None:
        reader.close()
