"""Each published network at its full input, from torchvision's state dict to the probabilities of a predictor."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torchvision.models import get_model

from vidlabel.core.catalogue import published_models
from vidlabel.ml.convert import to_model_file
from vidlabel.ml.devices import choose_device
from vidlabel.ml.input import to_input
from vidlabel.ml.modelfile import load_model
from vidlabel.ml.predictor import Predictor

QUICK = ("mc3_18_hmdb51",)


@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    "entry",
    [pytest.param(one, marks=[] if one.name in QUICK else [pytest.mark.slow]) for one in published_models()],
    ids=lambda entry: entry.name,
)
def test_an_installed_model_says_what_torchvisions_network_says(tmp_path, entry):
    classes = 400 if entry.classes == "kinetics400" else 51
    with torch.random.fork_rng():
        torch.manual_seed(0)
        original = get_model(entry.network, weights=None, num_classes=classes).eval()
    state = original.state_dict()
    if entry.origin == "hugging-face":
        state = {f"backbone.{key}": value for key, value in state.items()}
    info = to_model_file(entry, state, tmp_path / "m.safetensors")
    p = info.preprocessing
    clip = np.random.default_rng(0).integers(0, 256, (1, p.frames, p.height, p.width, 3), dtype=np.uint8)
    predictor = Predictor(load_model(info.path), choose_device("cpu"))
    prediction = predictor.predict(clip)
    with torch.inference_mode():
        shares = torch.softmax(original(to_input(clip, p, "cpu", torch.float32).contiguous()), dim=1)[0]
    if info.grouping is not None:
        pairs = zip(info.grouping.groups, info.grouping.shares(), strict=True)
        sums = [sum(float(shares[i]) * part for i, part in zip(*pair, strict=True)) for pair in pairs]
        wanted = np.array(sums) / sum(sums)
    else:
        wanted = shares.numpy()
    assert prediction.probabilities.shape == (1, len(info.labels))
    np.testing.assert_allclose(prediction.probabilities[0], wanted, atol=2e-3)
    again = predictor.from_embeddings(prediction.embeddings)
    np.testing.assert_array_equal(again, prediction.probabilities)
