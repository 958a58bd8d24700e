"""How each kind of network is fine-tuned, unless the command line says otherwise.

Each ingredient is published practice: a rate that falls from layer to layer towards the input (Howard and Ruder 2018,
"ULMFiT"; Bao et al. 2022, "BEiT"), warm-up and a cosine (Loshchilov and Hutter 2017), label smoothing (Szegedy et al.
2016), mixup (Zhang et al. 2018), with CutMix (Yun et al. 2019) for the transformers, a running average of the weights.
The values were chosen by hand and not searched for: HMDB51 was not at hand.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from vidlabel.core.errors import TrainingError
from vidlabel.learning.options import FitOptions
from vidlabel.ml.networks import names


@dataclass(frozen=True, kw_only=True)
class Settings:
    """One recipe.

    Attributes:
        fit: see ``FitOptions``.
        batch: clips a step.
        dropout: before the head while training; None keeps the network's own.
        smallest: the smallest share of the picture shown in training.
    """

    fit: FitOptions
    batch: int
    dropout: float | None
    smallest: float = 0.4

    def but(self, **changes: Any) -> Settings:
        """The same with some values of either kind changed; None changes nothing."""
        wanted = {name: value for name, value in changes.items() if value is not None}
        own = {name: wanted.pop(name) for name in ("batch", "dropout", "smallest") if name in wanted}
        try:
            return replace(self, fit=replace(self.fit, **wanted), **own)
        except ValueError as error:
            raise TrainingError(f"These settings do not go together: {error}.") from error


_CONVOLUTIONAL = Settings(
    fit=FitOptions(
        epochs=30, peak_rate=5e-4, warmup=0.1, weight_decay=0.05, label_smoothing=0.1, mixup=0.2, average=0.999,
        clip_norm=1.0, layer_decay=0.7, checkpoint_steps=200,
    ),
    batch=32,
    dropout=0.5,
)  # fmt: skip
_TRANSFORMER = Settings(
    fit=FitOptions(
        epochs=30, peak_rate=4e-4, warmup=0.15, weight_decay=0.05, label_smoothing=0.1, mixup=0.8, cutmix=1.0,
        average=0.999, clip_norm=1.0, layer_decay=0.75, checkpoint_steps=200,
    ),
    batch=32,
    dropout=0.5,
    smallest=0.3,
)  # fmt: skip
_SMALL = Settings(
    fit=FitOptions(
        epochs=40, peak_rate=2e-3, warmup=0.1, weight_decay=0.05, label_smoothing=0.05, average=0.998,
        clip_norm=5.0, checkpoint_steps=200,
    ),
    batch=32,
    dropout=0.2,
    smallest=0.5,
)  # fmt: skip
_SMALL_NETWORKS = ("compact3d", "motion3d", "two_stream")


def settings_for(network: str) -> Settings:
    """The recipe of a network.

    Raises:
        TrainingError: there is no such network.
    """
    if network not in names():
        raise TrainingError(f"There is no network {network}. Known are {', '.join(names())}.")
    if network in _SMALL_NETWORKS:
        return _SMALL
    if (
        network == "s3d"
    ):  # as deep as two of the others: by the same factor its first layers would stand still
        return _CONVOLUTIONAL.but(layer_decay=0.85)
    return _TRANSFORMER if network.startswith(("mvit", "swin")) else _CONVOLUTIONAL
