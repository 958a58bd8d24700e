"""A sweep at work: one thread reads windows ahead, the suggester's worker looks at them, parts come out.

A window's word does not hang on where a sweep was begun or gone on with: parts begin at multiples of their length,
batches are counted from the beginning of their part, and each window is decoded from the same frames.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from concurrent.futures import TimeoutError as NotYet
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from vidlabel.core.errors import StoppedError
from vidlabel.core.sweeps import PART_WINDOWS, SweepPlan
from vidlabel.media.frame_index import FrameIndex
from vidlabel.media.windows import Window, read_windows

if TYPE_CHECKING:
    from vidlabel.ml.preprocess import Preprocessing

Predict = Callable[[NDArray[np.uint8]], Future[NDArray[np.float32]]]

_BATCH = {"cpu": 1}
_BATCH_ON_GPU = 16
"""Of fixed size, unlike that for suggestions, which is measured anew each time: a sweep that is gone on with must
run the same batches. Both divide a part."""
_AHEAD = 4
"""Batches that may wait for the network."""
_ASK_S = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Windows ``[first, first + len(probabilities))``: float32 (windows, labels), NaN rows where unreadable."""

    first: int
    probabilities: NDArray[np.float32]


def sweep_video(
    path: Path,
    predict: Predict,
    *,
    preprocessing: Preprocessing,
    labels: int,
    window_us: int,
    step_us: int,
    first: int = 0,
    index: FrameIndex | None = None,
    device: str = "cpu",
    should_stop: Callable[[], bool] = lambda: False,
    may_go_on: Callable[[], bool] = lambda: True,
    on_plan: Callable[[SweepPlan], None] = lambda plan: None,
    on_window: Callable[[int], None] = lambda done: None,
) -> Iterator[Part]:
    """Yields the parts of a sweep in order, from window ``first`` (a multiple of ``PART_WINDOWS``) to the end.

    Args:
        path: the video.
        predict: ``Suggester.predict_aside`` of the one that has the model loaded.
        preprocessing: of that model.
        labels: how many that model has.
        window_us: length of a window.
        step_us: from the start of one window to that of the next.
        first: the window to begin with.
        index: the video's frame index, if there is one already.
        device: the kind of device the model runs on.
        should_stop: asked at least every tenth of a second; ends the iteration without the part begun.
        may_go_on: while False, decoding waits (for the clip on screen).
        on_plan: told the windows once the video's frames are known.
        on_window: told how many windows, of all, have been read.

    Raises:
        MediaError: the video cannot be used.
        DeviceError: the model or its device gave up.
    """
    try:
        index = index or FrameIndex.build(path, should_stop=should_stop)
        plan = SweepPlan(duration_us=index.duration_us, window_us=window_us, step_us=step_us)
        on_plan(plan)
        windows = read_windows(
            path, plan,
            positions=preprocessing.positions, size=preprocessing.decode_size, first=first, index=index,
        )  # fmt: skip
        work = _Work(predict, _BATCH.get(device, _BATCH_ON_GPU), labels=labels, should_stop=should_stop)
        with closing(windows):  # type: ignore[type-var]
            for window in windows:
                _wait_until(may_go_on, should_stop)
                work.add(window, preprocessing)
                on_window(window.number + 1)
                last = window.number + 1 == plan.windows
                if last or (window.number + 1) % PART_WINDOWS == 0:
                    work.end_part()
                yield from work.ready(waiting=0 if last else _AHEAD)
    except StoppedError:
        return


@dataclass(slots=True)
class _Growing:
    """A part on its way: its rows are of nothing until the network has said something."""

    first: int
    rows: list[NDArray[np.float32]] = field(default_factory=list)
    ended: bool = False


class _Work:
    """Windows on their way through the network."""

    def __init__(self, predict: Predict, batch: int, *, labels: int, should_stop: Callable[[], bool]) -> None:
        self._predict = predict
        self._batch = batch
        self._nothing = np.full(labels, np.nan, dtype=np.float32)
        self._should_stop = should_stop
        self._parts: deque[_Growing] = deque()
        self._gathered: list[tuple[int, NDArray[np.uint8]]] = []
        self._running: deque[tuple[Future[NDArray[np.float32]], _Growing, list[int]]] = deque()

    def add(self, window: Window, preprocessing: Preprocessing) -> None:
        """The next window; it goes to the network with the others of its batch."""
        if not self._parts or self._parts[-1].ended:
            self._parts.append(_Growing(window.number))
        part = self._parts[-1]
        part.rows.append(self._nothing)
        if window.frames is None:
            return
        self._gathered.append((len(part.rows) - 1, preprocessing.crop(window.frames)))
        if len(self._gathered) == self._batch:
            self._send()

    def end_part(self) -> None:
        """What was added last is the last window of its part."""
        self._send()
        self._parts[-1].ended = True

    def ready(self, *, waiting: int) -> Iterator[Part]:
        """The parts that are complete, after no more than ``waiting`` batches are left with the network."""
        while len(self._running) > waiting:
            answer, part, places = self._running.popleft()
            probabilities = _result(answer, self._should_stop)
            for place, row in zip(places, probabilities, strict=True):
                part.rows[place] = row
        while self._parts and self._parts[0].ended and not self._is_running(self._parts[0]):
            part = self._parts.popleft()
            yield Part(first=part.first, probabilities=np.stack(part.rows))

    def _send(self) -> None:
        if self._gathered:
            places = [place for place, _ in self._gathered]
            answer = self._predict(np.stack([frames for _, frames in self._gathered]))
            self._running.append((answer, self._parts[-1], places))
            self._gathered = []

    def _is_running(self, part: _Growing) -> bool:
        return any(other is part for _, other, _ in self._running)


def _result(answer: Future[NDArray[np.float32]], should_stop: Callable[[], bool]) -> NDArray[np.float32]:
    while True:
        try:
            return answer.result(timeout=_ASK_S)
        except NotYet:
            if should_stop():
                raise StoppedError("the sweep was stopped") from None


def _wait_until(may_go_on: Callable[[], bool], should_stop: Callable[[], bool]) -> None:
    while not may_go_on():
        if should_stop():
            raise StoppedError("the sweep was stopped")
        threading.Event().wait(_ASK_S)
    if should_stop():
        raise StoppedError("the sweep was stopped")
