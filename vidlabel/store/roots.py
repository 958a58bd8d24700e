"""The folders a project watches. Roots may overlap: a path belongs to the one that listed it first."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import ColumnElement, Connection, Text, insert, select, tuple_, type_coerce, update

from vidlabel.core.errors import ProjectError, UnknownVideoError
from vidlabel.core.time import now_us
from vidlabel.core.words import Root
from vidlabel.store.rows import CHUNK, chunks
from vidlabel.store.schema import files, roots
from vidlabel.store.text import from_stored, to_stored

Place = tuple[int, str]
"""A root's id and a path relative to it."""
_PLACES = 400
"""How many places, of two values each, one statement names at most."""


def all_roots(connection: Connection) -> tuple[Root, ...]:
    """The roots in the order they were added."""
    rows = connection.execute(select(roots.c.id, roots.c.path).order_by(roots.c.id))
    return tuple(Root(id=row.id, path=row.path) for row in rows)


def find_root(connection: Connection, path: Path) -> Root | None:
    """The root that is exactly this folder."""
    row = connection.execute(select(roots.c.id, roots.c.path).where(roots.c.path == str(path))).first()
    return None if row is None else Root(id=row.id, path=row.path)


def insert_root(connection: Connection, path: Path) -> Root:
    """A new root; the caller has looked that it is not there yet."""
    result = connection.execute(insert(roots).values(path=str(path), added_at_us=now_us()))
    (root_id,) = result.inserted_primary_key or (0,)
    return Root(id=root_id, path=str(path))


def move_root(connection: Connection, project: Path, *, old: Path, new: Path) -> Root:
    """The same root at another place of this machine."""
    root = find_root(connection, old)
    if root is None:
        raise ProjectError(
            project, f"{old} is not a root of this project. `vidlabel list` shows where its clips are."
        )
    if find_root(connection, new) is not None:
        raise ProjectError(project, f"{new} is a root of this project already.")
    connection.execute(update(roots).where(roots.c.id == root.id).values(path=str(new)))
    return Root(id=root.id, path=str(new))


class KnownFile(NamedTuple):
    """A file as it was when it was last looked at."""

    id: int
    root_id: int
    relative: str
    size: int
    mtime_ns: int
    video_id: int
    missing: bool


@dataclass(frozen=True, slots=True)
class _Overlap:
    """Files under ``here`` of our root are those under ``there`` of another (both end in / or are empty)."""

    root_id: int
    here: str
    there: str


class Overlaps:
    """Under which other names the files of one root may be known."""

    def __init__(self, connection: Connection, root_id: int) -> None:
        everyone = all_roots(connection)
        ours = next(Path(root.path) for root in everyone if root.id == root_id)
        self._root_id = root_id
        self._overlaps: list[_Overlap] = []
        for other in everyone:
            theirs = Path(other.path)
            if other.id == root_id:
                continue
            if ours.is_relative_to(theirs):
                self._overlaps.append(_Overlap(other.id, "", ours.relative_to(theirs).as_posix() + "/"))
            elif theirs.is_relative_to(ours):
                self._overlaps.append(_Overlap(other.id, theirs.relative_to(ours).as_posix() + "/", ""))

    def _names(self, relative: str) -> list[Place]:
        own = [(self._root_id, relative)]
        others = [
            (lap.root_id, lap.there + relative[len(lap.here) :])
            for lap in self._overlaps
            if relative.startswith(lap.here)
        ]
        return own + others

    def known(self, connection: Connection, relatives: Iterable[str]) -> dict[str, KnownFile]:
        """The files' rows by their path in our root, whichever root they are listed under."""
        found: dict[str, KnownFile] = {}
        for chunk in chunks(relatives, _PLACES if self._overlaps else CHUNK):
            if not self._overlaps:
                stored = [to_stored(relative) for relative in chunk]
                rows = _read(connection, (files.c.root_id == self._root_id) & _STORED.in_(stored))
                found.update((file.relative, file) for file in rows)
                continue
            ours_by_name = {name: relative for relative in chunk for name in self._names(relative)}
            places = [(root_id, to_stored(relative)) for root_id, relative in ours_by_name]
            for names in chunks(places, _PLACES):
                for file in _read(connection, tuple_(files.c.root_id, _STORED).in_(names)):
                    found[ours_by_name[file.root_id, file.relative]] = file
        return found


_STORED = type_coerce(files.c.relative, Text)
_KNOWN = select(
    files.c.id, files.c.root_id, _STORED, files.c.size, files.c.mtime_ns, files.c.video_id, files.c.missing
)


def _read(connection: Connection, condition: ColumnElement[bool]) -> list[KnownFile]:
    # The driver's own rows, cheaply made into values: every file of every scan comes here.
    cursor = connection.execute(_KNOWN.where(condition)).cursor
    assert cursor is not None
    found = [tuple.__new__(KnownFile, row) for row in cursor.fetchall()]
    if any("\x1b" in file[2] for file in found):
        return [file._replace(relative=from_stored(file.relative)) for file in found]
    return found


def place_of(connection: Connection, path: Path) -> Place:
    """Where a path, absolute or relative to a root, is listed.

    Raises:
        UnknownVideoError: nowhere.
    """
    for place in _possible_places(connection, path):
        wanted = (files.c.root_id == place[0]) & (files.c.relative == place[1])
        if connection.execute(select(files.c.id).where(wanted)).first() is not None:
            return place
    raise UnknownVideoError(str(path))


def _possible_places(connection: Connection, path: Path) -> Iterable[Place]:
    everyone = all_roots(connection)
    if not path.is_absolute():
        for root in everyone:
            yield root.id, path.as_posix()
    full = path.absolute()
    for candidate in dict.fromkeys((full, full.parent.resolve() / full.name, full.resolve())):
        for root in everyone:
            if candidate.is_relative_to(root.path):
                yield root.id, candidate.relative_to(root.path).as_posix()
