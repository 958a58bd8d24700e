"""A sweep by a real (small, untrained) model over a real video: whole, resumed, stopped, overtaken."""

from __future__ import annotations

import base64
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.engine.conftest import wanted
from tests.engine.test_main import Engine
from tests.helpers.clips import numbered_clip, one_frame_clip, variable_rate_clip
from vidlabel.core import messages as m
from vidlabel.core.errors import DeviceError, MissingVideoError
from vidlabel.core.sweeps import PART_WINDOWS, SweepPlan
from vidlabel.engine.inference import Suggester
from vidlabel.engine.suggest_queue import Answer, Job
from vidlabel.engine.sweeping import Part, sweep_video
from vidlabel.learning.proposals import scores_from_bytes, scores_to_bytes
from vidlabel.media.frame_index import FrameIndex
from vidlabel.media.sampler import read_positions
from vidlabel.ml.devices import choose_device
from vidlabel.ml.modelfile import ModelInfo, load_model
from vidlabel.ml.predictor import Predictor

WINDOW, STEP = 1_000_000, 100_000


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """16 s of 10 frames a second: 151 windows, three parts."""
    return numbered_clip(tmp_path_factory.mktemp("film") / "film.mp4", 160, fps=10, size=(64, 48))


@pytest.fixture(scope="module")
def suggester(model: ModelInfo) -> Iterator[Suggester]:
    loaded = threading.Event()
    predictor = Predictor(load_model(model.path), choose_device("cpu"))
    made = Suggester(lambda: predictor, batch=2, on_loaded=lambda predictor: loaded.set())
    assert loaded.wait(60)
    yield made
    made.close()


def parts_of(
    path: Path, suggester: Suggester, model: ModelInfo, *, first: int = 0, stop: threading.Event | None = None
) -> Iterator[Part]:
    return sweep_video(
        path,
        suggester.predict_aside,
        preprocessing=model.preprocessing,
        labels=len(model.labels),
        window_us=WINDOW,
        step_us=STEP,
        first=first,
        should_stop=stop.is_set if stop is not None else lambda: False,
    )


def scores(parts: list[Part]) -> bytes:
    return b"".join(scores_to_bytes(part.probabilities) for part in parts)


def test_each_window_gets_what_the_model_says_of_it_as_a_clip(
    film: Path, suggester: Suggester, model: ModelInfo
) -> None:
    parts = list(parts_of(film, suggester, model))
    assert [(part.first, len(part.probabilities)) for part in parts] == [(0, 64), (64, 64), (128, 23)]
    index = FrameIndex.build(film)
    plan = SweepPlan(duration_us=index.duration_us, window_us=WINDOW, step_us=STEP)
    predictor = Predictor(load_model(model.path), choose_device("cpu"))
    everything = np.concatenate([part.probabilities for part in parts])
    for number in (0, 63, 64, 100, plan.windows - 1):
        start_us, end_us = plan.window(number)
        frames = read_positions(
            film,
            start_us=start_us,
            end_us=end_us,
            positions=model.preprocessing.positions,
            size=model.preprocessing.decode_size,
            index=index,
        )
        alone = predictor.predict(model.preprocessing.crop(frames)[None]).probabilities[0]
        assert np.array_equal(alone, everything[number])


def test_gone_on_with_from_any_part_it_is_the_same_bit_for_bit(
    film: Path, suggester: Suggester, model: ModelInfo
) -> None:
    whole = list(parts_of(film, suggester, model))
    for place, part in enumerate(whole):
        assert scores(list(parts_of(film, suggester, model, first=part.first))) == scores(whole[place:])


def test_variable_rate_and_one_frame(tmp_path: Path, suggester: Suggester, model: ModelInfo) -> None:
    varied = list(parts_of(variable_rate_clip(tmp_path / "varied.mp4", 120), suggester, model))
    assert not np.isnan(np.concatenate([part.probabilities for part in varied])).any()
    (only,) = parts_of(one_frame_clip(tmp_path / "one.mp4"), suggester, model)
    assert only.probabilities.shape == (1, len(model.labels))
    assert only.probabilities.sum() == pytest.approx(1)


def test_a_stop_ends_it_soon_and_gives_no_half_part(
    film: Path, suggester: Suggester, model: ModelInfo
) -> None:
    stop = threading.Event()
    parts = parts_of(film, suggester, model, stop=stop)
    first = next(parts)
    stop.set()
    assert len(first.probabilities) == PART_WINDOWS
    assert list(parts) == []


def test_a_video_that_goes_missing_is_said_so(tmp_path: Path, suggester: Suggester, model: ModelInfo) -> None:
    with pytest.raises(MissingVideoError):
        list(parts_of(tmp_path / "gone.mp4", suggester, model))


def test_a_clip_that_is_asked_for_overtakes_the_sweep(
    film: Path, films: tuple[Path, ...], suggester: Suggester, model: ModelInfo
) -> None:
    """The network is busy with windows without end; the answer comes long before they are done."""
    preprocessing = model.preprocessing
    frames = np.zeros((1, preprocessing.frames, preprocessing.height, preprocessing.width, 3), np.uint8)
    calls = [suggester.predict_aside(frames) for _ in range(3000)]
    answered = threading.Event()
    done_then: list[int] = []

    def deliver(answer: Answer) -> None:
        if answer.finished:
            done_then.append(sum(call.done() for call in calls))
            answered.set()

    suggester.submit(Job(1, (wanted(films[0], 7),), 0, 1, deliver))
    assert answered.wait(30)
    for call in calls:
        call.cancel()
    assert done_then[0] < len(calls) - 1


def test_windows_are_answered_with_an_error_when_the_model_goes(model: ModelInfo) -> None:
    predictor = Predictor(load_model(model.path), choose_device("cpu"))
    mortal = Suggester(lambda: predictor, batch=1)
    mortal.close()
    preprocessing = model.preprocessing
    frames = np.zeros((1, preprocessing.frames, preprocessing.height, preprocessing.width, 3), np.uint8)
    with pytest.raises(DeviceError):
        mortal.predict_aside(frames).result(timeout=10)


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = Engine(tmp_path / "home")
    yield engine
    engine.close()


def test_the_engine_answers_with_parts_and_finds_frames(engine: Engine, film: Path, model: ModelInfo) -> None:
    wish = m.SweepVideo(
        request=2, model_hash=model.hash, path=str(film), window_us=WINDOW, step_us=STEP, first=64
    )
    engine.send(wish)
    (refused,) = engine.until_done(2)
    assert isinstance(refused, m.JobFailed) and "not loaded" in refused.reason
    engine.send(m.LoadModel(request=1, model=str(model.path), device="cpu"))
    while not isinstance(ready := engine.receive(), m.ModelReady):
        assert not isinstance(ready, m.JobFailed), ready
    engine.send(wish)
    parts = [message for message in engine.until_done(2) if isinstance(message, m.SweepPart)]
    assert [(part.first, part.windows, part.total) for part in parts] == [(64, 64, 151), (128, 23, 151)]
    rows = scores_from_bytes(base64.b64decode(parts[1].scores), len(model.labels))
    assert rows.shape == (23, len(model.labels))
    engine.send(m.FindFrames(request=3, path=str(film), times=((0, 250_000), (1_000_000, 2_000_000))))
    found = engine.until_done(3)[0]
    assert isinstance(found, m.FramesFound) and found.frames == ((0, 3), (10, 20))


def test_a_cancelled_sweep_ends_stopped(engine: Engine, film: Path, model: ModelInfo) -> None:
    engine.send(m.LoadModel(request=1, model=str(model.path), device="cpu"))
    while not isinstance(engine.receive(), m.ModelReady):
        pass
    slow = m.SweepVideo(request=2, model_hash=model.hash, path=str(film), window_us=WINDOW, step_us=1_000)
    engine.send(slow)
    while not isinstance(engine.receive(), m.SweepPart):
        pass
    engine.send(m.Cancel(request=2))
    last = engine.until_done(2)[-1]
    assert isinstance(last, m.JobDone) and last.stopped
