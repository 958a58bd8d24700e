"""Measures a model on clips whose label is known."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from vidlabel.core.errors import StoppedError
from vidlabel.learning.calibration import fit_temperature
from vidlabel.learning.metrics import (
    Probabilities,
    Truth,
    confusion_matrix,
    expected_calibration_error,
    mean_class_accuracy,
    top_k_accuracy,
)

if TYPE_CHECKING:
    from vidlabel.ml.predictor import Predictor


@dataclass(frozen=True)
class LabelFigures:
    """One label: its clips, the share of them recognised, the share of its suggestions that were right."""

    label: str
    clips: int
    recall: float | None
    precision: float | None


@dataclass(frozen=True)
class Evaluation:
    """The figures of ``vidlabel evaluate``; shares in 0..1, nan where there were no clips.

    Attributes:
        clips: how many were measured.
        top1: share whose most probable label is right.
        top5: share whose right label is among the five most probable.
        mean_class: mean over the labels of the share that is right.
        ece: expected calibration error, 15 bins.
        confusion: int64 (L, L), row the true label, column the suggested one.
        labels: figures of each label, in the model's order.
    """

    clips: int
    top1: float
    top5: float
    mean_class: float
    ece: float
    confusion: NDArray[np.int64]
    labels: tuple[LabelFigures, ...]

    def to_json(self) -> dict[str, Any]:
        """Plain values; nan becomes None, which JSON can hold."""
        figures = {
            name: _number(getattr(self, name)) for name in ("clips", "top1", "top5", "mean_class", "ece")
        }
        return {
            **figures,
            "confusion": self.confusion.tolist(),
            "labels": [vars(label) for label in self.labels],
        }


def evaluate_probabilities(probabilities: Probabilities, truth: Truth, labels: Sequence[str]) -> Evaluation:
    """All figures from probabilities (N, L) and true labels (N,), 0..L-1.

    Raises:
        ValueError: shapes or values do not go together.
    """
    if probabilities.ndim != 2 or probabilities.shape[1] != len(labels):
        raise ValueError(f"{len(labels)} labels do not go with probabilities of shape {probabilities.shape}")
    confusion = confusion_matrix(probabilities, truth)
    clips, suggested, right = confusion.sum(axis=1), confusion.sum(axis=0), confusion.diagonal()
    return Evaluation(
        clips=len(truth),
        top1=top_k_accuracy(probabilities, truth, k=1),
        top5=top_k_accuracy(probabilities, truth, k=5),
        mean_class=mean_class_accuracy(probabilities, truth),
        ece=expected_calibration_error(probabilities, truth),
        confusion=confusion,
        labels=tuple(
            LabelFigures(
                label,
                int(clips[index]),
                float(right[index] / clips[index]) if clips[index] else None,
                float(right[index] / suggested[index]) if suggested[index] else None,
            )
            for index, label in enumerate(labels)
        ),
    )


def predict_all(
    predictor: Predictor,
    batches: Iterable[tuple[NDArray[np.uint8], NDArray[np.int64]]],
    *,
    should_stop: Callable[[], bool] = lambda: False,
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Runs a model over batches of (frames uint8 (B, T, H, W, 3), labels int64 (B,)).

    Returns:
        Probabilities float32 (N, L) and true labels int64 (N,).

    Raises:
        StoppedError: ``should_stop`` answered true between two batches.
        DeviceError, ModelError: as ``Predictor.predict``.
    """
    probabilities = [np.empty((0, len(predictor.info.labels)), np.float32)]
    truth = [np.empty(0, np.int64)]
    for frames, labels in batches:
        if should_stop():
            raise StoppedError("The evaluation was stopped.")
        probabilities.append(predictor.predict(frames).probabilities)
        truth.append(labels)
    return np.concatenate(probabilities), np.concatenate(truth)


def evaluate_model(
    predictor: Predictor,
    batches: Iterable[tuple[NDArray[np.uint8], NDArray[np.int64]]],
    *,
    should_stop: Callable[[], bool] = lambda: False,
) -> Evaluation:
    """Runs a model over batches and measures it; arguments and errors as ``predict_all``."""
    probabilities, truth = predict_all(predictor, batches, should_stop=should_stop)
    return evaluate_probabilities(probabilities, truth, predictor.info.labels)


def measured_temperature(
    predictor: Predictor, batches: Iterable[tuple[NDArray[np.uint8], NDArray[np.int64]]]
) -> float:
    """The temperature that calibrates a model on clips it was not fitted on (see ``calibration``)."""
    return fit_temperature(*predict_all(predictor, batches))


def _number(value: float) -> float | None:
    return None if np.isnan(value) else value
