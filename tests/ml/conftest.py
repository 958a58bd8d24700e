"""A small untrained model whose batch norms do something, so that folding them shows."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

from vidlabel.ml.modelfile import LoadedModel, load_model, save_model
from vidlabel.ml.networks import Embedder, build
from vidlabel.ml.preprocess import Preprocessing

LABELS = ("wave", "throw", "catch")
SMALL = {"widths": [8, 12, 16], "blocks": [1, 1], "time_strides": [1, 2]}
PREPROCESSING = Preprocessing(frames=4, height=16, width=16)


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def network() -> Embedder:
    with torch.random.fork_rng():
        torch.manual_seed(1)
        made = build("compact3d", labels=len(LABELS), **SMALL)
        for module in made.modules():
            if isinstance(module, nn.BatchNorm3d):
                nn.init.uniform_(module.weight, 0.5, 1.5)
                nn.init.normal_(module.bias)
                nn.init.normal_(module.running_mean)
                nn.init.uniform_(module.running_var, 0.5, 2.0)
    return made.eval()


@pytest.fixture
def model_path(tmp_path: Path, network: Embedder) -> Path:
    path = tmp_path / "small.safetensors"
    save_model(
        path,
        network,
        name="small",
        network="compact3d",
        network_args=SMALL,
        labels=LABELS,
        preprocessing=PREPROCESSING,
        card={"data": "none", "top1": 0.1},
        license="Apache-2.0",
    )
    return path


@pytest.fixture
def loaded(model_path: Path) -> LoadedModel:
    return load_model(model_path)
