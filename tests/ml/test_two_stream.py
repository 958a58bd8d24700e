"""The bundled model's network: two streams, one linear head."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from vidlabel.core.errors import ModelError
from vidlabel.ml.devices import choose_device
from vidlabel.ml.modelfile import load_model, save_model
from vidlabel.ml.networks import build
from vidlabel.ml.networks.stills import FEATURES
from vidlabel.ml.networks.two_stream import TwoStream
from vidlabel.ml.predictor import Predictor
from vidlabel.ml.preprocess import Preprocessing

MOTION = {"network": "compact3d", "args": {"widths": [4, 4, 8, 8], "blocks": [1, 1, 1]}}
ARGUMENTS = {
    "motion": MOTION,
    "motion_size": 16,
    "motion_scale": [[1.0, 1.0, 1.0], [0.0, 0.0, 0.0]],
    "stills": [1, 3],
    "groups": [[0, 1], [999]],
}


def _network() -> TwoStream:
    torch.manual_seed(0)
    network = build("two_stream", labels=3, **ARGUMENTS)
    assert isinstance(network, TwoStream)
    return network.eval()


def test_the_embedding_holds_movement_features_and_evidence_side_by_side() -> None:
    network = _network()
    x = torch.randn(2, 3, 4, 32, 32)
    with torch.inference_mode():
        logits, embedding = network.embed(x)
        features, evidence = network.seen(x)
        small = torch.nn.functional.avg_pool3d(x, (1, 2, 2))
        motion = network.motion.trunk_forward(small)
        read = network.read(embedding)
    assert embedding.shape == (2, 8 + FEATURES + 2) and logits.shape == (2, 3)
    torch.testing.assert_close(embedding[:, :8], motion)
    torch.testing.assert_close(embedding[:, 8:-2].norm(dim=1), torch.ones(2))
    torch.testing.assert_close(embedding[:, -2:], evidence)
    torch.testing.assert_close(logits, read)
    assert features.shape == (2, FEATURES)


def test_evidence_is_the_share_of_a_group_among_all_things_over_the_chosen_frames() -> None:
    network = _network()
    with torch.inference_mode():
        network.stills.classes.weight.zero_()
        network.stills.classes.bias.zero_()
        network.stills.classes.bias[999] = 20.0
        _features, evidence = network.seen(torch.randn(1, 3, 4, 32, 32))
    assert evidence[0, 1].exp() == pytest.approx(1.001, abs=1e-3)
    assert evidence[0, 0].exp() == pytest.approx(0.001, abs=1e-3)


def test_only_the_named_frames_are_looked_at() -> None:
    network = _network()
    x = torch.randn(1, 3, 4, 32, 32)
    other = x.clone()
    other[:, :, [0, 2]] = torch.randn(1, 3, 2, 32, 32)
    with torch.inference_mode():
        same, changed = network.seen(x)[0], network.seen(other)[0]
    torch.testing.assert_close(same, changed)


def test_a_saved_model_comes_back_with_the_same_answers(tmp_path: Path) -> None:
    network = _network()
    network.usual.fill_(0.25)
    preprocessing = Preprocessing(frames=4, height=32, width=32)
    file = tmp_path / "model.safetensors"
    save_model(
        file, network, name="two", network="two_stream", network_args=ARGUMENTS, labels=("a", "b", "c"),
        preprocessing=preprocessing,
    )  # fmt: skip
    loaded = load_model(file)
    frames = np.random.default_rng(0).integers(0, 256, (2, 4, 32, 32, 3), dtype=np.uint8)
    told = Predictor(loaded, choose_device("cpu")).predict(frames)
    again = Predictor(load_model(file), choose_device("cpu")).from_embeddings(told.embeddings)
    np.testing.assert_array_equal(told.probabilities, again)
    assert isinstance(loaded.module, TwoStream)
    torch.testing.assert_close(loaded.module.usual, network.usual)


@pytest.mark.parametrize("wrong", [{"groups": [[1000]]}, {"stills": []}, {"groups": []}, {"motion": {}}])
def test_arguments_that_make_no_sense_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ModelError, match="two_stream"):
        build("two_stream", labels=3, **{**ARGUMENTS, **wrong})
