"""What a walk found against the files of its root in the database: only where they differ does it take time.

A scan in which nothing has changed is the common one, and of a large project. So whole runs of names are
compared at once, in the order of the index, and only a run that differs is looked at file by file. The rows
are the driver's own tuples, with names as stored (see :mod:`vidlabel.store.text`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from operator import gt, itemgetter, le
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    Text,
    and_,
    bindparam,
    func,
    select,
    type_coerce,
)

from vidlabel.core.words import FileEntry
from vidlabel.store.schema import files
from vidlabel.store.text import to_stored

_ESCAPE = "\x1b"
_BETWEEN = "//"
"""Stands in no relative path, so that joined names are equal only if each of them is."""
_RUN = 5000
_READ_AHEAD = 4
"""How many rows are read for each file of a batch at most: other folders may lie between its names."""
_NAME = itemgetter(0)

_STORED = type_coerce(files.c.relative, Text)
_WHETHER_MISSING = select(files.c.id, _STORED, files.c.missing)
_PRESENT = (
    select(_STORED, files.c.size, files.c.mtime_ns)
    .where(
        files.c.root_id == bindparam("root"),
        files.c.relative.between(bindparam("first"), bindparam("last")),
        files.c.missing == 0,
    )
    .order_by(_STORED)
    .limit(bindparam("most"))
)


def not_surely_unchanged(
    connection: Connection, root_id: int, entries: Sequence[FileEntry]
) -> list[FileEntry]:
    """Of a batch of a walk, the files that are not known as present with the same size and time.

    A few of them may be so after all: what is listed under another root, has a name that is not stored as it
    is, or lies behind too many names of other folders.
    """
    if not entries:
        return []
    ordered = sorted(entries, key=_NAME)
    bounds = {"first": ordered[0].relative, "last": ordered[-1].relative, "most": _READ_AHEAD * len(entries)}
    rows = _rows(connection, _PRESENT, {"root": root_id, **bounds})
    if rows == ordered and _ESCAPE not in "".join(map(_NAME, ordered)):
        return []
    present = set(rows)
    return [entry for entry in entries if entry not in present or _ESCAPE in entry.relative]


def gone_and_back(connection: Connection, root_id: int, seen: Collection[str]) -> tuple[list[int], list[int]]:
    """Ids of a root's files that are not among those seen, and of those that are, though held for missing."""
    gone: list[int] = []
    back: list[int] = []
    for run, bounds in _runs(sorted(_as_stored(seen))):
        here = and_(files.c.root_id == root_id, *bounds)
        present = select(_STORED.label("name")).where(here, files.c.missing == 0).order_by(_STORED).subquery()
        together = connection.execute(select(func.group_concat(present.c.name, _BETWEEN))).scalar()
        if (together or "") == _BETWEEN.join(run):
            continue
        expected = set(run)
        for file_id, name, missing in _rows(connection, _WHETHER_MISSING.where(here)):
            if (name in expected) == missing:
                (back if missing else gone).append(file_id)
    return gone, back


def _runs(names: Sequence[str]) -> Iterator[tuple[Sequence[str], list[ColumnElement[bool]]]]:
    """The sorted names in runs, each with the conditions for what lies between the one before and its end.

    Together they cover every name there can be; the last run has no end and may be empty.
    """
    for start in range(0, len(names) + 1, _RUN):
        run = names[start : start + _RUN]
        bounds: list[ColumnElement[bool]] = []
        if start > 0:
            bounds.append(gt(_STORED, names[start - 1]))
        if len(run) == _RUN:
            bounds.append(le(_STORED, run[-1]))
        yield run, bounds


def _as_stored(names: Collection[str]) -> Collection[str]:
    together = "".join(names)
    if together.isascii() and _ESCAPE not in together:
        return names
    return [to_stored(name) for name in names]


def _rows(
    connection: Connection, statement: Select[*tuple[Any, ...]], values: Mapping[str, object] | None = None
) -> list[tuple[Any, ...]]:
    cursor = connection.execute(statement, values).cursor
    assert cursor is not None
    return list(cursor.fetchall())
