"""What a run tells of itself while it goes on, and when it keeps its state."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

from vidlabel.learning.checkpoint import save_checkpoint
from vidlabel.learning.distributed import Ranks
from vidlabel.learning.fit_state import Run
from vidlabel.learning.options import FitProgress, FitResult, Kind

# Reading the loss makes the processor wait for the GPU: not at every step, but often enough to watch a slow one.
REPORT_STEPS = 10
REPORT_S = 0.5


class Pace:
    """How fast a run goes, by a clock that stands still while it is paused."""

    def __init__(self) -> None:
        self._paused = 0.0
        self._paused_at: float | None = None
        self._began = self._epoch_began = self.now()
        self._clips = self._steps = 0
        self._measuring = 0.0
        self._step_s = math.nan

    def now(self) -> float:
        """Seconds without pauses."""
        at = time.monotonic() if self._paused_at is None else self._paused_at
        return at - self._paused

    def pause(self) -> None:
        """The clock stands still."""
        self._paused_at = time.monotonic()

    def resume(self) -> None:
        """The clock goes on."""
        if self._paused_at is not None:
            self._paused += time.monotonic() - self._paused_at
            self._paused_at = None

    def stepped(self, clips: int) -> None:
        """A step was made with so many clips."""
        self._clips += clips
        self._steps += 1

    @property
    def since_report_s(self) -> float:
        """Since the last report."""
        return self.now() - self._began

    def report(self) -> float:
        """Clips per second since the last report; a new one begins."""
        seconds = max(self.since_report_s, 1e-9)
        rate = self._clips / seconds if self._steps else math.nan
        if self._steps:
            self._step_s = seconds / self._steps
        self.begin()
        return rate

    def begin(self) -> None:
        """What lies between two reports begins here: measuring and saving are not part of a step."""
        self._began = self.now()
        self._clips = self._steps = 0

    def epoch_began(self) -> None:
        """The epoch's clock begins at 0."""
        self._epoch_began = self.now()

    @property
    def epoch_s(self) -> float:
        """Of the epoch so far."""
        return self.now() - self._epoch_began

    def measured(self, seconds: float) -> None:
        """So long it took to measure the network after an epoch."""
        self._measuring = seconds

    def left_s(self, steps: int, epochs: int) -> float:
        """For so many steps and the measuring after so many epochs."""
        return steps * self._step_s + epochs * self._measuring


class Teller:
    """Tells of a run's progress and keeps its checkpoint; of several processes only the first does."""

    def __init__(
        self,
        run: Run,
        checkpoint: Path | None,
        on_progress: Callable[[FitProgress], None],
        ranks: Ranks,
    ) -> None:
        self.pace = Pace()
        self._run = run
        self._checkpoint = checkpoint
        self._on_progress = on_progress
        self._is_first = ranks.is_first

    def __call__(self, kind: Kind, **more: Any) -> None:
        """Tells that something has happened; ``more`` are fields of ``FitProgress``."""
        if not self._is_first:
            return
        run = self._run
        at_epoch_end = run.place == 0 and run.history
        loss = run.history[-1]["loss"] if at_epoch_end else run.mean_loss() if run.place else math.nan
        epochs = run.options.epochs - run.epoch
        self._on_progress(
            FitProgress(
                kind=kind,
                epoch=run.epoch,
                step=run.step,
                steps=run.steps,
                loss=loss,
                rate=float(run.optimizer.param_groups[0]["lr"]),
                left_s=self.pace.left_s(run.steps - run.step, epochs),
                memory_mb=_memory_mb(run),
                **more,
            )
        )

    def step(self, clips: int) -> None:
        """Tells of a step if it is time to."""
        self.pace.stepped(clips)
        # The clock decides nothing but what is told.
        if self._run.step % REPORT_STEPS == 0 or self.pace.since_report_s >= REPORT_S:
            self("step", clips_per_s=self.pace.report())

    def note(self, words: str) -> None:
        """Tells in words."""
        self("note", words=words)

    def save(self) -> None:
        """Keeps the state, if there is a place for it.

        Raises:
            TrainingError: the loss is no number: such a state is not kept.
            OSError: it cannot be written.
        """
        if self._checkpoint is not None and self._is_first:
            self._run.mean_loss()
            save_checkpoint(self._checkpoint, self._run.state())
            self("checkpoint")
            self.pace.begin()

    def end(self, state: Literal["finished", "stopped"]) -> FitResult:
        """Ends the run: a stopped one keeps its state first."""
        run = self._run
        if state == "stopped":
            self.save()
        run.settle()
        self(state)
        return FitResult(
            state,
            run.step,
            tuple(dict(epoch) for epoch in run.history),
            best_epoch=run.best.epoch,
            early=run.best.is_over and run.epoch < run.options.epochs,
        )


def _memory_mb(run: Run) -> float | None:
    if run.kind != "cuda":
        return None
    import torch

    return torch.cuda.max_memory_allocated(run.device) / 1e6
