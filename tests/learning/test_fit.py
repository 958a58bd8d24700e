"""A compact network learns which way a bright square moves: no single frame tells."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
import torch

from vidlabel.core.errors import StoppedError, TrainingError
from vidlabel.learning.batches import ArrayBatches, flip_shift_shade
from vidlabel.learning.checkpoint import load_checkpoint, save_checkpoint
from vidlabel.learning.evaluate import evaluate_model, measured_temperature
from vidlabel.learning.fit import FitOptions, fit, learning_rate
from vidlabel.ml.devices import choose_device
from vidlabel.ml.modelfile import load_model, save_model
from vidlabel.ml.networks import build
from vidlabel.ml.predictor import Predictor
from vidlabel.ml.preprocess import Preprocessing

P = Preprocessing(frames=8, height=24, width=24)
ARGS = {"widths": [8, 16, 24], "blocks": [1, 1], "time_strides": [1, 2]}
LABELS = ("down", "up")


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def moving_squares(count, seed):
    rng = np.random.default_rng(seed)
    frames = rng.integers(0, 60, (count, 8, 24, 24, 3), dtype=np.uint8)
    labels = np.arange(count) % 2
    for clip, label in zip(frames, labels, strict=True):
        top, left = rng.integers(0, 18, 2)
        for time in range(8):
            row = (top + 2 * (time if label == 0 else -time)) % 18
            clip[time, row : row + 6, left : left + 6] = 220
    return frames, labels


def network(seed=0):
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return build("compact3d", labels=2, **ARGS)


def weights(module):
    return torch.cat([value.double().flatten() for value in module.state_dict().values()])


def test_it_learns_to_see_motion_and_the_saved_model_knows_it(tmp_path):
    made = network()
    said = []
    frames, labels = moving_squares(96, 0)
    held_out = moving_squares(64, 1)
    batches = ArrayBatches(frames, labels, size=16, seed=0)
    measured = ArrayBatches(*held_out, size=16)

    def validate(module):
        right = [
            (
                module(torch.from_numpy(batch.frames).permute(0, 4, 1, 2, 3).float() / 255).argmax(1).numpy()
                == batch.labels
            )
            for batch in measured.epoch(0)
        ]
        return {"share": float(np.concatenate(right).mean())}

    options = FitOptions(epochs=10, peak_rate=1e-2, label_smoothing=0.0, average=0.9)
    result = fit(made, batches, preprocessing=P, options=options, validate=validate, on_progress=said.append)
    assert result.state == "finished" and result.step == 60 and len(result.history) == 10
    assert result.history[-1]["loss"] < 0.3 < result.history[0]["loss"]
    assert [said[0].kind, said[-1].kind] == ["started", "finished"]
    assert "share" in said[-2].metrics

    path = tmp_path / "own.safetensors"
    save_model(path, made, name="own", network="compact3d", network_args=ARGS, labels=LABELS, preprocessing=P)
    predictor = Predictor(load_model(path), choose_device("cpu"))
    pairs = [(batch.frames, batch.labels) for batch in measured.epoch(0)]
    evaluation = evaluate_model(predictor, pairs)
    assert evaluation.clips == 64 and evaluation.top1 >= 0.9
    assert 0.05 <= measured_temperature(predictor, pairs) <= 20
    with pytest.raises(StoppedError):
        evaluate_model(predictor, pairs, should_stop=lambda: True)


@pytest.mark.parametrize("stop_after", [2, 4, 5])
def test_a_resumed_run_ends_bitwise_equal(tmp_path, stop_after):
    frames, labels = moving_squares(31, 0)
    batches = ArrayBatches(frames, labels, size=8, seed=1, augment=flip_shift_shade)
    options = FitOptions(epochs=2, mixup=0.3, average=0.9, checkpoint_steps=3)
    whole, parted = network(), network()
    torch.manual_seed(5)
    expected = fit(whole, batches, preprocessing=P, options=options)

    steps = iter(range(1, 99))
    kept = tmp_path / "run" / "checkpoint"
    stopped = fit(
        parted,
        batches,
        preprocessing=P,
        options=options,
        checkpoint=kept,
        should_stop=lambda: next(steps) >= stop_after,
    )
    assert (stopped.state, stopped.step) == ("stopped", stop_after)
    torch.manual_seed(77)
    resumed = network(seed=9)
    result = fit(resumed, batches, preprocessing=P, options=options, checkpoint=kept, resume=kept)
    assert result == expected
    assert torch.equal(weights(resumed), weights(whole))

    again = network(seed=9)
    assert fit(again, batches, preprocessing=P, options=options, resume=kept) == expected
    assert torch.equal(weights(again), weights(whole)), "a finished run answers its result"


def test_bfloat16_learns_too_and_leaves_float32_weights():
    made = network()
    options = FitOptions(epochs=10, peak_rate=1e-2, label_smoothing=0.0, precision="bfloat16")
    result = fit(made, ArrayBatches(*moving_squares(64, 0), size=16), preprocessing=P, options=options)
    assert result.history[-1]["loss"] < 0.6 < result.history[0]["loss"]
    assert {value.dtype for value in made.parameters()} == {torch.float32}


def test_the_callers_generator_is_left_alone():
    batches = ArrayBatches(*moving_squares(4, 0), size=4)
    torch.manual_seed(3)
    before = torch.get_rng_state()
    fit(network(), batches, preprocessing=P, options=FitOptions(epochs=1))
    assert torch.equal(torch.get_rng_state(), before)


def test_a_checkpoint_of_another_run_is_refused(tmp_path):
    batches = ArrayBatches(*moving_squares(8, 0), size=4)
    options = FitOptions(epochs=1)
    kept = tmp_path / "checkpoint"
    fit(network(), batches, preprocessing=P, options=options, checkpoint=kept)
    for other in (dataclasses.replace(options, epochs=2), dataclasses.replace(options, seed=1)):
        with pytest.raises(TrainingError, match="of another run"):
            fit(network(), batches, preprocessing=P, options=other, resume=kept)
    smaller = build("compact3d", labels=2, widths=[4, 8], blocks=[1], time_strides=[1])
    with pytest.raises(TrainingError, match="of another run"):
        fit(smaller, batches, preprocessing=P, options=options, resume=kept)


def test_a_damaged_or_foreign_checkpoint_is_refused(tmp_path):
    kept = tmp_path / "checkpoint"
    with pytest.raises(TrainingError, match="no checkpoint"):
        load_checkpoint(kept)
    save_checkpoint(kept, {"a": torch.zeros(100)})
    whole = kept.read_bytes()
    for content in (b"", whole[:200], whole[:-50], b"hello"):
        kept.write_bytes(content)
        with pytest.raises(TrainingError, match="damaged"):
            load_checkpoint(kept)
    torch.save({"a": 1}, kept)
    with pytest.raises(TrainingError, match="no checkpoint of vidlabel's"):
        load_checkpoint(kept)
    torch.save({"format": 99}, kept)
    with pytest.raises(TrainingError, match="newer"):
        load_checkpoint(kept)
    torch.save({"format": 1, "path": tmp_path}, kept)
    with pytest.raises(TrainingError, match="damaged"):
        load_checkpoint(kept)


def test_a_loss_that_is_no_number_ends_the_run_with_advice(tmp_path):
    batches = ArrayBatches(*moving_squares(8, 0), size=4)
    broken = network()
    with torch.no_grad():
        broken.head.weight.fill_(float("nan"))
    with pytest.raises(TrainingError, match="lower learning rate"):
        fit(broken, batches, preprocessing=P, options=FitOptions(epochs=1), checkpoint=tmp_path / "c")
    assert not (tmp_path / "c").exists()


def test_the_rate_rises_then_falls():
    options = FitOptions(epochs=1, peak_rate=1.0, warmup=0.1)
    rates = [learning_rate(step, 100, options) for step in range(100)]
    assert (
        rates[9] == 1.0
        and rates[:10] == sorted(rates[:10])
        and rates[10:] == sorted(rates[10:], reverse=True)
    )
    assert 0 < rates[-1] < 0.01
    assert learning_rate(0, 1, options) == 1.0


@pytest.mark.parametrize(
    "values", [{"epochs": 0}, {"peak_rate": 0}, {"average": 1.0}, {"mixup": -1}, {"precision": "float64"}]
)
def test_options_out_of_range_are_refused(values):
    with pytest.raises(ValueError):
        FitOptions(**{"epochs": 1, **values})


def test_batches_are_the_same_whenever_they_are_asked_for():
    frames, labels = moving_squares(33, 0)
    batches = ArrayBatches(frames, labels, size=8, seed=2, augment=flip_shift_shade)
    assert len(batches) == 4, "a last clip alone joins the batch before"
    whole = list(batches.epoch(1))
    for first in range(4):
        for one, same in zip(batches.epoch(1, first=first), whole[first:], strict=True):
            assert (one.frames == same.frames).all() and (one.labels == same.labels).all()
    assert sum(len(batch.labels) for batch in whole) == 33
    assert any((a.labels != b.labels).any() for a, b in zip(whole, batches.epoch(2), strict=True))
    with pytest.raises(ValueError, match="no batches"):
        ArrayBatches(frames[:0], labels[:0], size=2)


def test_augmenting_changes_all_frames_of_a_clip_alike():
    rng = np.random.default_rng(0)
    still = np.repeat(rng.integers(0, 256, (6, 1, 16, 16, 3), dtype=np.uint8), 4, axis=1)
    changed = flip_shift_shade(still, np.random.default_rng(1))
    assert (changed == changed[:, :1]).all() and (changed != still).any()
    assert math.isclose(changed.mean(), still.mean(), rel_tol=0.25)
