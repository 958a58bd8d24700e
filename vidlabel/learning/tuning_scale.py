"""Embeddings brought to one scale, so that a head learns from all of their numbers alike."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from vidlabel.ml.networks import Embedder

_FLAT = 1e-4
"""A number that varies less than this part of the liveliest one is not blown up any further."""


@dataclass(frozen=True, eq=False)
class Scale:
    """Mean and deviation of each number of an embedding, float64 (D,).

    A head on scaled embeddings is the same as another head on plain ones: nothing of the scale is left in the model.
    """

    mean: NDArray[np.float64]
    deviation: NDArray[np.float64]

    @classmethod
    def of(cls, values: NDArray[np.float16]) -> Scale:
        """The scale of embeddings (N, D)."""
        wide = values.astype(np.float64)
        deviation = wide.std(axis=0)
        least = _FLAT * float(deviation.max())
        return cls(wide.mean(axis=0), np.maximum(deviation, least) if least > 0 else np.ones(wide.shape[1]))

    def scaled(self, values: NDArray[np.float16]) -> NDArray[np.float32]:
        """Embeddings (N, D) with mean 0 and deviation 1."""
        return np.asarray((values.astype(np.float64) - self.mean) / self.deviation, np.float32)

    def enter(self, network: Embedder) -> None:
        """Changes the head into the same one for scaled embeddings."""
        self._change(network, into=True)

    def leave(self, network: Embedder) -> None:
        """The inverse of ``enter``."""
        self._change(network, into=False)

    def _change(self, network: Embedder, *, into: bool) -> None:
        import torch

        head = network.head
        with torch.no_grad():
            mean, deviation = torch.from_numpy(self.mean), torch.from_numpy(self.deviation)
            weight = head.weight.double().cpu()
            changed = weight * deviation if into else weight / deviation
            shift = weight @ mean if into else -(changed @ mean)
            head.bias.copy_((head.bias.double().cpu() + shift).to(head.bias.dtype))
            head.weight.copy_(changed.to(head.weight.dtype))
