"""How a model is fitted, and what is told of it: plain values."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Literal

# Options that runs begun earlier do not know, with the value that changes nothing.
ADDED = {"cutmix": 0.0, "layer_decay": 1.0, "pieces": 1}

Kind = Literal["started", "step", "epoch", "checkpoint", "finished", "stopped"]


@dataclass(frozen=True, kw_only=True)
class FitOptions:
    """How to fit.

    Args:
        epochs: passes over the clips, at least 1.
        peak_rate: the highest learning rate, reached after the warm-up.
        warmup: share of all steps in which the rate rises, 0..1; then it falls along a cosine.
        weight_decay: of AdamW, on weights and not on biases or norms.
        label_smoothing: share of the truth spread over all labels, 0..1 (Szegedy et al. 2016).
        mixup: alpha of mixup (Zhang et al. 2018); 0 is none.
        average: decay of the weights' running average, which then is measured and kept; None is none.
        clip_norm: the largest gradient norm; longer ones are shortened.
        precision: of the network's arithmetic; weights stay float32.
        seed: of dropout and mixup (the order of clips is the batches' own).
        checkpoint_steps: steps between checkpoints, besides those at the end of each epoch.
        cutmix: alpha of CutMix (Yun et al. 2019); 0 is none. With mixup too, chance decides for each batch.
        layer_decay: by how much slower each layer learns than the one above it, above 0 to 1 (see ``groups``).
        pieces: parts in which a batch goes through the network, for batches that do not fit into memory.
    """

    epochs: int
    peak_rate: float = 1e-3
    warmup: float = 0.1
    weight_decay: float = 0.05
    label_smoothing: float = 0.1
    mixup: float = 0.0
    average: float | None = None
    clip_norm: float = 1.0
    precision: Literal["float32", "bfloat16"] = "float32"
    seed: int = 0
    checkpoint_steps: int = 500
    cutmix: float = 0.0
    layer_decay: float = 1.0
    pieces: int = 1

    def __post_init__(self) -> None:
        shares = (self.warmup, self.label_smoothing, self.average if self.average is not None else 0.0)
        if self.epochs < 1 or self.checkpoint_steps < 1 or not all(0 <= share < 1 for share in shares):
            raise ValueError(
                "epochs and checkpoint_steps are at least 1; warmup, smoothing and average in 0..1"
            )
        if min(self.peak_rate, self.clip_norm) <= 0 or min(self.weight_decay, self.mixup, self.cutmix) < 0:
            raise ValueError(
                "peak_rate and clip_norm are above 0; weight_decay, mixup and cutmix not below 0"
            )
        if not 0 < self.layer_decay <= 1 or self.pieces < 1:
            raise ValueError("layer_decay is above 0 and at most 1; pieces is at least 1")
        if self.precision not in ("float32", "bfloat16"):
            raise ValueError("precision is 'float32' or 'bfloat16'")


@dataclass(frozen=True, kw_only=True)
class FitProgress:
    """Plain values for a progress line; ``kind`` says what has just happened.

    ``loss`` is the mean since the epoch's beginning, ``metrics`` what ``validate`` answered (``epoch`` only).
    """

    kind: Kind
    epoch: int
    step: int
    steps: int
    loss: float = math.nan
    rate: float = 0.0
    metrics: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class FitResult:
    """How a run ended: ``history`` has one dict an epoch (epoch, loss, and what ``validate`` answered)."""

    state: Literal["finished", "stopped"]
    step: int
    history: tuple[dict[str, float], ...]


def learning_rate(step: int, steps: int, options: FitOptions) -> float:
    """The rate of a step: up along a line, down along a cosine to a thousandth of the peak (one cycle)."""
    rising = max(1, round(steps * options.warmup))
    if step < rising:
        return options.peak_rate * (step + 1) / rising
    fallen = (step - rising) / max(1, steps - rising)
    return options.peak_rate * (0.001 + 0.999 * 0.5 * (1 + math.cos(math.pi * fallen)))
