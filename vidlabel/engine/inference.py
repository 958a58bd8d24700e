"""The network at work.

Threads decode ahead, one thread owns model and device, the most urgent request goes first.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from vidlabel.core.errors import MediaError, MissingVideoError, VidlabelError
from vidlabel.core.messages import ClipScores, ClipTrouble, WantedClip
from vidlabel.engine.suggest_queue import FLUSH_S, Answer, Decoded, Job, SuggestQueue
from vidlabel.learning.order import entropy, margin
from vidlabel.media.sampler import read_positions

if TYPE_CHECKING:
    from vidlabel.ml.predictor import Predictor
    from vidlabel.ml.preprocess import Preprocessing

log = logging.getLogger(__name__)

# float32 sums come out differently in the last digits for other batch sizes and devices; what is kept shall
# not.
_DIGITS = 6
_MOST_DECODERS = 16

Note = Callable[[int, str], AbstractContextManager[None]]
"""(number of the decoding thread, path) -> a context in which that path is being worked on"""


def decode_clip(clip: WantedClip, preprocessing: Preprocessing) -> NDArray[np.uint8]:
    """The pictures that the network sees of a clip: uint8 (T, H, W, 3).

    Raises:
        MissingVideoError, UnreadableVideoError: the file cannot be used.
    """
    frames = read_positions(
        Path(clip.path),
        start_us=clip.start_us,
        end_us=clip.end_us,
        positions=preprocessing.positions,
        size=preprocessing.decode_size,
    )
    return preprocessing.crop(frames)


def decoders_for(kind: str) -> int:
    """How many threads decode ahead: as many as there are cores.

    On the CPU the network wants the same cores, and still no fewer decode: whichever of the two is behind then
    has all of them, and what is decoded ahead is bounded.
    """
    return max(2 if kind != "cpu" else 1, min(os.cpu_count() or 1, _MOST_DECODERS))


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
        note: for the flight recorder.
    """

    def __init__(
        self,
        load: Callable[[], Predictor],
        *,
        on_loaded: Callable[[Predictor, int], None] = lambda predictor, batch: None,
        on_failed: Callable[[str], None] = lambda reason: None,
        batch: int | None = None,
        note: Note = lambda decoder, path: nullcontext(),
    ) -> None:
        self._load = load
        self._on_loaded = on_loaded
        self._on_failed = on_failed
        self._wanted_batch = batch
        self._note = note
        self._change = threading.Condition()
        self._early: list[Job] = []
        self._queue: SuggestQueue | None = None
        self._closed = False
        self._failure = "The model is no longer loaded."
        self.model_hash = ""
        self._decoders: list[threading.Thread] = []
        self._worker = threading.Thread(target=self._run, name="inference", daemon=True)
        self._worker.start()

    def submit(self, job: Job) -> None:
        """Takes a request.

        Its answers come through ``job.deliver``, the last of them ``finished``. Never waits.
        """
        with self._change:
            closed = self._closed
            if self._queue is not None:
                self._queue.add(job)
            elif not closed:
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

    def close(self) -> None:
        """Ends the threads after what they are at, and waits for them. Open requests end with ``stopped``."""
        with self._change:
            open_jobs = self._end()
        for job in open_jobs:
            job.deliver(_last_word(job, stopped=True))
        current = threading.current_thread()
        for thread in (self._worker, *self._decoders):
            if thread is not current:
                thread.join()

    # --- the worker ------------------------------------------------------------------------------
    def _run(self) -> None:
        try:
            predictor = self._load()
            batch = self._wanted_batch or predictor.best_batch()
            predictor.warm_up()
            self.model_hash = predictor.info.hash
            self._begin(predictor, batch)
            self._on_loaded(predictor, batch)
            self._infer(predictor)
        except VidlabelError as error:
            self._give_up(str(error))
        except Exception as error:
            log.exception("inference")
            self._give_up(f"The model cannot be used: {error}")

    def _begin(self, predictor: Predictor, batch: int) -> None:
        count = decoders_for(predictor.device.kind)
        preprocessing = predictor.info.preprocessing
        with self._change:
            self._queue = SuggestQueue(batch, ahead=2 * batch + count)
            for job in self._early:
                self._queue.add(job)
            self._early = []
        self._decoders = [
            threading.Thread(
                target=self._decode, args=(n, preprocessing), name=f"decode ahead {n}", daemon=True
            )
            for n in range(count)
        ]
        for thread in self._decoders:
            thread.start()

    def _infer(self, predictor: Predictor) -> None:
        assert self._queue is not None
        queue = self._queue
        while True:
            with self._change:
                answers, batch = queue.due_answers(), queue.take_batch()
                while not (answers or batch or self._closed):
                    self._change.wait(FLUSH_S if queue.has_untold() else None)
                    answers, batch = queue.due_answers(), queue.take_batch()
                if self._closed:
                    return
                if batch:
                    # There is room to decode ahead again.
                    self._change.notify_all()
            for job, answer in answers:
                job.deliver(answer)
            if batch:
                self._predict(predictor, queue, batch)

    def _predict(self, predictor: Predictor, queue: SuggestQueue, batch: list[Decoded]) -> None:
        frames = np.stack([item.frames for item in batch])
        probabilities = predictor.predict(frames).probabilities
        scores = [
            clip_scores(item.clip.clip_id, row, labels=predictor.info.labels, top_k=item.job.top_k)
            for item, row in zip(batch, probabilities, strict=True)
        ]
        with self._change:
            for item, score in zip(batch, scores, strict=True):
                queue.scored(item.job, score)

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
        self._change.notify_all()
        if already:
            return ()
        early, self._early = tuple(self._early), []
        return early + (self._queue.all_jobs() if self._queue is not None else ())

    # --- decoding ahead --------------------------------------------------------------------------
    def _decode(self, number: int, preprocessing: Preprocessing) -> None:
        queue = self._queue
        assert queue is not None
        while True:
            with self._change:
                wanted = queue.next_to_decode()
                while wanted is None and not self._closed:
                    self._change.wait()
                    wanted = queue.next_to_decode()
                if self._closed or wanted is None:
                    return
            job, clip = wanted
            trouble: ClipTrouble | None = None
            try:
                with self._note(number, clip.path):
                    frames = decode_clip(clip, preprocessing)
            except MediaError as error:
                missing = isinstance(error, MissingVideoError)
                trouble = ClipTrouble(clip_id=clip.clip_id, reason=error.reason, missing=missing)
            except Exception as error:
                log.exception("decoding %s", clip.path)
                trouble = ClipTrouble(
                    clip_id=clip.clip_id, reason=f"it cannot be decoded: {error}", missing=False
                )
            with self._change:
                if trouble is not None:
                    queue.unreadable(job, trouble)
                else:
                    queue.decoded(Decoded(job, clip, frames))
                self._change.notify_all()


def clip_scores(
    clip_id: int, probabilities: NDArray[np.float32], *, labels: tuple[str, ...], top_k: int
) -> ClipScores:
    """One clip's answer. Probabilities are rounded to ``_DIGITS``; margin and entropy are over all labels.

    Args:
        clip_id: of the clip.
        probabilities: float32 (L,), adding up to 1.
        labels: L names.
        top_k: how many labels to name, at least 1.
    """
    rounded = np.round(probabilities.astype(np.float64), _DIGITS)
    # Equal probabilities keep the order of the label list, so that the same clip always reads the same.
    best = np.argsort(-rounded, kind="stable")[: max(1, top_k)]
    return ClipScores(
        clip_id=clip_id,
        labels=tuple(labels[index] for index in best),
        probabilities=tuple(float(rounded[index]) for index in best),
        margin=round(float(margin(rounded)), _DIGITS),
        entropy=round(float(entropy(rounded)), _DIGITS),
    )


def _last_word(job: Job, *, stopped: bool = False, failed: str | None = None) -> Answer:
    return Answer(
        request=job.request, scores=(), troubles=(), done=job.done, total=len(job.clips), finished=True,
        stopped=stopped, failed=failed,
    )  # fmt: skip
