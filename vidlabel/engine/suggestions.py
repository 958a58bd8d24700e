"""The window's requests for suggestions: one model at a time, loaded while everything else goes on."""

from __future__ import annotations

import logging
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING

from vidlabel.core import messages as m
from vidlabel.core.arena import LANES, Arena
from vidlabel.core.errors import ModelError
from vidlabel.core.words import ONE_VIEW, Views
from vidlabel.engine.inference import GOES_ON, Suggester, wait_without_spinning
from vidlabel.engine.jobs import Rate
from vidlabel.engine.outbox import Send
from vidlabel.engine.predictors import Predictors
from vidlabel.engine.suggest_queue import Answer, Job

if TYPE_CHECKING:
    from vidlabel.ml.predictor import Predictor

log = logging.getLogger(__name__)

FIRST_LANE = 8


class SuggestionDesk:
    """Answers LoadModel and Suggest. A newly loaded model takes the place of the one before."""

    def __init__(self, arena: Arena, send: Send) -> None:
        self._arena = arena
        self._send = send
        self._suggester: Suggester | None = None

    def handle(self, message: m.LoadModel | m.Suggest) -> None:
        """Takes one request; never waits."""
        if isinstance(message, m.LoadModel):
            self._load(message)
        elif self._suggester is None:
            self._send(m.JobFailed(request=message.request, reason="No model is loaded."))
        else:
            self._suggester.submit(self._job(message, self._suggester))

    @property
    def suggester(self) -> Suggester | None:
        """The one that has the model, or is loading it."""
        return self._suggester

    def cancel(self, request: int) -> None:
        """Ends a request; the loading of a model is not given up half-way."""
        if self._suggester is not None:
            self._suggester.cancel(request)

    def _load(self, wish: m.LoadModel) -> None:
        old, self._suggester = self._suggester, None
        predictors = Predictors(
            lambda: _file_of(wish.model),
            device=wish.device,
            precision=wish.precision,
            views=Views(clips=wish.views, flip=wish.flip),
        )
        self._suggester = Suggester(
            lambda: _load_predictor(predictors, old),
            on_loaded=lambda predictor: self._loaded(wish, predictor),
            on_failed=lambda reason: self._failed(wish, reason),
            fallback=predictors.fallback,
            on_fallback=self._moved,
            on_views_cost=lambda times: self._send(
                m.ViewsMeasured(views=wish.views, flip=wish.flip, times=times)
            ),
            note=self._note,
        )

    def _loaded(self, wish: m.LoadModel, predictor: Predictor) -> None:
        info = predictor.info
        self._send(
            m.ModelReady(
                request=wish.request, model=info.name, hash=info.hash, labels=info.labels,
                device=predictor.device.kind, device_name=predictor.device.name,
                trunk=_trunk_of(predictor),
            )
        )  # fmt: skip

    def _moved(self, predictor: Predictor, reason: str) -> None:
        device = predictor.device
        self._send(
            m.ModelMoved(
                hash=predictor.info.hash,
                device=device.kind,
                device_name=device.name,
                words=f"{reason} {GOES_ON}",
            )
        )

    def _failed(self, wish: m.LoadModel, reason: str) -> None:
        self._send(m.JobFailed(request=wish.request, reason=reason))

    def _job(self, wish: m.Suggest, suggester: Suggester) -> Job:
        rate = Rate(wish.request, len(wish.clips), self._send)

        def deliver(answer: Answer) -> None:
            self._tell(answer, rate, model_hash=suggester.model_hash)

        return Job(wish.request, wish.clips, wish.priority, wish.top_k, deliver)

    def _tell(self, answer: Answer, rate: Rate, *, model_hash: str) -> None:
        if answer.scores or answer.troubles:
            self._send(
                m.Suggested(
                    request=answer.request,
                    model_hash=model_hash,
                    clips=answer.scores,
                    unreadable=answer.troubles,
                )
            )
        if answer.failed is not None:
            self._send(m.JobFailed(request=answer.request, reason=answer.failed))
        elif answer.finished:
            self._send(m.JobDone(request=answer.request, stopped=answer.stopped))
        else:
            rate.tell(answer.done)

    def _note(self, decoder: int, path: str) -> AbstractContextManager[None]:
        return self._arena.working_on(FIRST_LANE + decoder % (LANES - FIRST_LANE), path)


def _trunk_of(predictor: Predictor) -> str:
    """What makes its embeddings; '' where they cannot be named, and are then not kept."""
    if predictor.views != ONE_VIEW:
        # No single embedding gives the answer of several views again.
        return ""
    # Loaded like the rest of ml: playback must not wait for it.
    from vidlabel.ml.trunk import trunk_of

    try:
        return trunk_of(predictor.info, precision=predictor.precision)
    except ModelError:
        log.warning("no embeddings of %s are kept", predictor.info.name, exc_info=True)
        return ""


def _load_predictor(predictors: Predictors, old: Suggester | None) -> Predictor:
    if old is not None:
        old.close()
    wait_without_spinning()
    return predictors.first()


def _file_of(model: str) -> Path:
    from vidlabel.ml.catalogue import find_model

    return find_model(model).path
