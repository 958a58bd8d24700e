"""The order of a view: of a small project from SQLite, of a large one from memory once it is read."""

from __future__ import annotations

import importlib
import threading
from array import array
from dataclasses import replace
from typing import TYPE_CHECKING

from sqlalchemy import Connection, func, select

from vidlabel.core.clip_order import ClipOrder
from vidlabel.core.words import ClipQuery, ClipState
from vidlabel.store import clips_query
from vidlabel.store.engine import Database
from vidlabel.store.schema import clip_counts

if TYPE_CHECKING:
    from vidlabel.store.clip_index import ClipIndex

SMALL = 20_000
"""Up to so many clips SQLite itself answers within a tenth of a second."""
FIRST = 2000
"""So many clips of a large project can be listed at once, until the rest is known."""
_WAITING = frozenset({ClipState.UNDECIDED, ClipState.SUGGESTED})


class ViewOrders:
    """Answers on any thread."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._index: ClipIndex | None = None
        self._building = threading.Lock()

    def order(self, query: ClipQuery) -> ClipOrder:
        """See :meth:`vidlabel.store.project_store.ProjectStore.clip_order`."""
        index = self._index
        if index is not None:
            written = self._database.written_clips()
            if written is not None:
                with self._database.read() as connection:
                    index.renew(connection, written)
                    return index.order(connection, query)
            self._index = None
        with self._database.read() as connection:
            small = self._database.read_only or _clips(connection) <= SMALL
            return _from_sql(connection, query, limit=None if small else FIRST)

    def build_index(self) -> bool:
        """See :meth:`vidlabel.store.project_store.ProjectStore.build_index`."""
        with self._building:
            if self._index is not None:
                return True
            with self._database.read() as connection:
                if self._database.read_only or _clips(connection) <= SMALL:
                    return False
            self._database.follow_clips()
            self._database.written_clips()
            # NumPy takes a tenth of a second to import, and small projects do without.
            module = importlib.import_module("vidlabel.store.clip_index")
            with self._database.read() as connection:
                self._index = module.ClipIndex(connection)
        return True


def _clips(connection: Connection) -> int:
    counted = select(func.sum(clip_counts.c.clips)).where(clip_counts.c.what == "state")
    return connection.execute(counted).scalar() or 0


def _from_sql(connection: Connection, query: ClipQuery, *, limit: int | None) -> ClipOrder:
    ids = clips_query.ids_of(connection, query, limit=limit)
    skipped_in_order = replace(query, sort="queue", descending=False)
    return ClipOrder.of(
        ids,
        _in_states(connection, query, _WAITING, limit=limit),
        skipped=_in_states(connection, skipped_in_order, frozenset({ClipState.SKIPPED}), limit=limit),
        complete=limit is None or len(ids) < limit,
    )


def _in_states(
    connection: Connection, query: ClipQuery, states: frozenset[ClipState], *, limit: int | None
) -> array[int]:
    wanted = query.states & states if query.states else states
    if not wanted:
        return array("q")
    return clips_query.ids_of(connection, replace(query, states=wanted), limit=limit)
