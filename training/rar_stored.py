"""Writes RAR 5 archives whose files are stored as they are: for stand-ins in the form a data set is shipped in.

After the published description of the format ("RAR 5.0 archive format"): a signature, then blocks, each with a CRC32
of its header. Numbers are written seven bits a byte, the lowest first.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from pathlib import Path

from training.files import write_whole

_SIGNATURE = b"Rar!\x1a\x07\x01\x00"
_MAIN, _FILE, _END = 1, 2, 5
_HAS_DATA = 0x02
_HAS_CRC32 = 0x04
_UNIX = 1


def write_rar(path: Path, files: Iterable[tuple[str, bytes]]) -> None:
    """Writes an archive of (name with ``/``, content), in the order given."""
    content = b"".join(rar_blocks(files))
    write_whole(path, lambda file: file.write(content))


def rar_blocks(files: Iterable[tuple[str, bytes]]) -> list[bytes]:
    """The signature, the main block, one block a file with its bytes, and the end."""
    blocks = [_SIGNATURE, _block(_number(_MAIN) + _number(0) + _number(0))]
    for name, content in files:
        encoded = name.encode("utf-8")
        blocks.append(
            _block(
                _number(_FILE)
                + _number(_HAS_DATA)
                + _number(len(content))  # of the data that follows
                + _number(_HAS_CRC32)
                + _number(len(content))  # unpacked
                + _number(0o100644)
                + zlib.crc32(content).to_bytes(4, "little")
                + _number(0)  # method 0: stored
                + _number(_UNIX)
                + _number(len(encoded))
                + encoded
            )
        )
        blocks.append(content)
    blocks.append(_block(_number(_END) + _number(0) + _number(0)))
    return blocks


def _block(header: bytes) -> bytes:
    sized = _number(len(header)) + header
    return zlib.crc32(sized).to_bytes(4, "little") + sized


def _number(value: int) -> bytes:
    out = bytearray()
    while True:
        value, low = value >> 7, value & 0x7F
        out.append(low | (0x80 if value else 0))
        if not value:
            return bytes(out)
