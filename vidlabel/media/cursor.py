"""Decoding from any frame on: finds the key frame before it, and names every frame that comes out."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import cast

import numpy as np
from av.codec.context import ThreadType
from av.container import InputContainer
from av.error import FFmpegError
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from numpy.typing import NDArray

from vidlabel.media.container import open_container, open_media, video_stream
from vidlabel.media.frame_table import FrameTable
from vidlabel.media.packets import content_key

# Codecs whose frames that nothing refers to may be left undecoded on the way to a frame. Not HEVC: there
# 'refers to' holds only within a temporal layer.
_MAY_SKIP = frozenset({"h264", "mpeg2video", "mpeg1video"})
_SEEK_ATTEMPTS = 4
_LARGE_PICTURE = 640 * 480
_MOST_THREADS = 4
_NEARBY = 8
"""So few frames are decoded sooner than sought past."""


class FrameCursor:
    """Decoded frames of one video, from any frame on; not for use from two threads at once.

    Args:
        index: the video's index.
        threads: decoding threads; 1 has the least delay, None suits the size of the picture.
    """

    def __init__(self, index: FrameTable, *, threads: int | None = None) -> None:
        self._index = index
        self._threads = threads
        self._container: InputContainer | None = None
        self._stream: VideoStream | None = None
        self._frames: Iterator[tuple[int, VideoFrame]] = iter(())
        self._skip_before: int | None = None
        self._frame_of: dict[int, int] = {}
        if index.named_by == "packet":
            self._frame_of = {int(number): frame for frame, number in enumerate(index.packets)}
        self.next_frame: int | None = None
        """The least frame that can still come without seeking; None before the first seek."""

    def __enter__(self) -> FrameCursor:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Closes the file; a later seek opens it again."""
        self._frames = iter(())
        self.next_frame = None
        self._close_file()

    def go_to(self, frame: int, *, skip_before: int | None = None) -> None:
        """Makes ``advance`` lead to ``frame``, by a seek only where going on would decode more.

        Args:
            frame: the frame wanted.
            skip_before: frames before this one are not wanted and need not come out at all.

        Raises:
            MediaError: the file cannot be opened any more.
        """
        key = self._index.key_before(frame)
        at = self.next_frame
        if at is None or at > frame or (at < key and frame - at > _NEARBY):
            self._seek(key)
        self._skip_before = None
        if skip_before is not None and self._index.named_by == "pts":
            self._skip_before = int(self._index.pts[skip_before])

    def restart_earlier(self, frame: int, attempt: int) -> bool:
        """Seeks further back, for a frame that did not come out; False: nothing is left to try."""
        key = self._index.key_before(frame)
        for _ in range(attempt * attempt):
            key = self._index.key_before(max(0, key - 1))
        if attempt >= _SEEK_ATTEMPTS:
            return False
        self._skip_before = None
        # Where a file is damaged, decoding on several threads drops good frames beside the damaged one.
        self._threads = 1
        self._close_file()
        self._seek(0 if attempt == _SEEK_ATTEMPTS - 1 else key)
        return True

    def advance(self) -> tuple[int, VideoFrame] | None:
        """The next frame that comes out, with its number; None at the end."""
        found = next(self._frames, None)
        self.next_frame = len(self._index) if found is None else found[0] + 1
        return found

    @property
    def sample_aspect_ratio(self) -> Fraction | None:
        """Width of a pixel by its height; None where the file does not say."""
        return self._open()[1].sample_aspect_ratio

    def _open(self) -> tuple[InputContainer, VideoStream]:
        if self._container is None or self._stream is None:
            container = open_container(self._index.path)
            try:
                stream = video_stream(self._index.path, container)
            except BaseException:
                container.close()
                raise
            set_threads(stream, self._threads)
            stream.codec_context.copy_opaque = self._index.named_by == "packet"
            self._container, self._stream = container, stream
        return self._container, self._stream

    def _reopen(self) -> tuple[InputContainer, VideoStream]:
        self._close_file()
        return self._open()

    def _close_file(self) -> None:
        if self._container is not None:
            self._container.close()
            self._container = self._stream = None

    def _seek(self, key: int) -> None:
        self._frames = self._decode(self._packets_from(key), key)
        self.next_frame = key

    def _packets_from(self, key: int) -> Iterator[tuple[int, Packet[VideoStream]]]:
        """The packets from the one that holds frame ``key`` on, each with its number."""
        index = self._index
        if key > 0 and index.named_by != "count":
            # Where a container lands after a seek is its own affair: early, late (MPEG-TS) or inside a
            # frame (MPEG-PS). So the packet where decoding has to begin is looked for by its mark, and what
            # comes before is dropped.
            second = round(1 / index.time_base)
            for back in (0, second, 5 * second):
                packets = self._sought(int(index.key_dts[key]) - back)
                for packet in packets:
                    if self._is_packet_of(packet, key):
                        first = int(index.packets[key])
                        yield from enumerate(itertools.chain([packet], packets), first)
                        return
                    if packet.dts is not None and packet.dts > index.key_dts[key] + 2 * second:
                        break
        yield from enumerate(_demux(*self._reopen()))

    def _sought(self, dts: int) -> Iterator[Packet[VideoStream]]:
        """The packets from about this time on; none where the container cannot seek there."""
        container, stream = self._open()
        try:
            container.seek(dts, stream=stream, backward=True)
        except (FFmpegError, OSError):
            return iter(())
        return _demux(container, stream)

    def _is_packet_of(self, packet: Packet[VideoStream], key: int) -> bool:
        if not packet.is_keyframe or not packet.size:
            return False
        marked_by = self._index.marked_by
        mark = packet.pts if marked_by == "pts" else packet.dts if marked_by == "dts" else content_key(packet)
        return bool(mark == self._index.key_marks[key])

    def _decode(
        self, packets: Iterator[tuple[int, Packet[VideoStream]]], first: int
    ) -> Iterator[tuple[int, VideoFrame]]:
        index = self._index
        counted = 0
        context = None
        skipping = False
        may_skip = False
        for number, packet in packets:
            if context is None:
                context = packet.stream.codec_context
                may_skip = context.name in _MAY_SKIP
                if may_skip:
                    context.skip_frame = "DEFAULT"
            if may_skip:
                wish = (
                    self._skip_before is not None
                    and packet.pts is not None
                    and packet.pts < self._skip_before
                )
                if wish != skipping:
                    context.skip_frame = "NONREF" if wish else "DEFAULT"
                    skipping = wish
            if index.named_by == "packet" and packet.size:
                packet.opaque = number
            for frame in _decode_packet(packet):
                if index.named_by == "count":
                    place: int | None = counted
                    counted += 1
                elif index.named_by == "packet":
                    place = self._frame_of.get(_number(frame))
                else:
                    place = None if frame.pts is None else index.index_of(frame.pts)
                # Frames before the key frame refer to frames that were not decoded.
                if place is not None and first <= place < len(index):
                    yield place, frame


def set_threads(stream: VideoStream, threads: int | None) -> None:
    """Sets the number of decoding threads, before the first packet is decoded.

    None takes one for small pictures, where threads cost more than they give, and up to four for large ones.
    """
    context = stream.codec_context
    if threads is None:
        large = context.width * context.height > _LARGE_PICTURE
        threads = max(1, min(_MOST_THREADS, os.cpu_count() or 1)) if large else 1
    context.thread_count = threads
    context.thread_type = ThreadType.NONE if threads == 1 else ThreadType.AUTO


def delivered_frames(index: FrameTable, frames: Sequence[int] | NDArray[np.int64]) -> list[int]:
    """Of these frames (rising numbers), those that really come out of the decoder, whole."""
    wanted = {int(frame) for frame in frames}
    if not wanted:
        return []
    delivered: list[int] = []
    with FrameCursor(index, threads=1) as cursor:
        cursor.go_to(min(wanted))
        while (found := cursor.advance()) is not None:
            if found[0] in wanted and not found[1].is_corrupt:
                delivered.append(found[0])
            if found[0] > max(wanted):
                break
    return delivered


def decoded_packets(
    path: Path, count: int, *, watch: Callable[[int, VideoFrame], None] = lambda frame, decoded: None
) -> list[int]:
    """Decodes a whole file: the number of the packet behind each frame, in the order shown.

    ``watch`` is shown each frame with its place in that order.
    """
    found: list[int] = []
    with open_media(path) as container:
        stream = video_stream(path, container)
        set_threads(stream, None)
        stream.codec_context.copy_opaque = True
        for number, packet in enumerate(_demux(container, stream)):
            if packet.size:
                packet.opaque = number
            for decoded in _decode_packet(packet):
                if 0 <= (behind := _number(decoded)) < count:
                    watch(len(found), decoded)
                    found.append(behind)
    return found


def _number(frame: VideoFrame) -> int:
    """The number that the packet behind a frame was given; -1 for none."""
    return frame.opaque if isinstance(frame.opaque, int) else -1


def _demux(container: InputContainer, stream: VideoStream) -> Iterator[Packet[VideoStream]]:
    """Packets until the end or until the file is too damaged to go on, then one that empties the decoder."""
    try:
        yield from container.demux(stream)
    except (FFmpegError, OSError):
        flush = cast(Packet[VideoStream], Packet())
        flush.stream = stream
        yield flush


def _decode_packet(packet: Packet[VideoStream]) -> list[VideoFrame]:
    """The frames that a packet sets free; none where it is damaged."""
    try:
        return packet.decode()
    except (FFmpegError, OSError, ValueError):
        return []
