"""What a run makes small: the labels' cross-entropy, and how far off the network's idea is of where the actor is."""

from __future__ import annotations

import torch
from torch.nn import functional

from vidlabel.learning.batches import Batch
from vidlabel.ml.networks import Embedder
from vidlabel.ml.networks.motion import Motion3D


class LabelsAndPerson:
    """A loss for ``fit`` of a ``Motion3D``; of another network it is the labels' cross-entropy alone.

    Args:
        smoothing: share of the truth spread over all labels, 0 to 1.
        label: weight of the labels; 0 teaches only where the actor is.
        person: weight of where the actor is; with 0 it is told of every clip.
    """

    def __init__(self, *, smoothing: float, label: float, person: float) -> None:
        self._smoothing, self._label, self._person = smoothing, label, person

    def __call__(self, network: Embedder, x: torch.Tensor, batch: Batch) -> torch.Tensor:
        """A scalar in float32."""
        labels = torch.from_numpy(batch.labels).to(x.device)
        if not isinstance(network, Motion3D):
            return functional.cross_entropy(network(x).float(), labels, label_smoothing=self._smoothing)
        if batch.covers is None or batch.told is None:
            raise ValueError(
                "a network that finds the person cannot learn it from clips that do not say where"
            )
        covers = torch.from_numpy(batch.covers).to(x.device).float() / 255
        height, width = covers.shape[-2:]
        outline = functional.adaptive_avg_pool2d(covers, ((height + 1) // 2, (width + 1) // 2))
        loss = torch.zeros((), device=x.device)
        if self._person > 0:
            person = network.find(x).float()
            loss = self._person * person_loss(person, outline)
            told = torch.from_numpy(batch.told).to(x.device)[:, None, None, None]
            outline = torch.where(told, outline, torch.sigmoid(person))
        if self._label > 0:
            logits = network.read(network.outline_forward(outline, size=(height, width))).float()
            loss = loss + self._label * functional.cross_entropy(
                logits, labels, label_smoothing=self._smoothing
            )
        return loss


def person_loss(seen: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
    """Twice the binary cross-entropy and half of the overlap (Dice): about the same size.

    Args:
        seen: logits (B, T, h, w).
        truth: (B, T, h, w), 1 where the actor is, else 0.
    """
    own = torch.sigmoid(seen)
    overlap = (2 * (own * truth).sum((1, 2, 3)) + 1) / ((own + truth).sum((1, 2, 3)) + 1)
    return 2 * functional.binary_cross_entropy_with_logits(seen, truth) + 0.5 * (1 - overlap).mean()
