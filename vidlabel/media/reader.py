"""Exact access to any frame of a video, by number: forwards, backwards and at random."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType

import numpy as np
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from vidlabel.core.errors import UnreadableVideoError
from vidlabel.media.container import NO_FRAMES
from vidlabel.media.cursor import FrameCursor
from vidlabel.media.frame_index import FrameIndex
from vidlabel.media.picture import Converter, Format, Picture, Shape

_KEPT_BYTES = 64 * 1024 * 1024
_KEPT_FRAMES = 64
_BACKWARD = 32
"""A frame at most so far before the last one asked for is taken as stepping back."""


class FrameReader:
    """The frames of one video. Not for use from two threads at once.

    Frames are found by their presentation time, never by counting or by a rate, so that a number means the
    same frame however it is reached. Those decoded last are kept as they come out of the decoder, so that
    stepping back in a long group of pictures decodes it once and not once a step.

    Args:
        path: the file.
        index: its frame index, if there is one already; else it is built here.
        threads: decoding threads; None suits the size of the picture, 1 is best where several readers work
            at once.
        decoded: frames by number that were decoded already, while the index was made; they are not decoded again.

    Raises:
        MissingVideoError: the file is not there.
        UnreadableVideoError: it is no video that can be decoded.
    """

    def __init__(
        self,
        path: Path,
        index: FrameIndex | None = None,
        *,
        threads: int | None = None,
        decoded: Mapping[int, VideoFrame] | None = None,
    ) -> None:
        self.path = path
        self.index = index if index is not None else FrameIndex.build(path)
        self._cursor = FrameCursor(self.index, threads=threads)
        self._kept: OrderedDict[int, VideoFrame] = OrderedDict(decoded or {})
        self._kept_bytes = sum(map(held_bytes, self._kept.values()))
        self._last = 0
        self._careful = False
        self._converter: Converter | None = None

    def __enter__(self) -> FrameReader:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __len__(self) -> int:
        return len(self.index)

    def close(self) -> None:
        """Closes the file and forgets the frames kept; reading again opens it again."""
        self._cursor.close()
        self._kept.clear()
        self._kept_bytes = 0

    @property
    def shape(self) -> Shape:
        """Size as shown and rotation; decodes the first frame if nothing was decoded yet."""
        return self._converter_for(None).shape

    def shape_near(self, frame: int) -> Shape:
        """The same as ``shape``, but decodes ``frame`` for it, where that one is going to be read anyway."""
        if self._converter is not None:
            return self._converter.shape
        return self._converter_for(self._decoded(frame)).shape

    def read(self, frame: int, *, size: tuple[int, int] | None = None, fmt: Format = "rgb24") -> Picture:
        """One frame.

        Args:
            frame: its number, 0 to ``len(reader) - 1``.
            size: (width, height) in px of the result; None takes the video's own, upright.
            fmt: ``rgb24`` or ``bgra``.

        Returns:
            uint8 (height, width, 3 or 4), contiguous.

        Raises:
            IndexError: there is no such frame.
            MissingVideoError: the file has gone.
            UnreadableVideoError: the file is damaged at this frame.
        """
        if not 0 <= frame < len(self.index):
            raise IndexError(f"{self.path.name} has frames 0 to {len(self.index) - 1}, not {frame}")
        decoded = self._decoded(frame)
        self._last = frame
        return self._converter_for(decoded).convert(decoded, size, fmt=fmt)

    def frames(
        self,
        start: int,
        stop: int,
        *,
        step: int = 1,
        size: tuple[int, int] | None = None,
        fmt: Format = "rgb24",
    ) -> Iterator[tuple[int, Picture]]:
        """Every ``step``-th frame of ``[start, stop)`` as (number, picture), decoding straight on.

        Frames that are damaged beyond decoding are left out. Pictures are as from ``read``.

        Raises:
            MissingVideoError: the file has gone.
            UnreadableVideoError: the file cannot be opened any more.
        """
        return self.pictures(range(start, min(stop, len(self.index)), step), size=size, fmt=fmt)

    def pictures(
        self, frames: Iterable[int], *, size: tuple[int, int] | None = None, fmt: Format = "rgb24"
    ) -> Iterator[tuple[int, Picture]]:
        """These frames (rising numbers, asked for one at a time) as from ``frames``."""
        for frame, decoded in self._wanted(frames):
            self._last = frame
            yield frame, self._converter_for(decoded).convert(decoded, size, fmt=fmt)

    def read_many(
        self, frames: Sequence[int] | NDArray[np.int64], *, size: tuple[int, int] | None = None
    ) -> Picture:
        """Several frames for a network, each decoded at most once and only the wanted ones converted.

        A frame that is damaged beyond decoding is replaced by the one before it (by the one after, at the
        start).

        Args:
            frames: rising numbers, doubles allowed.
            size: (width, height) in px of the result.

        Returns:
            uint8 (T, height, width, 3), red first.

        Raises:
            IndexError: a number is out of range.
            UnreadableVideoError: none of the frames can be decoded.
        """
        if len(frames) == 0 or min(frames) < 0 or max(frames) >= len(self.index):
            raise IndexError(f"{self.path.name} has frames 0 to {len(self.index) - 1}")
        pictures: dict[int, Picture] = {}
        for frame, decoded in self._wanted(sorted({int(frame) for frame in frames})):
            pictures[frame] = self._converter_for(decoded).convert(decoded, size)
        if not pictures:
            raise UnreadableVideoError(
                self.path, f"damaged: frames {frames[0]} to {frames[-1]} cannot be decoded"
            )
        there = sorted(pictures)
        nearest = np.maximum(np.searchsorted(there, np.asarray(frames), side="right") - 1, 0)
        return np.stack([pictures[there[place]] for place in nearest])

    def _decoded(self, frame: int) -> VideoFrame:
        """One frame as decoded."""
        kept = self._kept.get(frame)
        if kept is not None:
            return kept
        going_back = 0 < self._last - frame <= _BACKWARD
        self._cursor.go_to(frame, skip_before=max(0, frame - self._room()) if going_back else frame)
        attempt = 0
        while True:
            found = self._cursor.advance()
            if found is not None:
                self._keep(*found)
                if found[0] == frame:
                    return found[1]
            if found is None or found[0] > frame:
                attempt += 1
                if not self._cursor.restart_earlier(frame, attempt):
                    words = NO_FRAMES if len(self.index) == 1 else f"damaged: frame {frame} cannot be decoded"
                    raise UnreadableVideoError(self.path, words)

    def _wanted(self, frames: Iterable[int]) -> Iterator[tuple[int, VideoFrame]]:
        """Those of the rising ``frames`` that can be decoded, each once."""
        came: tuple[int, VideoFrame] | None = None
        for frame in frames:
            if came is None or came[0] < frame:
                kept = self._kept.get(frame)
                came = (frame, kept) if kept is not None else self._first_from(frame)
                if came is None:
                    return
            # Otherwise it came in the place of a damaged one before it.
            if came[0] == frame:
                yield came

    def _first_from(self, frame: int) -> tuple[int, VideoFrame] | None:
        """Frame ``frame``, or where it is damaged the next one that comes; None at the end."""
        self._cursor.go_to(frame, skip_before=frame)
        found = self._advance_to(frame)
        if (found is None or found[0] > frame) and not self._careful:
            # Once a file: from here on it is decoded on one thread, which loses only what is damaged.
            self._careful = True
            self._cursor.restart_earlier(frame, 1)
            found = self._advance_to(frame)
        return found

    def _advance_to(self, frame: int) -> tuple[int, VideoFrame] | None:
        while (found := self._cursor.advance()) is not None and found[0] < frame:
            pass
        return found

    def _keep(self, frame: int, decoded: VideoFrame) -> None:
        """Remembers a decoded frame, dropping the oldest beyond the room there is."""
        if frame in self._kept:
            return
        self._kept[frame] = decoded
        self._kept_bytes += held_bytes(decoded)
        while self._kept_bytes > _KEPT_BYTES or len(self._kept) > _KEPT_FRAMES:
            if len(self._kept) == 1:
                return
            _, oldest = self._kept.popitem(last=False)
            self._kept_bytes -= held_bytes(oldest)

    def _room(self) -> int:
        """How many frames of this video are kept."""
        some = next(iter(self._kept.values()), None)
        if some is None:
            return 1
        return max(1, min(_KEPT_FRAMES, _KEPT_BYTES // held_bytes(some)) - 1)

    def _converter_for(self, decoded: VideoFrame | None) -> Converter:
        if self._converter is None:
            frame = decoded if decoded is not None else self._decoded(0)
            self._converter = Converter(Shape.of(frame, self._cursor.sample_aspect_ratio))
        return self._converter


def held_bytes(frame: VideoFrame) -> int:
    """About what a decoded frame holds in memory."""
    return sum(plane.buffer_size for plane in frame.planes)
