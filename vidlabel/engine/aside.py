"""Work for the network besides the clips that were asked for.

The windows of a sweep give way to every clip; what a person waits for (where the network looked) goes first.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, TypeVar

from vidlabel.core.errors import DeviceError

if TYPE_CHECKING:
    from vidlabel.ml.predictor import Predictor

_T = TypeVar("_T")


class Call:
    """What is to be done with the predictor, and where the answer goes."""

    def __init__(self, work: Callable[[Predictor], Any]) -> None:
        self._work = work
        self.answer: Future[Any] = Future()

    def run(self, predictor: Predictor) -> None:
        """On the thread that owns the predictor. What goes wrong is the caller's to hear and the worker's, too."""
        if not self.answer.set_running_or_notify_cancel():
            return
        try:
            found = self._work(predictor)
        except BaseException as error:
            self.answer.set_exception(error)
            raise
        self.answer.set_result(found)


class Aside:
    """Calls in the order they came, urgent ones first. Guarded by its owner's lock."""

    def __init__(self) -> None:
        self._calls: deque[Call] = deque()
        self._urgent: deque[Call] = deque()

    def __bool__(self) -> bool:
        return bool(self._calls or self._urgent)

    def add(
        self, work: Callable[[Predictor], _T], *, urgent: bool = False, failure: str | None
    ) -> Future[_T]:
        """Takes a call; with ``failure`` it is answered with that at once."""
        call = Call(work)
        if failure is not None:
            call.answer.set_exception(DeviceError(failure))
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

    def end(self, failure: str) -> None:
        """No call will be run any more."""
        while (call := self.take()) is not None:
            call.answer.set_exception(DeviceError(failure))
