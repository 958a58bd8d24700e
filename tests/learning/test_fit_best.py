"""The best epoch is kept, a run ends when none gets better, waits while it is paused, and resumes bitwise equal."""

from __future__ import annotations

import math
import threading
from dataclasses import replace

import pytest
import torch

from tests.helpers.tiny_fit import P, batches, tiny, validation, weights
from vidlabel.core.errors import TrainingError
from vidlabel.core.runs import Tunes
from vidlabel.learning.checkpoint import load_checkpoint
from vidlabel.learning.fit import FitOptions, fit
from vidlabel.learning.fit_state import load_kept

OPTIONS = FitOptions(epochs=8, peak_rate=1e-2, best_by=("score",))


def scripted(scores):
    """A validation that answers these in turn, and the weights it was shown."""
    seen = []

    def validate(network):
        seen.append(weights(network).clone())
        return {"score": scores[len(seen) - 1]}

    return validate, seen


def test_the_best_epoch_is_what_is_left_and_patience_ends_the_run():
    told = []
    validate, seen = scripted([0.1, 0.5, 0.5, math.nan, 0.4, 0.9])
    network = tiny()
    options = replace(OPTIONS, patience=3, average=0.5)
    result = fit(
        network, batches(), preprocessing=P, options=options, validate=validate, on_progress=told.append
    )
    assert (result.state, result.early, result.best_epoch, len(result.history)) == ("finished", True, 1, 5)
    assert torch.equal(weights(network), seen[1])
    epochs = [one for one in told if one.kind == "epoch"]
    assert [one.best for one in epochs] == [True, True, False, False, False]
    assert epochs[0].metrics == {"score": 0.1} and 0 <= epochs[0].train_top1 <= 1 and epochs[0].seconds > 0


def test_without_patience_it_goes_to_the_end_and_keeps_the_best_all_the_same():
    validate, seen = scripted([0.9, *[0.1] * 7])
    network = tiny()
    result = fit(network, batches(), preprocessing=P, options=OPTIONS, validate=validate)
    assert (result.early, result.best_epoch, len(result.history)) == (False, 0, 8)
    assert torch.equal(weights(network), seen[0])


def test_the_second_measure_decides_among_equals():
    answers = iter([(0.5, 2.0), (0.5, 1.0), (0.5, 1.5)])
    options = replace(OPTIONS, epochs=3, best_by=("a", "-b"))
    result = fit(
        tiny(),
        batches(),
        preprocessing=P,
        options=options,
        validate=lambda network: dict(zip("ab", next(answers), strict=True)),
    )
    assert result.best_epoch == 1


def test_what_cannot_decide_is_refused():
    with pytest.raises(ValueError, match="needs validate"):
        fit(tiny(), batches(), preprocessing=P, options=OPTIONS)
    with pytest.raises(TrainingError, match="does not measure score"):
        fit(tiny(), batches(), preprocessing=P, options=OPTIONS, validate=lambda network: {})
    with pytest.raises(ValueError, match="needs best_by"):
        FitOptions(epochs=1, patience=2)


def test_a_stopped_run_leaves_its_best_and_so_does_its_checkpoint(tmp_path):
    kept = tmp_path / "c"
    validate, seen = scripted([0.1, 0.9, 0.2, 0.3])
    steps = iter(range(1, 99))
    network = tiny()
    result = fit(
        network,
        batches(),
        preprocessing=P,
        options=replace(OPTIONS, average=0.9),
        validate=validate,
        checkpoint=kept,
        should_stop=lambda: next(steps) >= 21,
    )
    assert (result.state, result.best_epoch) == ("stopped", 1)
    assert torch.equal(weights(network), seen[1])
    again = tiny(seed=5)
    assert load_kept(kept, again) == 1
    assert torch.equal(weights(again), seen[1])
    with pytest.raises(TrainingError, match="another network"):
        load_kept(kept, tiny(normed=True))


def test_what_is_kept_of_a_head_needs_the_trunk_it_was_made_on(tmp_path):
    kept, network = tmp_path / "c", tiny()
    fit(network, batches(), preprocessing=P, options=FitOptions(epochs=1, tunes=Tunes.HEAD), checkpoint=kept)
    again = tiny()
    assert load_kept(kept, again) is None
    assert torch.equal(weights(again), weights(network))
    with pytest.raises(TrainingError, match="another network"):
        load_kept(kept, tiny(seed=5))


EVERYTHING = FitOptions(
    epochs=7,
    peak_rate=2e-2,
    mixup=0.3,
    average=0.7,
    layer_decay=0.8,
    tunes=Tunes.LAST,
    accumulate=2,
    best_by=("val_top1", "-val_loss"),
    patience=2,
    class_weights=(1.0, 2.0, 0.5),
    checkpoint_steps=2,
    pieces=2,
)


@pytest.mark.parametrize("precision", ["float32", "float16"])
@pytest.mark.parametrize("stop_after", [1, 4, 8, 11])
def test_everything_at_once_resumes_bitwise_equal_from_the_middle_of_an_epoch(
    tmp_path, stop_after, precision
):
    options = replace(EVERYTHING, precision=precision)

    def run(network, validate, **more):
        result = fit(
            network,
            batches(),
            preprocessing=P,
            options=options,
            validate=validate,
            checkpoint=tmp_path / "c",
            **more,
        )
        return result, weights(network)

    def worse_and_worse(network):
        # Real numbers, but the best comes early, so that patience has something to count.
        found = validation()(network)
        return {**found, "val_top1": found["val_loss"] // 0.5}

    expected = run(tiny(normed=True, dropout=0.4), worse_and_worse)
    steps = iter(range(1, 99))
    stopped, _ = run(
        tiny(normed=True, dropout=0.4), worse_and_worse, should_stop=lambda: next(steps) >= stop_after
    )
    assert (stopped.state, stopped.step) == ("stopped", stop_after)
    torch.manual_seed(12345)
    result = run(tiny(normed=True, dropout=0.4), worse_and_worse, resume=tmp_path / "c")
    assert result[0] == expected[0]
    assert torch.equal(result[1], expected[1])
    again = run(tiny(normed=True, dropout=0.4), worse_and_worse, resume=tmp_path / "c")
    assert again[0] == expected[0] and torch.equal(again[1], expected[1]), "an ended run answers at once"


def test_a_checkpoint_of_the_version_before_is_gone_on_with(tmp_path):
    """It knows the whole state dict, the generators, and nothing of what came later."""
    kept = tmp_path / "c"
    options = FitOptions(epochs=3, average=0.9, mixup=0.2, pieces=2)
    whole, resumed = tiny(normed=True), tiny(normed=True)
    fit(whole, batches(), preprocessing=P, options=options)
    steps = iter(range(1, 99))
    fit(
        tiny(normed=True),
        batches(),
        preprocessing=P,
        options=options,
        checkpoint=kept,
        should_stop=lambda: next(steps) >= 8,
    )
    state = load_checkpoint(kept)
    before = ("run", "place", "history", "loss_sum", "network", "average", "optimizer")
    state = {name: state[name] for name in before}
    assert set(state["network"]) == set(whole.state_dict())
    state["run"]["options"] = {**state["run"]["options"], "pieces": 2}
    torch.save({"format": 1, **state, "generators": {"cpu": torch.get_rng_state()}}, kept)
    result = fit(resumed, batches(), preprocessing=P, options=options, resume=kept)
    assert result.state == "finished" and len(result.history) == 3
    assert torch.equal(weights(resumed), weights(whole))


def test_a_run_that_ended_early_stays_ended(tmp_path):
    kept = tmp_path / "c"
    validate, _ = scripted([0.5, 0.4, 0.3])
    options = replace(OPTIONS, patience=2)
    first = fit(tiny(), batches(), preprocessing=P, options=options, validate=validate, checkpoint=kept)
    second = fit(tiny(), batches(), preprocessing=P, options=options, validate=validate, resume=kept)
    assert first == second and first.early


def test_a_pause_waits_keeps_the_state_and_changes_nothing(tmp_path):
    kept = tmp_path / "c"
    asked, told = [], []
    paused_at = 4

    def should_pause():
        asked.append(threading.current_thread())
        return paused_at <= len(asked) < paused_at + 3

    options = replace(OPTIONS, epochs=2, best_by=())
    plain, paused = tiny(), tiny()
    fit(plain, batches(), preprocessing=P, options=options)
    result = fit(
        paused,
        batches(),
        preprocessing=P,
        options=options,
        checkpoint=kept,
        should_pause=should_pause,
        on_progress=told.append,
    )
    assert result.state == "finished" and torch.equal(weights(plain), weights(paused))
    kinds = [one.kind for one in told if one.kind in ("checkpoint", "paused", "resumed", "epoch")]
    assert kinds[:4] == ["checkpoint", "paused", "resumed", "epoch"]
    assert next(one.step for one in told if one.kind == "paused") == paused_at


def test_a_paused_run_can_be_stopped(tmp_path):
    stop = iter([False, False, False, True])
    result = fit(
        tiny(),
        batches(),
        preprocessing=P,
        options=replace(OPTIONS, best_by=()),
        checkpoint=tmp_path / "c",
        should_pause=lambda: True,
        should_stop=lambda: next(stop),
    )
    assert (result.state, result.step) == ("stopped", 1)
    assert load_checkpoint(tmp_path / "c")["place"] == [0, 1, 1]


def test_no_state_is_kept_whose_loss_is_no_number(tmp_path):
    kept = tmp_path / "c"
    network = tiny()
    steps = []

    def loss(own, x, batch):
        steps.append(1)
        return own(x).mean() * (math.nan if len(steps) == 4 else 1.0)

    options = FitOptions(epochs=2, checkpoint_steps=1)
    with pytest.raises(TrainingError, match="lower learning rate") as ended:
        fit(network, batches(), preprocessing=P, options=options, loss=loss, checkpoint=kept)
    assert ended.value.kind == "nan"
    assert load_checkpoint(kept)["place"] == [0, 3, 3], "the state before it is still there"


def test_speed_and_time_left_are_told():
    told = []
    fit(
        tiny(),
        batches(size=2),
        preprocessing=P,
        options=replace(OPTIONS, epochs=3, best_by=()),
        validate=validation(),
        on_progress=told.append,
    )
    steps = [one for one in told if one.kind == "step"]
    assert [one.step for one in steps][:3] == [10, 20, 30]
    assert all(one.clips_per_s > 0 and one.left_s >= 0 for one in steps)
    assert steps[-1].memory_mb is None
