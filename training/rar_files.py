"""Reads RAR archives, old (RAR 4) and new (RAR 5), one inside the other where need be.

``rarfile`` reads the directory, checks every file's checksum and unpacks what is stored. What is compressed needs a
program that can unpack RAR; ``unar`` is the free one that did best here. Nothing is ever unpacked by such a program to
a place of its own choosing: the bytes come through a pipe and are written to the path the caller names.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from types import TracebackType
from typing import IO

import rarfile

from training.files import write_whole
from vidlabel.core.errors import FormatError

# rarfile's switches for the programs it knows, each with what to look for. Not bsdtar: through rarfile it unpacked
# one in four of rarfile's own test files, where unar unpacked all but the two of one archive.
_TOOLS = {"unrar": "unrar", "unar": "unar", "sevenzip": "7z", "sevenzip2": "7zz"}
_SWITCHES = (*_TOOLS, "bsdtar")
_INSTALL = "Install one that can; on Debian and Ubuntu: apt-get install unar"
_STORED = 0x30


@dataclass(frozen=True)
class Member:
    """One file in an archive: its name there, with ``/``, and its size in bytes once unpacked."""

    name: str
    size: int

    @property
    def base(self) -> str:
        """The name without folders."""
        return self.name.rsplit("/", 1)[-1]


class RarArchive:
    """The files of one archive.

    Args:
        path: the archive.

    Raises:
        FileNotFoundError: it is not there.
        FormatError: it is no RAR archive, is cut short, is encrypted, or names a file outside of itself.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        if not path.exists():
            raise FileNotFoundError(f"{path} is not there")
        try:
            self._archive = rarfile.RarFile(path, errors="strict")
        except rarfile.NotRarFile as error:
            raise FormatError(path, "this is no RAR archive. Fetch it again.") from error
        except rarfile.Error as error:
            raise _damaged(path, error) from error
        try:
            self._infos = {member.name: info for member, info in self._listed()}
        except FormatError:
            self.close()
            raise

    def __enter__(self) -> RarArchive:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Closes the file."""
        self._archive.close()

    @property
    def members(self) -> tuple[Member, ...]:
        """The files in it, in order of name; folders and links are left out."""
        return tuple(Member(name, self._infos[name].file_size) for name in sorted(self._infos))

    def extract(self, member: Member, out: Path) -> None:
        """Unpacks one file to ``out``, whole or not at all.

        Raises:
            FormatError: it is damaged, or no program here can unpack it.
            OSError: it cannot be written.
        """
        info = self._infos[member.name]

        def copy(file: IO[bytes]) -> None:
            with self._archive.open(info) as source:
                shutil.copyfileobj(source, file, 1 << 20)

        if info.compress_type == _STORED:
            try:
                write_whole(out, copy)
            except rarfile.Error as error:
                raise _damaged(self.path, error, member=member.name) from error
            return
        found = False
        failure: Exception | None = None
        for _ in _programs():
            found = True
            try:
                write_whole(out, copy)
                return
            except rarfile.Error as error:
                # Not every program reads every kind of RAR: the next one may.
                failure = error
        if not found:
            raise FormatError(
                self.path,
                f"'{member.name}' is compressed, and no program here can unpack RAR. {_INSTALL}",
            )
        assert failure is not None
        raise _damaged(self.path, failure, member=member.name) from failure

    def _listed(self) -> Iterator[tuple[Member, rarfile.RarInfo]]:
        end = self.path.stat().st_size
        in_one = len(self._archive.volumelist()) == 1
        for info in self._archive.infolist():
            if info.needs_password():
                raise FormatError(self.path, f"'{info.filename}' is encrypted.")
            if not info.is_file():
                continue
            refuse_outside(self.path, info.filename)
            # An archive that ends early still lists the file it ends in.
            if in_one and info.data_offset + info.compress_size > end:
                raise _cut_short(self.path, info.filename)
            yield Member(info.filename, info.file_size), info


def refuse_outside(archive: Path, name: str) -> None:
    """Refuses a name that leads out of the folder an archive is unpacked to.

    Raises:
        FormatError: it is absolute, goes up, or has a drive or a NUL in it.
    """
    path = PurePosixPath(name.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or "\0" in name or ":" in path.parts[0]:
        raise FormatError(archive, f"it names a file outside of itself ('{name}'); nothing was unpacked.")


def _cut_short(path: Path, member: str) -> FormatError:
    return FormatError(path, f"the archive is cut short: it ends in '{member}'. Fetch it again.")


def _damaged(path: Path, error: Exception, *, member: str | None = None) -> FormatError:
    what = f"'{member}' in it cannot be unpacked" if member else "its directory cannot be read"
    return FormatError(path, f"{what} ({error}). The archive is damaged or cut short; fetch it again.")


@contextmanager
def _only(tool: str) -> Iterator[bool]:
    """rarfile set to one program; says whether that works here."""
    before = rarfile.CURRENT_SETUP
    try:
        rarfile.tool_setup(**{switch: switch == tool for switch in _SWITCHES}, force=True)
        yield True
    except rarfile.RarCannotExec:
        yield False
    finally:
        rarfile.CURRENT_SETUP = before


def _programs() -> Iterator[str]:
    """Each program found on PATH, rarfile set to it meanwhile."""
    for switch, name in _TOOLS.items():
        if shutil.which(name) is None:
            continue
        with _only(switch) as works:
            if works:
                yield name
