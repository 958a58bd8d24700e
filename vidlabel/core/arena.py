"""Memory that the window and the engine share: a private temporary file which both map.

It begins with the *flight recorder*, one lane for each thread of the engine that touches people's files. A
thread writes the path before it works on a file and clears the lane afterwards; when the engine dies, what
still stands in the lanes tells the window which files it was working on. After the recorder comes the room
for frames.
"""

from __future__ import annotations

import mmap
import os
import shutil
import struct
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

DEFAULT_BYTES = 192 * 1024 * 1024
DATA_START = 256 * 1024
LANES = 32
_LANE_BYTES = DATA_START // LANES
_LENGTH = struct.Struct("<I")
_LONGEST_PATH = _LANE_BYTES - _LENGTH.size


class Arena:
    """One mapped file.

    Make it with :meth:`create` (window) or :meth:`open` (engine); ``close`` it in the end.
    """

    def __init__(self, path: Path, mapping: mmap.mmap) -> None:
        self.path = path
        self.mapping = mapping
        self.nbytes = len(mapping)

    @classmethod
    def create(cls, nbytes: int = DEFAULT_BYTES) -> Arena:
        """Makes the file, readable by this user only, in memory (/dev/shm) where that has room.

        Raises:
            OSError: neither shared memory nor the temporary folder has room for ``nbytes``.
        """
        descriptor, name = tempfile.mkstemp(prefix="vidlabel-", suffix=".arena", dir=_roomy_folder(nbytes))
        try:
            os.ftruncate(descriptor, nbytes)
            mapping = mmap.mmap(descriptor, nbytes)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
        finally:
            os.close(descriptor)
        return cls(Path(name), mapping)

    @classmethod
    def open(cls, path: Path, nbytes: int) -> Arena:
        """Maps the file that the other process made.

        Raises:
            OSError: it is not there, or shorter than ``nbytes``.
            ValueError: the mapping is refused for its size.
        """
        with path.open("r+b") as file:
            return cls(path, mmap.mmap(file.fileno(), nbytes))

    def view(self, offset: int, nbytes: int) -> memoryview:
        """The bytes of one block, without copying. Give the view up before ``close``.

        Raises:
            ValueError: the block does not lie in the arena.
        """
        if offset < DATA_START or nbytes < 0 or offset + nbytes > self.nbytes:
            raise ValueError(f"{nbytes} bytes at {offset} do not lie in an arena of {self.nbytes}")
        return memoryview(self.mapping)[offset : offset + nbytes]

    def note(self, lane: int, path: str) -> None:
        """Writes into a lane what its thread begins to work on."""
        start = lane * _LANE_BYTES
        content = os.fsencode(path)[:_LONGEST_PATH]
        # The length comes last, so that a reader never takes a half-written path for a whole one.
        self.mapping[start : start + _LENGTH.size] = _LENGTH.pack(0)
        self.mapping[start + _LENGTH.size : start + _LENGTH.size + len(content)] = content
        self.mapping[start : start + _LENGTH.size] = _LENGTH.pack(len(content))

    def clear(self, lane: int) -> None:
        """The lane's thread has finished with its file."""
        start = lane * _LANE_BYTES
        self.mapping[start : start + _LENGTH.size] = _LENGTH.pack(0)

    @contextmanager
    def working_on(self, lane: int, path: str) -> Iterator[None]:
        """Notes the path for as long as the block runs."""
        self.note(lane, path)
        try:
            yield
        finally:
            self.clear(lane)

    def suspects(self) -> tuple[str, ...]:
        """The paths that stand in the lanes, each once."""
        found: dict[str, None] = {}
        for lane in range(LANES):
            start = lane * _LANE_BYTES
            (length,) = _LENGTH.unpack_from(self.mapping, start)
            if 0 < length <= _LONGEST_PATH:
                begin = start + _LENGTH.size
                found[os.fsdecode(self.mapping[begin : begin + length])] = None
        return tuple(found)

    def unlink(self) -> None:
        """Takes the name away.

        The memory lives until both processes let go. Where that is forbidden, ``close`` does it.
        """
        with suppress(OSError):
            self.path.unlink(missing_ok=True)

    def close(self) -> None:
        """Lets go of the memory and removes the file if it still has a name."""
        # A view that somebody still holds keeps the mapping alive; it then ends with the view.
        with suppress(BufferError):
            self.mapping.close()
        self.unlink()


def _roomy_folder(nbytes: int) -> str:
    """Touching a page for which a memory file system has no room kills the process: it must have plenty."""
    shared = Path("/dev/shm")
    with suppress(OSError):
        if (
            shared.is_dir()
            and os.access(shared, os.W_OK | os.X_OK)
            and shutil.disk_usage(shared).free > 2 * nbytes
        ):
            return str(shared)
    return tempfile.gettempdir()
