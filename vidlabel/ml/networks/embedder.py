"""What every network of vidlabel can do: logits for the labels, and the embedding they were read from."""

from __future__ import annotations

from abc import abstractmethod

import torch
from torch import nn

from vidlabel.ml.grouping import Grouping
from vidlabel.ml.networks.grouped import Grouped


class Embedder(nn.Module):
    """A trunk that turns a clip into an embedding, and a linear ``head`` that reads the labels from it.

    Attributes:
        head: the last layer; ``head.weight`` is (labels, embedding size) in every network, so that a
            model file can be checked and a head replaced without knowing the network.
        grouping: None, or what gathers the head's outputs into the labels (of a model whose head knows
            other classes than its labels); it has no weights and is not in the state dict.
        channels_last: whether the network is faster in channels_last_3d memory order.
    """

    head: nn.Linear
    grouping: Grouped | None
    channels_last: bool = True

    def __init__(self, embedding_size: int, labels: int, *, dropout: float = 0.0) -> None:
        super().__init__()
        if labels < 1:
            raise ValueError("a network needs at least one label")
        if not 0.0 <= dropout < 1.0:
            raise ValueError("dropout must be in 0..1, 1 excluded")
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(embedding_size, labels)
        self.register_module("grouping", None)

    @abstractmethod
    def trunk_forward(self, x: torch.Tensor) -> torch.Tensor:
        """(B, 3, T, H, W) to the embedding (B, D)."""

    def embed(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """(B, 3, T, H, W) to logits (B, labels) and embedding (B, D)."""
        embedding = self.trunk_forward(x)
        return self.read(embedding), embedding

    def read(self, embedding: torch.Tensor) -> torch.Tensor:
        """The embedding (B, D) to logits (B, labels): the only way, so that a stored one reads the same."""
        logits: torch.Tensor = self.head(self.dropout(embedding))
        return logits if self.grouping is None else self.grouping(logits)

    def outside(self, embedding: torch.Tensor) -> torch.Tensor:
        """The embedding (B, D) to the share (B,), in 0..1, that the head gives to classes of no label.

        0 where the head's classes are the labels.
        """
        if self.grouping is None:
            return embedding.new_zeros(len(embedding))
        return self.grouping.outside(self.head(self.dropout(embedding)))

    def group(self, grouping: Grouping) -> None:
        """From now on the head's classes are gathered into labels.

        Raises:
            ValueError: the grouping is for another number of classes than the head's.
        """
        if len(grouping.classes) != self.head.out_features:
            raise ValueError(
                f"the head tells {self.head.out_features} classes apart, not {len(grouping.classes)}"
            )
        self.grouping = Grouped(grouping)

    def replace_head(self, labels: int) -> None:
        """A fresh head for ``labels`` labels on the same trunk; a grouping goes with the old head.

        Raises:
            ValueError: ``labels`` is below 1.
        """
        if labels < 1:
            raise ValueError("a network needs at least one label")
        like = self.head.weight
        self.head = nn.Linear(self.embedding_size, labels, device=like.device, dtype=like.dtype)
        self.grouping = None

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(B, 3, T, H, W) to logits (B, labels)."""
        return self.embed(x)[0]

    @property
    def embedding_size(self) -> int:
        """D, the length of an embedding."""
        return self.head.in_features

    @property
    def labels(self) -> int:
        """How many labels the network tells apart."""
        return self.head.out_features if self.grouping is None else self.grouping.labels
