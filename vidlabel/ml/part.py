"""A file that is only partly here: its bytes, what is known of the rest, and whether it is the right one."""

from __future__ import annotations

import errno
import hashlib
import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Literal

from vidlabel.core.errors import DownloadError

_BLOCK = 1 << 20
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
_SPARE_BYTES = 64 << 20
"""Room left for everybody else; a disk filled to its last byte troubles the whole system."""


@dataclass(frozen=True)
class Checksum:
    """What a file must hash to.

    Attributes:
        value: hex digits in lower case; of a SHA-256 the beginning is enough.
        kind: ``"sha256"``, or ``"git"`` for the SHA-1 by which git names small files.
    """

    value: str
    kind: Literal["sha256", "git"] = "sha256"


@dataclass(frozen=True)
class Known:
    """What the server said of the file: enough to ask for the rest of this very file and no other."""

    url: str
    total: int | None
    validator: str


class Part:
    """The bytes of ``path`` as they come in, hashed on the way. Use it from one thread.

    Every method raises OSError where the disk does not take it; ``disk_error`` puts that into words.

    Args:
        path: where the bytes are kept; beside it ``path`` + ``.json`` says what they are of.
        checksum: of the whole file; None if nobody published one.
    """

    def __init__(self, path: Path, checksum: Checksum | None) -> None:
        self.path = path
        self.checksum = checksum
        self.done = 0
        self.from_before = 0
        """How many of the bytes an earlier call brought."""
        self.known: Known | None = None
        self._hash = hashlib.sha256()

    def take_up(self, url: str, gone: Callable[[], bool]) -> None:
        """Goes on with what an earlier call left, if it is of the same file; else begins anew."""
        self.forget(keep_file=True)
        self.known = self._read_known(url)
        if self.known is None or (self.checksum is not None and self.checksum.kind == "git"):
            # Git's hash begins with the length of the whole: such files are small, and begun again.
            self.forget()
            return
        self.read(gone)

    def read(self, gone: Callable[[], bool]) -> None:
        """Takes note of the bytes that are there, until ``gone`` says that nobody waits any more."""
        self._hash = self._new_hash(self.path.stat().st_size)
        with self.path.open("rb") as file:
            while (block := file.read(_BLOCK)) and not gone():
                self._hash.update(block)
                self.done += len(block)
        self.from_before = self.done

    def begin(self, known: Known) -> None:
        """From the first byte: whatever there was is thrown away."""
        self.forget()
        self.known = known
        self._hash = self._new_hash(known.total or 0)
        about = {"url": known.url, "total": known.total, "validator": known.validator, "of": self._of()}
        # Not waited for on the disk: lost or torn, it only means to begin anew.
        unfinished = self._about.with_suffix(".new")
        unfinished.write_text(json.dumps(about), encoding="utf-8")
        unfinished.replace(self._about)

    def open(self) -> BinaryIO:
        """To write what comes next, after what is there.

        Not waited for on the disk, neither here nor later: should the power fail, the hash finds out.
        """
        return self.path.open("ab", buffering=_BLOCK)

    def add(self, file: BinaryIO, block: bytes) -> None:
        """The next bytes."""
        file.write(block)
        self._hash.update(block)
        self.done += len(block)

    def fits(self) -> bool:
        """Whether the hash is the published one; True if there is none."""
        return self.checksum is None or self._hash.hexdigest().startswith(self.checksum.value)

    def forget(self, *, keep_file: bool = False) -> None:
        """Begins at nothing again."""
        self.done = self.from_before = 0
        self.known = None
        self._hash = hashlib.sha256()
        if not keep_file:
            self.path.unlink(missing_ok=True)
            self._about.unlink(missing_ok=True)

    def finish(self, place: Path) -> None:
        """Gives the complete file its own name."""
        self.path.replace(place)
        self._about.unlink(missing_ok=True)

    def check_room(self, still: int) -> None:
        """Whether so many bytes more find room, before they are asked for.

        Raises:
            DownloadError: of kind ``disk``, with both numbers.
        """
        free = shutil.disk_usage(existing(self.path.parent)).free
        if free < still + _SPARE_BYTES:
            raise DownloadError(
                self.path.stem,
                f"it needs {megabytes(still + _SPARE_BYTES)} on the disk of {self.path.parent}, and "
                f"{megabytes(free)} are free. Make room, or set VIDLABEL_HOME to a folder on another disk.",
                kind="disk",
            )

    def disk_error(self, error: OSError) -> DownloadError:
        """What the disk would not do, in words."""
        if error.errno in _FULL:
            remedy = "Make room on that disk and try again: what was fetched is kept."
        else:
            remedy = "Give yourself the right to it, or set VIDLABEL_HOME to another folder."
        where = f"{self.path} cannot be written ({error.strerror or error})"
        return DownloadError(self.path.stem, f"{where}. {remedy}", kind="disk")

    def _new_hash(self, total: int) -> hashlib._Hash:
        if self.checksum is not None and self.checksum.kind == "git":
            return hashlib.sha1(b"blob %d\0" % total, usedforsecurity=False)
        return hashlib.sha256()

    @property
    def _about(self) -> Path:
        return self.path.with_name(f"{self.path.name}.json")

    def _of(self) -> str:
        return "" if self.checksum is None else f"{self.checksum.kind}:{self.checksum.value}"

    def _read_known(self, url: str) -> Known | None:
        """What stands beside the bytes, if they are of the file that is wanted now."""
        try:
            about = json.loads(self._about.read_text(encoding="utf-8"))
            known = Known(str(about["url"]), about["total"], str(about["validator"]))
            there = self.path.stat().st_size
        except (OSError, ValueError, KeyError, TypeError):
            return None
        if about.get("of") != self._of() or there == 0 or (known.total is not None and there > known.total):
            return None
        if known.url == url:
            # Without hash and without validator nobody could tell two files apart.
            return known if known.validator or self.checksum is not None else None
        # Another mirror: only the hash says that it is the same file.
        return None if self.checksum is None else Known(url, known.total, "")


def existing(folder: Path) -> Path:
    """The folder, or the nearest above it that is there."""
    return next(parent for parent in (folder, *folder.absolute().parents) if parent.exists())


def megabytes(count: float) -> str:
    """A size as people write it."""
    if count >= 1e9:
        return f"{count / 1e9:.1f} GB"
    return f"{count / 1e6:.0f} MB" if count >= 1e6 else f"{count / 1e3:.0f} kB"
