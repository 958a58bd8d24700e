"""A catalogue of small models that a test's own server publishes, in the forms torchvision and the hub use."""

from __future__ import annotations

import hashlib
import io
import json
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from tests.helpers.weights_server import WeightsServer
from vidlabel.ml.convert import to_model_file
from vidlabel.ml.modelfile import ModelInfo
from vidlabel.ml.networks import build

SMALL: dict[str, Any] = {"widths": [8, 12, 16], "blocks": [1, 1], "time_strides": [1, 2]}
CLIPS = {"frames": 4, "height": 16, "width": 16}
TORCHVISION, HUB = "tiny", "tiny_hub"
REPOSITORY = "someone/tiny-hmdb51"


def convert_here(name: str, raw: Path, out: Path, *, revision: str, stop: threading.Event) -> ModelInfo:
    """``converter.convert_apart`` without the process: torch is loaded here already, and tests are many."""
    del stop
    return to_model_file(name, raw, out, revision=revision)


def state(labels: int = 51, *, seed: int = 1) -> dict[str, torch.Tensor]:
    """The weights of a small untrained network."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return dict(build("compact3d", labels=labels, **SMALL).state_dict())


def pickled(content: object) -> bytes:
    """As ``torch.save`` writes it."""
    file = io.BytesIO()
    torch.save(content, file)
    return file.getvalue()


@dataclass
class Published:
    """What the server publishes, and the environment in which this program finds it."""

    server: WeightsServer
    file: str
    content: bytes
    environment: dict[str, str] = field(default_factory=dict)

    def publish(self, content: bytes) -> None:
        """Other bytes under the same name: what a damaged or wrong server would give."""
        self.server.add(self.file, content)


def publish(server: WeightsServer, folder: Path) -> Published:
    """Puts one model as torchvision's and one as the hub's on the server, and writes their catalogue."""
    from safetensors.torch import save

    content = pickled(state())
    file = f"tiny-{hashlib.sha256(content).hexdigest()[:8]}.pth"
    server.add(file, content)
    server.add_repository(
        REPOSITORY, {"README.md": b"# tiny", "weights.pth": content, "model.safetensors": save(state(seed=2))}
    )
    entries = [
        _entry(
            TORCHVISION, origin="torchvision", weights="Tiny_Weights.DEFAULT", file=file, size=len(content)
        ),
        _entry(HUB, origin="hugging-face", repository=REPOSITORY, size=len(content)),
    ]
    catalogue = folder / "catalogue.json"
    catalogue.write_text(json.dumps({"models": entries}), encoding="utf-8")
    environment = {
        "VIDLABEL_CATALOGUE": str(catalogue),
        "VIDLABEL_WEIGHTS_MIRROR": server.url,
        "HF_ENDPOINT": server.url,
        "HF_HOME": str(folder / "hf"),
    }
    return Published(server, file, content, environment)


def _entry(
    name: str, *, origin: str, size: int, weights: str = "", file: str = "", repository: str = ""
) -> dict[str, Any]:
    return {
        "name": name, "title": name.title(), "summary": "A small network.", "when": "In tests.",
        "network": "compact3d", "network_args": SMALL, "origin": origin, "weights": weights,
        "repository": repository, "file": file, "sha256_start": "", "download_bytes": size,
        "download_exact": True, "parameters": 9000, "gmacs": 0.001, "published_gflops": None,
        "preprocessing": CLIPS, "frame_rate": None, "classes": "hmdb51", "trained_on": "nothing",
        "licence": "Apache-2.0",
        "scores": [{"on": "HMDB51 split 1", "top1": 0.02, "top5": None, "source": "this test"}],
        "notes": ["Untrained."],
    }  # fmt: skip
