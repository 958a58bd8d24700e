"""What the first hundred bytes of a file tell, read without SQLite, which might touch the file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from vidlabel.core.errors import (
    DamagedProjectError,
    NewerProjectError,
    NotAProjectError,
    ProjectError,
    ReadOnlyProjectError,
)
from vidlabel.store.places import newest_backup, wal_of
from vidlabel.store.schema import APPLICATION_ID, VERSION

_MAGIC = b"SQLite format 3\x00"
_SIZE = 100


@dataclass(frozen=True, slots=True)
class Header:
    """The version of our schema that the file holds."""

    version: int


def damaged(path: Path, what: str) -> DamagedProjectError:
    """The error for a project whose database is broken; it names the newest backup."""
    backup = newest_backup(path)
    advice = (
        f"The newest backup is {backup}; copy it over the project to go on from there."
        if backup is not None
        else "There is no backup beside it."
    )
    return DamagedProjectError(path, f"the project is damaged ({what}). {advice}")


def read_header(path: Path) -> Header:
    """Looks at the file without changing anything.

    Raises:
        NotAProjectError: absent, a folder, or another kind of file.
        NewerProjectError: made by a newer vidlabel.
        DamagedProjectError: cut off.
        ReadOnlyProjectError: it may not even be read.
    """
    try:
        with path.open("rb") as file:
            head = file.read(_SIZE)
        length = path.stat().st_size
    except (FileNotFoundError, NotADirectoryError):
        raise NotAProjectError(path, "there is no such project. Check the path, or open a folder.") from None
    except IsADirectoryError:
        raise NotAProjectError(path, "this is a folder, not a project file.") from None
    except PermissionError:
        raise ReadOnlyProjectError(path, "this file may not be read. Ask for the right to read it.") from None
    except OSError as error:
        raise ProjectError(path, f"the file cannot be read ({error.strerror}).") from error
    if not head.startswith(_MAGIC):
        what = "an empty file" if not head else "another kind of file"
        raise NotAProjectError(path, f"this is {what}, not a vidlabel project.")
    if len(head) < _SIZE:
        raise damaged(path, "the file is cut off")
    if int.from_bytes(head[68:72]) != APPLICATION_ID:
        raise NotAProjectError(path, "this is the database of another program, not a vidlabel project.")
    version = int.from_bytes(head[60:64])
    if version > VERSION:
        raise newer(path)
    _check_length(path, head, length)
    return Header(version)


def newer(path: Path) -> NewerProjectError:
    """The error for a project of a later version."""
    return NewerProjectError(
        path,
        "this project was made by a newer vidlabel. Update vidlabel to open it; the file was left as it is.",
    )


def _check_length(path: Path, head: bytes, length: int) -> None:
    wal = wal_of(path)
    if wal.exists() and wal.stat().st_size > 0:
        return  # pages not in the file yet may be in the log
    page_size = int.from_bytes(head[16:18])
    page_size = 65536 if page_size == 1 else page_size
    counts_are_valid = head[24:28] == head[92:96]
    if counts_are_valid and length < int.from_bytes(head[28:32]) * page_size:
        raise damaged(path, "the file is cut off")
