"""Whether a file was cut off, told from its first and last bytes: some demuxers pass on half a frame."""

from __future__ import annotations

import re
from pathlib import Path

_GIF_END = b"\x3b"
_PES = re.compile(rb"\x00\x00\x01[\xbd-\xef]")
"""The start of a packet of a program stream; inside a picture these bytes cannot occur."""
_TAIL = 70_000
"""More than the longest packet of a program stream."""
_ASF_FILE_PROPERTIES = bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365")


def is_cut_off(path: Path, demuxer: str) -> bool:
    """Whether a GIF, MPEG program stream or ASF (WMV) file ends before its end; False for other formats.

    Raises:
        OSError: the file cannot be read.
    """
    if demuxer not in ("gif", "mpeg", "asf"):
        return False
    with path.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(max(0, size - _TAIL))
        tail = file.read()
        file.seek(0)
        head = file.read(8192)
    if demuxer == "gif":
        return not tail.rstrip(b"\x00").endswith(_GIF_END)
    if demuxer == "mpeg":
        return _lacks_bytes(tail)
    return _asf_size(head) > size


def _lacks_bytes(tail: bytes) -> bool:
    """Whether the last packet of a program stream states more bytes than follow (ISO 13818-1, 2.4.3.6)."""
    packets = list(_PES.finditer(tail))
    if not packets:
        return False
    begin = packets[-1].end()
    if begin + 2 > len(tail):
        return True
    return begin + 2 + int.from_bytes(tail[begin : begin + 2], "big") > len(tail)


def _asf_size(head: bytes) -> int:
    """The file size that the header of an ASF file states (0: none), from its File Properties Object."""
    place = head.find(_ASF_FILE_PROPERTIES)
    if place < 0 or place + 48 > len(head):
        return 0
    return int.from_bytes(head[place + 40 : place + 48], "little")
