"""Suggestions by a real (small, untrained) model on real clips."""

from __future__ import annotations

import os
import queue
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engine.conftest import LABELS, wanted
from tests.helpers.clips import text_file
from vidlabel.core.errors import DeviceError, ModelError
from vidlabel.core.messages import ClipScores, ClipTrouble
from vidlabel.engine.inference import Suggester
from vidlabel.engine.suggest_queue import Answer, Job
from vidlabel.engine.suggester import run_clips, suggest_clips
from vidlabel.ml.devices import choose_device
from vidlabel.ml.modelfile import ModelInfo, load_model
from vidlabel.ml.predictor import Predictor

WAIT_S = 20.0


def predictor_of(model: ModelInfo) -> Predictor:
    return Predictor(load_model(model.path), choose_device("cpu"), threads=1)


@pytest.fixture
def suggester(model: ModelInfo) -> Iterator[Suggester]:
    suggester = Suggester(lambda: predictor_of(model), batch=2)
    yield suggester
    suggester.close()


def test_each_clip_gets_its_labels(model: ModelInfo, films: tuple[Path, ...]) -> None:
    clips = [wanted(path, number) for number, path in enumerate(films)]
    done: list[int] = []
    answers = list(suggest_clips(model, clips, device="cpu", batch=2, top_k=3, on_progress=done.append))
    assert {answer.clip_id for answer in answers} == set(range(6))
    for answer in answers:
        assert isinstance(answer, ClipScores)
        assert len(answer.labels) == 3
        assert set(answer.labels) <= set(LABELS)
        assert list(answer.probabilities) == sorted(answer.probabilities, reverse=True)
        assert 0 <= answer.margin <= 1
        assert 0 <= answer.entropy <= 1
        assert answer.margin == pytest.approx(answer.probabilities[0] - answer.probabilities[1], abs=1e-6)
    assert done[-1] == 6


def test_the_same_clip_always_gets_the_same_answer(model: ModelInfo, films: tuple[Path, ...]) -> None:
    clips = [wanted(path, number) for number, path in enumerate(films)]

    def answers(order: list[int], batch: int) -> dict[int, ClipScores]:
        found = suggest_clips(model, [clips[n] for n in order], device="cpu", batch=batch, top_k=4)
        return {answer.clip_id: answer for answer in found if isinstance(answer, ClipScores)}

    together = answers([0, 1, 2, 3, 4, 5], batch=4)
    assert together == answers([5, 3, 1, 0, 2, 4], batch=1)
    assert len({answer.probabilities for answer in together.values()}) > 1, (
        "the clips must differ for this to tell"
    )


def test_bad_files_are_told_and_stop_nothing(
    model: ModelInfo, films: tuple[Path, ...], tmp_path: Path
) -> None:
    text = text_file(tmp_path / "text.mp4")
    clips = [wanted(tmp_path / "gone.mp4", 1), wanted(films[0], 2), wanted(text, 3), wanted(films[1], 4)]
    answers = {answer.clip_id: answer for answer in suggest_clips(model, clips, device="cpu", batch=4)}
    gone, bad = answers[1], answers[3]
    assert isinstance(gone, ClipTrouble)
    assert gone.missing
    assert isinstance(bad, ClipTrouble)
    assert (bad.reason, bad.missing) == ("not a video", False)
    assert isinstance(answers[2], ClipScores)
    assert isinstance(answers[4], ClipScores)


def test_no_clips_no_answers(model: ModelInfo) -> None:
    assert list(suggest_clips(model, [], device="cpu", batch=1)) == []


def test_clips_are_taken_as_needed_and_stopping_ends_it(model: ModelInfo, films: tuple[Path, ...]) -> None:
    taken = 0

    def endless() -> Iterator[object]:
        nonlocal taken
        while True:
            taken += 1
            yield wanted(films[0], taken)

    answers: list[object] = []
    for answer in suggest_clips(
        model,
        endless(),  # type: ignore[arg-type]
        device="cpu",
        batch=1,
        should_stop=lambda: len(answers) >= 10,
    ):
        answers.append(answer)
    assert 10 <= len(answers) < taken < 1000
    names = {thread.name for thread in threading.enumerate()}
    assert not {name for name in names if name.startswith(("inference", "decode ahead"))}


@pytest.mark.skipif(sys.platform == "win32", reason="pipes with names")
def test_the_clip_on_screen_overtakes_the_rest(
    suggester: Suggester, films: tuple[Path, ...], tmp_path: Path
) -> None:
    """The background begins with a pipe for each decoding thread, and they wait there until all is asked for."""
    stuck = [tmp_path / f"stuck {n}.mp4" for n in range(decoding_threads(suggester))]
    for pipe in stuck:
        os.mkfifo(pipe)
    answers: queue.SimpleQueue[Answer] = queue.SimpleQueue()
    background = tuple(wanted(films[n % 6], 100 + n) for n in range(40))
    first = tuple(wanted(pipe, n) for n, pipe in enumerate(stuck))
    suggester.submit(Job(1, first + background, 2, 5, answers.put))
    suggester.submit(Job(2, tuple(wanted(films[n % 6], 50 + n) for n in range(12)), 1, 5, answers.put))
    suggester.submit(Job(3, (wanted(films[0], 0),), 0, 5, answers.put))
    for pipe in stuck:
        pipe.open("wb").close()
    ended: list[int] = []
    while len(ended) < 3:
        answer = answers.get(timeout=WAIT_S)
        if answer.finished:
            ended.append(answer.request)
    assert ended == [3, 2, 1]


def decoding_threads(suggester: Suggester) -> int:
    """How many threads decode ahead, once the model is loaded."""
    loaded: queue.SimpleQueue[Answer] = queue.SimpleQueue()
    suggester.submit(Job(0, (), 0, 5, loaded.put))
    assert loaded.get(timeout=WAIT_S).finished
    return sum(thread.name.startswith("decode ahead") for thread in threading.enumerate())


def test_a_cancelled_request_ends_with_a_word(suggester: Suggester, films: tuple[Path, ...]) -> None:
    answers: queue.SimpleQueue[Answer] = queue.SimpleQueue()
    clips = tuple(wanted(films[n % 6], n) for n in range(5000))
    suggester.submit(Job(1, clips, 2, 5, answers.put))
    answers.get(timeout=WAIT_S)
    suggester.cancel(1)
    answer = answers.get(timeout=WAIT_S)
    while not answer.finished:
        answer = answers.get(timeout=WAIT_S)
    assert answer.stopped
    assert answer.done < 5000


def test_a_request_made_while_the_model_loads_is_answered(model: ModelInfo, films: tuple[Path, ...]) -> None:
    go = threading.Event()

    def load() -> Predictor:
        assert go.wait(WAIT_S)
        return predictor_of(model)

    answers: queue.SimpleQueue[Answer] = queue.SimpleQueue()
    suggester = Suggester(load, batch=1)
    suggester.submit(Job(1, (wanted(films[0], 1),), 0, 5, answers.put))
    go.set()
    answer = answers.get(timeout=WAIT_S)
    assert [score.clip_id for score in answer.scores] == [1]
    suggester.close()


def test_a_model_that_cannot_be_loaded_fails_all_requests(films: tuple[Path, ...]) -> None:
    def load() -> Predictor:
        raise ModelError("broken", "it is damaged.")

    failures: list[str] = []
    answers: queue.SimpleQueue[Answer] = queue.SimpleQueue()
    suggester = Suggester(load, on_failed=failures.append)
    suggester.submit(Job(1, (wanted(films[0], 1),), 0, 5, answers.put))
    assert answers.get(timeout=WAIT_S).failed == "Model broken: it is damaged."
    suggester.close()
    with pytest.raises(DeviceError):
        list(run_clips(suggester, [wanted(films[0], 1)]))
