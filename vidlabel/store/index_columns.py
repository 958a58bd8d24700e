"""What lists filter and sort by, of every clip, as columns of numbers; about 100 bytes a clip.

A clip has a slot: its place among all ids in ascending order. Texts are numbers of a dictionary.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, Select, func, select

from vidlabel.core.words import ClipState
from vidlabel.store.index_words import Names, folded
from vidlabel.store.rows import chunks
from vidlabel.store.schema import clips

Slots = NDArray[np.int32]
AnyColumn = NDArray[Any]

STATES = tuple(state.value for state in ClipState)
NONE = -1
"""In columns of numbers from 0: there is none."""

_READ_AT_ONCE = 4000
"""Rows; while they become columns, nothing else of this process runs (about a millisecond)."""
_TEXTS = ("label", "suggested", "annotator")
_TYPES: dict[str, type[np.generic]] = {
    "id": np.int64, "folder": np.int32, "start": np.int64, "listed": np.bool_, "state": np.uint8,
    "label": np.int32, "suggested": np.int32, "annotator": np.int32,
    "decided": np.int64, "duration": np.int64,
    "margin": np.float64, "probability": np.float64, "shown": np.float64,
    "flagged": np.bool_, "noted": np.bool_, "disagrees": np.int8,
}  # fmt: skip
_ROWS: Select[Any] = select(
    clips.c.id,
    clips.c.root_id,
    clips.c.relative,
    clips.c.start_us,
    clips.c.removed,
    clips.c.state,
    *(clips.c[name] for name in _TEXTS),
    func.coalesce(clips.c.decided_at_us, NONE),
    clips.c.duration_us,
    clips.c.margin,
    clips.c.probability,
    clips.c.shown,
    clips.c.flagged,
    clips.c.note.is_not(None),
    func.coalesce(clips.c.disagrees, NONE),
)
_IN_PATH = select(clips.c.id).where(~clips.c.removed).order_by(
    clips.c.root_id, clips.c.relative, clips.c.start_us
)  # fmt: skip
_BY_NAME = select(clips.c.id).where(~clips.c.removed).order_by(clips.c.name, clips.c.id)
_PATH_COLUMNS = ("id", "folder", "start", "listed")


class Dictionary:
    """Texts by number, in the order in which they were first seen."""

    def __init__(self) -> None:
        self.numbers: dict[Any, int] = {}

    def number(self, key: object) -> int:
        """The number of a text (or another key), which it keeps."""
        return self.numbers.setdefault(key, len(self.numbers))

    def entries(self) -> list[Any]:
        """All of them, by number."""
        return list(self.numbers)

    def chosen(self, wanted: Iterable[str]) -> NDArray[np.bool_]:
        """Which numbers are among those wanted, with one place more at the end for ``NONE``."""
        found = np.zeros(len(self.numbers) + 1, np.bool_)
        for text in wanted:
            if text in self.numbers:
                found[self.numbers[text]] = True
        return found

    def ranks(self) -> NDArray[np.int64]:
        """The place of each number among all texts in alphabetical order; at the end that of ``NONE``."""
        texts = self.entries()
        ranks = np.full(len(texts) + 1, NONE, np.int64)
        for rank, number in enumerate(sorted(range(len(texts)), key=texts.__getitem__)):
            ranks[number] = rank
        return ranks


class Columns:
    """The columns by name, and what follows from paths: two orders and the words of names."""

    def __init__(self, connection: Connection) -> None:
        """Reads everything; some seconds for a million clips."""
        self.texts = {name: Dictionary() for name in _TEXTS}
        self.folders = Dictionary()
        """Keys are (root id, folder as stored)."""
        self._states = {state: number for number, state in enumerate(STATES)}
        parts, pieces = [], []
        for rows in _read(connection, _ROWS.order_by(clips.c.id)):
            part, names = self._columns(rows)
            parts.append(part)
            pieces.append(folded(names))
        self.data: dict[str, AnyColumn] = {
            name: np.concatenate([np.zeros(0, kind), *(part[name] for part in parts)])
            for name, kind in _TYPES.items()
        }
        self.names = Names(pieces, len(self))
        self.changes = dict.fromkeys(_TYPES, 0)
        """How often each column has been another."""
        self._read_orders(connection)

    def __len__(self) -> int:
        return len(self.data["id"])

    def __getitem__(self, name: str) -> AnyColumn:
        return self.data[name]

    def slots_of(self, ids: Sequence[int] | AnyColumn) -> Slots:
        """The slots of ids that are there, in their order; the others are left out."""
        wanted = np.asarray(ids, np.int64)
        places = np.searchsorted(self["id"], wanted)
        places[places == len(self)] = 0
        return places[self["id"][places] == wanted].astype(np.int32) if len(self) else places.astype(np.int32)

    def renew(self, connection: Connection, ids: set[int]) -> bool:
        """Reads these clips again. Answers False, with nothing changed, where paths or clips came or went."""
        part = self._read_some(connection, ids)
        slots = self.slots_of(part["id"])
        if len(slots) != len(ids):
            return False
        if any(not np.array_equal(self[name][slots], part[name]) for name in _PATH_COLUMNS):
            return False
        for name, column in part.items():
            before = self[name][slots]
            if not np.array_equal(before, column, equal_nan=column.dtype.kind == "f"):
                self.data[name][slots] = column
                self.changes[name] += 1
        return True

    def _read_some(self, connection: Connection, ids: set[int]) -> dict[str, AnyColumn]:
        parts = [
            self._columns(rows)[0]
            for chunk in chunks(sorted(ids))
            for rows in _read(connection, _ROWS.where(clips.c.id.in_(chunk)).order_by(clips.c.id))
        ]
        return {
            name: np.concatenate([np.zeros(0, kind), *(part[name] for part in parts)])
            for name, kind in _TYPES.items()
        }

    def _columns(self, rows: list[tuple[Any, ...]]) -> tuple[dict[str, AnyColumn], list[str]]:
        ids, roots, paths, starts, removed, states, *rest = zip(*rows, strict=True)
        split = [path.rpartition("/") for path in paths]
        folders = [
            self.folders.number((root, folder)) for root, (folder, _, _) in zip(roots, split, strict=True)
        ]
        texts = [
            [NONE if text is None else self.texts[name].number(text) for text in column]
            for name, column in zip(_TEXTS, rest, strict=False)
        ]
        values = [ids, folders, starts, np.logical_not(removed), [self._states[state] for state in states]]
        values += [*texts, *rest[len(_TEXTS) :]]
        columns = {
            name: np.array(column, kind)
            for (name, kind), column in zip(_TYPES.items(), values, strict=True)
        }  # fmt: skip
        return columns, [name for _, _, name in split]

    def _read_orders(self, connection: Connection) -> None:
        self.in_path_order = self.slots_of(_ids(connection, _IN_PATH))
        self.by_name = self.slots_of(_ids(connection, _BY_NAME))


def _read(connection: Connection, statement: Select[Any]) -> Iterator[list[tuple[Any, ...]]]:
    # The driver's own rows, with names as stored.
    cursor = connection.execute(statement).cursor
    assert cursor is not None
    while rows := cursor.fetchmany(_READ_AT_ONCE):
        yield list(rows)


def _ids(connection: Connection, statement: Select[tuple[int]]) -> AnyColumn:
    parts = [np.array([row[0] for row in rows], np.int64) for rows in _read(connection, statement)]
    return np.concatenate([np.zeros(0, np.int64), *parts])
