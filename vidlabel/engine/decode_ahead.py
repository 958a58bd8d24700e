"""The threads that decode clips ahead of the network."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from time import thread_time
from typing import TYPE_CHECKING

from vidlabel.core.errors import MediaError, MissingVideoError
from vidlabel.core.messages import ClipTrouble, WantedClip
from vidlabel.core.vectors import unpacked
from vidlabel.core.words import ONE_VIEW
from vidlabel.engine.decoding import ViewsCost, decode_both_ways, decode_views
from vidlabel.engine.scores import clip_scores
from vidlabel.engine.suggest_queue import Decoded, Job, SuggestQueue
from vidlabel.engine.threads import DecodeMeter, decoders_for
from vidlabel.media.sampler import IndexShelf

if TYPE_CHECKING:
    from vidlabel.ml.predictor import Predictor

log = logging.getLogger(__name__)

Note = Callable[[int, str], AbstractContextManager[None]]
"""(number of the decoding thread, path) -> a context in which that path is being worked on"""


class DecodeAhead:
    """Takes clips from a queue and gives back what the network shall see of them, or why that cannot be had.

    Args:
        change: guards the queue; told when something became ready.
        queue: of requests.
        predictor: says what it wants to see, and reads kept embeddings. Another may take its place.
        is_closed: whether to end; asked under ``change``, which must be told when it turns True.
        note: for the flight recorder.
    """

    def __init__(
        self,
        change: threading.Condition,
        queue: SuggestQueue,
        *,
        predictor: Predictor,
        is_closed: Callable[[], bool],
        note: Note,
    ) -> None:
        self._change = change
        self._queue = queue
        self.predictor = predictor
        self._is_closed = is_closed
        self._note = note
        self._shelf = IndexShelf()
        self.meter = DecodeMeter()
        self.views_cost = ViewsCost(predictor.views)
        """Guarded by ``change``."""
        self._threads = [
            threading.Thread(target=self._decode, args=(n,), name=f"decode ahead {n}", daemon=True)
            for n in range(decoders_for(predictor.device.kind))
        ]
        for thread in self._threads:
            thread.start()

    def join(self) -> None:
        """Waits for the threads to end."""
        for thread in self._threads:
            if thread is not threading.current_thread():
                thread.join()

    def _decode(self, number: int) -> None:
        queue = self._queue
        while True:
            with self._change:
                wanted = queue.next_to_decode()
                while wanted is None and not self._is_closed():
                    self._change.wait()
                    wanted = queue.next_to_decode()
                if self._is_closed() or wanted is None:
                    return
                both_ways = self.views_cost.wants_clip()
                one_first = self.views_cost.odd
            job, clip = wanted
            if clip.embedding:
                self._read_again(job, clip)
                continue
            try:
                with self._note(number, clip.path):
                    found: Decoded | ClipTrouble = self._decoded(
                        job, clip, both_ways=both_ways, one_first=one_first
                    )
            except MediaError as error:
                missing = isinstance(error, MissingVideoError)
                found = ClipTrouble(clip_id=clip.clip_id, reason=error.reason, missing=missing)
            except Exception as error:
                log.exception("decoding %s", clip.path)
                reason = f"it cannot be decoded: {error}"
                found = ClipTrouble(clip_id=clip.clip_id, reason=reason, missing=False)
            with self._change:
                if isinstance(found, ClipTrouble):
                    queue.unreadable(job, found)
                else:
                    queue.decoded(found)
                self._change.notify_all()

    def _read_again(self, job: Job, clip: WantedClip) -> None:
        """Answers a clip from the embedding it came with; one that is of no use counts as not there."""
        predictor, scores = self.predictor, None
        try:
            row = predictor.from_embeddings(unpacked(clip.embedding)[None])[0]
            scores = clip_scores(clip.clip_id, row, labels=predictor.info.labels, top_k=job.top_k)
        except Exception:
            # Whatever it is: the clip itself is there, and a thread that ended would leave its request waiting.
            log.warning("the kept embedding of clip %d", clip.clip_id, exc_info=True)
        with self._change:
            if scores is None or predictor.views != ONE_VIEW:
                self._queue.decode_after_all(job, clip)
            else:
                self._queue.read_again(job, scores)
            self._change.notify_all()

    def _decoded(self, job: Job, clip: WantedClip, *, both_ways: bool, one_first: bool) -> Decoded:
        p, views = self.predictor.info.preprocessing, self.predictor.views
        if both_ways:
            frames, one, several = decode_both_ways(clip, p, views=views, one_first=one_first)
            self.meter.add(several)
            return Decoded(job, clip, frames, (one, several))
        began = thread_time()
        frames = decode_views(clip, p, views=views, shelf=self._shelf)
        self.meter.add(thread_time() - began)
        return Decoded(job, clip, frames)
