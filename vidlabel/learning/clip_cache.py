"""Decoded clips on the disk, so that after the first epoch the network is what a run waits for.

One file a clip, named by what it holds, written whole beside its place and then put there; a checksum tells what a
power cut left. Whatever goes wrong with it, a clip can be decoded again: a run never fails for its cache.
"""

from __future__ import annotations

import hashlib
import json
import mmap
import secrets
import shutil
import struct
import threading
import zlib
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vidlabel.core.errors import MissingVideoError
from vidlabel.learning.clip_stock import LabelledClip, Stock, read_plain, read_roomy
from vidlabel.media.sampler import IndexShelf
from vidlabel.ml.preprocess import Preprocessing

_WAY = 1
"""Goes up when clips come to be decoded or kept in another way."""
_MAGIC = b"vlclip1\n"
_HEAD = struct.Struct("<8sIIIId")
_BEGINS = 64
_PART = ".part"
_COUNT_EVERY = 256
"""Clips after which what lies in the folder is counted anew: other processes may write there, too."""
_SPARE_BYTES = 2 * 1000**3
_SPARE_SHARE = 0.1
"""Room left for checkpoints and everybody else: 2 GB, or a tenth of a small disk."""


@dataclass(frozen=True)
class CacheUse:
    """How much lies in a cache."""

    clips: int
    bytes: int


def open_cache(
    folder: Path,
    preprocessing: Preprocessing,
    *,
    most_bytes: int,
    on_note: Callable[[str], None] = lambda note: None,
) -> ClipCache:
    """Opens or begins the cache of decoded clips in a folder; tidies up what a killed process left half-written.

    Args:
        folder: is made where it is missing; may be shared by runs and by processes.
        preprocessing: of the model; clips of others may lie in the same folder.
        most_bytes: the most that all clips in the folder may take; 0 keeps none and only decodes.
        on_note: told once when no more is kept, in words (the cache or the disk is full).
    """
    return ClipCache(folder, preprocessing, most_bytes=most_bytes, on_note=on_note)


def remove_cache(folder: Path) -> None:
    """Deletes the decoded clips in a folder, and the folder if nothing else is in it."""
    for path in [*folder.glob("clip-*")] if folder.is_dir() else []:
        with suppress(OSError):
            path.unlink()
    with suppress(OSError):
        folder.rmdir()


class ClipCache:
    """See ``open_cache``. Safe to be used by several threads, and its folder by several processes."""

    def __init__(
        self, folder: Path, preprocessing: Preprocessing, *, most_bytes: int, on_note: Callable[[str], None]
    ) -> None:
        self.folder = folder
        self.preprocessing = preprocessing
        self._most = most_bytes
        self._on_note = on_note
        self._lock = threading.Lock()
        self._shelf = IndexShelf()
        self._sound: set[str] = set()
        self._notes: list[str] = []
        self._open = most_bytes > 0
        self._put = 0
        self._bytes = 0
        if self._open:
            self._begin()

    def stock(self, clip: LabelledClip, *, plain: bool) -> Stock:
        """A clip from the cache, else from its file, and then into the cache.

        Args:
            clip: which.
            plain: exactly as the model sees it; else with room to choose in.

        Raises:
            MissingVideoError, UnreadableVideoError: it is not here and cannot be read.
        """
        name = self._name(clip, plain=plain)
        kept = self._read(name)
        if kept is not None:
            return kept
        read = read_plain if plain else read_roomy
        stock = read(clip, self.preprocessing, shelf=self._shelf)
        self._write(name, stock)
        return stock

    def use(self) -> CacheUse:
        """How much lies there now, of all processes."""
        sizes = [size for path in self._files() if (size := _size(path)) and path.suffix != _PART]
        return CacheUse(len(sizes), sum(sizes))

    def tell(self) -> None:
        """Hands what is worth knowing to ``on_note``, in the thread of whoever calls this."""
        with self._lock:
            notes, self._notes = self._notes, []
        for note in notes:
            self._on_note(note)

    def _begin(self) -> None:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            for path in self._files():
                if path.suffix == _PART:
                    # Of a process that was killed. One that still writes it does without, and decodes again.
                    with suppress(OSError):
                        path.unlink()
        except OSError as error:
            self._close(f"Decoded clips cannot be kept in {self.folder} ({error.strerror or error})")
        self._bytes = self.use().bytes

    def _files(self) -> list[Path]:
        try:
            return [path for path in self.folder.iterdir() if path.name.startswith("clip-")]
        except OSError:
            return []

    def _name(self, clip: LabelledClip, *, plain: bool) -> str:
        try:
            key = clip.key
        except OSError as error:
            raise MissingVideoError(clip.path, "the file is not there") from error
        geometry = self.preprocessing.to_json()
        # Scaling colours is done on the device, after the cache.
        del geometry["mean"], geometry["std"]
        about = json.dumps([_WAY, plain, *key, geometry], sort_keys=True)
        return f"clip-{hashlib.sha256(about.encode('utf-8', 'surrogateescape')).hexdigest()[:40]}"

    def _read(self, name: str) -> Stock | None:
        if self._most <= 0:
            return None
        path = self.folder / name
        try:
            with path.open("rb") as file:
                content = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        except FileNotFoundError:
            return None
        except (OSError, ValueError):
            content = None  # Empty, or the disk does not give it.
        stock = self._checked(name, content) if content is not None else None
        if stock is None:
            with suppress(OSError):
                path.unlink()
        return stock

    def _checked(self, name: str, content: mmap.mmap) -> Stock | None:
        """What a file holds; None where it is not whole. The checksum is looked at once a process."""
        if len(content) < _BEGINS:
            return None
        magic, kept, height, width, check, share = _HEAD.unpack_from(content)
        if magic != _MAGIC or len(content) != _BEGINS + kept * height * width * 3:
            return None
        frames = np.frombuffer(content, np.uint8, offset=_BEGINS).reshape(kept, height, width, 3)
        if name not in self._sound:
            if zlib.crc32(frames.data) != check:
                return None
            self._sound.add(name)
        return Stock(frames, share)

    def _write(self, name: str, stock: Stock) -> None:
        size = _BEGINS + stock.frames.nbytes
        with self._lock:
            if not self._open or not self._has_room(size):
                return
            self._bytes += size
            self._put += 1
        frames = np.ascontiguousarray(stock.frames)
        head = _HEAD.pack(_MAGIC, *frames.shape[:3], zlib.crc32(frames.data), stock.share)
        part = self.folder / f"{name}-{secrets.token_hex(4)}{_PART}"
        try:
            with part.open("xb") as file:
                file.write(head.ljust(_BEGINS, b"\0"))
                file.write(frames.data)
            part.replace(self.folder / name)
        except FileNotFoundError:
            # Another process began and tidied up: this clip is then decoded once more.
            return
        except OSError as error:
            with suppress(OSError):
                part.unlink()
            with self._lock:
                self._close(f"Decoded clips cannot be kept any more ({error.strerror or error})")

    def _has_room(self, size: int) -> bool:
        """Under the lock."""
        if self._put % _COUNT_EVERY == _COUNT_EVERY - 1:
            self._bytes = self.use().bytes
        if self._bytes + size > self._most:
            self._close(f"The cache of decoded clips holds {self._most / 1000**3:.1f} GB and is full")
            return False
        try:
            disk = shutil.disk_usage(self.folder)
        except OSError:
            return True
        if disk.free - size < min(_SPARE_BYTES, _SPARE_SHARE * disk.total):
            self._close(f"The disk of {self.folder} is nearly full")
            return False
        return True

    def _close(self, why: str) -> None:
        """No more is written; what is there is read on."""
        if self._open:
            self._open = False
            self._notes.append(f"{why}: the other clips are decoded anew in each epoch.")


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
