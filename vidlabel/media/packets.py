"""What a file's packets say about its frames, without decoding them."""

from __future__ import annotations

import zlib
from array import array
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import NamedTuple

import numpy as np
from av.container import InputContainer
from av.error import FFmpegError
from av.packet import Packet
from av.video.stream import VideoStream
from numpy.typing import NDArray

from vidlabel.core.errors import StoppedError

Int64 = NDArray[np.int64]
Bool = NDArray[np.bool_]
NO_TIME = np.iinfo(np.int64).min
"""Stands for a time stamp that the file does not give."""
NO_ORDER = -1
_GROUP_START = b"\x00\x00\x01\xb8"
_PICTURE_START = b"\x00\x00\x01\x00"


@dataclass(frozen=True, eq=False, kw_only=True)
class Packets:
    """One entry a packet, in decoding order. Times in the stream's ticks, ``NO_TIME`` where there is none."""

    pts: Int64
    dts: Int64
    duration: Int64
    content: Int64
    """What tells a key packet from others by its bytes; 0 for the rest."""
    order: Int64
    """MPEG-1/2: the place in the group of pictures, in the order shown; else ``NO_ORDER``."""
    key: Bool
    shown: Bool
    """False: the packet only prepares other frames, or an edit list cuts it away."""
    group: Bool
    """MPEG-1/2: a group of pictures begins here."""
    broken_off: bool
    """The file ends in the middle of a packet, or reading it failed there."""

    def __len__(self) -> int:
        return len(self.pts)

    def without_last(self) -> Packets:
        """The same less the last packet, which is only half there."""
        columns = {
            field.name: getattr(self, field.name) for field in fields(self) if field.name != "broken_off"
        }
        return Packets(**{name: column[:-1] for name, column in columns.items()}, broken_off=True)


class _Row(NamedTuple):
    pts: int
    dts: int
    duration: int
    content: int
    order: int
    key: bool
    shown: bool
    group: bool


class _Rows:
    """Rows in columns from the start: as tuples, those of a video of some hours took a gigabyte."""

    def __init__(self) -> None:
        self._numbers = tuple(array("q") for _ in range(5))
        self._flags = tuple(bytearray() for _ in range(3))

    def __len__(self) -> int:
        return len(self._numbers[0])

    def append(self, row: _Row) -> None:
        for column, number in zip(self._numbers, row[:5], strict=True):
            column.append(number)
        for flags, flag in zip(self._flags, row[5:], strict=True):
            flags.append(flag)

    def pop(self) -> None:
        for numbers in self._numbers:
            numbers.pop()
        for flags in self._flags:
            flags.pop()

    def columns(self, *, broken_off: bool) -> Packets:
        pts, dts, duration, content, order = (
            np.frombuffer(column, dtype=np.int64) for column in self._numbers
        )
        key, shown, group = (np.frombuffer(column, dtype=bool) for column in self._flags)
        return Packets(
            pts=pts,
            dts=dts,
            duration=duration,
            content=content,
            order=order,
            key=key,
            shown=shown,
            group=group,
            broken_off=broken_off,
        )


def read_packets(
    container: InputContainer, stream: VideoStream, should_stop: Callable[[], bool] | None = None
) -> Packets:
    """Reads every packet of the stream from where the container stands (just opened: from the start).

    Raises:
        StoppedError: ``should_stop``, asked every thousand packets, said so.
    """
    rows = _Rows()
    codec = stream.codec_context.name
    broken_off = False
    last_is_whole = True
    try:
        for packet in container.demux(stream):
            if packet.size:
                last_is_whole = not packet.is_corrupt
                rows.append(_row(packet, codec))
                if should_stop is not None and len(rows) % 1000 == 0 and should_stop():
                    raise StoppedError("reading the frames was stopped")
    except (FFmpegError, OSError):
        broken_off = True
    if not last_is_whole:
        broken_off = True
        rows.pop()
    return rows.columns(broken_off=broken_off)


def content_key(packet: Packet[VideoStream]) -> int:
    """A number for the bytes of a packet: its size and a checksum of its beginning."""
    return packet.size << 32 | zlib.crc32(memoryview(packet)[:4096])


def _row(packet: Packet[VideoStream], codec: str) -> _Row:
    pts, dts = packet.pts, packet.dts
    order, group = _mpeg_order(packet) if codec in ("mpeg1video", "mpeg2video") else (NO_ORDER, False)
    hidden = packet.is_discard or (codec in ("vp8", "libvpx") and _vp8_hidden(packet))
    return _Row(
        NO_TIME if pts is None else pts,
        NO_TIME if dts is None else dts,
        packet.duration or 0,
        content_key(packet) if packet.is_keyframe else 0,
        order,
        packet.is_keyframe,
        not hidden,
        group,
    )


def _vp8_hidden(packet: Packet[VideoStream]) -> bool:
    """RFC 6386, 9.1: bit 4 of the first byte is show_frame."""
    return not memoryview(packet)[0] >> 4 & 1


def _mpeg_order(packet: Packet[VideoStream]) -> tuple[int, bool]:
    """ISO/IEC 13818-2, 6.2.3: temporal_reference is the first ten bits of the picture header."""
    head = bytes(memoryview(packet)[:512])
    place = head.find(_PICTURE_START)
    if place < 0 or place + 6 > len(head):
        return NO_ORDER, False
    group = 0 <= head.find(_GROUP_START) < place
    return head[place + 4] << 2 | head[place + 5] >> 6, group
