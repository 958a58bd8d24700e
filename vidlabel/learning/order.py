"""How unsure a model is of a clip, and the words that say why the clip stands where it does in the queue."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Probabilities = NDArray[np.floating[Any]]

VERY_SURE = 0.9
CLOSE = 0.1
FAINT = 0.2

NO_SUGGESTION = "No suggestion yet"


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


def least_sure_first(margins: NDArray[np.floating[Any]]) -> NDArray[np.intp]:
    """Clips by rising margin; those without a suggestion (nan) come last, equals keep their order."""
    return np.argsort(margins, kind="stable")


def surest_first(margins: NDArray[np.floating[Any]]) -> NDArray[np.intp]:
    """Clips by falling margin; those without a suggestion (nan) come last, equals keep their order."""
    return np.argsort(-margins, kind="stable")


def reason(probabilities: Probabilities | None, labels: Sequence[str]) -> str:
    """One line for beside the clip.

    Args:
        probabilities: floating (L,) adding up to 1, or None without a suggestion.
        labels: L names in the same order.

    Raises:
        ValueError: there are not as many labels as probabilities.
    """
    if probabilities is None or len(labels) == 0:
        return NO_SUGGESTION
    if probabilities.shape != (len(labels),):
        raise ValueError(f"{len(labels)} labels do not go with probabilities of shape {probabilities.shape}")
    order = np.argsort(-probabilities, kind="stable")[:2]
    best = [(labels[index], float(probabilities[index])) for index in order]
    return reason_from_best(best)


def reason_from_best(best: Sequence[tuple[str, float]]) -> str:
    """Like ``reason``, from the stored suggestions: (label, probability), the most probable first."""
    if not best:
        return NO_SUGGESTION
    (label, probability), *others = best
    if others and probability - others[0][1] < CLOSE and probability >= FAINT:
        other, second = others[0]
        return f"The two best labels are close: {label} {percent(probability)}, {other} {percent(second)}"
    if probability >= VERY_SURE:
        return f"Very sure: {label} {percent(probability)}"
    if probability >= 0.5:
        return f"Fairly sure: {label} {percent(probability)}"
    if probability >= FAINT:
        return f"Not sure: {label} {percent(probability)} at best"
    return f"Many labels are possible: {label} {percent(probability)} at best"


def percent(probability: float) -> str:
    """A probability in whole percent; never "100 %" or "0 %" of what is not certain."""
    rounded = round(probability * 100)
    if rounded >= 100 and probability < 1:
        return "over 99 %"
    if rounded <= 0 < probability:
        return "under 1 %"
    return f"{rounded} %"
