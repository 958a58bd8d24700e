"""What every network of vidlabel can do: logits for the labels, and the embedding they were read from."""

from __future__ import annotations

from abc import abstractmethod

import torch
from torch import nn


class Embedder(nn.Module):
    """A trunk that turns a clip into an embedding, and a linear ``head`` that reads the labels from it.

    Attributes:
        head: the last layer; ``head.weight`` is (labels, embedding size) in every network, so that a
            model file can be checked and a head replaced without knowing the network.
        channels_last: whether the network is faster in channels_last_3d memory order.
    """

    head: nn.Linear
    channels_last: bool = True

    def __init__(self, embedding_size: int, labels: int, *, dropout: float = 0.0) -> None:
        super().__init__()
        if labels < 1:
            raise ValueError("a network needs at least one label")
        if not 0.0 <= dropout < 1.0:
            raise ValueError("dropout must be in 0..1, 1 excluded")
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(embedding_size, labels)

    @abstractmethod
    def trunk_forward(self, x: torch.Tensor) -> torch.Tensor:
        """(B, 3, T, H, W) to the embedding (B, D)."""

    def embed(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """(B, 3, T, H, W) to logits (B, labels) and embedding (B, D)."""
        embedding = self.trunk_forward(x)
        return self.head(self.dropout(embedding)), embedding

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(B, 3, T, H, W) to logits (B, labels)."""
        return self.embed(x)[0]

    @property
    def embedding_size(self) -> int:
        """D, the length of an embedding."""
        return self.head.in_features

    @property
    def labels(self) -> int:
        """How many labels the head tells apart."""
        return self.head.out_features
