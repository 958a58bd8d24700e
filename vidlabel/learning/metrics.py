"""How well probabilities agree with the truth. numpy only.

Throughout, ``probabilities`` is floating (N, L) with rows that add up to 1, and ``truth`` is integer (N,)
with values in 0..L-1. Every measure of no clips at all is nan.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Probabilities = NDArray[np.floating[Any]]
Truth = NDArray[np.integer[Any]]

CALIBRATION_BINS = 15


def top_k_accuracy(probabilities: Probabilities, truth: Truth, *, k: int = 1) -> float:
    """Share of clips, 0..1, whose true label is among the ``k`` most probable.

    Of equal probabilities the label that stands earlier counts as the more probable, as on the screen.

    Raises:
        ValueError: shapes or values do not go together, or k is below 1.
    """
    _check(probabilities, truth)
    if k < 1:
        raise ValueError("k must be at least 1")
    if len(truth) == 0:
        return float("nan")
    own = probabilities[np.arange(len(truth)), truth][:, None]
    earlier = np.arange(probabilities.shape[1])[None, :] < truth[:, None]
    ahead = (probabilities > own) | ((probabilities == own) & earlier)
    return float(np.mean(ahead.sum(axis=1) < k))


def mean_class_accuracy(probabilities: Probabilities, truth: Truth) -> float:
    """Mean over the labels that occur of the share of their clips that is right: each label weighs the same.

    Raises:
        ValueError: shapes or values do not go together.
    """
    matrix = confusion_matrix(probabilities, truth)
    clips = matrix.sum(axis=1)
    present = clips > 0
    if not present.any():
        return float("nan")
    return float(np.mean(matrix.diagonal()[present] / clips[present]))


def confusion_matrix(probabilities: Probabilities, truth: Truth) -> NDArray[np.int64]:
    """Counts (L, L): row the true label, column the most probable one.

    Raises:
        ValueError: shapes or values do not go together.
    """
    _check(probabilities, truth)
    labels = probabilities.shape[1]
    said = probabilities.argmax(axis=1)
    cells = np.bincount(truth.astype(np.int64) * labels + said, minlength=labels * labels)
    return cells.reshape(labels, labels).astype(np.int64)


def reliability(
    probabilities: Probabilities, truth: Truth, *, bins: int = CALIBRATION_BINS
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]]:
    """The reliability plot: mean confidence, accuracy (nan in empty bins) and clips of each bin.

    The confidence is the highest probability; bins are of equal width and closed above, as in Guo et al.
    2017, "On Calibration of Modern Neural Networks".

    Raises:
        ValueError: shapes or values do not go together, or bins is below 1.
    """
    _check(probabilities, truth)
    if bins < 1:
        raise ValueError("bins must be at least 1")
    confidence = probabilities.max(axis=1).astype(np.float64)
    right = (probabilities.argmax(axis=1) == truth).astype(np.float64)
    index = np.clip(np.ceil(confidence * bins).astype(np.int64) - 1, 0, bins - 1)
    clips = np.bincount(index, minlength=bins).astype(np.int64)
    with np.errstate(invalid="ignore"):
        mean_confidence = np.bincount(index, weights=confidence, minlength=bins) / clips
        accuracy = np.bincount(index, weights=right, minlength=bins) / clips
    return mean_confidence, accuracy, clips


def expected_calibration_error(
    probabilities: Probabilities, truth: Truth, *, bins: int = CALIBRATION_BINS
) -> float:
    """Mean distance of confidence and accuracy over the bins, weighted by clips, 0..1 (Guo et al. 2017).

    Raises:
        ValueError: as ``reliability``.
    """
    confidence, accuracy, clips = reliability(probabilities, truth, bins=bins)
    filled = clips > 0
    if not filled.any():
        return float("nan")
    return float(np.average(np.abs(confidence - accuracy)[filled], weights=clips[filled]))


def _check(probabilities: Probabilities, truth: Truth) -> None:
    if probabilities.ndim != 2 or truth.shape != probabilities.shape[:1]:
        raise ValueError(
            f"expected (N, L) probabilities and (N,) labels, got {probabilities.shape}, {truth.shape}"
        )
    if not np.isfinite(probabilities).all():
        raise ValueError("a probability is no number")
    if len(truth) and (truth.min() < 0 or truth.max() >= probabilities.shape[1]):
        raise ValueError("a true label is not among the labels")
