"""Work for the network besides the clips that were asked for.

The windows of a sweep give way to every clip; what a person waits for (where the network looked) goes first.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, TypeVar

from vidlabel.core.errors import DeviceError, VidlabelError

if TYPE_CHECKING:
    from vidlabel.ml.predictor import Predictor

log = logging.getLogger(__name__)

_T = TypeVar("_T")


class Call:
    """What is to be done with the predictor, and where the answer goes."""

    def __init__(self, work: Callable[[Predictor], Any]) -> None:
        self._work = work
        self._begun = False
        self.answer: Future[Any] = Future()

    def run(self, predictor: Predictor) -> None:
        """On the thread that owns the predictor. What goes wrong is for the caller to hear.

        Raises:
            DeviceError: the device gave up. It is not answered yet: another may run it, or ``fail`` ends it.
        """
        if not self._begin():
            return
        try:
            found = self._work(predictor)
        except DeviceError:
            raise
        except Exception as error:
            log.warning("a call aside: %s", error, exc_info=not isinstance(error, VidlabelError))
            self.answer.set_exception(error)
        else:
            self.answer.set_result(found)

    def fail(self, reason: str) -> None:
        """It will not be run."""
        if self._begin():
            self.answer.set_exception(DeviceError(reason))

    def _begin(self) -> bool:
        """Whether anybody still waits; from the first time on nobody can cancel it."""
        self._begun = self._begun or self.answer.set_running_or_notify_cancel()
        return self._begun


class Aside:
    """Calls in the order they came, urgent ones first. Guarded by its owner's lock."""

    def __init__(self) -> None:
        self._calls: deque[Call] = deque()
        self._urgent: deque[Call] = deque()

    @property
    def is_urgent(self) -> bool:
        """Whether urgent calls wait."""
        return bool(self._urgent)

    @property
    def is_patient(self) -> bool:
        """Whether calls wait that are not urgent."""
        return bool(self._calls)

    def add(
        self, work: Callable[[Predictor], _T], *, urgent: bool = False, failure: str | None
    ) -> Future[_T]:
        """Takes a call; with ``failure`` it is answered with that at once."""
        call = Call(work)
        if failure is not None:
            call.fail(failure)
        elif urgent:
            self._urgent.append(call)
        else:
            self._calls.append(call)
        return call.answer

    def take(self, *, only_urgent: bool = False) -> Call | None:
        """The call to run next."""
        if self._urgent:
            return self._urgent.popleft()
        return self._calls.popleft() if self._calls and not only_urgent else None

    def put_back(self, call: Call) -> None:
        """One that the device gave up over: it is next."""
        self._urgent.appendleft(call)

    def end(self, failure: str) -> None:
        """No call will be run any more."""
        while (call := self.take()) is not None:
            call.fail(failure)
