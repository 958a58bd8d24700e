"""How good a network is on the validation clips, after each epoch."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from vidlabel.learning.metrics import confusion_matrix, mean_class_accuracy, top_k_accuracy

if TYPE_CHECKING:
    import torch

    from vidlabel.learning.batches import Batch
    from vidlabel.ml.networks import Embedder
    from vidlabel.ml.preprocess import Preprocessing

RECALL = "recall:"
"""A metric of one label is this and its name."""


class Measuring:
    """Validation: called by ``fit`` with the network in eval mode.

    Args:
        clips: walked once each time it measures.
        labels: names, in the order of the network's outputs.
        preprocessing: of the model.
        device: where the network is.
        precision: of its arithmetic; on a CPU it is always float32.
    """

    def __init__(
        self,
        clips: Callable[[], Iterable[Batch]],
        labels: Sequence[str],
        *,
        preprocessing: Preprocessing,
        device: str,
        precision: str = "float32",
    ) -> None:
        self._clips, self._labels = clips, tuple(labels)
        self._preprocessing, self._device, self._precision = preprocessing, device, precision

    def __call__(self, network: Embedder) -> dict[str, float]:
        """val_loss, val_top1, val_mean_class, and the recall of each label that has clips; nan without clips."""
        logits: list[NDArray[np.float64]] = []
        truth: list[NDArray[np.int64]] = []
        for batch in self._clips():
            if len(batch.labels):
                logits.append(self._logits(network, batch).double().cpu().numpy())
                truth.append(batch.labels)
        if not truth:
            return {"val_loss": math.nan, "val_top1": math.nan, "val_mean_class": math.nan}
        return figures(np.concatenate(logits), np.concatenate(truth), self._labels)

    def _logits(self, network: Embedder, batch: Batch) -> torch.Tensor:
        import torch

        from vidlabel.ml.input import to_input

        if batch.frames.ndim == 2:
            return network.read(torch.from_numpy(batch.frames).to(self._device))
        frames = np.asarray(batch.frames, np.uint8)
        kind = torch.device(self._device).type
        dtype = torch.float16 if self._precision == "float16" else torch.bfloat16
        reduced = kind == "cuda" and self._precision != "float32"
        with torch.autocast(kind, dtype, enabled=reduced):
            logits: torch.Tensor = network(to_input(frames, self._preprocessing, self._device))
        return logits


def figures(logits: NDArray[np.float64], truth: NDArray[np.int64], labels: Sequence[str]) -> dict[str, float]:
    """The metrics of logits (N, L) and true labels (N,), N at least 1; logits that are no numbers give nan."""
    if not np.isfinite(logits).all():
        return {"val_loss": math.nan, "val_top1": math.nan, "val_mean_class": math.nan}
    shifted = logits - logits.max(axis=1, keepdims=True)
    logs = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    probabilities = np.exp(logs)
    confusion = confusion_matrix(probabilities, truth)
    clips, right = confusion.sum(axis=1), confusion.diagonal()
    recall = {
        f"{RECALL}{label}": float(right[place] / clips[place])
        for place, label in enumerate(labels)
        if clips[place]
    }
    return {
        "val_loss": float(-logs[np.arange(len(truth)), truth].mean()),
        "val_top1": top_k_accuracy(probabilities, truth),
        "val_mean_class": mean_class_accuracy(probabilities, truth),
        **recall,
    }


def recalls(metrics: Mapping[str, float]) -> dict[str, float]:
    """The recall of each label by its name, out of the metrics."""
    return {name.removeprefix(RECALL): value for name, value in metrics.items() if name.startswith(RECALL)}
