"""The network at work.

Threads decode ahead, one thread owns model and device, the most urgent request goes first.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import nullcontext
from time import perf_counter
from typing import TYPE_CHECKING, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from vidlabel.core.errors import DeviceError, VidlabelError
from vidlabel.core.messages import ClipScores, ClipTrouble
from vidlabel.core.words import ONE_VIEW
from vidlabel.engine.aside import Aside, Call
from vidlabel.engine.decode_ahead import DecodeAhead, Note
from vidlabel.engine.scores import clip_scores
from vidlabel.engine.suggest_queue import FLUSH_S, Answer, Decoded, Job, SuggestQueue
from vidlabel.engine.threads import Cost, counts_to_measure, decoders_for, network_threads
from vidlabel.ml.views import as_batch, averaged

if TYPE_CHECKING:
    from vidlabel.ml.predictor import Predictor
    from vidlabel.ml.running import Running

log = logging.getLogger(__name__)

_T = TypeVar("_T")
MEASURING_S = 3.0
"""How long the best use of the device may be looked for, after the clip on screen and before the rest."""
GOES_ON = "Suggesting goes on on the CPU, more slowly."


def wait_without_spinning() -> None:
    """Makes torch's threads sleep while they wait for each other, instead of burning cores that decoding could use.

    Must be called before torch is imported; a person's own setting is kept.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


class Suggester:
    """A queue of requests and the threads that answer them.

    Args:
        load: makes the predictor; called on the worker thread, since importing torch takes seconds.
        on_loaded: told on the worker thread once the model answers.
        on_failed: told on the worker thread, in words, when the model cannot be loaded or its device gave up.
        batch: clips a run; None finds the best by measuring.
        fallback: makes the predictor that goes on when the device gives up; None: then all fails.
        on_fallback: told on the worker thread why and with what it goes on.
        on_views_cost: told on the worker thread, once measured, how many times the time of one view all views take.
        compiling: whether to try torch.compile before the first batch; taken only where it is faster.
        note: for the flight recorder.
    """

    def __init__(
        self,
        load: Callable[[], Predictor],
        *,
        on_loaded: Callable[[Predictor], None] = lambda predictor: None,
        on_failed: Callable[[str], None] = lambda reason: None,
        batch: int | None = None,
        fallback: Callable[[], Predictor] | None = None,
        on_fallback: Callable[[Predictor, str], None] = lambda predictor, reason: None,
        on_views_cost: Callable[[float], None] = lambda times: None,
        compiling: bool = False,
        note: Note = lambda decoder, path: nullcontext(),
    ) -> None:
        self._load: Callable[[], Predictor] | None = load
        self._on_loaded = on_loaded
        self._on_failed = on_failed
        self._wanted_batch = batch
        self._fallback = fallback
        self._on_fallback = on_fallback
        self._on_views_cost = on_views_cost
        self._compiling = compiling
        self._note = note
        self._change = threading.Condition()
        self._early: list[Job] = []
        self._aside = Aside()
        self._queue: SuggestQueue | None = None
        self._closed = False
        self._failure = "The model is no longer loaded."
        self.model_hash = ""
        self.predictor: Predictor | None = None
        """Once it is loaded, to be asked what it is; it runs on the worker only."""
        self._decoders: DecodeAhead | None = None
        self._unanswered: list[Decoded] = []
        self._costs: dict[int, Cost] = {}
        self._worker = threading.Thread(target=self._run, name="inference", daemon=True)
        self._worker.start()

    def submit(self, job: Job) -> None:
        """Takes a request.

        Its answers come through ``job.deliver``, the last of them ``finished``. Never waits.
        """
        with self._change:
            closed = self._closed
            if closed:
                pass
            elif self._queue is not None:
                self._queue.add(job)
            else:
                self._early.append(job)
            self._change.notify_all()
        if closed:
            job.deliver(_last_word(job, failed=self._failure))

    def cancel(self, request: int) -> None:
        """Ends a request; its last answer says ``stopped``. Unknown ones are none of ours."""
        with self._change:
            if self._queue is not None:
                self._queue.stop(request)
            for job in self._early:
                job.stopped = job.stopped or job.request == request
            self._change.notify_all()

    def predict_aside(self, frames: NDArray[np.uint8]) -> Future[NDArray[np.float32]]:
        """The probabilities of prepared clips (B, T, H, W, 3), once no requested clip is ready for the network.

        One call is one run of the network. Its answer is an error once the suggester has ended.
        """
        return self.call_aside(lambda predictor: predictor.predict(frames).probabilities)

    def call_aside(self, work: Callable[[Predictor], _T], *, urgent: bool = False) -> Future[_T]:
        """Runs something on the worker thread: before the next batch if ``urgent``, else once none is ready.

        The answer is an error once the suggester has ended.
        """
        with self._change:
            answer = self._aside.add(work, urgent=urgent, failure=self._failure if self._closed else None)
            self._change.notify_all()
        return answer

    def close(self) -> None:
        """Ends the threads after what they are at, and waits for them. Open requests end with ``stopped``."""
        with self._change:
            open_jobs = self._end()
        for job in open_jobs:
            job.deliver(_last_word(job, stopped=True))
        if self._worker is not threading.current_thread():
            self._worker.join()
        if self._decoders is not None:
            self._decoders.join()
        # The next model may need the room, and whoever closes a suggester may keep it a while.
        self.predictor = self._decoders = None

    # --- the worker ------------------------------------------------------------------------------
    def _run(self) -> None:
        try:
            predictor = self._loaded()
            self.model_hash = predictor.info.hash
            self.predictor = predictor
            self._begin(predictor)
            self._on_loaded(predictor)
            while not self._closed:
                try:
                    self._infer(predictor)
                except DeviceError as error:
                    predictor = self.predictor = self._other(error)
                    predictor.warm_up()
                    with self._change:
                        self._decoders.predictor = predictor  # type: ignore[union-attr]
                        self._put_back()
        except VidlabelError as error:
            self._give_up(str(error))
        except Exception as error:
            log.exception("inference")
            self._give_up(f"The model cannot be used: {error}")

    def _loaded(self) -> Predictor:
        assert self._load is not None
        # What loads holds on to the model before.
        load, self._load = self._load, None
        predictor = load()
        try:
            predictor.warm_up()
        except DeviceError as error:
            predictor = self._other(error)
            predictor.warm_up()
        return predictor

    def _measure(self, predictor: Predictor) -> None:
        """Finds out how to use the device best, and lets all requests in."""
        assert self._queue is not None
        cores, began = os.cpu_count() or 1, perf_counter()
        self._costs = {}
        if predictor.device.kind == "cpu":
            counts = counts_to_measure(cores)
            self._costs = dict(predictor.cost_by_threads(counts, within_s=MEASURING_S / 2))
            if self._costs:
                # What decoding costs is not known yet; most clips cost about as much to decode as to look at.
                self._share_cores(predictor, decode_work=self._costs[1].work)
        left = max(0.0, MEASURING_S - (perf_counter() - began))
        batch = self._wanted_batch or predictor.best_batch(within_s=left)
        if self._compiling:
            gain = predictor.compile_where_it_pays(batch)
            log.info("compiled: %.2f times as fast", gain)
        log.info("batch %d, measured in %.1f s", batch, perf_counter() - began)
        batch = max(1, batch // predictor.views.count)
        with self._change:
            self._queue.open(batch, ahead=2 * batch + decoders_for(predictor.device.kind))
            self._change.notify_all()

    def _share_cores(self, predictor: Predictor, *, decode_work: float) -> None:
        cores = os.cpu_count() or 1
        predictor.set_threads(network_threads(self._costs, decode_work=decode_work, cores=cores))

    def _other(self, error: DeviceError) -> Predictor:
        """What goes on in the place of a device that gave up.

        Raises:
            DeviceError: the same, where nothing does.
        """
        if self._fallback is None:
            raise error
        make, self._fallback = self._fallback, None
        log.warning("%s", error)
        predictor = make()
        self._on_fallback(predictor, str(error))
        return predictor

    def _begin(self, predictor: Predictor) -> None:
        with self._change:
            self._queue = SuggestQueue()
            for job in self._early:
                self._queue.add(job)
            self._early = []
        self._decoders = DecodeAhead(
            self._change, self._queue, predictor=predictor, is_closed=lambda: self._closed, note=self._note
        )

    def _infer(self, predictor: Predictor) -> None:
        """Until the suggester is closed. A GPU is given the next batch before the answers of the last are fetched."""
        assert self._queue is not None
        queue, at_work = self._queue, None
        while True:
            with self._change:
                answers, batch = queue.due_answers(), queue.take_batch()
                while not (
                    answers
                    or batch
                    or at_work
                    or self._closed
                    or queue.is_held_up()
                    or self._has_aside(queue)
                ):
                    self._change.wait(FLUSH_S if queue.has_untold() else None)
                    answers, batch = queue.due_answers(), queue.take_batch()
                if self._closed:
                    return
                if batch:
                    # There is room to decode ahead again.
                    self._change.notify_all()
                self._unanswered += batch
                measuring = not batch and at_work is None and self._wants_measuring(queue)
                aside = self._aside.take(only_urgent=bool(batch) or measuring or not queue.is_open)
            for job, answer in answers:
                job.deliver(answer)
            if aside is not None:
                self._run_aside(predictor, aside)
            if measuring:
                self._measure(predictor)
                continue
            started = self._start(predictor, batch) if batch else None
            if at_work is not None:
                self._finish(predictor, queue, at_work)
            if started is not None and not started.running.is_ahead:
                self._finish(predictor, queue, started)
                started = None
            at_work = started

    def _start(self, predictor: Predictor, batch: list[Decoded]) -> _AtWork:
        assert self._decoders is not None
        if self._costs and (decode_work := self._decoders.meter.due()) is not None:
            self._share_cores(predictor, decode_work=decode_work)
        if any(item.compared is not None for item in batch):
            self._compare_views(predictor, batch)
        frames = as_batch(np.stack([item.frames for item in batch]), predictor.views)
        return _AtWork(batch, predictor.start(frames))

    def _finish(self, predictor: Predictor, queue: SuggestQueue, at_work: _AtWork) -> None:
        prediction = predictor.finish(at_work.running)
        probabilities = averaged(prediction.probabilities, predictor.views)
        # Of several views no single embedding gives their answer again.
        embeddings = prediction.embeddings if predictor.views == ONE_VIEW else [None] * len(probabilities)
        said: list[ClipScores | ClipTrouble] = []
        for item, row, embedding in zip(at_work.batch, probabilities, embeddings, strict=True):
            clip_id = item.clip.clip_id
            if np.isfinite(row).all():
                labels = predictor.info.labels
                said.append(
                    clip_scores(clip_id, row, labels=labels, top_k=item.job.top_k, embedding=embedding)
                )
            else:
                reason = f"the model {predictor.info.name} has no numbers for it, only NaN"
                said.append(ClipTrouble(clip_id=clip_id, reason=reason, missing=False, of_model=True))
        with self._change:
            for item, answer in zip(at_work.batch, said, strict=True):
                self._unanswered.remove(item)
                if isinstance(answer, ClipScores):
                    queue.scored(item.job, answer)
                else:
                    queue.unanswered(item.job, answer)

    def _has_aside(self, queue: SuggestQueue) -> bool:
        return self._aside.is_urgent or (self._aside.is_patient and (queue.is_open or queue.is_quiet()))

    def _wants_measuring(self, queue: SuggestQueue) -> bool:
        """Whether there is more to do than the clip on screen for the first time, and that is answered."""
        return queue.is_held_up() or (not queue.is_open and queue.is_quiet() and self._aside.is_patient)

    def _run_aside(self, predictor: Predictor, aside: Call) -> None:
        try:
            aside.run(predictor)
        except DeviceError:
            with self._change:
                # Whoever called waits for what goes on in its place, or hears that nothing does.
                self._aside.put_back(aside)
            raise

    def _compare_views(self, predictor: Predictor, batch: list[Decoded]) -> None:
        """Times the network both ways on the clips that were decoded both ways."""
        assert self._decoders is not None
        cost = self._decoders.views_cost
        for item in batch:
            if item.compared is None:
                continue
            views, seconds = item.frames[None], []
            for frames in (views[:, 0], as_batch(views, predictor.views)):
                began = perf_counter()
                predictor.finish(predictor.start(frames))
                seconds.append(perf_counter() - began)
            with self._change:
                cost.add_decoding(*item.compared)
                enough = cost.add_network(*seconds)
            if enough:
                self._on_views_cost(cost.times(side_by_side=predictor.device.kind != "cpu"))

    def _put_back(self) -> None:
        """What the device that gave up had not answered is ready for the next one."""
        assert self._queue is not None
        self._queue.hold_back()
        for item in self._unanswered:
            self._queue.put_back(item)
        self._unanswered = []
        self._change.notify_all()

    def _give_up(self, reason: str) -> None:
        with self._change:
            self._failure = reason
            jobs = self._end()
        self._on_failed(reason)
        for job in jobs:
            job.deliver(_last_word(job, failed=reason))

    def _end(self) -> tuple[Job, ...]:
        """Lets no thread begin anything more, and gives out what was still open."""
        already, self._closed = self._closed, True
        self._aside.end(self._failure)
        self._change.notify_all()
        if already:
            return ()
        early, self._early = tuple(self._early), []
        return early + (self._queue.all_jobs() if self._queue is not None else ())


class _AtWork(NamedTuple):
    """A batch that the device was given."""

    batch: list[Decoded]
    running: Running


def _last_word(job: Job, *, stopped: bool = False, failed: str | None = None) -> Answer:
    return Answer(
        request=job.request, scores=(), troubles=(), done=job.done, total=len(job.clips), finished=True,
        stopped=stopped, failed=failed,
    )  # fmt: skip
