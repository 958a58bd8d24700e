"""Makes a confidence mean what it says: one temperature for a model (Guo et al. 2017). numpy only."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vidlabel.learning.metrics import Probabilities, Truth

_COLDEST, _HOTTEST = 0.05, 20.0
_SMALLEST = 1e-12


def calibrated(probabilities: Probabilities, temperature: float) -> NDArray[np.float32]:
    """Probabilities (N, L) sharpened (below 1) or softened (above 1); their order does not change.

    Raises:
        ValueError: the temperature is not above 0.
    """
    if not 0 < temperature < float("inf"):
        raise ValueError("a temperature must be above 0")
    logits = np.log(np.maximum(probabilities.astype(np.float64), _SMALLEST)) / temperature
    weights = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(weights / weights.sum(axis=1, keepdims=True), dtype=np.float32)


def fit_temperature(probabilities: Probabilities, truth: Truth) -> float:
    """The temperature, 0.05..20, under which the truth is least surprising; 1.0 for no clips.

    Give clips the model was not fitted on. The loss is convex in the inverse temperature, so a golden-section
    search finds its one minimum.
    """
    if len(truth) == 0:
        return 1.0
    logits = np.log(np.maximum(probabilities.astype(np.float64), _SMALLEST))
    logits -= logits.max(axis=1, keepdims=True)
    own = logits[np.arange(len(truth)), truth]

    def loss(inverse: float) -> float:
        return float(np.mean(np.log(np.exp(logits * inverse).sum(axis=1)) - own * inverse))

    low, high = 1 / _HOTTEST, 1 / _COLDEST
    golden = (5**0.5 - 1) / 2
    while high - low > 1e-5:
        left, right = high - golden * (high - low), low + golden * (high - low)
        if loss(left) <= loss(right):
            high = right
        else:
            low = left
    return 2 / (low + high)
