"""One clip being played: where it stands, what it may send, and the reader behind it."""

from __future__ import annotations

import os
from collections import OrderedDict
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock

from vidlabel.core.messages import OpenStream
from vidlabel.media.container import media_error, open_media
from vidlabel.media.frame_index import FrameIndex
from vidlabel.media.reader import FrameReader

_KEPT_INDICES = 64


@dataclass(frozen=True, slots=True)
class Known:
    """What opening a file told, as long as the file stays the same."""

    index: FrameIndex
    audio: bool


class IndexShelf:
    """The frame indices used last.

    Another clip of the same long video opens without another look through it.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._known: OrderedDict[tuple[str, int, int], Known] = OrderedDict()

    def look_up(self, path: str) -> Known:
        """The index of the file as it is now.

        Raises:
            MissingVideoError, UnreadableVideoError: it cannot be opened.
        """
        try:
            status = os.stat(path)  # noqa: PTH116 - a path may hold bytes that are no text
        except OSError as error:
            raise media_error(Path(path), error) from error
        key = (path, status.st_size, status.st_mtime_ns)
        with self._lock:
            known = self._known.get(key)
        if known is None:
            with open_media(Path(path)) as container:
                audio = bool(container.streams.audio)
            known = Known(FrameIndex.build(Path(path)), audio)
        with self._lock:
            self._known[key] = known
            self._known.move_to_end(key)
            while len(self._known) > _KEPT_INDICES:
                self._known.popitem(last=False)
        return known


@dataclass(slots=True)
class Stream:
    """The control part is guarded by the playback's lock.

    ``reader`` belongs to the thread that made it busy.
    """

    wish: OpenStream
    order: int
    width: int
    height: int
    credit: int
    urgent: bool
    generation: int = 0
    position: int = 0
    stride: int = 1
    loop_start: int = 0
    loop_end: int = 0
    opened: bool = False
    failed: bool = False
    busy: bool = False
    closed: bool = False
    short_of_room: bool = False
    first: int = 0
    last: int = 0
    frames: int = 0
    used: int = 0
    sought: bool = False
    bad_frames: int = 0
    audio: bool = False
    reader: FrameReader | None = field(default=None, repr=False)

    @property
    def path(self) -> str:
        return self.wish.path

    def has_work(self) -> bool:
        """Whether a thread could do something for it now."""
        if self.busy or self.failed or self.closed or self.short_of_room:
            return False
        return not self.opened or self.credit > 0

    def set_clip(self, first: int, last: int, *, frames: int) -> None:
        """What opening told. A seek that came before that keeps its place."""
        self.first, self.last, self.frames = first, last, frames
        self.opened = True
        if not self.sought:
            self.position = first
            self.loop_start, self.loop_end = first, last
        else:
            self.seek(self.position, loop_start=self.loop_start, loop_end=self.loop_end)

    def seek(self, frame: int, *, loop_start: int, loop_end: int) -> None:
        """Goes on from a frame of the video; an empty loop means the clip."""
        self.sought = True
        if not self.opened:
            self.position, self.loop_start, self.loop_end = frame, loop_start, loop_end
            return
        self.position = min(max(frame, 0), self.frames - 1)
        loop_start, loop_end = max(loop_start, 0), min(loop_end, self.frames)
        whole = loop_end <= loop_start
        self.loop_start, self.loop_end = (self.first, self.last) if whole else (loop_start, loop_end)

    def advance(self) -> None:
        """The present frame has been sent."""
        self.credit -= 1
        self.bad_frames = 0
        self.skip()

    def skip(self) -> None:
        """The present frame is behind us, sent or not."""
        following = self.position + self.stride
        if self.position < self.loop_end <= following or following >= self.frames:
            following = self.loop_start
        self.position = following
