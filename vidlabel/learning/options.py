"""How a model is fitted, and what is told of it: plain values."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from vidlabel.core.runs import Tunes

# Options that runs begun earlier do not know, with the value that changes nothing.
ADDED = {
    "cutmix": 0.0, "layer_decay": 1.0, "pieces": 1, "tunes": "all", "accumulate": 1, "patience": 0, "best_by": (),
    "class_weights": None,
}  # fmt: skip
# With others of these a run may be gone on with: when it is noted, and what fits into memory.
_FREE = ("checkpoint_steps", "pieces")

Kind = Literal["started", "step", "epoch", "checkpoint", "note", "paused", "resumed", "finished", "stopped"]


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
        precision: of the network's arithmetic; weights stay float32. In float16 the loss is scaled up, so that small
            gradients do not vanish (Micikevicius et al. 2018).
        seed: of dropout and mixup (the order of clips is the batches' own).
        checkpoint_steps: steps between checkpoints, besides those at the end of each epoch.
        cutmix: alpha of CutMix (Yun et al. 2019); 0 is none. With mixup too, chance decides for each batch.
        layer_decay: by how much slower each layer learns than the one above it, above 0 to 1 (see ``groups``).
        pieces: parts in which a batch goes through the network, for batches that do not fit into memory.
        tunes: which weights learn; the others stay as they are, with their norms and dropout (see ``trainable``).
        accumulate: batches whose gradients are added up before the weights move, at least 1: one step.
        best_by: what ``validate`` answers that decides which epoch is kept: the first name, the second among equals,
            and so on. Of a name with ``-`` before it the lowest is best. Empty keeps the last epoch.
        patience: epochs without a better one after which the run ends; 0 never ends it early.
        class_weights: by how much a clip of each label counts, in the order of the labels; None counts all alike.
    """

    epochs: int
    peak_rate: float = 1e-3
    warmup: float = 0.1
    weight_decay: float = 0.05
    label_smoothing: float = 0.1
    mixup: float = 0.0
    average: float | None = None
    clip_norm: float = 1.0
    precision: Literal["float32", "bfloat16", "float16"] = "float32"
    seed: int = 0
    checkpoint_steps: int = 500
    cutmix: float = 0.0
    layer_decay: float = 1.0
    pieces: int = 1
    tunes: Tunes = Tunes.ALL
    accumulate: int = 1
    best_by: tuple[str, ...] = ()
    patience: int = 0
    class_weights: tuple[float, ...] | None = None

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
        if not 0 < self.layer_decay <= 1 or min(self.pieces, self.accumulate) < 1:
            raise ValueError("layer_decay is above 0 and at most 1; pieces and accumulate are at least 1")
        if self.precision not in ("float32", "bfloat16", "float16"):
            raise ValueError("precision is 'float32', 'bfloat16' or 'float16'")
        if self.patience < 0 or (self.patience and not self.best_by):
            raise ValueError("patience is not below 0, and needs best_by to know what is better")
        if self.class_weights is not None and not all(0 < one < math.inf for one in self.class_weights):
            raise ValueError("class_weights are above 0")

    def identity(self) -> dict[str, Any]:
        """What makes a run this run, as plain values: a checkpoint of other options is of another run."""
        options = {**asdict(self), "tunes": self.tunes.value}
        # Those added later stay out where they change nothing: a run begun before can be gone on with.
        return {
            name: value
            for name, value in options.items()
            if name not in _FREE and ADDED.get(name, self) != value
        }


@dataclass(frozen=True, kw_only=True)
class FitProgress:
    """Plain values for a progress line; ``kind`` says what has just happened.

    Attributes:
        kind: what has just happened.
        epoch: passes done.
        step: steps done, of ``steps`` in all.
        steps: if the run goes through all its epochs.
        loss: mean since the epoch's beginning (of the epoch that ended, with ``epoch``).
        rate: learning rate of the head.
        metrics: what ``validate`` answered (``epoch`` only).
        best: whether this epoch is the best so far (``epoch`` only).
        train_top1: share of the training clips recognised as they were shown, 0..1 (``epoch`` only); None where clips
            are mixed or the loss is not the labels' own.
        clips_per_s: of all processes together, since the last ``step``; nan where nothing was measured.
        left_s: seconds to the last epoch's end at this pace; nan where nothing was measured.
        seconds: what the epoch took, with its measuring, without pauses (``epoch`` only).
        memory_mb: the most taken on the GPU so far; None elsewhere.
        words: what a person should know (``note`` only).
    """

    kind: Kind
    epoch: int
    step: int
    steps: int
    loss: float = math.nan
    rate: float = 0.0
    metrics: dict[str, float] = field(default_factory=dict)
    best: bool = False
    train_top1: float | None = None
    clips_per_s: float = math.nan
    left_s: float = math.nan
    seconds: float = math.nan
    memory_mb: float | None = None
    words: str = ""


@dataclass(frozen=True)
class FitResult:
    """How a run ended.

    Attributes:
        state: ``stopped`` can be gone on with.
        step: steps done.
        history: one dict an epoch (epoch, loss, and what ``validate`` answered).
        best_epoch: the one whose weights the network has now, counted from 0; None without ``best_by``.
        early: whether patience ended it.
    """

    state: Literal["finished", "stopped"]
    step: int
    history: tuple[dict[str, float], ...]
    best_epoch: int | None = None
    early: bool = False


def learning_rate(step: int, steps: int, options: FitOptions) -> float:
    """The rate of a step: up along a line, down along a cosine to a thousandth of the peak (one cycle)."""
    rising = max(1, round(steps * options.warmup))
    if step < rising:
        return options.peak_rate * (step + 1) / rising
    fallen = (step - rising) / max(1, steps - rising)
    return options.peak_rate * (0.001 + 0.999 * 0.5 * (1 + math.cos(math.pi * fallen)))
