"""``resnet18_lstm``: an image network looks at each picture, and an LSTM reads what it saw in their order.

The recurrent alternative to 3D convolutions (Donahue et al. 2015, "Long-term Recurrent Convolutional Networks for
Visual Recognition and Description"). Time is only seen by the LSTM, so any number of pictures will do.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import nn
from torchvision.models import resnet18

from vidlabel.ml.networks.embedder import Embedder

FEATURES = 512
"""Numbers that ResNet-18 makes of one picture."""


class ResNetLstm(Embedder):
    """torchvision's ResNet-18 on each picture, an LSTM over them, the mean of its outputs as the embedding.

    The mean and not the last output: a clip's action may end before the clip does.

    Args:
        labels: how many labels the head tells apart.
        hidden: size of the LSTM's state.
        both_ways: also read from the end to the beginning, which doubles the embedding.
        dropout: share of the embedding dropped while training, in 0..1.
    """

    channels_last = False

    def __init__(
        self, labels: int, *, hidden: int = 256, both_ways: bool = False, dropout: float = 0.3
    ) -> None:
        super().__init__(hidden * (2 if both_ways else 1), labels, dropout=dropout)
        pictures = resnet18(weights=None)
        pictures.fc = nn.Identity()
        self.trunk = pictures
        self.lstm = nn.LSTM(FEATURES, hidden, batch_first=True, bidirectional=both_ways)

    def trunk_forward(self, x: torch.Tensor) -> torch.Tensor:
        time = x.shape[2]
        pictures: torch.Tensor = x.transpose(1, 2).flatten(0, 1)
        seen: torch.Tensor = self.trunk(pictures)
        outputs: torch.Tensor = self.lstm(seen.reshape(-1, time, FEATURES))[0]
        return outputs.mean(dim=1)

    def load_trunk(self, weights: Mapping[str, torch.Tensor]) -> None:
        """Takes the image network from torchvision's state dict of a ResNet-18 (its head is left out).

        ``ResNet18_Weights`` are for pictures scaled by ImageNet's mean and deviation: the preprocessing of a
        model that starts from them has to say so.

        Raises:
            RuntimeError: torch's own account of the keys and shapes that do not fit.
        """
        trunk = {key: value for key, value in weights.items() if not key.startswith("fc.")}
        self.trunk.load_state_dict(trunk, strict=True)
