"""Two clips in one, with both labels in proportion: a network is surer than it should be without."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class Mixed:
    """A batch: ``x`` holds ``share`` of the clips of ``labels`` and the rest of those of ``others``."""

    x: torch.Tensor
    labels: torch.Tensor
    others: torch.Tensor
    share: float = 1.0

    def part(self, piece: slice) -> Mixed:
        """Some of its clips."""
        return Mixed(self.x[piece], self.labels[piece], self.others[piece], self.share)

    def loss(
        self, logits: torch.Tensor, *, smoothing: float, weights: torch.Tensor | None = None
    ) -> torch.Tensor:
        """The mean cross-entropy with both labels, in proportion.

        Args:
            logits: (B, labels).
            smoothing: share of the truth spread over all labels.
            weights: float (labels,), by how much a clip of each label counts; None counts all alike.
        """
        loss = _cross_entropy(logits, self.labels, smoothing, weights)
        if self.share == 1:
            return loss
        other = _cross_entropy(logits, self.others, smoothing, weights)
        return self.share * loss + (1 - self.share) * other


def mixed(
    x: torch.Tensor, labels: torch.Tensor, *, mixup: float, cutmix: float, rng: np.random.Generator
) -> Mixed:
    """Mixes each clip of a batch with another one of it.

    Args:
        x: (B, 3, T, H, W).
        labels: int64 (B,).
        mixup: alpha of mixup, which blends two clips (Zhang et al. 2018); 0 is none.
        cutmix: alpha of CutMix, which puts a box of one into the other, the same in all frames (Yun et al. 2019);
            0 is none. With both, chance decides for each batch.
        rng: decides.
    """
    import torch

    if mixup <= 0 and cutmix <= 0:
        return Mixed(x, labels, labels)
    boxed = cutmix > 0 and (mixup <= 0 or rng.random() < 0.5)
    alpha = cutmix if boxed else mixup
    share = float(rng.beta(alpha, alpha))
    order = torch.from_numpy(rng.permutation(len(labels))).to(x.device)
    if not boxed:
        return Mixed(x.lerp(x[order], 1 - share), labels, labels[order], share)
    height, width = x.shape[-2:]
    side = (1 - share) ** 0.5
    top, bottom = _edges(height, side, rng)
    left, right = _edges(width, side, rng)
    x = x.clone()
    x[..., top:bottom, left:right] = x[order][..., top:bottom, left:right]
    taken = (bottom - top) * (right - left) / (height * width)
    return Mixed(x, labels, labels[order], 1 - taken)


def pieces(clips: int, wanted: int, *, least: int = 2) -> Iterator[slice]:
    """A batch in up to ``wanted`` parts of about one size, none smaller than ``least``: batch norm needs two clips."""
    count = max(1, min(wanted, clips // least))
    bounds = [clips * place // count for place in range(count + 1)]
    return (slice(start, end) for start, end in pairwise(bounds))


def _cross_entropy(
    logits: torch.Tensor, labels: torch.Tensor, smoothing: float, weights: torch.Tensor | None
) -> torch.Tensor:
    from torch.nn import functional as F

    if weights is None:
        return F.cross_entropy(logits, labels, label_smoothing=smoothing)
    # torch's own weighted mean divides by the weights of the clips at hand: parts of a batch would not add up.
    each = F.cross_entropy(logits, labels, label_smoothing=smoothing, reduction="none")
    return (each * weights[labels]).mean()


def _edges(length: int, side: float, rng: np.random.Generator) -> tuple[int, int]:
    """A stretch of ``side`` of a length around a random place, cut off at the ends."""
    middle, half = int(rng.integers(length)), round(length * side) // 2
    return max(0, middle - half), min(length, middle + half)
