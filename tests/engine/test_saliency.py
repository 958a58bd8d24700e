"""Where the model looked, asked of a real engine process."""

from __future__ import annotations

import base64
from pathlib import Path

from tests.engine.conftest import LABELS
from tests.engine.conftest import wanted as wanted_clip
from tests.engine.test_main import Engine, engine
from vidlabel.core import messages as m
from vidlabel.ml.modelfile import ModelInfo

__all__ = ["engine"]


def _loaded(engine: Engine, model: ModelInfo) -> None:
    engine.send(m.LoadModel(request=1, model=str(model.path), device="cpu"))
    assert isinstance(engine.receive(), m.ModelReady)


def test_maps_come_before_the_suggestions_that_are_waiting(
    engine: Engine, model: ModelInfo, films: tuple[Path, ...]
) -> None:
    _loaded(engine, model)
    engine.send(
        m.Suggest(request=2, priority=2, clips=tuple(wanted_clip(films[n % 6], n) for n in range(400)))
    )
    engine.send(m.ShowSaliency(request=3, clip=wanted_clip(films[2], 7), label=LABELS[1]))
    answers = engine.until_done(3)
    ready = next(answer for answer in answers if isinstance(answer, m.SaliencyReady))
    assert not any(isinstance(answer, m.JobDone) and answer.request == 2 for answer in answers)
    assert (ready.clip_id, ready.label, ready.region) == (7, LABELS[1], (0, 0, 1, 1))
    values = base64.b64decode(ready.values)
    assert len(values) == len(ready.times) * ready.width * ready.height
    assert list(ready.times) == sorted(set(ready.times))
    # Ten frames at 25 a second.
    assert ready.times[0] >= 0 and ready.times[-1] < 400_000
    assert max(values) <= 255


def test_what_cannot_be_shown_is_said_in_words(
    engine: Engine, model: ModelInfo, films: tuple[Path, ...], tmp_path: Path
) -> None:
    engine.send(m.ShowSaliency(request=1, clip=wanted_clip(films[0], 1), label=LABELS[0]))
    assert "No model is loaded" in _reason(engine, 1)
    engine.send(m.LoadModel(request=2, model=str(model.path), device="cpu"))
    assert isinstance(engine.receive(), m.ModelReady)
    engine.send(m.ShowSaliency(request=3, clip=wanted_clip(films[0], 1), label="juggling"))
    assert "juggling" in _reason(engine, 3)
    engine.send(m.ShowSaliency(request=4, clip=wanted_clip(tmp_path / "gone.mp4", 1), label=LABELS[0]))
    assert "gone.mp4" in _reason(engine, 4)


def _reason(engine: Engine, request: int) -> str:
    failed = engine.until_done(request)[-1]
    assert isinstance(failed, m.JobFailed)
    return failed.reason
