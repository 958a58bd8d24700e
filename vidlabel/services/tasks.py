"""Work off the GUI thread: one database thread for writing, one for reading, and a small pool for the rest.

Reads have a thread of their own: asking for the order of a big library takes longer than a decision may wait.
On the writing thread what the person did goes before what the engine found, else first in first out.
Results come back on the GUI thread. Callbacks must be bound methods of objects that live there; they are
called from one slot of :class:`TaskRunner`, never from a worker. Who asked may be gone when the answer
comes (a dialog closed at once): such an answer is dropped, see :func:`hears`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum, IntEnum
from functools import partial
from itertools import count
from queue import PriorityQueue
from typing import Any

from PySide6.QtCore import QObject, Qt, QTimer, Signal, Slot
from shiboken6 import isValid

from vidlabel.core.errors import VidlabelError

POOL_THREADS = 2
CLOSE_LIMIT_MS = 10_000


class Lane(Enum):
    """Where a task runs."""

    DATABASE = "database"
    READING = "reading"
    POOL = "pool"


class Rank(IntEnum):
    """What goes first within a lane."""

    PERSON = 0
    ENGINE = 1
    LAST = 2
    """After everything that was given before: opening and closing projects."""


_sequence = count()


@dataclass(slots=True, order=True)
class _Task:
    rank: int
    number: int = field(init=False, default_factory=_sequence.__next__)
    lane: Lane = field(compare=False)
    run: Callable[[], Any] = field(compare=False)
    on_done: Callable[[Any], None] | None = field(compare=False)
    on_failed: Callable[[str], None] | None = field(compare=False)
    value: Any = field(default=None, compare=False)
    error: BaseException | None = field(default=None, compare=False)


def words_of(error: BaseException) -> str:
    """An error in words for the person: our own say it themselves, others are named with what they carry."""
    if isinstance(error, VidlabelError):
        return str(error)
    if isinstance(error, OSError) and error.filename:
        return f"{error.filename}: {error.strerror or error}"
    return f"{type(error).__name__}: {error}"


class _Threads:
    """One lane: a queue with threads that are started when there is work for them."""

    def __init__(self, lane: Lane, threads: int, report: Callable[[_Task], None]) -> None:
        self._lane = lane
        self._limit = threads
        self._report = report
        self._queue: PriorityQueue[_Task] = PriorityQueue()
        self._threads: list[threading.Thread] = []

    def put(self, task: _Task) -> None:
        if len(self._threads) < self._limit:
            name = f"{self._lane.value}-{len(self._threads)}"
            # Daemons: a picture that hangs on a dead network share must not keep the program from ending;
            # for the writing thread, closing waits.
            thread = threading.Thread(target=self._work, name=name, daemon=True)
            self._threads.append(thread)
            thread.start()
        self._queue.put(task)

    def stop(self) -> None:
        for _ in self._threads:
            self._queue.put(_Task(Rank.LAST, lane=self._lane, run=_end_thread, on_done=None, on_failed=None))

    def join(self, seconds: float) -> None:
        for thread in self._threads:
            thread.join(seconds)

    def _work(self) -> None:
        while (task := self._queue.get()).run is not _end_thread:
            try:
                task.value = task.run()
            except Exception as error:  # noqa: BLE001 - the border of the thread: the error goes to on_failed
                task.error = error
            self._report(task)
            del task


def _end_thread() -> None:
    """Stands in the queue for 'no more work'."""


class TaskRunner(QObject):
    """Runs functions on the database thread or in the pool."""

    failed = Signal(str)
    """Words for a failure that nobody else wanted to hear about."""
    closed = Signal()

    _finished = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._finished.connect(self._deliver, Qt.ConnectionType.QueuedConnection)
        self._lanes = {
            Lane.DATABASE: _Threads(Lane.DATABASE, 1, self._report),
            Lane.READING: _Threads(Lane.READING, 1, self._report),
            Lane.POOL: _Threads(Lane.POOL, POOL_THREADS, self._report),
        }
        self._pending_writes = 0
        self._closing = False
        self._ended = False
        self._limit = QTimer(self)
        self._limit.setSingleShot(True)
        self._limit.timeout.connect(self._end)

    def run(
        self,
        fn: Callable[[], Any],
        on_done: Callable[[Any], None] | None = None,
        on_failed: Callable[[str], None] | None = None,
        *,
        lane: Lane = Lane.POOL,
        rank: Rank = Rank.PERSON,
    ) -> None:
        """Runs ``fn()`` off the GUI thread; once closing has begun, does nothing.

        Only what is last on the writing thread still gets in then, until that has come to its end: a project
        that was being opened when the window was closed is closed in good order.

        Args:
            on_done: gets its value, on the GUI thread.
            on_failed: gets the error in words, on the GUI thread; without it ``failed`` is told.
        """
        if self._closing and (self._ended or lane is not Lane.DATABASE or rank is not Rank.LAST):
            return
        if lane is Lane.DATABASE:
            self._pending_writes += 1
        self._lanes[lane].put(_Task(rank, lane=lane, run=fn, on_done=on_done, on_failed=on_failed))

    @property
    def writing(self) -> bool:
        """Whether something given to the writing thread has not been answered yet."""
        return self._pending_writes > 0

    def close(self) -> None:
        """Takes no more work; tells ``closed`` when all writes asked for are done, or after 10 s."""
        if self._closing:
            return
        self._closing = True
        self._limit.start(CLOSE_LIMIT_MS)
        self._lanes[Lane.POOL].stop()
        self._lanes[Lane.READING].stop()
        self._put_last()

    def _put_last(self) -> None:
        self._pending_writes += 1
        last = _Task(Rank.LAST, lane=Lane.DATABASE, run=_nothing, on_done=self._drained, on_failed=None)
        self._lanes[Lane.DATABASE].put(last)

    def _drained(self, _value: object) -> None:
        if self._ended:
            return
        if self._pending_writes:
            self._put_last()
            return
        self._lanes[Lane.DATABASE].stop()
        self._end()

    @Slot()
    def _end(self) -> None:
        self._ended = True
        self._limit.stop()
        for threads in self._lanes.values():
            threads.join(0.5)
        self.closed.emit()

    def _report(self, task: _Task) -> None:
        try:
            self._finished.emit(task)
        except RuntimeError:
            # The window and this object are gone: nobody is left to hear of it.
            return

    @Slot(object)
    def _deliver(self, task: _Task) -> None:
        if task.lane is Lane.DATABASE:
            self._pending_writes -= 1
        if task.error is None:
            if task.on_done is not None and hears(task.on_done):
                task.on_done(task.value)
        elif task.on_failed is not None:
            if hears(task.on_failed):
                task.on_failed(words_of(task.error))
        else:
            self.failed.emit(words_of(task.error))


def hears(callback: Callable[..., Any]) -> bool:
    """Whether the object a callback belongs to still exists: Qt may have deleted it, with all it shows."""
    while isinstance(callback, partial):
        callback = callback.func
    owner = getattr(callback, "__self__", None)
    return not isinstance(owner, QObject) or isValid(owner)


def _nothing() -> None:
    """Stands at the end of the writes."""
