"""A small untrained model and clips for it."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from tests.helpers.clips import numbered_clip
from vidlabel.core.messages import WantedClip
from vidlabel.ml.modelfile import ModelInfo, save_model
from vidlabel.ml.networks import build
from vidlabel.ml.preprocess import Preprocessing

LABELS = ("wave", "throw", "catch", "walk")
SMALL = {"widths": [8, 12, 16], "blocks": [1, 1], "time_strides": [1, 2]}


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> ModelInfo:
    torch.set_num_threads(1)
    with torch.random.fork_rng():
        torch.manual_seed(1)
        network = build("compact3d", labels=len(LABELS), **SMALL)
    return save_model(
        tmp_path_factory.mktemp("model") / "small.safetensors",
        network,
        name="small",
        network="compact3d",
        network_args=SMALL,
        labels=LABELS,
        preprocessing=Preprocessing(frames=4, height=16, width=16),
    )


@pytest.fixture(scope="session")
def films(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ...]:
    """Six different clips."""
    folder = tmp_path_factory.mktemp("films")
    return tuple(numbered_clip(folder / f"{n}.mp4", 8 + n, size=(64 + 16 * n, 48)) for n in range(6))


def wanted(path: Path, clip_id: int) -> WantedClip:
    """The whole of a clip."""
    return WantedClip(clip_id=clip_id, path=str(path), start_us=0, end_us=10_000_000)
