"""The files of a root as they stand in the database, read in bulk.

A scan in which nothing has changed reads every row once to compare it and once to see whether it is still
there, so these are the driver's own tuples: names as stored (see :mod:`vidlabel.store.text`), flags as 0 and 1.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sqlalchemy import Connection, Text, bindparam, select, type_coerce

from vidlabel.core.words import FileEntry
from vidlabel.store.schema import files

ESCAPE = "\x1b"
"""A name that has it, here or in the database, is not stored as it is: compare such names as they are read."""
_AT_A_TIME = 5000
_READ_AHEAD = 4
"""How many rows are read for each file of a batch at most: other folders may lie between its names."""

_STORED = type_coerce(files.c.relative, Text)
_PRESENT_BETWEEN = (
    select(_STORED, files.c.size, files.c.mtime_ns)
    .where(
        files.c.root_id == bindparam("root"),
        files.c.relative.between(bindparam("first"), bindparam("last")),
        files.c.missing == 0,
    )
    .limit(bindparam("most"))
)
_ALL = select(files.c.id, _STORED, files.c.missing).where(files.c.root_id == bindparam("root"))


def present_between(
    connection: Connection, root_id: int, entries: Sequence[FileEntry]
) -> set[tuple[str, int, int]]:
    """Name as stored, size and time of files that are there, somewhere around the paths of a batch.

    What is among them is known and unchanged (but for names with :data:`ESCAPE`). What is not may still be
    known: it may have been missing, belong to another root or lie behind too many others.
    """
    if not entries:
        return set()
    names = {
        "root": root_id,
        "first": min(entries).relative,
        "last": max(entries).relative,
        "most": _READ_AHEAD * len(entries),
    }
    cursor = connection.execute(_PRESENT_BETWEEN, names).cursor
    assert cursor is not None
    return set(cursor.fetchall())


def all_files(connection: Connection, root_id: int) -> Iterator[list[tuple[int, str, int]]]:
    """Every file listed under a root as (id, name as stored, whether it is missing), a few thousand at a time."""
    cursor = connection.execute(_ALL, {"root": root_id}).cursor
    assert cursor is not None
    while rows := cursor.fetchmany(_AT_A_TIME):
        yield list(rows)
