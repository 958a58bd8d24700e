"""Suggestions inside this process, for the command line: many clips in, answers out as they are ready."""

from __future__ import annotations

import queue
from collections.abc import Callable, Iterable, Iterator
from itertools import count, islice

from vidlabel.core.errors import DeviceError, ModelError
from vidlabel.core.messages import ClipScores, ClipTrouble, WantedClip
from vidlabel.core.model_key import AUTO, ModelKey
from vidlabel.core.words import ONE_VIEW, Views
from vidlabel.engine.inference import GOES_ON, Suggester, wait_without_spinning
from vidlabel.engine.predictors import Predictors
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
    precision: str = AUTO,
    views: Views = ONE_VIEW,
    compiling: bool = False,
    should_stop: Callable[[], bool] = lambda: False,
    on_progress: Callable[[int], None] = lambda done: None,
    on_views_cost: Callable[[float], None] = lambda times: None,
    on_fallback: Callable[[str], None] = lambda reason: None,
) -> Iterator[ClipScores | ClipTrouble]:
    """Yields one answer for each clip, in the order in which they are ready.

    Args:
        model: which one.
        clips: taken a few hundred ahead, so that it may be long or made on the way.
        device: ``auto``, ``cpu``, ``cuda`` or ``mps``.
        batch: clips a run of the network; None finds the best by measuring.
        top_k: how many labels a clip.
        precision: in which the network computes, one of ``core.model_key.PRECISIONS``.
        views: how each clip is looked at. Answers are to be kept under ``ModelKey(model.hash, views, precision)``.
        compiling: whether to try torch.compile first, which takes a while; used only where it is faster.
        should_stop: asked at least every tenth of a second; ends the iteration early.
        on_progress: told how many clips are done.
        on_views_cost: told on another thread, once measured, how many times the time of one view all views take.
        on_fallback: told on another thread, in words, if ``auto``'s device gave up and the CPU goes on.

    Raises:
        ModelError: the model cannot be used.
        DeviceError: the device cannot be used, or gave up on the way.
    """
    wait_without_spinning()
    predictors = Predictors(lambda: model.path, device=device, precision=precision, views=views)
    # Here and not on the suggester's thread, so that what is wrong is raised as what it is.
    predictor = predictors.first()
    if ModelKey.parse(predictor.info.hash).hash != ModelKey.parse(model.hash).hash:
        raise ModelError(
            str(model.path), "the file was replaced by another meanwhile. Start again to use that one."
        )
    suggester = Suggester(
        lambda: predictor,
        batch=batch,
        fallback=predictors.fallback,
        on_fallback=lambda _predictor, reason: on_fallback(f"{reason} {GOES_ON}"),
        on_views_cost=on_views_cost,
        compiling=compiling,
    )
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
