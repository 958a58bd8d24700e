"""Suggestions inside this process, for the command line: many clips in, answers out as they are ready."""

from __future__ import annotations

import queue
from collections.abc import Callable, Iterable, Iterator
from itertools import count, islice

from vidlabel.core.errors import DeviceError
from vidlabel.core.messages import ClipScores, ClipTrouble, WantedClip
from vidlabel.engine.inference import Suggester, wait_without_spinning
from vidlabel.engine.suggest_queue import Answer, Job
from vidlabel.ml.modelfile import ModelInfo

_CHUNK = 64
_CHUNKS_AHEAD = 3
_BACKGROUND = 2
_ASK_S = 0.1


def suggest_clips(
    model: ModelInfo,
    clips: Iterable[WantedClip],
    *,
    device: str = "auto",
    batch: int | None = None,
    top_k: int = 5,
    should_stop: Callable[[], bool] = lambda: False,
    on_progress: Callable[[int], None] = lambda done: None,
) -> Iterator[ClipScores | ClipTrouble]:
    """Yields one answer for each clip, in the order in which they are ready.

    Args:
        model: which one.
        clips: taken a few hundred ahead, so that it may be long or made on the way.
        device: ``auto``, ``cpu``, ``cuda`` or ``mps``.
        batch: clips a run of the network; None finds the best by measuring.
        top_k: how many labels a clip.
        should_stop: asked at least every tenth of a second; ends the iteration early.
        on_progress: told how many clips are done.

    Raises:
        ModelError: the model cannot be used.
        DeviceError: the device cannot be used, or gave up on the way.
    """
    wait_without_spinning()
    # torch is imported here and not above: it takes seconds, and it reads the setting just made.
    from vidlabel.ml.devices import choose_device
    from vidlabel.ml.modelfile import load_model
    from vidlabel.ml.predictor import Predictor

    predictor = Predictor(load_model(model.path), choose_device(device))
    suggester = Suggester(lambda: predictor, batch=batch)
    try:
        yield from run_clips(suggester, clips, top_k=top_k, should_stop=should_stop, on_progress=on_progress)
    finally:
        suggester.close()


def run_clips(
    suggester: Suggester,
    clips: Iterable[WantedClip],
    *,
    top_k: int = 5,
    should_stop: Callable[[], bool] = lambda: False,
    on_progress: Callable[[int], None] = lambda done: None,
) -> Iterator[ClipScores | ClipTrouble]:
    """``suggest_clips`` with a suggester that is there already; it stays open.

    Raises:
        DeviceError: the model or its device gave up.
    """
    answers: queue.SimpleQueue[Answer] = queue.SimpleQueue()
    left = iter(clips)
    numbers = count(1)
    open_requests: set[int] = set()
    done = 0
    try:
        while not should_stop():
            while len(open_requests) < _CHUNKS_AHEAD and (chunk := tuple(islice(left, _CHUNK))):
                job = Job(next(numbers), chunk, _BACKGROUND, top_k, answers.put)
                open_requests.add(job.request)
                suggester.submit(job)
            if not open_requests:
                return
            try:
                answer = answers.get(timeout=_ASK_S)
            except queue.Empty:
                continue
            if answer.failed is not None:
                raise DeviceError(answer.failed)
            if answer.finished:
                open_requests.discard(answer.request)
            done += len(answer.scores) + len(answer.troubles)
            on_progress(done)
            yield from answer.scores
            yield from answer.troubles
    finally:
        for request in open_requests:
            suggester.cancel(request)
