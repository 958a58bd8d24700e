"""The training loop. It can be stopped after any step and resumed to the very same numbers.

What depends on chance or on time is a function of the step (batches, learning rate, mixup, dropout) or is in the
checkpoint (weights, optimizer, averages, the best epoch); so on a CPU a resumed run ends bitwise equal.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from vidlabel.learning.batches import Batch, Batches
from vidlabel.learning.distributed import ALONE, Ranks
from vidlabel.learning.fit_state import Run
from vidlabel.learning.generators import own_generators
from vidlabel.learning.options import FitOptions, FitProgress, FitResult, learning_rate
from vidlabel.learning.stepping import Loss, Stepper
from vidlabel.learning.telling import Teller

if TYPE_CHECKING:
    from vidlabel.ml.networks import Embedder
    from vidlabel.ml.preprocess import Preprocessing

PAUSE_S = 0.1
_GO, _PAUSE, _STOP = range(3)

__all__ = ["FitOptions", "FitProgress", "FitResult", "Loss", "Validate", "fit", "learning_rate"]

Validate = Callable[["Embedder"], dict[str, float]]


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
    should_pause: Callable[[], bool] = lambda: False,
    ranks: Ranks = ALONE,
    on_progress: Callable[[FitProgress], None] = lambda progress: None,
) -> FitResult:
    """Fits a network in place; at the end it is on the CPU in eval mode: the best epoch, else averaged, else the last.

    A step moves the weights by the gradients of ``options.accumulate`` batches. One that does not fit into memory is
    redone in smaller pieces, and so are those after it.

    Args:
        network: what ``networks.build`` gave, fresh or loaded.
        batches: see ``Batches``; of several processes each has its own part of the same batches.
        preprocessing: gives mean and std.
        options: see ``FitOptions``.
        device: torch's name of the device.
        loss: what is made small instead of the labels' cross-entropy; mixup, label smoothing and class weights are then
            its own.
        validate: measures the network after each epoch (it is in eval mode, on the device); numbers by name.
        checkpoint: where to keep the state; None keeps none.
        resume: a checkpoint of the same run to go on from; a finished run's answers its result at once.
        should_stop: asked after each step; true ends the run with a checkpoint.
        should_pause: asked after each step; while true nothing is done but to ask it and ``should_stop`` again.
        ranks: the processes that fit together; the result is that of one process, but for rounding: batch norms,
            dropout, mixup and CutMix see the whole batch. Other layers of chance (stochastic depth) draw for a
            process's own part, and a batch that goes through in pieces is cut into others.
        on_progress: told what happens, in this thread; of several processes in the first one.

    Raises:
        TrainingError: the loss is no longer a number, memory does not suffice, or the checkpoint is not of this run.
        OSError: a checkpoint cannot be written.
        ValueError: options that need another argument which is not there.
    """
    if options.best_by and validate is None:
        raise ValueError("best_by needs validate")
    ranks.share([*network.state_dict().values()])
    run = Run(network, batches, options=options, device=device)
    tell = Teller(run, checkpoint, on_progress, ranks)
    wishes = _Wishes(run, tell, ranks, should_stop=should_stop, should_pause=should_pause)
    from vidlabel.learning.whole_batch import whole_batch

    with own_generators(device), whole_batch(run.trainable, ranks, device=device) as whole:
        if resume is not None:
            run.restore(resume)
        stepper = Stepper(run, preprocessing, loss=loss, ranks=ranks, whole=whole, note=tell.note)
        tell("started")
        while not run.is_over:
            tell.pace.epoch_began()
            with closing(_windows(batches, run)) as windows:
                for window in windows:
                    tell.step(stepper.step(window))
                    if run.is_at_epoch_end:
                        break
                    if run.step % options.checkpoint_steps == 0:
                        tell.save()
                    if wishes.end_it():
                        return tell.end("stopped")
            _end_epoch(run, validate, tell, ranks, top1=stepper.top1())
            tell.save()
            if not run.is_over and wishes.end_it():
                return tell.end("stopped")
    return tell.end("finished")


def _windows(batches: Batches, run: Run) -> Generator[list[Batch]]:
    """What is left of an epoch, as many batches at a time as make a step."""
    window: list[Batch] = []
    for batch in batches.epoch(run.epoch, first=run.place):
        window.append(batch)
        if len(window) == run.options.accumulate:
            yield window
            window = []
    if window:
        yield window


def _end_epoch(
    run: Run, validate: Validate | None, tell: Teller, ranks: Ranks, *, top1: float | None
) -> None:
    """Measures, notes whether it is the best, and tells."""
    import torch

    run.mean_loss()
    began = tell.pace.now()
    metrics: dict[str, float] = {}
    if validate is not None:
        if ranks.is_first:
            with torch.no_grad():
                metrics = validate(run.measured())
        metrics = ranks.told(metrics)
    tell.pace.measured(tell.pace.now() - began)
    is_best = run.end_epoch(metrics)
    tell("epoch", metrics=metrics, best=is_best, train_top1=top1, seconds=tell.pace.epoch_s)
    tell.pace.begin()


class _Wishes:
    """What the person wants of a run, asked between steps; all processes do what any of them was told."""

    def __init__(
        self,
        run: Run,
        tell: Teller,
        ranks: Ranks,
        *,
        should_stop: Callable[[], bool],
        should_pause: Callable[[], bool],
    ) -> None:
        self._run = run
        self._tell = tell
        self._ranks = ranks
        self._should_stop = should_stop
        self._should_pause = should_pause

    def end_it(self) -> bool:
        """Whether to stop; waits as long as the run is to be paused."""
        wish = self._asked()
        if wish == _PAUSE:
            self._tell.save()
            self._tell.pace.pause()
            self._tell("paused")
            nothing = threading.Event()
            while (wish := self._asked()) == _PAUSE:
                nothing.wait(PAUSE_S)
            self._tell.pace.resume()
            if wish == _GO:
                self._tell("resumed")
        return wish == _STOP

    def _asked(self) -> int:
        own = _STOP if self._should_stop() else _PAUSE if self._should_pause() else _GO
        # Pieces too: where one process ran out of memory, the others are close to it.
        wish, self._run.pieces = self._ranks.most([own, self._run.pieces])
        return wish
