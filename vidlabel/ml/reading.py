"""From a kept embedding to probabilities: the head, always in float64 and always from float16 values."""

from __future__ import annotations

import copy

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from vidlabel.ml.networks import Embedder


class Reading:
    """A network's last layers on the processor.

    They read the embedding as it is kept, rounded to float16, and sum in float64: so a clip's probabilities
    hang on its embedding alone, not on device, batch or order of summing.
    """

    def __init__(self, network: Embedder) -> None:
        self._head: nn.Linear = copy.deepcopy(network.head).to("cpu", torch.float64)
        self._grouping: nn.Module | None = (
            None if network.grouping is None else copy.deepcopy(network.grouping).to("cpu")
        )

    def probabilities(self, embeddings: NDArray[np.float16]) -> NDArray[np.float32]:
        """float16 (B, D) to float32 (B, L), rows adding up to 1; NaN in a row that leads to no numbers.

        Raises:
            ValueError: the embeddings are of another size or type.
        """
        wanted = self._head.in_features
        if embeddings.dtype != np.float16 or embeddings.ndim != 2 or embeddings.shape[1] != wanted:
            raise ValueError(f"expected float16 (B, {wanted}), got {embeddings.dtype} {embeddings.shape}")
        with torch.inference_mode():
            logits = self._head(torch.from_numpy(embeddings.astype(np.float64)))
            if self._grouping is not None:
                logits = self._grouping(logits)
            probabilities = torch.softmax(logits, dim=1).to(torch.float32)
        found: NDArray[np.float32] = probabilities.numpy()
        return found
