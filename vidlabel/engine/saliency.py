"""The window's question where in a clip the model sees a label: decoded here, answered by the inference worker."""

from __future__ import annotations

import base64
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vidlabel.core import messages as m
from vidlabel.core.arena import LANES, Arena
from vidlabel.core.errors import DeviceError, ModelError, UnreadableVideoError
from vidlabel.engine.jobs import JobQueue
from vidlabel.engine.outbox import Send
from vidlabel.engine.suggestions import SuggestionDesk
from vidlabel.media.reader import FrameReader
from vidlabel.ml.preprocess import Preprocessing

_LANE = LANES - 3
_LOOK_AGAIN_S = 0.1

Region = tuple[float, float, float, float]


class SaliencyDesk:
    """Answers ShowSaliency, the newest wish last; one that was given up is not computed."""

    def __init__(self, arena: Arena, suggestions: SuggestionDesk, send: Send) -> None:
        self._arena = arena
        self._suggestions = suggestions
        self._send = send
        self._jobs: JobQueue[m.ShowSaliency] = JobQueue("saliency", self._answer, send)

    def handle(self, message: m.ShowSaliency) -> None:
        """Takes a request; never waits."""
        self._jobs.add(message)

    def cancel(self, request: int) -> None:
        """Ends a request without an answer."""
        self._jobs.cancel(request)

    def _answer(self, wish: m.ShowSaliency, should_stop: Callable[[], bool]) -> None:
        suggester = self._suggestions.suggester
        predictor = None if suggester is None else suggester.predictor
        if suggester is None or predictor is None:
            raise DeviceError("No model is loaded yet.")
        if wish.label not in predictor.info.labels:
            raise ModelError(predictor.info.name, f"it does not know the label {wish.label}.")
        label = predictor.info.labels.index(wish.label)
        with self._arena.working_on(_LANE, wish.clip.path):
            frames, times, region = looked_at(wish.clip, predictor.info.preprocessing)
        if should_stop():
            return
        call = suggester.call_aside(lambda predictor: predictor.saliency(frames[None], label), urgent=True)
        maps = _result(call, should_stop)
        if maps is None:
            return
        self._send(
            m.SaliencyReady(
                request=wish.request,
                clip_id=wish.clip.clip_id,
                label=wish.label,
                times=moments(times, len(maps)),
                width=maps.shape[2],
                height=maps.shape[1],
                region=region,
                values=base64.b64encode(np.rint(maps * 255).astype(np.uint8).tobytes()).decode(),
            )
        )


def _result(call: Future[NDArray[np.float32]], should_stop: Callable[[], bool]) -> NDArray[np.float32] | None:
    """The maps, or None where nobody wants them any more; they are then not computed, if not begun."""
    while not should_stop():
        with suppress(TimeoutError):
            return call.result(timeout=_LOOK_AGAIN_S)
    call.cancel()
    return None


def looked_at(clip: m.WantedClip, p: Preprocessing) -> tuple[NDArray[np.uint8], NDArray[np.int64], Region]:
    """The frames that the network sees of a clip, their times in µs, and the part of the picture in them.

    Raises:
        MissingVideoError, UnreadableVideoError: the file cannot be used.
    """
    path = Path(clip.path)
    with FrameReader(path, threads=1) as reader:
        first, last = reader.index.range(clip.start_us, clip.end_us)
        if last <= first:
            raise UnreadableVideoError(path, "it has no frames in this part")
        positions = [first + place for place in p.positions(last - first, float(reader.index.fps))]
        width, height = p.decode_size(reader.shape.width, reader.shape.height)
        frames = p.crop(reader.read_many(positions, size=(width, height)))
        times = reader.index.times_us[positions]
    region = (
        (width - p.width) / 2 / width,
        (height - p.height) / 2 / height,
        p.width / width,
        p.height / height,
    )
    return frames, times, region


def moments(times: NDArray[np.int64], maps: int) -> tuple[int, ...]:
    """When each of ``maps`` maps stands: the middle of the frames it sums up."""
    return tuple(int(part.mean()) for part in np.array_split(times, maps))
