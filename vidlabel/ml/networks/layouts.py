"""Names of weights: torchvision's own for its networks, and ours (``trunk.…`` and ``head.…``), both ways."""

from __future__ import annotations

from collections.abc import Mapping

import torch

State = Mapping[str, torch.Tensor]

# Where each of torchvision's families keeps its last layer: the attribute, and the linear layer in it.
_LAST = {
    "r": ("fc", "fc"),
    "m": ("head", "head.1"),
    "s": ("classifier", "classifier.1"),
    "w": ("head", "head"),
}
# How wrappers call a last layer of their own.
_OTHERS = ("fc", "head", "classifier", "cls_head", "linear", "last_linear")


def head_attribute(network: str) -> str | None:
    """torchvision's attribute for the network's last layer; None where the network is not torchvision's."""
    family = _family(network)
    return _LAST[family][0] if family else None


def from_torchvision(network: str, state: State) -> dict[str, torch.Tensor]:
    """Weights of torchvision's layout (or of ours already) in ours.

    The last layer may stand under a name of its own, or be a 1x1x1 convolution as S3D's. Where there is none,
    or more than one layer at its place, the result has no ``head.weight``.
    """
    attribute = head_attribute(network)
    if attribute is None or any(key.startswith("trunk.") for key in state):
        return dict(state)
    for name in dict.fromkeys((attribute, *_OTHERS)):
        head = _linear({key: value for key, value in state.items() if key.startswith(f"{name}.")})
        if head:
            trunk = {f"trunk.{key}": value for key, value in state.items() if not key.startswith(f"{name}.")}
            return {**trunk, **head}
    return {f"trunk.{key}": value for key, value in state.items()}


def to_torchvision(network: str, state: State) -> dict[str, torch.Tensor]:
    """Weights of our layout in torchvision's; of our own networks they stay as they are."""
    family = _family(network)
    if family is None:
        return dict(state)
    last = _LAST[family][1]
    renamed = {
        f"{last}.{key.removeprefix('head.')}"
        if key.startswith("head.")
        else key.removeprefix("trunk."): value
        for key, value in state.items()
    }
    if family == "s":
        renamed[f"{last}.weight"] = renamed[f"{last}.weight"][:, :, None, None, None]
    return renamed


def _linear(layers: State) -> dict[str, torch.Tensor]:
    """The one linear layer among these weights as ``head.…``; empty if there is none or several."""
    weights = [key for key, value in layers.items() if key.endswith(".weight") and value.ndim in (2, 5)]
    if len(weights) != 1 or any(size != 1 for size in layers[weights[0]].shape[2:]):
        return {}
    weight = layers[weights[0]]
    head = {"head.weight": weight.flatten(1)}
    bias = layers.get(weights[0].removesuffix("weight") + "bias")
    return head if bias is None else {**head, "head.bias": bias}


def _family(network: str) -> str | None:
    if network.startswith("swin3d"):
        return "w"
    if network == "s3d":
        return "s"
    if network.startswith("mvit"):
        return "m"
    return "r" if network in ("r3d_18", "mc3_18", "r2plus1d_18") else None
