"""What a run consists of and where it stands, as objects and as a checkpoint."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vidlabel.core.errors import TrainingError
from vidlabel.core.runs import Tunes
from vidlabel.learning.averaging import Average
from vidlabel.learning.batches import Batches
from vidlabel.learning.checkpoint import load_checkpoint
from vidlabel.learning.early import Best
from vidlabel.learning.groups import parameter_groups
from vidlabel.learning.options import FitOptions
from vidlabel.learning.trainable import Trainable

if TYPE_CHECKING:
    import torch

    from vidlabel.ml.networks import Embedder


class Run:
    """The network, its optimizer, its average and its best epoch, and the place in the clips."""

    def __init__(self, network: Embedder, batches: Batches, *, options: FitOptions, device: str) -> None:
        import torch

        if options.class_weights is not None and len(options.class_weights) != network.labels:
            raise ValueError(
                f"{len(options.class_weights)} class weights do not go with {network.labels} labels"
            )
        self.options = options
        self.device = device
        self.kind = torch.device(device).type
        self.network = network.to(device)
        self.trainable = Trainable(network, options.tunes)
        groups = parameter_groups(network, weight_decay=options.weight_decay, layer_decay=options.layer_decay)
        self.optimizer = torch.optim.AdamW(groups, lr=options.peak_rate)
        self.scaler = torch.amp.GradScaler(self.kind, enabled=options.precision == "float16")
        self.average = (
            Average(network, self.trainable.moving, options.average) if options.average is not None else None
        )
        self.best = Best(options.best_by, options.patience)
        self.length = len(batches)
        self.steps = options.epochs * math.ceil(self.length / options.accumulate)
        self.pieces = options.pieces
        self.epoch = self.place = self.step = 0
        wide = torch.float64 if self.kind != "mps" else torch.float32
        # Of the epoch so far: the sum of the losses of its steps, clips recognised, clips seen.
        self.loss_sum = torch.zeros((), dtype=wide, device=device)
        self.right = torch.zeros((), dtype=wide, device=device)
        self.clips = self.epoch_steps = 0
        self.history: list[dict[str, float]] = []
        self._frozen = "" if options.tunes is Tunes.ALL else _fingerprint(network, self.trainable.moving)

    @property
    def is_at_epoch_end(self) -> bool:
        """Whether all batches of the epoch were seen."""
        return self.place >= self.length

    @property
    def is_over(self) -> bool:
        """Whether nothing is left to do."""
        return self.epoch >= self.options.epochs or self.best.is_over

    def measured(self) -> Embedder:
        """The network that is measured and kept."""
        return (self.network if self.average is None else self.average.network).eval()

    def mean_loss(self) -> float:
        """Mean since the epoch's beginning; waits for the device.

        Raises:
            TrainingError: it is no number.
        """
        loss = self.loss_sum.item() / max(1, self.epoch_steps)
        if not math.isfinite(loss):
            advice = "." if self.options.precision == "float32" else " or in float32."
            raise TrainingError(
                f"After step {self.step} the loss is no longer a number. Fit with a lower learning rate{advice}",
                kind="nan",
            )
        return loss

    def end_epoch(self, metrics: dict[str, float]) -> bool:
        """Notes what was measured and moves to the next epoch; whether this one is the best so far."""
        loss = self.mean_loss()
        is_best = self.best.offer(self.epoch, metrics, self._moving(self.measured()))
        self.history.append({"epoch": float(self.epoch), "loss": loss, **metrics})
        self.epoch += 1
        self.place = self.clips = self.epoch_steps = 0
        self.loss_sum.zero_()
        self.right.zero_()
        return is_best

    def settle(self) -> None:
        """Leaves the network as it is to be used: the best, else the average, else the last weights."""
        if self.best.epoch is not None:
            _put(self.network, self.best.weights)
        elif self.average is not None:
            _put(self.network, self._moving(self.average.network))
        self.network.eval().cpu().requires_grad_(True)

    def state(self) -> dict[str, Any]:
        """All of it as tensors and plain values; of the weights those that training changes."""
        return {
            "run": self._identity(),
            "place": [self.epoch, self.place, self.step],
            "history": self.history,
            "loss_sum": self.loss_sum,
            "right": self.right,
            "counts": [self.clips, self.epoch_steps],
            "pieces": self.pieces,
            "network": self._moving(self.network),
            "average": self._moving(self.average.network) if self.average is not None else None,
            "best": self.best.state(),
            "optimizer": self.optimizer.state_dict(),
            "scaler": self.scaler.state_dict(),
        }

    def restore(self, path: Path) -> None:
        """Takes the state out of a checkpoint of the same run.

        Raises:
            TrainingError: there is none, it is damaged, or of another run.
        """
        state = load_checkpoint(path)
        other = TrainingError(
            f"{path}: the checkpoint is of another run (other clips, network or options).", kind="checkpoint"
        )
        if _comparable(state.get("run")) != _comparable(self._identity()):
            raise other
        try:
            _put(self.network, state["network"], exactly=self.trainable.moving)
            if self.average is not None:
                _put(self.average.network, state["average"], exactly=self.trainable.moving)
            self.optimizer.load_state_dict(state["optimizer"])
            self.scaler.load_state_dict(state.get("scaler", {}))
            if "best" in state:
                self.best.restore(state["best"])
            self.epoch, self.place, self.step = state["place"]
            self.history = list(state["history"])
            self.loss_sum.copy_(state["loss_sum"])
            self.right.copy_(state.get("right", self.right))
            # A checkpoint of before they were noted has steps of one batch each.
            self.clips, self.epoch_steps = state.get("counts", [0, self.place])
            self.pieces = state.get("pieces", self.pieces)
        except (KeyError, TypeError, ValueError, RuntimeError) as error:
            raise other from error

    def _moving(self, network: Embedder) -> dict[str, torch.Tensor]:
        return {name: value for name, value in network.state_dict().items() if name in self.trainable.moving}

    def _identity(self) -> dict[str, Any]:
        identity = {"options": self.options.identity(), "steps": self.steps, "labels": self.network.labels}
        return {**identity, "frozen": self._frozen} if self._frozen else identity


def load_kept(checkpoint: Path, network: Embedder) -> int | None:
    """Puts what a run would keep now into a network that was built and loaded as for ``fit``.

    Returns:
        The best epoch, counted from 0; None where none was measured: then it is the average or the last weights.

    Raises:
        TrainingError: there is no checkpoint, it is damaged, or of another network.
    """
    state = load_checkpoint(checkpoint)
    other = TrainingError(f"{checkpoint}: the checkpoint is of another network.", kind="checkpoint")
    try:
        moving = frozenset(state["network"])
        # What stayed as it was is not in there: the network has to bring it along.
        frozen = state["run"].get("frozen", "")
        if frozen != (_fingerprint(network, moving) if moving != set(network.state_dict()) else ""):
            raise other
        best = state.get("best", {"epoch": None, "weights": {}})
        _put(network, best["weights"] or state["average"] or state["network"], exactly=moving)
        epoch: int | None = best["epoch"]
    except (KeyError, TypeError, AttributeError, RuntimeError) as error:
        raise other from error
    network.eval()
    return epoch


def _put(
    network: Embedder, weights: Mapping[str, torch.Tensor], *, exactly: frozenset[str] | None = None
) -> None:
    """Some entries of a state dict into a network; KeyError where they are not those that were expected."""
    if exactly is not None and set(weights) != exactly:
        raise KeyError(next(iter(set(weights) ^ exactly)))
    _, foreign = network.load_state_dict(dict(weights), strict=False)
    if foreign:
        raise KeyError(foreign[0])


def _comparable(identity: Any) -> Any:
    """An identity without what may differ: in how many pieces a batch goes through follows from the memory."""
    if not isinstance(identity, dict) or not isinstance(identity.get("options"), dict):
        return identity
    return {**identity, "options": {k: v for k, v in identity["options"].items() if k != "pieces"}}


def _fingerprint(network: Embedder, moving: frozenset[str]) -> str:
    """Of the weights that stay as they are: they are not in the checkpoint, and must be the same when it goes on."""
    import torch

    found = hashlib.sha256()
    for name, value in sorted(network.state_dict().items()):
        if name not in moving:
            found.update(name.encode())
            found.update(value.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().tobytes())
    return found.hexdigest()
