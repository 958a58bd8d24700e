"""Copies of the project through SQLite's backup interface, whole even while someone writes."""

from __future__ import annotations

import errno
import re
import sqlite3
import uuid
from contextlib import closing, suppress
from datetime import datetime
from pathlib import Path

from vidlabel.core.errors import ProjectError
from vidlabel.store.header import damaged
from vidlabel.store.places import backups_of
from vidlabel.store.sqlite import connect, in_words, project_error

KEPT = 7
_DAILY = re.compile(r"-\d{4}-\d\d-\d\d$")


def copy_database(path: Path, out: Path, *, mode: str = "rw") -> Path:
    """Writes a checked copy of the database in ``path`` to ``out``, replacing an older one.

    Raises:
        DiskFullError: no room; there is no half copy.
        DamagedProjectError: what was copied fails its own check.
        ProjectError: ``out`` cannot be written, or is the project itself.
    """
    if out.resolve() == path.resolve():
        raise ProjectError(out, "this is the project itself. Give the backup another name.")
    unfinished = out.with_name(f".{out.name}.{uuid.uuid4().hex}.new")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with in_words(out), closing(connect(unfinished, "rwc")) as target:
            with closing(connect(path, mode)) as source:
                source.backup(target)
            # A backup is one file: it must not need a log beside it, on a read-only disk for instance.
            target.execute("PRAGMA journal_mode=DELETE")
            (found,) = target.execute("PRAGMA quick_check(1)").fetchone()
        if found != "ok":
            raise damaged(path, found)
        unfinished.replace(out)
    except sqlite3.Error as error:
        raise project_error(out, error) or ProjectError(out, f"the backup failed ({error}).") from error
    except OSError as error:
        raise ProjectError(out, _cannot(error)) from error
    finally:
        with suppress(OSError):
            unfinished.unlink(missing_ok=True)
    return out


def _cannot(error: OSError) -> str:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return "the disk is full, so there is no backup. Make room, or name another place."
    return f"the backup cannot be written ({error.strerror}). Name another place: vidlabel backup PROJECT OUT"


def chosen_name(path: Path, moment: datetime) -> Path:
    """Where a backup made by hand goes; it is never removed by itself."""
    return backups_of(path) / f"{path.stem}-{moment:%Y-%m-%dT%H-%M-%S}{path.suffix}"


def daily_name(path: Path, moment: datetime) -> Path:
    """Where the backup of a day goes."""
    return backups_of(path) / f"{path.stem}-{moment:%Y-%m-%d}{path.suffix}"


def rotate(path: Path) -> None:
    """Keeps the newest daily backups and removes the older ones."""
    dailies = sorted(
        found
        for found in backups_of(path).glob("*" + path.suffix)
        if _DAILY.search(found.stem) and found.stem.startswith(path.stem + "-")
    )
    for old in dailies[:-KEPT]:
        old.unlink(missing_ok=True)
