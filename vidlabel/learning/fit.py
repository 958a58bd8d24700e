"""The training loop. It can be stopped after any step and resumed to the very same numbers.

What depends on chance or on time is a function of the step (batches, learning rate, mixup) or is in the
checkpoint (weights, optimizer, averages, generators); so on a CPU a resumed run ends bitwise equal.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from vidlabel.core.errors import TrainingError
from vidlabel.learning.batches import Batch, Batches
from vidlabel.learning.checkpoint import load_checkpoint, save_checkpoint
from vidlabel.learning.generators import generator_states, own_generators, set_generator_states
from vidlabel.learning.groups import parameter_groups
from vidlabel.learning.mixing import mixed, pieces
from vidlabel.learning.options import ADDED, FitOptions, FitProgress, FitResult, Kind, learning_rate

if TYPE_CHECKING:
    import torch

    from vidlabel.ml.networks import Embedder
    from vidlabel.ml.preprocess import Preprocessing

# Reading the loss makes the processor wait for the GPU: not at every step.
REPORT_STEPS = 10

__all__ = ["FitOptions", "FitProgress", "FitResult", "Loss", "Validate", "fit", "learning_rate"]

Validate = Callable[["Embedder"], dict[str, float]]
Loss = Callable[["Embedder", "torch.Tensor", Batch], "torch.Tensor"]
"""From the network, its input and the batch to a single number; called under autocast."""


def fit(
    network: Embedder,
    batches: Batches,
    *,
    preprocessing: Preprocessing,
    options: FitOptions,
    device: str = "cpu",
    loss: Loss | None = None,
    validate: Validate | None = None,
    checkpoint: Path | None = None,
    resume: Path | None = None,
    should_stop: Callable[[], bool] = lambda: False,
    on_progress: Callable[[FitProgress], None] = lambda progress: None,
) -> FitResult:
    """Fits a network in place; at the end it is on the CPU in eval mode, averaged if asked for.

    Args:
        network: what ``networks.build`` gave, fresh or loaded.
        batches: see ``Batches``.
        preprocessing: gives mean and std.
        options: see ``FitOptions``.
        device: torch's name of the device.
        loss: what is made small instead of the labels' cross-entropy; mixup and label smoothing are then its own.
        validate: measures the network after each epoch (it is in eval mode, on the device).
        checkpoint: where to keep the state; None keeps none.
        resume: a checkpoint of the same run to go on from; a finished run's answers its result at once.
        should_stop: asked after each step; true ends the run with a checkpoint.
        on_progress: told what happens, in this thread.

    Raises:
        TrainingError: the loss is no longer a number, or the checkpoint is not of this run.
        OSError: a checkpoint cannot be written.
    """
    import torch

    run = _Run(network, batches, options=options, device=device, loss=loss)
    with own_generators(device):
        torch.manual_seed(options.seed)
        if resume is not None:
            run.restore(resume)
        tell = _Teller(run, checkpoint, on_progress)
        tell("started")
        while run.epoch < options.epochs:
            for batch in batches.epoch(run.epoch, first=run.place):
                run.train_on(batch, preprocessing)
                if run.step % REPORT_STEPS == 0:
                    tell("step")
                ended = run.place == len(batches)
                if not ended and run.step % options.checkpoint_steps == 0:
                    tell.save()
                if not ended and should_stop():
                    return tell.end("stopped")
            metrics = run.finish_epoch(validate)
            tell("epoch", metrics)
            tell.save()
            if run.epoch < options.epochs and should_stop():
                return tell.end("stopped")
    return tell.end("finished")


class _Run:
    """What a run is made of: the network, its optimizer, its average, and where it stands."""

    def __init__(
        self, network: Embedder, batches: Batches, *, options: FitOptions, device: str, loss: Loss | None
    ) -> None:
        import torch

        self.options = options
        self.loss = loss
        self.device = device
        self.network = network.to(device)
        groups = parameter_groups(network, weight_decay=options.weight_decay, layer_decay=options.layer_decay)
        self.optimizer = torch.optim.AdamW(groups, lr=options.peak_rate)
        self.average = copy.deepcopy(network).eval() if options.average is not None else None
        self.steps = options.epochs * len(batches)
        self.epoch = self.place = self.step = 0
        self.loss_sum = torch.zeros(
            (), dtype=torch.float64 if device != "mps" else torch.float32, device=device
        )
        self.history: list[dict[str, float]] = []

    def train_on(self, batch: Batch, preprocessing: Preprocessing) -> None:
        """One step: forward, backward, weights, average."""
        import torch

        from vidlabel.ml.input import to_input

        options = self.options
        rate = learning_rate(self.step, self.steps, options)
        for group in self.optimizer.param_groups:
            group["lr"] = rate * group.get("scale", 1.0)
        self.network.train()
        x = to_input(batch.frames, preprocessing, self.device)
        self.optimizer.zero_grad(set_to_none=True)
        for share, loss in self._losses(x, batch):
            loss = loss * share
            loss.backward()  # type: ignore[no-untyped-call]
            self.loss_sum += loss.detach()
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), options.clip_norm)
        self.optimizer.step()
        self.step += 1
        self.place += 1
        if self.average is not None and options.average is not None:
            # Early on the weights move fast: an average as long as the whole run would lag behind.
            _average(self.average, self.network, min(options.average, self.step / (self.step + 10)))

    def _losses(self, x: torch.Tensor, batch: Batch) -> Iterator[tuple[float, torch.Tensor]]:
        """The losses of a batch's pieces, each with its share of the clips; one at a time, for memory's sake."""
        import torch

        options = self.options
        clips = None
        if self.loss is None:
            labels = torch.from_numpy(batch.labels).to(self.device)
            rng = np.random.default_rng([options.seed, self.step])
            clips = mixed(x, labels, mixup=options.mixup, cutmix=options.cutmix, rng=rng)
        kind = torch.device(self.device).type
        for piece in pieces(len(x), options.pieces):
            with torch.autocast(kind, torch.bfloat16, enabled=options.precision == "bfloat16"):
                if clips is None:
                    assert self.loss is not None
                    loss = self.loss(self.network, x[piece], batch.part(piece))
                else:
                    own = clips.part(piece)
                    loss = own.loss(self.network(own.x).float(), smoothing=options.label_smoothing)
            yield (piece.stop - piece.start) / len(x), loss

    def mean_loss(self) -> float:
        """Mean since the epoch's beginning; waits for the device."""
        loss = self.loss_sum.item() / max(1, self.place)
        if not math.isfinite(loss):
            raise TrainingError(
                f"After step {self.step} the loss is no longer a number. Fit with a lower learning rate"
                + (" or in float32." if self.options.precision == "bfloat16" else ".")
            )
        return loss

    def finish_epoch(self, validate: Validate | None) -> dict[str, float]:
        """Measures, notes and moves to the next epoch."""
        import torch

        metrics: dict[str, float] = {}
        if validate is not None:
            with torch.no_grad():
                metrics = validate((self.average or self.network).eval())
        self.history.append({"epoch": float(self.epoch), "loss": self.mean_loss(), **metrics})
        self.epoch += 1
        self.place = 0
        self.loss_sum.zero_()
        return metrics

    def settle(self) -> None:
        """Leaves the network as it is to be used."""
        if self.average is not None:
            self.network.load_state_dict(self.average.state_dict())
        self.network.eval().cpu()

    def state(self) -> dict[str, Any]:
        """All of it as tensors and plain values."""
        return {
            "run": self._identity(),
            "place": [self.epoch, self.place, self.step],
            "history": self.history,
            "loss_sum": self.loss_sum,
            "network": self.network.state_dict(),
            "average": self.average.state_dict() if self.average is not None else None,
            "optimizer": self.optimizer.state_dict(),
            "generators": generator_states(self.device),
        }

    def restore(self, path: Path) -> None:
        """Takes the state out of a checkpoint of the same run."""
        state = load_checkpoint(path)
        other = TrainingError(f"{path}: the checkpoint is of another run (other clips, network or options).")
        if state.get("run") != self._identity():
            raise other
        try:
            self.network.load_state_dict(state["network"])
            if self.average is not None:
                self.average.load_state_dict(state["average"])
            self.optimizer.load_state_dict(state["optimizer"])
            self.epoch, self.place, self.step = state["place"]
            self.history = list(state["history"])
            self.loss_sum.copy_(state["loss_sum"])
            set_generator_states(self.device, state["generators"])
        except (KeyError, TypeError, ValueError, RuntimeError) as error:
            raise other from error

    def _identity(self) -> dict[str, Any]:
        options = asdict(self.options)
        del options["checkpoint_steps"]
        # Those added later stay out where they change nothing: a run begun before can be gone on with.
        options = {name: value for name, value in options.items() if ADDED.get(name, self) != value}
        return {"options": options, "steps": self.steps, "labels": self.network.labels}


class _Teller:
    """Tells of a run's progress and keeps its checkpoint."""

    def __init__(
        self, run: _Run, checkpoint: Path | None, on_progress: Callable[[FitProgress], None]
    ) -> None:
        self.run = run
        self.checkpoint = checkpoint
        self.on_progress = on_progress

    def __call__(
        self,
        kind: Kind,
        metrics: dict[str, float] | None = None,
    ) -> None:
        run = self.run
        at_epoch_end = run.place == 0 and run.history
        loss = run.history[-1]["loss"] if at_epoch_end else run.mean_loss() if run.place else math.nan
        self.on_progress(
            FitProgress(
                kind=kind,
                epoch=run.epoch,
                step=run.step,
                steps=run.steps,
                loss=loss,
                rate=float(run.optimizer.param_groups[0]["lr"]),
                metrics=metrics or {},
            )
        )

    def save(self) -> None:
        """Keeps the state, if there is a place for it."""
        if self.checkpoint is not None:
            save_checkpoint(self.checkpoint, self.run.state())
            self("checkpoint")

    def end(self, state: Literal["finished", "stopped"]) -> FitResult:
        """Ends the run: a stopped one keeps its state first."""
        if state == "stopped":
            self.save()
        self.run.settle()
        self(state)
        return FitResult(state, self.run.step, tuple(dict(epoch) for epoch in self.run.history))


def _average(average: Embedder, network: Embedder, decay: float) -> None:
    import torch

    with torch.no_grad():
        new = network.state_dict()
        for key, value in average.state_dict().items():
            if value.is_floating_point():
                value.lerp_(new[key], 1 - decay)
            else:
                value.copy_(new[key])
