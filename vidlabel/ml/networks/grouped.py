"""Logits of a head's own classes gathered into the labels that a model suggests."""

from __future__ import annotations

import math

import torch
from torch import nn

from vidlabel.ml.grouping import Grouping


class Grouped(nn.Module):
    """Adds up the probabilities of the classes that mean one label.

    With class probabilities ``softmax(z)``, the probability of a group is the sum over its members (a member
    of two groups gives each half), so its logit is ``logsumexp`` of the members' logits, each with the
    logarithm of its share added. A softmax over the groups then renormalises over the labels: what the head
    gave to classes outside every group is shared out in proportion. How much that was, ``outside`` tells.

    Nothing here is trained, and nothing of it is in a state dict.
    """

    members: torch.Tensor
    log_shares: torch.Tensor
    others: torch.Tensor

    def __init__(self, grouping: Grouping) -> None:
        super().__init__()
        longest = max(len(group) for group in grouping.groups)
        # Shorter groups are filled up with a class of no weight, so that one indexing gathers them all.
        members = [[*group, *[group[0]] * (longest - len(group))] for group in grouping.groups]
        log_shares = [
            [*map(math.log, shares), *[-math.inf] * (longest - len(shares))] for shares in grouping.shares()
        ]
        named = {index for group in grouping.groups for index in group}
        others = sorted(set(range(len(grouping.classes))) - named)
        self.classes = len(grouping.classes)
        self.register_buffer("members", torch.tensor(members), persistent=False)
        self.register_buffer("log_shares", torch.tensor(log_shares), persistent=False)
        self.register_buffer("others", torch.tensor(others, dtype=torch.int64), persistent=False)

    @property
    def labels(self) -> int:
        """How many labels come out."""
        return self.members.shape[0]

    def forward(self, logits: torch.Tensor) -> torch.Tensor:
        """Class logits (B, classes) to label logits (B, labels)."""
        return torch.logsumexp(logits[:, self.members] + self.log_shares.to(logits.dtype), dim=2)

    def outside(self, logits: torch.Tensor) -> torch.Tensor:
        """Class logits (B, classes) to the share (B,), in 0..1, that went to classes of none of the labels."""
        return torch.softmax(logits, dim=1)[:, self.others].sum(dim=1)
