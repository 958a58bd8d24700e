"""The clips of the project as the window lists them, and which of them is current."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from PySide6.QtCore import QObject, QTimer, Signal, Slot
from PySide6.QtGui import QImage

from vidlabel.core.reasons import why_now
from vidlabel.core.words import Changes, ClipQuery, ClipRow, ClipState, Counts, QueueOrder
from vidlabel.services.pending import Order, PendingQueue, fetch_order
from vidlabel.services.project import ProjectFacts, ProjectSession
from vidlabel.services.rows import RowCache
from vidlabel.services.settings import Settings
from vidlabel.services.thumbnails import DEFAULT_POSITION, Thumbnails

FOLLOW_MS = 400
"""How soon clips that a scan found are in the list."""
REQUERY_MS = 2000
"""How soon the order follows suggestions; sooner, rows would jump about under the person's eyes."""
PAGE_ROWS = 20


class Library(QObject):
    """A snapshot of clip ids in order, rows fetched as they are looked at, and the current clip.

    A decision changes its row where it stands; the order is asked for again only when clips or suggestions
    came, and then the current clip stays current.
    """

    reset = Signal()
    """The order or the set of clips is another."""
    rows_changed = Signal(object)
    """list[int]: indices whose row is another or has arrived."""
    counts_changed = Signal(object)
    current_chosen = Signal(object)
    """ClipRow or None, at once: for what puts the picture on the screen."""
    current_changed = Signal(object)
    """The same once the picture is painted: for everything else. Of quick changes only the last is told."""
    selection_changed = Signal(object)
    """tuple[int, ...] of clip ids"""
    thumbnail_ready = Signal(object)
    """set[int] of clip ids"""
    queue_changed = Signal()
    """Other clips come next than before."""
    all_done = Signal()
    """No clip of the project waits for a decision."""
    view_done = Signal()
    """No clip of the filtered view waits, others do."""

    def __init__(
        self,
        session: ProjectSession,
        settings: Settings,
        *,
        thumbnails: Thumbnails,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._session = session
        self._settings = settings
        self._thumbnails = thumbnails
        self._query = ClipQuery(order=settings.queue_order)
        self._order = Order.empty()
        self._queue = PendingQueue(self._order)
        self._rows = RowCache(session, self._indices_of, self)
        self._current_id: int | None = None
        self._wanted_current: int | None = None
        self._selection: tuple[int, ...] = ()
        self._asking = False
        self._ask_again = False
        self._from_the_first = False
        self._loaded = False
        self._requery = QTimer(self)
        self._requery.setSingleShot(True)
        self._requery.timeout.connect(self._ask_order)
        self._tell_current = QTimer(self)
        self._tell_current.setSingleShot(True)
        # Qt paints before it looks at timers.
        self._tell_current.setInterval(0)
        self._tell_current.timeout.connect(self._on_tell_current)
        self._rows.arrived.connect(self.rows_changed)
        self._rows.lost.connect(self._on_lost)
        thumbnails.ready.connect(self.thumbnail_ready)
        session.opened.connect(self._on_opened)
        session.closed.connect(self._on_closed)
        session.changed.connect(self._on_changed)
        session.counts_changed.connect(self.counts_changed)

    # --- the list --------------------------------------------------------------------------------
    @property
    def query(self) -> ClipQuery:
        return self._query

    def set_query(self, query: ClipQuery) -> None:
        """Another filter or order; ``reset`` follows. The random order's seed is the project's."""
        facts = self._session.facts
        query = replace(query, seed=facts.seed if facts else 0)
        if query == self._query:
            return
        if query.order is not self._query.order:
            self._settings.queue_order = query.order
        # Who asks for certain clips wants to see the first of them, wherever they were before.
        self._from_the_first = query.chosen is not None and query.chosen != self._query.chosen
        self._query = query
        self._queue.follow()
        self._ask_order()

    def set_queue_order(self, order: QueueOrder) -> None:
        """How the queue is sorted from now on."""
        self.set_query(replace(self._query, order=order, sort="queue", descending=False))

    @property
    def filtered(self) -> bool:
        """Whether the view leaves clips out."""
        plain = ClipQuery(
            sort=self._query.sort,
            descending=self._query.descending,
            order=self._query.order,
            seed=self._query.seed,
        )
        return self._query != plain

    @property
    def loaded(self) -> bool:
        """Whether the project's clips have been asked for and answered."""
        return self._loaded

    @property
    def ids(self) -> array[int]:
        return self._order.ids

    def __len__(self) -> int:
        return len(self._order.ids)

    def row(self, index: int) -> ClipRow | None:
        """The row at an index, or None while it is being fetched (``rows_changed`` follows)."""
        return self._rows.get(self._order.ids[index], self._order.ids, index)

    def row_of(self, clip_id: int) -> ClipRow | None:
        """The row of a clip if it is known already."""
        return self._rows.known(clip_id)

    def index_of(self, clip_id: int) -> int | None:
        return self._order.positions.get(clip_id)

    def fetch(self, clip_ids: Sequence[int], on_done: Callable[[tuple[ClipRow, ...]], None]) -> None:
        """The rows of these clips, at once where they are known."""
        self._rows.fetch(clip_ids, on_done)

    @property
    def counts(self) -> Counts:
        return self._session.counts

    # --- the current clip ------------------------------------------------------------------------
    @property
    def current_id(self) -> int | None:
        return self._current_id

    @property
    def current(self) -> ClipRow | None:
        """The current clip as it is now."""
        return None if self._current_id is None else self._rows.known(self._current_id)

    def set_current(self, clip_id: int | None) -> None:
        """The person goes to a clip; the queue goes on from there."""
        if clip_id is not None and clip_id != self._current_id:
            self._queue.go_from(clip_id)
        self.show(clip_id)

    def set_current_index(self, index: int) -> None:
        """Like :meth:`set_current`, by place; outside the list it is the nearest end."""
        if len(self):
            self.set_current(self._order.ids[min(max(index, 0), len(self) - 1)])

    def show(self, clip_id: int | None) -> None:
        """Makes a clip current without leaving the queue; ``current_changed`` follows, soon."""
        self._wanted_current = clip_id
        if clip_id is None:
            self._make_current(None)
        elif clip_id != self._current_id:
            self._rows.fetch((clip_id,), self._on_current_fetched)

    def _show_again(self, clip_id: int) -> None:
        """Like :meth:`show`, also where it is current already, perhaps under words that cover it."""
        self._wanted_current = clip_id
        self._rows.fetch((clip_id,), self._on_current_fetched)

    def next(self) -> None:
        """The clip below becomes current."""
        self.move(1)

    def previous(self) -> None:
        """The clip above becomes current."""
        self.move(-1)

    def first(self) -> None:
        self.set_current_index(0)

    def last(self) -> None:
        self.set_current_index(len(self) - 1)

    def move(self, rows: int) -> None:
        """So many rows down (up where negative), for the arrow and Page keys."""
        # Repeated keys go on from the clip that is about to be current.
        origin = self._wanted_current if self._wanted_current is not None else self._current_id
        index = None if origin is None else self.index_of(origin)
        self.set_current_index(0 if index is None else index + rows)

    def next_pending(self, after: int | None) -> int | None:
        """The clip that comes next in the queue, or None when no other clip waits."""
        return next(self._queue.walk(after), None)

    def upcoming(self, count: int) -> list[int]:
        """The next clips of the queue after the current one."""
        walk = self._queue.walk(self._current_id)
        return [clip_id for clip_id, _ in zip(walk, range(count), strict=False)]

    def go_on(self) -> None:
        """Shows the next clip of the queue, or says that there is none."""
        following = self.next_pending(self._current_id)
        if following is not None:
            self.show(following)
        elif self._queue.is_empty or self._query.sort == "chosen":
            (self.view_done if self.filtered else self.all_done).emit()

    @property
    def selection(self) -> tuple[int, ...]:
        return self._selection

    def set_selection(self, clip_ids: Sequence[int]) -> None:
        """The clips selected in the list; decisions act on all of them where there are several."""
        selection = tuple(clip_ids)
        if selection != self._selection:
            self._selection = selection
            self.selection_changed.emit(selection)

    def thumbnail(self, row: ClipRow, *, position: float = DEFAULT_POSITION) -> QImage | None:
        """The picture at a fraction of the clip, or None while there is none (see ``thumbnail_ready``)."""
        return self._thumbnails.get(row, position=position)

    def why_now(self, row: ClipRow, *, blind: bool = False) -> str:
        """Why this clip has its place in the queue; ``blind``: without a word on its suggestion."""
        return why_now(row, self._query.order, blind=blind)

    def apply(self, changes: Changes) -> None:
        """Takes decisions in at once, without asking the store; doing it twice does no harm."""
        if not changes.decisions:
            return
        for decision in changes.decisions:
            state = self._rows.decide(decision)
            self._queue.note(decision.clip_id, state)
        self.rows_changed.emit(self._indices_of(decision.clip_id for decision in changes.decisions))

    # --- what happens ----------------------------------------------------------------------------
    @Slot(object)
    def _on_opened(self, facts: ProjectFacts) -> None:
        self._query = ClipQuery(order=self._settings.queue_order, seed=facts.seed)
        self._asking = False
        self._ask_order()

    @Slot()
    def _on_closed(self) -> None:
        self._requery.stop()
        self._asking = self._ask_again = self._loaded = False
        self._rows.clear()
        self._thumbnails.clear()
        self._take(Order.empty())
        self.set_selection(())
        self.show(None)
        self.reset.emit()

    @Slot(object)
    def _on_changed(self, changes: Changes) -> None:
        self.apply(changes)
        decided = {decision.clip_id for decision in changes.decisions}
        if changes.models:
            self._rows.refresh_all()
        self._rows.refresh(changes.clips - decided)
        # Decisions about several clips stay where they stand, too.
        came = changes.library and not decided
        if came and not len(self):
            self._ask_order()
        elif came or changes.clips - decided:
            # A big library takes a while to ask; it must not do nothing else.
            wait = max(FOLLOW_MS if came else REQUERY_MS, round(self._order.seconds * 10_000))
            if not self._requery.isActive() or self._requery.remainingTime() > wait:
                self._requery.start(wait)

    @Slot()
    def _ask_order(self) -> None:
        self._requery.stop()
        if self._asking:
            self._ask_again = True
            return
        self._asking = True
        self._session.read(partial(fetch_order, self._query), self._on_order, self._on_order_failed)

    def _on_order(self, order: Order) -> None:
        self._asking = False
        if self._ask_again:
            self._ask_again = False
            self._ask_order()
        if order.query != self._query:
            return
        self._loaded = True
        same = order.ids == self._order.ids
        self._take(order)
        self._rows.put(order.first_rows)
        if not same:
            self.reset.emit()
        if self._from_the_first and len(self):
            self._show_again(self._order.ids[0])
        elif self._current_id is None and self._wanted_current is None:
            self._start()
        self._from_the_first = False

    def _start(self) -> None:
        """The first clip that waits; where none does, the first there is."""
        following = self.next_pending(None)
        if following is not None:
            self.show(following)
        elif len(self):
            self.show(self._order.ids[0])
            if self._queue.is_empty and not self.filtered:
                self.all_done.emit()

    def _on_order_failed(self, words: str) -> None:
        self._asking = False
        self._session.write_failed.emit(words)

    @Slot(object)
    def _on_lost(self, clip_ids: list[int]) -> None:
        for clip_id in clip_ids:
            self._queue.note(clip_id, ClipState.UNREADABLE)
        self.queue_changed.emit()

    def _take(self, order: Order) -> None:
        self._order = order
        self._queue.renew(order)

    def _on_current_fetched(self, rows: tuple[ClipRow, ...]) -> None:
        if rows and rows[0].clip_id == self._wanted_current:
            self._make_current(rows[0])

    def _make_current(self, row: ClipRow | None) -> None:
        self._current_id = None if row is None else row.clip_id
        self.current_chosen.emit(row)
        self._tell_current.start()

    @Slot()
    def _on_tell_current(self) -> None:
        self.current_changed.emit(self.current)

    def _indices_of(self, clip_ids: Iterable[int]) -> list[Any]:
        positions = self._order.positions
        return [positions[clip_id] for clip_id in clip_ids if clip_id in positions]
