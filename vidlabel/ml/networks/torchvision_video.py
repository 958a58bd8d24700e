"""torchvision's video networks behind the one interface: the same trunks, our own head."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import torch
from torch import nn
from torchvision.models import get_model

from vidlabel.ml.networks.embedder import Embedder
from vidlabel.ml.networks.layouts import head_attribute

# The dropout that stands before the last layer in torchvision's own networks.
_DROPOUT = {"mvit_v1_b": 0.5, "mvit_v2_s": 0.5, "s3d": 0.2}
_CHANNELS_LAST = ("r3d_18", "mc3_18", "r2plus1d_18", "s3d")


class _Pool(nn.Module):
    """S3D's own 2x7x7 window, or the mean of everything where the input is smaller than it was trained on."""

    def __init__(self) -> None:
        super().__init__()
        self.window = nn.AvgPool3d((2, 7, 7), stride=1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        fits = x.shape[2] >= 2 and x.shape[3] >= 7 and x.shape[4] >= 7
        return cast(torch.Tensor, self.window(x)) if fits else x.mean(dim=(2, 3, 4), keepdim=True)


class TorchvisionVideo(Embedder):
    """A torchvision video network without weights, its head replaced by a linear one for ``labels``.

    Args:
        name: torchvision's name of it.
        labels: how many labels the head tells apart.
        dropout: share of the embedding dropped while training; None takes the network's own.
        **args: handed to torchvision (the MViTs are made for 16 frames of 224x224 px and no other input).
    """

    def __init__(
        self,
        name: str,
        labels: int,
        *,
        dropout: float | None = None,
        **args: Any,
    ) -> None:
        attribute = head_attribute(name)
        if attribute is None:
            raise ValueError(f"torchvision has no video network {name}")
        trunk = cast(nn.Module, get_model(name, weights=None, **args))
        last = _last_layer(getattr(trunk, attribute))
        size = last.in_features if isinstance(last, nn.Linear) else last.in_channels
        super().__init__(size, labels, dropout=_DROPOUT.get(name, 0.0) if dropout is None else dropout)
        setattr(trunk, attribute, nn.Identity())
        if name == "s3d":
            trunk.avgpool = _Pool()
        self.trunk = trunk
        self.channels_last = name in _CHANNELS_LAST
        self._head_attribute = attribute

    def trunk_forward(self, x: torch.Tensor) -> torch.Tensor:
        return cast(torch.Tensor, self.trunk(x))

    def load_trunk(self, weights: Mapping[str, torch.Tensor]) -> None:
        """Takes the trunk from torchvision's own state dict of this network (its head is left out).

        Raises:
            RuntimeError: torch's own account of the keys and shapes that do not fit.
        """
        trunk = {
            key: value for key, value in weights.items() if not key.startswith(f"{self._head_attribute}.")
        }
        self.trunk.load_state_dict(trunk, strict=True)


def _last_layer(head: nn.Module) -> nn.Linear | nn.Conv3d:
    for module in reversed(list(head.modules())):
        if isinstance(module, nn.Linear | nn.Conv3d):
            return module
    raise ValueError("the network has no linear head to replace")
