"""Bare SQLite connections, and SQLite's errors in the person's words."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy.exc import DBAPIError

from vidlabel.core.errors import DiskFullError, ProjectError, ProjectInUseError, ReadOnlyProjectError
from vidlabel.store.header import damaged

BUSY_SECONDS = 15.0
_SHARED_MEMORY = 32_768
"""Bytes of the file by which SQLite's connections share their log."""


def project_error(path: Path, error: BaseException) -> ProjectError | None:
    """What a database error means to the person, or None if it is a mistake of the program."""
    code = getattr(error, "sqlite_errorcode", None)
    match None if code is None else code & 0xFF:
        case sqlite3.SQLITE_FULL:
            return disk_full_error(path)
        case sqlite3.SQLITE_IOERR if _no_room(path):
            # Opening a project needs a small file beside it; SQLite calls it a mere error when that fails.
            return disk_full_error(path)
        case sqlite3.SQLITE_READONLY | sqlite3.SQLITE_PERM:
            return read_only_error(path)
        case sqlite3.SQLITE_CORRUPT | sqlite3.SQLITE_NOTADB:
            return damaged(path, str(error))
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return ProjectInUseError(path, "another program is writing this project. Try again afterwards.")
        case sqlite3.SQLITE_IOERR:
            return ProjectError(path, f"the disk reported an error ({error}). Is it still connected?")
        case sqlite3.SQLITE_CANTOPEN:
            return ProjectError(path, "the file cannot be opened any more. Is its disk still connected?")
        case _:
            return None


def _no_room(path: Path) -> bool:
    try:
        return shutil.disk_usage(path.parent).free < _SHARED_MEMORY
    except OSError:
        return False


def disk_full_error(path: Path) -> DiskFullError:
    """The error for a disk without room."""
    return DiskFullError(
        path, "the disk is full. Nothing saved before is lost; make room and do the last step again."
    )


def read_only_error(path: Path) -> ReadOnlyProjectError:
    """The error for writing to what can only be read."""
    return ReadOnlyProjectError(
        path,
        "this project is open for reading only, so nothing was saved. Copy it to a folder you may write to.",
    )


@contextmanager
def in_words(path: Path) -> Iterator[None]:
    """Turns database errors that the person can act on into project errors."""
    try:
        yield
    except DBAPIError as error:
        known = project_error(path, error.orig) if error.orig is not None else None
        if known is None:
            raise
        raise known from error
    except sqlite3.Error as error:
        known = project_error(path, error)
        if known is None:
            raise
        raise known from error


def connect(path: Path, mode: str) -> sqlite3.Connection:
    """A bare connection in autocommit mode; ``mode`` as in SQLite's URIs (``rw``, ``ro``, ``rwc``)."""
    return sqlite3.connect(
        f"{path.absolute().as_uri()}?{mode if '=' in mode else 'mode=' + mode}",
        uri=True,
        isolation_level=None,
        check_same_thread=False,
        timeout=BUSY_SECONDS,
        cached_statements=256,
    )
