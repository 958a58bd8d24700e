"""From what the fitting says to the events of a run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from vidlabel.learning.options import FitProgress
from vidlabel.learning.tuning_measure import recalls

Tell = Callable[..., None]
"""Called with the name of an event and its values."""


class FitTeller:
    """For ``fit``'s ``on_progress``.

    Args:
        tell: where events go.
        started: what to say of the run when it begins: device, precision, batch, clips of each part.
        epochs: passes at most.
    """

    def __init__(self, tell: Tell, *, started: Mapping[str, Any], epochs: int) -> None:
        self._tell, self._started, self._epochs = tell, dict(started), epochs

    def __call__(self, progress: FitProgress) -> None:
        match progress.kind:
            case "started":
                self._tell(
                    "started", epochs=self._epochs, steps=progress.steps, resumed_at_step=progress.step,
                    **self._started,
                )  # fmt: skip
            case "step":
                self._tell(
                    "step", epoch=min(progress.epoch + 1, self._epochs), step=progress.step, steps=progress.steps,
                    loss=progress.loss, rate=progress.rate, clips_per_s=progress.clips_per_s,
                    left_s=progress.left_s, memory_mb=progress.memory_mb,
                )  # fmt: skip
            case "epoch":
                metrics = progress.metrics
                self._tell(
                    "epoch", epoch=progress.epoch, loss=progress.loss, train_top1=progress.train_top1,
                    val_loss=metrics.get("val_loss"), val_top1=metrics.get("val_top1"),
                    val_mean_class=metrics.get("val_mean_class"), recall=recalls(metrics),
                    seconds=progress.seconds, best=progress.best,
                )  # fmt: skip
            case "note":
                self._tell("note", words=progress.words)
            case "checkpoint":
                self._tell("checkpoint", step=progress.step)
            case "paused" | "resumed":
                self._tell(progress.kind)
            case "finished" | "stopped":
                pass  # Not the last word of the run: its model and its proof are still to come.
