"""A model's whole answer for many clips: what evaluating and proving are made of."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import closing

import numpy as np

from vidlabel.core.errors import StoppedError
from vidlabel.core.messages import ClipScores, WantedClip
from vidlabel.core.model_key import ModelKey
from vidlabel.engine.suggester import suggest_clips
from vidlabel.learning.answers import Answers
from vidlabel.ml.modelfile import ModelInfo

__all__ = ["Answers", "measure"]


def measure(
    model: ModelInfo,
    clips: Iterable[WantedClip],
    *,
    device: str = "auto",
    batch: int | None = None,
    should_stop: Callable[[], bool] = lambda: False,
    on_progress: Callable[[int], None] = lambda done: None,
    on_note: Callable[[str], None] = lambda words: None,
    on_embedding: Callable[[int, str], None] = lambda clip_id, embedding: None,
) -> Answers:
    """Asks a model for the probabilities of all its labels, clip by clip, as suggestions are made.

    Probabilities are those a person is shown: rounded to six decimals, and not calibrated.

    Args:
        model: which one; its hash may be a key (``core.model_key``) that says how it is asked.
        clips: each clip once; one that brings an embedding of this model's trunk is not opened.
        device: ``auto``, ``cpu``, ``cuda`` or ``mps``.
        batch: clips a run of the network; None finds the best by measuring.
        should_stop: asked at least every tenth of a second.
        on_progress: told how many clips are done.
        on_note: told in words of what a person should know, possibly on another thread.
        on_embedding: told the clip and the packed embedding (``core.vectors``) of what was computed just now.

    Raises:
        StoppedError: ``should_stop`` answered true.
        ModelError: the model cannot be used.
        DeviceError: the device cannot be used, or gave up on the way.
    """
    key = ModelKey.parse(model.hash)
    labels = model.labels
    place = {label: number for number, label in enumerate(labels)}
    asked: list[int] = []
    rows: dict[int, np.ndarray[tuple[int], np.dtype[np.float32]]] = {}
    unreadable: dict[int, str] = {}
    silent: dict[int, str] = {}

    def remembered() -> Iterable[WantedClip]:
        for clip in clips:
            asked.append(clip.clip_id)
            yield clip

    stopped = False

    def stop() -> bool:
        nonlocal stopped
        stopped = stopped or should_stop()
        return stopped

    answers = suggest_clips(
        model, remembered(), device=device, batch=batch, top_k=len(labels),
        precision=key.precision, views=key.views, should_stop=stop, on_progress=on_progress,
        on_fallback=on_note,
    )  # fmt: skip
    with closing(answers):  # type: ignore[type-var]
        for answer in answers:
            if isinstance(answer, ClipScores):
                row = np.zeros(len(labels), np.float32)
                row[[place[label] for label in answer.labels]] = answer.probabilities
                rows[answer.clip_id] = row
                if answer.embedding:
                    on_embedding(answer.clip_id, answer.embedding)
            elif answer.of_model:
                rows[answer.clip_id] = np.zeros(len(labels), np.float32)
                silent[answer.clip_id] = answer.reason
            else:
                unreadable[answer.clip_id] = answer.reason
    if stopped:
        raise StoppedError("Measuring was stopped.")
    there = [clip_id for clip_id in asked if clip_id in rows]
    return Answers(
        clip_ids=np.array(there, np.int64),
        labels=labels,
        probabilities=np.stack([rows[clip_id] for clip_id in there])
        if there
        else np.empty((0, len(labels)), np.float32),
        unreadable=unreadable,
        silent=silent,
    )
