"""The window's requests about long videos: sweeps, one after the other, and the frames of times."""

from __future__ import annotations

import base64
from collections.abc import Callable
from pathlib import Path

from vidlabel.core import messages as m
from vidlabel.core.arena import LANES, Arena
from vidlabel.core.errors import DeviceError
from vidlabel.core.sweeps import SweepPlan
from vidlabel.engine.jobs import JobQueue, Rate
from vidlabel.engine.outbox import Send
from vidlabel.engine.suggestions import SuggestionDesk
from vidlabel.engine.sweeping import sweep_video
from vidlabel.learning.proposals import scores_to_bytes
from vidlabel.media.frame_index import FrameIndex

LANE = LANES - 1
_FRAMES_LANE = LANES - 2


class SweepDesk:
    """Answers SweepVideo and FindFrames.

    Args:
        arena: for the flight recorder.
        suggestions: has the model.
        send: takes answers, from any thread.
        is_pressed: whether the clip on screen waits for frames; a sweep then pauses.
    """

    def __init__(
        self, arena: Arena, suggestions: SuggestionDesk, send: Send, *, is_pressed: Callable[[], bool]
    ) -> None:
        self._arena = arena
        self._suggestions = suggestions
        self._send = send
        self._is_pressed = is_pressed
        self._sweeps: JobQueue[m.SweepVideo] = JobQueue("sweep", self._sweep, send)
        self._finders: JobQueue[m.FindFrames] = JobQueue("frames", self._find, send)

    def handle(self, message: m.SweepVideo | m.FindFrames) -> None:
        """Takes a request; never waits."""
        if isinstance(message, m.SweepVideo):
            self._sweeps.add(message)
        else:
            self._finders.add(message)

    def cancel(self, request: int) -> None:
        """Ends a request; the parts of a sweep that were told stay valid."""
        self._sweeps.cancel(request)
        self._finders.cancel(request)

    def _sweep(self, wish: m.SweepVideo, should_stop: Callable[[], bool]) -> None:
        suggester = self._suggestions.suggester
        predictor = None if suggester is None else suggester.predictor
        if suggester is None or predictor is None or predictor.info.hash != wish.model_hash:
            raise DeviceError("The model for this sweep is not loaded.")
        plans: list[SweepPlan] = []
        rates: list[Rate] = []

        def begin(plan: SweepPlan) -> None:
            plans.append(plan)
            rates.append(Rate(wish.request, plan.windows, self._send))

        with self._arena.working_on(LANE, wish.path):
            for part in sweep_video(
                Path(wish.path),
                suggester.predict_aside,
                preprocessing=predictor.info.preprocessing,
                labels=len(predictor.info.labels),
                window_us=wish.window_us,
                step_us=wish.step_us,
                first=wish.first,
                device=predictor.device.kind,
                should_stop=should_stop,
                may_go_on=lambda: not self._is_pressed(),
                on_plan=begin,
                on_window=lambda done: rates[0].tell(done),
            ):
                self._send(
                    m.SweepPart(
                        request=wish.request,
                        model_hash=wish.model_hash,
                        duration_us=plans[0].duration_us,
                        total=plans[0].windows,
                        first=part.first,
                        windows=len(part.probabilities),
                        scores=base64.b64encode(scores_to_bytes(part.probabilities)).decode(),
                    )
                )

    def _find(self, wish: m.FindFrames, should_stop: Callable[[], bool]) -> None:
        with self._arena.working_on(_FRAMES_LANE, wish.path):
            index = FrameIndex.build(Path(wish.path), should_stop=should_stop)
        frames = tuple(index.range(start_us, end_us) for start_us, end_us in wish.times)
        self._send(m.FramesFound(request=wish.request, path=wish.path, frames=frames))
