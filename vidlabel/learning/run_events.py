"""What a run tells: a line of JSON in its folder for everything that happens, readable after any kind of death.

No torch: the window and the command line read these lines, too.
"""

from __future__ import annotations

import errno
import json
import math
import os
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any

from filelock import FileLock, Timeout

from vidlabel.core.runs import PROTOCOL, RunFolder

LAST_WORDS = frozenset({"finished", "stopped", "failed"})
"""Events after which a process says no more; a run that ends with another one was cut off."""
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
_RESERVE_BYTES = 64 * 1024


class RunEvents:
    """Writes the events of a run: each line is on its way to the disk before the call returns.

    A little room is kept reserved, so that a run whose disk is full can still say so.

    Args:
        folder: of the run; a line that an earlier process left torn is ended first.
        also: told each line, too.

    Raises:
        OSError: the folder takes no file.
    """

    def __init__(
        self, folder: RunFolder, *, also: Callable[[dict[str, Any]], None] = lambda line: None
    ) -> None:
        self._also = also
        self._reserve = folder.path / "reserve"
        self._file = os.open(folder.events, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o666)
        self.last: dict[str, Any] = {}
        with suppress(OSError):
            self._reserve.write_bytes(bytes(_RESERVE_BYTES))
        size = os.fstat(self._file).st_size
        if size and not _ends_whole(folder.events, size):
            os.write(self._file, b"\n")

    def __enter__(self) -> RunEvents:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self._file)
        self._reserve.unlink(missing_ok=True)

    def __call__(self, event: str, **values: object) -> None:
        """Tells one thing; numbers that are none become null.

        Raises:
            OSError: the line cannot be written, not even into the reserved room.
        """
        line = {"v": PROTOCOL, "at": round(time.time(), 3), "event": event, **_plain(values)}
        content = json.dumps(line, ensure_ascii=True, allow_nan=False).encode() + b"\n"
        try:
            self._write(content)
        except OSError as error:
            if error.errno not in _FULL:
                raise
            self._reserve.unlink(missing_ok=True)
            self._write(content)
        self.last = line
        self._also(line)

    def _write(self, content: bytes) -> None:
        """The whole line or nothing of it."""
        size = os.fstat(self._file).st_size
        if os.write(self._file, content) != len(content):
            os.ftruncate(self._file, size)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def read_events(path: Path) -> tuple[dict[str, Any], ...]:
    """All events of a run so far; torn lines, and those of a newer program, are left out.

    Raises:
        OSError: the file is there and cannot be read.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return ()
    return tuple(line for line in map(_read, content.split(b"\n")) if line is not None)


def last_event(path: Path) -> dict[str, Any] | None:
    """The newest event, None before the first; as ``read_events``, but reads the end of the file only."""
    try:
        with path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - _RESERVE_BYTES))
            content = file.read()
    except FileNotFoundError:
        return None
    return next((line for line in map(_read, reversed(content.split(b"\n"))) if line is not None), None)


def is_held(folder: RunFolder) -> bool:
    """Whether a process works on the run now: it holds the lock as long as it lives."""
    if not folder.lock.is_file():
        return False
    lock = FileLock(folder.lock)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return True
    except OSError:
        # A folder that nobody can write holds no run that goes on.
        return False
    lock.release()
    return False


def _read(line: bytes) -> dict[str, Any] | None:
    try:
        read = json.loads(line)
    except ValueError:
        return None
    known = isinstance(read, dict) and read.get("v") == PROTOCOL and isinstance(read.get("event"), str)
    return read if known else None


def _ends_whole(path: Path, size: int) -> bool:
    with path.open("rb") as file:
        file.seek(size - 1)
        return file.read(1) == b"\n"


def _plain(value: Any) -> Any:
    """The same as JSON holds it."""
    if isinstance(value, dict):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value
