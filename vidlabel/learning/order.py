"""How unsure a model is of a clip. The words for it stand in ``core/reasons.py``."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Probabilities = NDArray[np.floating[Any]]


def margin(probabilities: Probabilities) -> NDArray[np.float64]:
    """The best probability less the second best, 0..1; small is unsure.

    Args:
        probabilities: floating (..., L), each row adding up to 1.

    Returns:
        float64 (...); 1 where there is only one label.
    """
    if probabilities.shape[-1] == 1:
        return np.ones(probabilities.shape[:-1])
    best = np.partition(probabilities.astype(np.float64), -2, axis=-1)
    return np.asarray(best[..., -1] - best[..., -2])


def entropy(probabilities: Probabilities) -> NDArray[np.float64]:
    """The entropy as a share of the largest possible, 0 (one label is certain) to 1 (all are equally likely).

    Args:
        probabilities: floating (..., L), each row adding up to 1.

    Returns:
        float64 (...); 0 where there is only one label.
    """
    labels = probabilities.shape[-1]
    if labels == 1:
        return np.zeros(probabilities.shape[:-1])
    values = probabilities.astype(np.float64)
    # p log p goes to 0 with p, but numpy would answer nan.
    terms = values * np.log(np.where(values > 0, values, 1.0))
    return np.asarray(np.clip(-terms.sum(axis=-1) / np.log(labels), 0.0, 1.0))
