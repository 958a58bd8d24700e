"""The order in which clips are decoded and shown to the network: plain state, guarded by its owner's lock."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from time import monotonic

import numpy as np
from numpy.typing import NDArray

from vidlabel.core.messages import ClipScores, ClipTrouble, WantedClip

FLUSH_S = 0.1
AT_ONCE = 0
"""The priority of the clip on screen: its answer does not wait for others."""
INTERACTIVE = 1
"""Priorities up to this one overtake work that is decoded already."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A batch of one request's results. ``failed`` is set when the request cannot go on at all."""

    request: int
    scores: tuple[ClipScores, ...]
    troubles: tuple[ClipTrouble, ...]
    done: int
    total: int
    finished: bool
    stopped: bool = False
    failed: str | None = None


@dataclass(slots=True)
class Job:
    """A request on its way. ``deliver`` is called on the worker's threads."""

    request: int
    clips: tuple[WantedClip, ...]
    priority: int
    top_k: int
    deliver: Callable[[Answer], None]
    sequence: int = 0
    next_clip: int = 0
    replaced: int = 0
    done: int = 0
    stopped: bool = False
    told: float = 0.0
    scores: list[ClipScores] = field(default_factory=list)
    troubles: list[ClipTrouble] = field(default_factory=list)

    @property
    def rank(self) -> tuple[int, int]:
        return self.priority, self.sequence

    @property
    def finished(self) -> bool:
        return self.stopped or self.done == self.total

    @property
    def total(self) -> int:
        """Clips asked for."""
        return len(self.clips) - self.replaced


@dataclass(frozen=True, slots=True, eq=False)
class Decoded:
    """A clip ready for the network: uint8 (views, T, H, W, 3).

    ``compared``: seconds of decoding one view and all, where both were timed.
    """

    job: Job
    clip: WantedClip
    frames: NDArray[np.uint8]
    compared: tuple[float, float] | None = None


class SuggestQueue:
    """Requests by (priority, sequence), and what of them is decoded ahead.

    It begins held back: only the clip on screen and what needs no network is let in until ``open``, so that the
    one is not kept waiting and what is measured before the rest is not disturbed.
    """

    def __init__(self) -> None:
        self.batch = 1
        self._ahead = 1
        self._held_back = True
        self._jobs: dict[int, Job] = {}
        self._decoding: list[Job] = []
        self._ready: list[tuple[int, int, int, Decoded]] = []
        self._sequence = 0
        self._decoded = 0

    def open(self, batch: int, ahead: int) -> None:
        """Lets all in.

        Args:
            batch: clips a run of the network.
            ahead: clips that may be decoded and waiting, for each of the two classes interactive and background.
        """
        self.batch, self._ahead, self._held_back = batch, max(ahead, batch), False

    def hold_back(self) -> None:
        """Until ``open``, as in the beginning."""
        self.batch, self._held_back = 1, True

    @property
    def is_open(self) -> bool:
        """Whether more is let in than in the beginning."""
        return not self._held_back

    def is_quiet(self) -> bool:
        """Whether nothing is under way and the clip on screen, if it was asked for, is answered."""
        return not self._decoding and all(job.priority != AT_ONCE for job in self._jobs.values())

    def is_held_up(self) -> bool:
        """Whether there is something to do and all of it waits for ``open``."""
        if not self._held_back or not self.is_quiet():
            return False
        job = self._next_job()
        return bool(self._ready) if job is None else not self._is_let_in(job)

    def add(self, job: Job) -> None:
        self._sequence += 1
        job.sequence = self._sequence
        job.told = monotonic()
        self._jobs[job.request] = job

    def stop(self, request: int) -> None:
        """Forgets what of a request is waiting; what is under way is dropped when it arrives."""
        job = self._jobs.get(request)
        if job is not None:
            job.stopped = True
            self._ready = [item for item in self._ready if item[3].job is not job]
            heapq.heapify(self._ready)

    def all_jobs(self) -> tuple[Job, ...]:
        return tuple(self._jobs.values())

    # --- decoding --------------------------------------------------------------------------------
    def next_to_decode(self) -> tuple[Job, WantedClip] | None:
        """The next clip for a decoding thread, if there is one and room for it."""
        job = self._next_job()
        if job is None or not self._is_let_in(job):
            return None
        clip = job.clips[job.next_clip]
        job.next_clip += 1
        self._decoding.append(job)
        return job, clip

    def decoded(self, item: Decoded) -> None:
        self._decoding.remove(item.job)
        if not item.job.stopped:
            self._decoded += 1
            heapq.heappush(self._ready, (*item.job.rank, self._decoded, item))

    def unreadable(self, job: Job, trouble: ClipTrouble) -> None:
        self._decoding.remove(job)
        if not job.stopped:
            job.troubles.append(trouble)
            job.done += 1

    def read_again(self, job: Job, scores: ClipScores) -> None:
        """A clip's answer that needed no decoding."""
        self._decoding.remove(job)
        self.scored(job, scores)

    def decode_after_all(self, job: Job, clip: WantedClip) -> None:
        """A clip's embedding is of no use: its turn comes again, without."""
        self._decoding.remove(job)
        job.clips = (*job.clips, replace(clip, embedding=""))
        job.replaced += 1

    # --- the network -----------------------------------------------------------------------------
    def take_batch(self) -> list[Decoded]:
        """Clips of the most urgent class, once a batch of them is full or no more of them are coming."""
        if not self._ready:
            return []
        first = self._ready[0][0]
        if self._held_back and first != AT_ONCE:
            return []
        alike = sum(item[0] == first for item in self._ready)
        if alike < self.batch and first != AT_ONCE and self._more_coming(first):
            return []
        return [heapq.heappop(self._ready)[3] for _ in range(min(alike, self.batch))]

    def scored(self, job: Job, scores: ClipScores) -> None:
        if not job.stopped:
            job.scores.append(scores)
            job.done += 1

    def unanswered(self, job: Job, trouble: ClipTrouble) -> None:
        """A clip that could be decoded, but of which the model could say nothing."""
        if not job.stopped:
            job.troubles.append(trouble)
            job.done += 1

    def put_back(self, item: Decoded) -> None:
        """A clip that the network was given and did not answer."""
        if not item.job.stopped:
            self._decoded += 1
            heapq.heappush(self._ready, (*item.job.rank, self._decoded, item))

    # --- answers ---------------------------------------------------------------------------------
    def due_answers(self) -> list[tuple[Job, Answer]]:
        """What is to be told now; finished requests leave with their last answer."""
        now = monotonic()
        due: list[tuple[Job, Answer]] = []
        for job in list(self._jobs.values()):
            something = bool(job.scores or job.troubles)
            if job.finished or (something and (job.priority == AT_ONCE or now - job.told >= FLUSH_S)):
                due.append((job, _answer(job)))
                job.scores, job.troubles, job.told = [], [], now
                if job.finished:
                    del self._jobs[job.request]
        return due

    def has_untold(self) -> bool:
        """Whether results wait for their moment to be told."""
        return any(job.scores or job.troubles for job in self._jobs.values())

    def _next_job(self) -> Job | None:
        return min(
            (job for job in self._jobs.values() if _undecoded(job)), key=lambda job: job.rank, default=None
        )

    def _is_let_in(self, job: Job) -> bool:
        if job.priority == AT_ONCE:
            # What was decoded for others, and may be held back, does not take its room.
            return True
        needs_no_network = bool(job.clips[job.next_clip].embedding)
        return (needs_no_network or not self._held_back) and self._waiting(job.priority) < self._ahead

    def _waiting(self, priority: int) -> int:
        interactive = priority <= INTERACTIVE
        ready = sum((item[0] <= INTERACTIVE) is interactive for item in self._ready)
        return ready + sum((job.priority <= INTERACTIVE) is interactive for job in self._decoding)

    def _more_coming(self, priority: int) -> bool:
        if any(job.priority == priority for job in self._decoding):
            return True
        # What waits of lesser urgency may take all the room, and would go on waiting for a full batch of these.
        has_room = self._waiting(priority) < self._ahead
        return has_room and any(job.priority == priority and _undecoded(job) for job in self._jobs.values())


def _undecoded(job: Job) -> bool:
    return not job.stopped and job.next_clip < len(job.clips)


def _answer(job: Job) -> Answer:
    return Answer(
        request=job.request,
        scores=tuple(job.scores),
        troubles=tuple(job.troubles),
        done=job.done,
        total=job.total,
        finished=job.finished,
        stopped=job.stopped and job.done < job.total,
    )
