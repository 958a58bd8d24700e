"""Knowing a file by its content: a quick key from size, head and tail, and the hash of every byte."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

from vidlabel.core.errors import StoppedError

_ENDS = 64 * 1024
_BLOCK = 1024 * 1024


def fingerprint(path: Path) -> str:
    """The quick key: BLAKE2b-128 of the size and the first and last 64 KiB, as 32 hex digits.

    Raises:
        OSError: the file cannot be read.
    """
    with path.open("rb", buffering=0) as file:
        size = file.seek(0, 2)
        file.seek(0)
        digest = hashlib.blake2b(size.to_bytes(8, "big"), digest_size=16)
        digest.update(_read(file.read, _ENDS))
        if size > _ENDS:
            file.seek(max(_ENDS, size - _ENDS))
            digest.update(_read(file.read, _ENDS))
    return digest.hexdigest()


def content_hash(path: Path, should_stop: Callable[[], bool] | None = None) -> str:
    """SHA-256 of every byte, as 64 hex digits.

    Args:
        path: the file.
        should_stop: asked for every megabyte.

    Raises:
        OSError: the file cannot be read.
        StoppedError: ``should_stop`` said so.
    """
    digest = hashlib.sha256()
    with path.open("rb", buffering=0) as file:
        while block := file.read(_BLOCK):
            if should_stop is not None and should_stop():
                raise StoppedError(f"{path}: hashing was stopped")
            digest.update(block)
    return digest.hexdigest()


def _read(read: Callable[[int], bytes | None], wanted: int) -> bytes:
    """``wanted`` bytes, fewer only at the end of the file: a raw read may return less than asked for."""
    parts: list[bytes] = []
    while wanted > 0 and (part := read(wanted)):
        parts.append(part)
        wanted -= len(part)
    return b"".join(parts)
