"""A network and clips so small that a fit takes a blink; shared by the tests of fitting."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import torch

from vidlabel.learning.batches import ArrayBatches, Batch
from vidlabel.learning.evaluate import evaluate_probabilities
from vidlabel.ml.input import to_input
from vidlabel.ml.networks.embedder import Embedder
from vidlabel.ml.preprocess import Preprocessing

P = Preprocessing(frames=2, height=8, width=8)
LABELS = 3
CLIPS = 22


class Tiny(Embedder):
    """A stem and three stages; with norms of batches or without, with dropout or without."""

    def __init__(self, *, normed: bool = False, dropout: float = 0.0) -> None:
        super().__init__(6, LABELS, dropout=dropout)
        self.stem = torch.nn.Conv3d(3, 6, (2, 4, 4), stride=(1, 4, 4))
        norm = torch.nn.BatchNorm3d if normed else torch.nn.Identity
        self.stages = torch.nn.Sequential(
            *[torch.nn.Sequential(torch.nn.Conv3d(6, 6, 1), norm(6), torch.nn.Tanh()) for _ in range(3)]
        )

    def trunk_forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.stages(self.stem(x)).mean((2, 3, 4))


def tiny(seed: int = 3, **how: object) -> Tiny:
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return Tiny(**how)


def clips(seed: int = 0, count: int = CLIPS) -> tuple[np.ndarray, np.ndarray]:
    """Each label has a colour of its own, half hidden in noise."""
    rng = np.random.default_rng(seed)
    labels = np.arange(count) % LABELS
    frames = rng.integers(0, 150, (count, 2, 8, 8, 3))
    frames[np.arange(count), ..., labels] += 60
    return frames.astype(np.uint8), labels.astype(np.int64)


def batches(size: int = 4, seed: int = 1) -> ArrayBatches:
    return ArrayBatches(*clips(), size=size, seed=seed)


class PartOf:
    """What one of several processes gets of each batch: neighbouring rows, as ``Dealing`` does."""

    def __init__(self, whole: ArrayBatches, rank: int, world: int) -> None:
        self._whole, self._rank, self._world = whole, rank, world

    def __len__(self) -> int:
        return len(self._whole)

    def epoch(self, number: int, *, first: int = 0) -> Iterator[Batch]:
        for batch in self._whole.epoch(number, first=first):
            count = len(batch.labels)
            start, end = (count * rank // self._world for rank in (self._rank, self._rank + 1))
            yield batch.part(slice(start, end))


def validation() -> Callable[[Embedder], dict[str, float]]:
    """Measures on clips of its own."""
    frames, labels = clips(seed=9)

    def validate(network: Embedder) -> dict[str, float]:
        logits = network(to_input(frames, P, "cpu"))
        found = evaluate_probabilities(torch.softmax(logits, 1).numpy(), labels, ("a", "b", "c"))
        loss = torch.nn.functional.cross_entropy(logits, torch.from_numpy(labels))
        return {"val_top1": found.top1, "val_loss": float(loss)}

    return validate


def weights(network: torch.nn.Module) -> torch.Tensor:
    return torch.cat([value.double().flatten() for value in network.state_dict().values()])
