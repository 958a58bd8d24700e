from __future__ import annotations

import numpy as np
import pytest
import torch

from tests.ml.conftest import LABELS, PREPROCESSING
from vidlabel.core.errors import DeviceError, ModelError
from vidlabel.ml.devices import choose_device
from vidlabel.ml.input import to_input
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

    def limited(frames):
        tried.append(len(frames))
        if len(frames) > limit:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")
        return run(frames)

    monkeypatch.setattr(predictor, "_run", limited)
    return tried


def test_a_prediction_is_the_networks_own_answer(predictor, loaded):
    frames = clips(5)
    prediction = predictor.predict(frames)
    with torch.inference_mode():
        logits, embedding = loaded.module.embed(to_input(frames, PREPROCESSING, "cpu", torch.float32))
    assert prediction.probabilities.dtype == np.float32 and prediction.embeddings.dtype == np.float16
    np.testing.assert_allclose(prediction.probabilities, logits.softmax(1).numpy(), atol=2e-6)
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


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_the_gpu_says_what_the_cpu_says(loaded, predictor):
    frames = clips(8)
    on_gpu = Predictor(loaded, choose_device("cuda"))
    np.testing.assert_allclose(
        on_gpu.predict(frames).probabilities, predictor.predict(frames).probabilities, atol=1e-4
    )
