"""Answers a view of a large project from memory, in some milliseconds instead of a second.

It says just what :mod:`vidlabel.store.clips_query` says, which stays the truth: a test compares the two. SQLite
needs half a second to hand over a million ids, and longer where no index of it fits a combination of filters.
"""

from __future__ import annotations

import threading
from array import array
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, func, select

from vidlabel.core.clip_order import NOWHERE, ClipOrder, Places
from vidlabel.core.filters import text_words
from vidlabel.core.words import ClipQuery, ClipState, QueueOrder
from vidlabel.store.clips_query import dealt_to
from vidlabel.store.index_columns import NONE, STATES, AnyColumn, Columns, Slots
from vidlabel.store.index_words import Mask, in_paths
from vidlabel.store.roots import all_roots
from vidlabel.store.schema import clips, snapshots
from vidlabel.store.temperature import confidence_column
from vidlabel.store.text import to_stored

_OPEN = (ClipState.SUGGESTED, ClipState.UNDECIDED)
_TEXT_SORTS = ("label", "suggested", "annotator")


class ClipIndex:
    """The columns of a project, and orders of them that are kept until a column changes."""

    def __init__(self, connection: Connection) -> None:
        """Reads the project; some seconds for a million clips."""
        self._columns = Columns(connection)
        self._lock = threading.RLock()
        self._sorted: dict[str, tuple[int, Slots]] = {}
        self._dealt: tuple[tuple[int | None, frozenset[str]], Mask] | None = None
        self._warm()

    def _warm(self) -> None:
        """The orders that a person asks for first."""
        for name in ("margin", "duration", "probability", "shown", "decided"):
            self._order_of(name)

    def renew(self, connection: Connection, ids: set[int]) -> None:
        """These clips may be another, new or gone."""
        with self._lock:
            if ids and not self._columns.renew(connection, ids):
                self._columns = Columns(connection)
                self._sorted.clear()
                self._dealt = None

    def order(self, connection: Connection, query: ClipQuery) -> ClipOrder:
        """The whole view.

        Raises:
            ValueError: the query names a sort that does not exist.
        """
        with self._lock:
            fitting = self._fitting(connection, query)
            parts = [*self._parts(connection, query, fitting)]
            slots = np.concatenate([np.zeros(0, np.int32), *parts])
            waiting = _state_is(self._columns["state"][slots], _OPEN)
            return ClipOrder(
                ids=_array(self._columns["id"][slots]),
                places=self._places(slots),
                waiting=np.flatnonzero(waiting).astype(np.int32).data,
                skipped=_array(self._columns["id"][self._skipped(fitting)]),
            )

    def _places(self, slots: Slots) -> Places:
        places = np.full(len(self._columns), NOWHERE, np.int32)
        places[slots] = np.arange(len(slots), dtype=np.int32)
        return Places(self._columns["id"].data, places.data)

    # --- which ---------------------------------------------------------------------------------------
    def _fitting(self, connection: Connection, query: ClipQuery) -> Mask:
        """Of every slot whether the filters let it through."""
        data, texts = self._columns, self._columns.texts
        fitting: Mask = data["listed"].copy()
        if query.states:
            fitting &= _state_is(data["state"], query.states)
        wanted = (("label", query.labels), ("suggested", query.suggested), ("annotator", query.annotators))
        for name, values in wanted:
            if values:
                fitting &= texts[name].chosen(values)[data[name]]
        for bound in self._bounds(connection, query):
            fitting &= bound
        if query.disagrees is not None:
            fitting &= data["disagrees"] == int(query.disagrees)
        if query.flagged is not None:
            fitting &= data["flagged"] == query.flagged
        if query.noted is not None:
            fitting &= data["noted"] == query.noted
        if query.parts:
            fitting &= self._dealt_to(connection, query.parts)
        if query.folder:
            fitting &= self._in_folder(connection, query.folder)[data["folder"]]
        if query.chosen is not None:
            among = np.zeros(len(data), np.bool_)
            among[data.slots_of(query.chosen.ids)] = True
            fitting &= among
        for word in text_words(query.text):
            folders = [folder for _, folder in data.folders.entries()]
            fitting &= in_paths(word, data.names, folders, folder_of=data["folder"])
        return fitting

    def _bounds(self, connection: Connection, query: ClipQuery) -> Iterator[Mask]:
        if query.min_probability is not None:
            yield self._confidence(connection) >= query.min_probability
        if query.max_probability is not None:
            yield self._confidence(connection) <= query.max_probability
        decided, duration = self._columns["decided"], self._columns["duration"]
        if query.decided_from_us is not None:
            yield (decided != NONE) & (decided >= query.decided_from_us)
        if query.decided_to_us is not None:
            yield (decided != NONE) & (decided < query.decided_to_us)
        if query.min_duration_us is not None:
            yield duration >= query.min_duration_us
        if query.max_duration_us is not None:
            yield duration <= query.max_duration_us

    def _confidence(self, connection: Connection) -> AnyColumn:
        name = self._confidence_name(connection)
        if name:
            return self._columns[name]
        shown, own = self._columns["shown"], self._columns["probability"]
        return np.where(np.isnan(shown), own, shown)

    @staticmethod
    def _confidence_name(connection: Connection) -> str:
        """The column of the confidence that is shown; '' while a new calibration is being taken over."""
        column = confidence_column(connection)
        return {id(clips.c.probability): "probability", id(clips.c.shown): "shown"}.get(id(column), "")

    def _dealt_to(self, connection: Connection, parts: frozenset[str]) -> Mask:
        key = connection.execute(select(func.max(snapshots.c.id))).scalar(), parts
        if self._dealt is None or self._dealt[0] != key:
            ids = list(connection.scalars(dealt_to(parts)))
            found = np.zeros(len(self._columns), np.bool_)
            found[self._columns.slots_of(ids)] = True
            self._dealt = key, found
        return self._dealt[1]

    def _in_folder(self, connection: Connection, folder: str) -> Mask:
        """Of every folder whether it is this one or inside it; this one may be absolute."""
        path = Path(folder)
        within: dict[int, str] = {}
        for root in all_roots(connection):
            if not path.is_absolute():
                within[root.id] = path.as_posix()
            elif path.is_relative_to(root.path):
                within[root.id] = path.relative_to(root.path).as_posix()
            elif Path(root.path).is_relative_to(path):
                within[root.id] = "."
        found = [_is_under(name, within.get(root_id)) for root_id, name in self._columns.folders.entries()]
        return np.array(found, np.bool_)

    # --- in which order ------------------------------------------------------------------------------
    def _parts(self, connection: Connection, query: ClipQuery, fitting: Mask) -> Iterator[Slots]:
        by_path = self._columns.in_path_order
        match query.sort:
            case "queue":
                yield from self._queue(query, fitting)
            case "path":
                yield _only(by_path[::-1] if query.descending else by_path, fitting)
            case "chosen" if query.chosen is not None:
                slots = self._columns.slots_of(query.chosen.ids)
                yield slots[fitting[slots]]
            case "chosen":
                yield _only(by_path, fitting)
            case "folder":
                slots = self._by_folder()
                yield _only(slots[::-1] if query.descending else slots, fitting)
            case "name":
                slots = self._columns.by_name
                yield _only(slots[::-1] if query.descending else slots, fitting)
            case "state":
                listed = _only(by_path, fitting)
                states = list(ClipState)
                for state in reversed(states) if query.descending else states:
                    yield listed[_state_is(self._columns["state"][listed], (state,))]
            case "duration" | "decided" | "label" | "suggested" | "annotator" | "probability":
                yield from self._by_value(connection, query, fitting)
            case _:
                raise ValueError(f"clips cannot be sorted by {query.sort!r}")

    def _by_value(self, connection: Connection, query: ClipQuery, fitting: Mask) -> Iterator[Slots]:
        name = self._confidence_name(connection) if query.sort == "probability" else query.sort
        if name:
            values, order = self._columns[name], self._order_of(name)
        else:
            values = self._confidence(connection)
            order = _stable_order(_as_key(values))
        there = ~np.isnan(values) if values.dtype.kind == "f" else values != NONE
        yield _only(order[::-1] if query.descending else order, fitting & there)
        yield _only(self._columns.in_path_order, fitting & ~there)

    def _queue(self, query: ClipQuery, fitting: Mask) -> Iterator[Slots]:
        states, by_path = self._columns["state"], self._columns.in_path_order
        open_ = fitting & _state_is(states, _OPEN)
        match query.order:
            case QueueOrder.LEAST_SURE | QueueOrder.SUREST:
                surest = query.order is QueueOrder.SUREST
                order = self._order_of("surest" if surest else "margin")
                yield _only(order, fitting & _state_is(states, (ClipState.SUGGESTED,)))
                yield _only(by_path, fitting & _state_is(states, (ClipState.UNDECIDED,)))
            case QueueOrder.PATH:
                yield _only(by_path, open_)
            case QueueOrder.RANDOM:
                slots = np.flatnonzero(open_).astype(np.int32)
                yield slots[np.argsort(_shuffled(self._columns["id"][slots], query.seed))]
        yield self._skipped(fitting)
        yield _only(by_path, fitting & ~_state_is(states, (*_OPEN, ClipState.SKIPPED)))

    def _skipped(self, fitting: Mask) -> Slots:
        slots = np.flatnonzero(fitting & _state_is(self._columns["state"], (ClipState.SKIPPED,)))
        return slots[_stable_order(self._columns["decided"][slots])].astype(np.int32)

    def _by_folder(self) -> Slots:
        kept = self._sorted.get("folder")
        if kept is None:
            by_path = self._columns.in_path_order
            folders = self._columns.folders.entries()
            ranks = np.zeros(len(folders), np.int64)
            ranks[sorted(range(len(folders)), key=folders.__getitem__)] = np.arange(len(folders))
            kept = 0, by_path[_stable_order(ranks[self._columns["folder"][by_path]])]
            self._sorted["folder"] = kept
        return kept[1]

    def _order_of(self, name: str) -> Slots:
        """Every slot by the value of a column, equal ones by id; ``surest`` is the margin downwards."""
        column = "margin" if name == "surest" else name
        change = self._columns.changes[column]
        kept = self._sorted.get(name)
        if kept is None or kept[0] != change:
            values = self._columns[column]
            if column in _TEXT_SORTS:
                values = self._columns.texts[column].ranks()[values]
            key = _as_key(values)
            if name == "surest":
                key = (key.max() if len(key) else 0) - key
            kept = change, _stable_order(key)
            self._sorted[name] = kept
        return kept[1]


def _only(order: Slots, fitting: Mask) -> Slots:
    return order[fitting[order]]


def _state_is(states: AnyColumn, wanted: Iterable[ClipState]) -> Mask:
    chosen = np.zeros(len(STATES), np.bool_)
    chosen[[STATES.index(state.value) for state in wanted]] = True
    return chosen[states]


def _is_under(folder: str, wanted: str | None) -> bool:
    if wanted is None:
        return False
    stored = to_stored(wanted)
    return wanted == "." or folder == stored or folder.startswith(f"{stored}/")


def _as_key(values: AnyColumn) -> NDArray[np.int64]:
    """Whole numbers in the same order; what is not there comes first."""
    if values.dtype.kind != "f":
        return values.astype(np.int64)
    # The bits of floating point numbers from 0 up are in the order of the numbers.
    return np.where(np.isnan(values), -1, (values + 0.0).view(np.int64))


def _stable_order(key: NDArray[np.int64]) -> Slots:
    """Places of the key in ascending order, equal ones as they stand: a radix sort by 16 bits at a time."""
    order = np.arange(len(key), dtype=np.int32)
    if not len(key):
        return order
    rest = (key - key.min()).view(np.uint64)
    for shift in range(0, int(rest.max()).bit_length(), 16):
        digits = (rest[order] >> np.uint64(shift)).astype(np.uint16)
        order = order[np.argsort(digits, kind="stable")]
    return order


def _shuffled(ids: AnyColumn, seed: int) -> NDArray[np.uint64]:
    """The same places as :class:`vidlabel.store.clips_query._Shuffled` gives."""
    golden, one, two = (np.uint64(n) for n in (0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB))
    start = np.uint64((seed * int(golden)) & (1 << 64) - 1)
    mixed = (ids.astype(np.uint64) + start) * golden
    mixed = (mixed ^ (mixed >> np.uint64(30))) * one
    mixed = (mixed ^ (mixed >> np.uint64(27))) * two
    result: NDArray[np.uint64] = mixed ^ (mixed >> np.uint64(31))
    return result


def _array(ids: AnyColumn) -> array[int]:
    found: array[int] = array("q")
    found.frombytes(ids.astype(np.int64, copy=False).tobytes())
    return found
