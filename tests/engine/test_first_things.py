"""The clip on screen before all else, and calls beside the clips: what is waited for, and what goes wrong in it."""

from __future__ import annotations

import queue
import threading
from pathlib import Path

import numpy as np
import pytest

from tests.engine.conftest import wanted
from vidlabel.core.errors import DeviceError
from vidlabel.core.messages import ClipScores
from vidlabel.engine.inference import Suggester
from vidlabel.engine.suggest_queue import Answer, Decoded, Job, SuggestQueue
from vidlabel.engine.suggester import run_clips
from vidlabel.ml.devices import choose_device
from vidlabel.ml.modelfile import ModelInfo, load_model
from vidlabel.ml.predictor import Predictor

WAIT_S = 20.0


class Measured(Predictor):
    """Measuring waits until it is let go on."""

    def __init__(self, model: ModelInfo) -> None:
        super().__init__(load_model(model.path), choose_device("cpu"), threads=1)
        self.begun = threading.Event()
        self.go_on = threading.Event()

    def best_batch(self, max: int = 32, *, within_s: float | None = None) -> int:
        self.begun.set()
        assert self.go_on.wait(WAIT_S)
        assert within_s is not None
        return 2


def test_the_clip_on_screen_is_answered_before_anything_is_measured(
    model: ModelInfo, films: tuple[Path, ...]
) -> None:
    predictor = Measured(model)
    ready = threading.Event()
    answers: queue.SimpleQueue[Answer] = queue.SimpleQueue()
    suggester = Suggester(lambda: predictor, on_loaded=lambda _: ready.set())
    try:
        assert ready.wait(WAIT_S)
        assert not predictor.begun.is_set()
        suggester.submit(Job(1, (wanted(films[0], 1),), 0, 5, answers.put))
        suggester.submit(Job(2, tuple(wanted(films[n], n) for n in range(6)), 2, 5, answers.put))
        first = answers.get(timeout=WAIT_S)
        assert (first.request, first.finished) == (1, True)
        assert predictor.begun.wait(WAIT_S)
        predictor.go_on.set()
        done = [answers.get(timeout=WAIT_S)]
        while not done[-1].finished:
            done.append(answers.get(timeout=WAIT_S))
        assert sum(len(answer.scores) for answer in done) == 6
    finally:
        predictor.go_on.set()
        suggester.close()


def test_a_call_that_goes_wrong_is_heard_by_who_called_and_by_nobody_else(
    model: ModelInfo, films: tuple[Path, ...]
) -> None:
    suggester = Suggester(lambda: Predictor(load_model(model.path), choose_device("cpu"), threads=1), batch=2)
    try:
        wrong = suggester.predict_aside(np.zeros((1, 3, 3, 3, 3), np.uint8))
        with pytest.raises(ValueError, match="expected uint8"):
            wrong.result(timeout=WAIT_S)
        broken = suggester.call_aside(lambda predictor: 1 // 0, urgent=True)
        with pytest.raises(ZeroDivisionError):
            broken.result(timeout=WAIT_S)
        (answer,) = run_clips(suggester, [wanted(films[0], 1)])
        assert isinstance(answer, ClipScores)
    finally:
        suggester.close()


def test_closing_answers_calls_that_wait_and_minds_none_that_was_given_up(model: ModelInfo) -> None:
    inside, go_on = threading.Event(), threading.Event()
    suggester = Suggester(lambda: Predictor(load_model(model.path), choose_device("cpu"), threads=1), batch=2)

    def long(predictor: Predictor) -> str:
        inside.set()
        assert go_on.wait(WAIT_S)
        return predictor.info.name

    running = suggester.call_aside(long)
    assert inside.wait(WAIT_S)
    given_up = suggester.call_aside(lambda predictor: None, urgent=True)
    waiting = suggester.call_aside(lambda predictor: None, urgent=True)
    assert given_up.cancel()
    closing = threading.Thread(target=suggester.close)
    closing.start()
    with pytest.raises(DeviceError, match="no longer loaded"):
        waiting.result(timeout=WAIT_S)
    go_on.set()
    assert running.result(timeout=WAIT_S) == "small"
    closing.join(WAIT_S)
    with pytest.raises(DeviceError, match="no longer loaded"):
        suggester.call_aside(lambda predictor: None).result(timeout=WAIT_S)


def test_a_call_over_which_the_device_gave_up_is_answered_by_the_next(model: ModelInfo) -> None:
    loaded = load_model(model.path)
    first, second = (Predictor(loaded, choose_device("cpu"), threads=1) for _ in range(2))
    suggester = Suggester(lambda: first, batch=2, fallback=lambda: second)

    def work(predictor: Predictor) -> str:
        if predictor is first:
            raise DeviceError("Test GPU (cuda) gave up.")
        return "answered"

    try:
        assert suggester.call_aside(work).result(timeout=WAIT_S) == "answered"
    finally:
        suggester.close()


def test_what_waits_of_lesser_urgency_does_not_block_a_batch_that_cannot_get_full() -> None:
    requests = SuggestQueue()
    requests.open(4, ahead=5)
    lesser = Job(1, tuple(wanted(Path("a"), n) for n in range(9)), 3, 5, lambda answer: None)
    requests.add(lesser)

    def decode_one() -> None:
        found = requests.next_to_decode()
        assert found is not None
        job, clip = found
        requests.decoded(Decoded(job, clip, np.zeros(1, np.uint8)))

    for _ in range(4):
        decode_one()
    requests.add(Job(2, tuple(wanted(Path("b"), n) for n in range(20, 29)), 2, 5, lambda answer: None))
    decode_one()
    assert requests.next_to_decode() is None, "the room is taken"
    assert [item.clip.clip_id for item in requests.take_batch()] == [20]


def test_the_clip_on_screen_has_room_among_clips_that_are_held_back() -> None:
    """As after a device gave up: what it had not answered waits decoded, until the next one is measured."""
    requests = SuggestQueue()
    requests.open(2, ahead=2)
    requests.add(Job(1, tuple(wanted(Path("a"), n) for n in range(9)), 1, 5, lambda answer: None))
    while (found := requests.next_to_decode()) is not None:
        requests.decoded(Decoded(found[0], found[1], np.zeros(1, np.uint8)))
    requests.hold_back()
    assert requests.is_held_up()
    requests.add(Job(2, (wanted(Path("b"), 50),), 0, 5, lambda answer: None))
    assert not requests.is_held_up()
    found = requests.next_to_decode()
    assert found is not None
    requests.decoded(Decoded(found[0], found[1], np.zeros(1, np.uint8)))
    assert [item.clip.clip_id for item in requests.take_batch()] == [50]
    assert requests.take_batch() == []
