"""What the library's jobs have in common.

A queue with a thread behind it, cancelling, and measured progress.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable
from time import monotonic
from typing import Generic, Protocol, TypeVar

from vidlabel.core import messages as m
from vidlabel.core.errors import VidlabelError
from vidlabel.engine.outbox import Send

log = logging.getLogger(__name__)

PROGRESS_S = 0.2
"""A request's progress is told at most this often."""


class HasRequest(Protocol):
    """A message that is a request."""

    @property
    def request(self) -> int: ...


class Stoppable(Protocol):
    """A part of the engine that can be told to stop a request."""

    def cancel(self, request: int) -> None: ...


R = TypeVar("R", bound=HasRequest)


class Rate:
    """Tells how far a request is, not too often."""

    def __init__(self, request: int, total: int, send: Send) -> None:
        self._request = request
        self._total = total
        self._send = send
        self._began = self._told = monotonic()

    def tell(self, done: int) -> None:
        """``done`` of the total are done; said only if the last word is old enough."""
        now = monotonic()
        if now - self._told >= PROGRESS_S:
            self._told = now
            rate = done / max(now - self._began, 1e-6)
            self._send(m.Progress(request=self._request, done=done, total=self._total, rate=rate))


class JobQueue(Generic[R]):
    """Requests of one kind, carried out one after the other on a thread that starts with the first of them.

    Args:
        name: of the thread.
        work: carries out a request; ``should_stop`` says when to give up.
        send: takes ``JobDone`` and ``JobFailed``.
    """

    def __init__(self, name: str, work: Callable[[R, Callable[[], bool]], None], send: Send) -> None:
        self._name = name
        self._work = work
        self._send = send
        self._queue: deque[R] = deque()
        self._stopped: set[int] = set()
        self._current: int | None = None
        self._change = threading.Condition()
        self._started = False

    def add(self, request: R) -> None:
        """Takes a request; never waits."""
        with self._change:
            self._queue.append(request)
            if not self._started:
                self._started = True
                threading.Thread(target=self._serve, name=self._name, daemon=True).start()
            self._change.notify()

    def cancel(self, request: int) -> None:
        """Ends the request, if it is here, with ``JobDone(stopped=True)``."""
        with self._change:
            waiting = [each for each in self._queue if each.request == request]
            for each in waiting:
                self._queue.remove(each)
            if self._current == request:
                self._stopped.add(request)
        for _ in waiting:
            self._send(m.JobDone(request=request, stopped=True))

    def is_working(self) -> bool:
        """Whether there is anything to do."""
        with self._change:
            return self._current is not None or bool(self._queue)

    def _serve(self) -> None:
        while True:
            with self._change:
                self._change.wait_for(lambda: bool(self._queue))
                request = self._queue.popleft()
                self._current = request.request
            self._carry_out(request)

    def _carry_out(self, request: R) -> None:
        number = request.request
        answer: m.Message
        try:
            self._work(request, lambda: number in self._stopped)
            answer = m.JobDone(request=number, stopped=number in self._stopped)
        except VidlabelError as error:
            answer = m.JobFailed(request=number, reason=str(error))
        except Exception as error:
            log.exception("%s: request %d", self._name, number)
            answer = m.JobFailed(request=number, reason=f"The media engine could not do this: {error}")
        with self._change:
            self._current = None
            self._stopped.discard(number)
        self._send(answer)
