"""From a person's settings to how the network is fitted: what is left to the program is decided here."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from vidlabel.core.runs import TrainSettings, Tunes
from vidlabel.learning.balance import class_weights
from vidlabel.learning.options import FitOptions

BEST_BY = ("val_mean_class", "-val_loss")
"""Each label counts the same, however many clips it has; among equals the surer one is better."""
_RATES = {Tunes.HEAD: 3e-3, Tunes.LAST: 1e-3, Tunes.ALL: 5e-4}
_STEPS_AN_EPOCH = 8
_SMALLEST_BATCH = 4
_LARGEST_BATCH = {Tunes.HEAD: 64, Tunes.LAST: 32, Tunes.ALL: 32}
_CHECKPOINT_STEPS = 50


def fit_options(
    settings: TrainSettings,
    *,
    labels: Sequence[int],
    count: int,
    measured: bool,
    precision: str,
    pieces: int = 1,
) -> FitOptions:
    """The options of a run.

    Args:
        settings: as chosen; zeros are decided here.
        labels: of the training clips, each 0..count-1.
        count: how many labels there are.
        measured: whether there are validation clips to choose the best epoch by.
        precision: of the arithmetic.
        pieces: parts in which a batch goes through the network.
    """
    head = settings.tunes is Tunes.HEAD
    truth = np.asarray(labels, np.int64)
    return FitOptions(
        epochs=settings.epochs,
        peak_rate=settings.rate or _RATES[settings.tunes],
        weight_decay=settings.weight_decay,
        label_smoothing=settings.label_smoothing,
        # Mixed embeddings are no embeddings of mixed clips.
        mixup=0.0 if head else settings.mixup,
        average=settings.average or None,
        precision="float32" if head else precision,  # type: ignore[arg-type]
        seed=settings.seed,
        checkpoint_steps=_CHECKPOINT_STEPS,
        layer_decay=1.0 if head else settings.layer_decay,
        pieces=pieces,
        tunes=settings.tunes,
        accumulate=settings.accumulate,
        best_by=BEST_BY if measured else (),
        patience=settings.patience if measured else 0,
        class_weights=class_weights(truth, count) if settings.balance == "loss" else None,
    )


def suitable_batch(clips: int, tunes: Tunes) -> int:
    """Clips a step where nobody said how many: several steps an epoch, also with few clips.

    Returns:
        A power of two.
    """
    size = _SMALLEST_BATCH
    while size * 2 * _STEPS_AN_EPOCH <= clips and size < _LARGEST_BATCH[tunes]:
        size *= 2
    return size
