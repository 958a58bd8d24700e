from __future__ import annotations

import contextlib

import numpy as np
import pytest
import torch

from tests.ml.conftest import LABELS, PREPROCESSING
from vidlabel.core.errors import DeviceError, ModelError
from vidlabel.core.words import Views
from vidlabel.ml.devices import choose_device
from vidlabel.ml.input import PinnedStaging, to_input
from vidlabel.ml.modelfile import LoadedModel
from vidlabel.ml.predictor import Predictor


def clips(count, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (count, 4, 16, 16, 3), dtype=np.uint8)


@pytest.fixture
def predictor(loaded):
    return Predictor(loaded, choose_device("cpu"), threads=1)


def out_of_memory_above(predictor, limit, monkeypatch):
    """The GPU stands in: its memory holds ``limit`` clips. Answers the sizes tried."""
    run, tried = predictor._run, []

    def limited(frames, dtype=None):
        tried.append(len(frames))
        if len(frames) > limit:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")
        return run(frames, dtype)

    monkeypatch.setattr(predictor, "_run", limited)
    return tried


def test_a_prediction_is_the_networks_own_answer(predictor, loaded):
    frames = clips(5)
    prediction = predictor.predict(frames)
    with torch.inference_mode():
        logits, embedding = loaded.module.embed(to_input(frames, PREPROCESSING, "cpu", torch.float32))
    assert prediction.probabilities.dtype == np.float32 and prediction.embeddings.dtype == np.float16
    np.testing.assert_allclose(prediction.probabilities, logits.softmax(1).numpy(), atol=1e-3)
    np.testing.assert_allclose(prediction.embeddings, embedding.numpy(), rtol=2e-3, atol=2e-3)
    np.testing.assert_allclose(prediction.probabilities.sum(axis=1), 1, atol=1e-6)
    assert prediction.probabilities.std(axis=0).max() > 1e-3, "the clips must not all look the same to it"


def test_a_clip_gets_the_same_probabilities_in_every_batch(predictor):
    frames = clips(9)
    alone = np.concatenate([predictor.predict(frames[index : index + 1]).probabilities for index in range(9)])
    together = predictor.predict(frames).probabilities
    np.testing.assert_allclose(alone, together, atol=1e-6)
    np.testing.assert_allclose(
        predictor.predict(frames[::-1].copy()).probabilities[::-1], together, atol=1e-6
    )


def test_a_kept_embedding_gives_the_very_same_probabilities(predictor):
    prediction = predictor.predict(clips(7))
    np.testing.assert_array_equal(predictor.from_embeddings(prediction.embeddings), prediction.probabilities)
    one = predictor.from_embeddings(prediction.embeddings[3:4])
    np.testing.assert_array_equal(one, prediction.probabilities[3:4])
    assert predictor.from_embeddings(prediction.embeddings[:0]).shape == (0, len(LABELS))


@pytest.mark.parametrize(
    "embeddings", [np.zeros((2, 5), np.float16), np.zeros((2, 16), np.float32), np.zeros(16, np.float16)]
)
def test_embeddings_of_another_model_are_refused(predictor, embeddings):
    with pytest.raises(ValueError, match="expected float16"):
        predictor.from_embeddings(embeddings)


def test_the_loaded_model_is_left_as_it_is(predictor, loaded):
    assert any(isinstance(module, torch.nn.BatchNorm3d) for module in loaded.module.modules())
    assert not any(isinstance(module, torch.nn.BatchNorm3d) for module in predictor._module.modules())


def test_out_of_memory_halves_the_batch_and_loses_nothing(predictor, monkeypatch):
    frames = clips(11)
    wanted = predictor.predict(frames).probabilities
    tried = out_of_memory_above(predictor, 3, monkeypatch)
    np.testing.assert_allclose(predictor.predict(frames).probabilities, wanted, atol=1e-6)
    assert tried == [11, 5, 2, 2, 2, 2, 2, 1]
    tried.clear()
    predictor.predict(frames[:4])
    assert tried == [2, 2], "it remembers what fitted"


def test_no_room_for_one_clip_is_an_error_with_a_remedy(predictor, monkeypatch):
    out_of_memory_above(predictor, 0, monkeypatch)
    with pytest.raises(
        DeviceError, match=r"not enough free memory for one clip of model small.*--device cpu"
    ):
        predictor.predict(clips(4))


def test_another_device_error_is_not_retried(predictor, monkeypatch):
    def broken(frames):
        raise RuntimeError("CUDA error: unspecified launch failure")

    monkeypatch.setattr(predictor, "_run", broken)
    with pytest.raises(DeviceError, match="gave up: CUDA error: unspecified launch failure"):
        predictor.predict(clips(4))


def test_answers_that_are_no_numbers_are_refused(loaded):
    with torch.no_grad():
        loaded.module.head.bias[0] = float("nan")
    predictor = Predictor(LoadedModel(loaded.info, loaded.module), choose_device("cpu"))
    with pytest.raises(ModelError, match="no numbers"):
        predictor.predict(clips(1))


@pytest.mark.parametrize(
    "frames", [clips(0), clips(1)[:, :3], clips(1)[:, :, :8], clips(1).astype(np.float32), clips(1)[0]]
)
def test_frames_of_another_shape_are_refused(predictor, frames):
    with pytest.raises(ValueError, match="expected uint8"):
        predictor.predict(frames)


def test_read_only_frames_are_taken_without_a_warning(predictor):
    frames = clips(2)
    frames.setflags(write=False)
    assert predictor.predict(frames).probabilities.shape == (2, len(LABELS))


def test_the_best_batch_is_measured_and_within_what_fits(predictor, monkeypatch):
    predictor.warm_up()
    tried = out_of_memory_above(predictor, 2, monkeypatch)
    assert predictor.best_batch(8) in (1, 2)
    assert max(tried) == 4, "a batch that does not fit ends the search"
    tried.clear()
    assert predictor.best_batch(8) in (1, 2) and not tried, "measured once"


def test_the_best_batch_is_the_fastest_one(predictor, monkeypatch):
    seconds = {1: 1.0, 2: 1.2, 4: 3.0, 8: 6.5, 16: 1.0}
    measured = []

    def clock(work, wait, *, repeats):
        work()
        measured.append(len(measured))
        return seconds[2 ** measured[-1]]

    monkeypatch.setattr("vidlabel.ml.predictor.quickest", clock)
    assert predictor.best_batch(32) == 2
    assert len(measured) == 4, "two worse in a row end the search"


def test_a_clip_without_numbers_is_told_apart_from_the_others(predictor, monkeypatch):
    """Finite weights may still overflow on one clip."""
    forward = predictor._forward
    monkeypatch.setattr(predictor, "_forward", lambda x: overflowing(forward(x), row=1))
    prediction = predictor.finish(predictor.start(clips(3)))
    assert np.isfinite(prediction.probabilities).all(axis=1).tolist() == [True, False, True]
    with pytest.raises(ModelError, match="no numbers"):
        predictor.predict(clips(3))


def overflowing(embedding, row):
    embedding = embedding.clone()
    embedding[row, 0] = float("inf")
    return embedding


def test_what_is_too_large_for_16_bits_is_computed_in_32(loaded, predictor, monkeypatch):
    reduced = Predictor(loaded, choose_device("cpu"), precision="bfloat16")
    forward = reduced._forward

    def narrow(x):
        found = forward(x)
        return overflowing(found, row=2) if torch.is_autocast_enabled("cpu") else found

    monkeypatch.setattr(reduced, "_forward", narrow)
    frames = clips(3)
    prediction = reduced.finish(reduced.start(frames))
    np.testing.assert_allclose(
        prediction.probabilities[2], predictor.predict(frames).probabilities[2], atol=1e-6
    )


@pytest.mark.parametrize("gain", [2.0, 0.5])
def test_a_reduced_precision_must_be_faster(loaded, monkeypatch, gain):
    reduced = Predictor(loaded, choose_device("cpu"), precision="bfloat16")
    seconds = iter([gain, 1.0])
    monkeypatch.setattr("vidlabel.ml.predictor.quickest", lambda work, wait, *, repeats: next(seconds))
    if gain > 1:
        reduced.warm_up()
        assert reduced.dtype == torch.bfloat16
    else:
        with pytest.raises(DeviceError, match=r"no gain on .*: 0.5 times as fast .*--precision auto"):
            reduced.warm_up()


def test_a_reduced_precision_must_agree(loaded, monkeypatch):
    reduced = Predictor(loaded, choose_device("cpu"), precision="bfloat16")
    forward = reduced._forward
    monkeypatch.setattr(
        reduced, "_forward", lambda x: forward(x) * (-9 if torch.is_autocast_enabled("cpu") else 1)
    )
    seconds = iter([2.0, 1.0])
    monkeypatch.setattr("vidlabel.ml.predictor.quickest", lambda work, wait, *, repeats: next(seconds))
    with pytest.raises(DeviceError, match="does not answer as float32 does"):
        reduced.warm_up()


def test_another_way_of_asking_has_a_key_of_its_own(loaded, predictor):
    plain = predictor.info
    assert (plain.hash, plain.name) == (loaded.info.hash, "small")
    views = Views(clips=3, flip=True)
    other = Predictor(loaded, choose_device("cpu"), precision="bfloat16", views=views)
    assert other.info.hash == f"{plain.hash}-v3f-bfloat16"
    assert other.info.name == "small (3 views, flipped, bfloat16)"


def test_compiling_is_taken_only_where_it_is_faster_and_agrees(predictor, monkeypatch):
    frames = clips(2)
    plain, wanted = predictor._forward, predictor.predict(frames).probabilities
    clock = iter([1.0, 0.5, 1.0, 1.5, 1.0, 0.1])
    monkeypatch.setattr("vidlabel.ml.predictor.quickest", lambda work, wait, *, repeats: next(clock))
    monkeypatch.setattr("vidlabel.ml.predictor.compiled", lambda forward: lambda x: forward(x))
    assert predictor.compile_where_it_pays(2) == 2.0
    assert predictor._forward is not plain
    np.testing.assert_allclose(predictor.predict(frames[:1]).probabilities, wanted[:1], atol=1e-6)
    assert predictor.compile_where_it_pays(2) == 1.0, "slower"
    assert predictor._forward is plain
    monkeypatch.setattr("vidlabel.ml.predictor.compiled", lambda forward: lambda x: -20 * forward(x))
    assert predictor.compile_where_it_pays(2) == 1.0, "it answers otherwise"


def test_a_compiler_that_is_not_there_costs_nothing(predictor, monkeypatch):
    def broken(x):
        raise RuntimeError("InductorError: no C++ compiler")

    monkeypatch.setattr("vidlabel.ml.predictor.compiled", lambda forward: broken)
    assert predictor.compile_where_it_pays(2) == 1.0
    assert predictor.predict(clips(2)).probabilities.shape == (2, len(LABELS))


def test_the_network_is_timed_with_each_number_of_threads(predictor):
    costs = predictor.cost_by_threads((2, 1))
    assert set(costs) == {1, 2}
    assert all(cost.wall > 0 for cost in costs.values())
    assert torch.get_num_threads() == 1


def slow_network(predictor, seconds, monkeypatch):
    """A clock that only the network moves on: each clip takes so many seconds. Answers the clips it was given."""
    run, given, now = predictor._run, [], [0.0]

    def slow(frames, dtype=None):
        given.append(len(frames))
        now[0] += seconds * len(frames)
        return run(frames, dtype)

    monkeypatch.setattr(predictor, "_run", slow)
    monkeypatch.setattr("time.perf_counter", lambda: now[0])
    return given


@pytest.mark.parametrize(("seconds", "clips_at_most"), [(0.04, 75), (0.3, 10), (0.6, 2), (5.0, 0)])
def test_a_person_waits_for_no_longer_than_allowed_until_it_is_measured(
    predictor, monkeypatch, seconds, clips_at_most
):
    given = slow_network(predictor, seconds, monkeypatch)
    predictor.warm_up()
    assert given == [1]
    costs = predictor.cost_by_threads((2, 1), within_s=1.5)
    assert predictor.best_batch(32, within_s=1.5) == 1, "a batch gives nothing here"
    assert sum(given) - 1 <= clips_at_most
    assert set(costs) == ({1, 2} if seconds < 0.35 else set())
    if not costs:
        assert torch.get_num_threads() > 0


def test_without_a_limit_all_is_measured(predictor, monkeypatch):
    given = slow_network(predictor, 5.0, monkeypatch)
    predictor.warm_up()
    assert set(predictor.cost_by_threads((2, 1))) == {1, 2}
    predictor.best_batch(4)
    assert max(given) == 4


def test_no_memory_to_show_where_it_looked_is_no_end_of_the_device(predictor, monkeypatch):
    def too_much(*_):
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")

    monkeypatch.setattr("vidlabel.ml.predictor.saliency", too_much)
    with pytest.raises(ModelError, match="not enough free memory to show"):
        predictor.saliency(clips(1), 0)


class FakeEvent:
    """Stands in for a CUDA event: counts who waited for it."""

    def __init__(self):
        self.recorded = self.waited = 0

    def record(self, stream=None):
        self.recorded += 1

    def synchronize(self):
        self.waited += 1


class FakeStream:
    def __init__(self, device=None):
        self.waited_for = []

    def wait_event(self, event):
        self.waited_for.append(event)


def test_two_pinned_buffers_take_turns(monkeypatch):
    """The device is the processor here; what is tested is that no buffer is filled before it was copied out of."""
    computing = FakeStream()
    empty, to = torch.empty, torch.Tensor.to
    monkeypatch.setattr(torch.cuda, "Stream", FakeStream)
    monkeypatch.setattr(torch.cuda, "Event", FakeEvent)
    monkeypatch.setattr(torch.cuda, "stream", lambda stream: contextlib.nullcontext())
    monkeypatch.setattr(torch.cuda, "current_stream", lambda device: computing)
    monkeypatch.setattr(torch, "empty", lambda *shape, pin_memory, **kind: empty(*shape, **kind))
    monkeypatch.setattr(torch.Tensor, "record_stream", lambda self, stream: None)
    monkeypatch.setattr(torch.Tensor, "to", lambda self, *a, **k: to(self, *a, **k).clone())
    staging = PinnedStaging(torch.device("cpu"))
    batches = [clips(count, seed=count) for count in (3, 3, 2, 4)]
    sent = [staging.send(frames) for frames in batches]
    for frames, there in zip(batches, sent, strict=True):
        np.testing.assert_array_equal(there.numpy(), frames)
    assert [event.waited for event in staging._copied] == [2, 2]
    assert [event.recorded for event in staging._copied] == [2, 2]
    assert computing.waited_for == [*staging._copied, *staging._copied]


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_the_gpu_says_what_the_cpu_says(loaded, predictor):
    frames = clips(8)
    on_gpu = Predictor(loaded, choose_device("cuda"), precision="float32")
    np.testing.assert_allclose(
        on_gpu.predict(frames).probabilities, predictor.predict(frames).probabilities, atol=1e-4
    )
