"""One step of training: forward, backward, weights. One that does not fit into memory is redone in smaller pieces."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from vidlabel.core.errors import TrainingError
from vidlabel.learning.batches import Batch
from vidlabel.learning.distributed import ALONE, Ranks
from vidlabel.learning.fit_state import Run
from vidlabel.learning.generators import seed_step
from vidlabel.learning.mixing import Mixed, mixed, pieces
from vidlabel.learning.options import learning_rate

if TYPE_CHECKING:
    import torch

    from vidlabel.learning.whole_batch import WholeBatch
    from vidlabel.ml.networks import Embedder
    from vidlabel.ml.preprocess import Preprocessing

Loss = Callable[["Embedder", "torch.Tensor", Batch], "torch.Tensor"]
"""From the network, its input and the batch to a single number; called under autocast."""


class Stepper:
    """Makes the steps of a run.

    Args:
        run: what is moved.
        preprocessing: gives mean and std.
        loss: instead of the labels' cross-entropy; None is that.
        ranks: the processes that make each step together; each has at least one clip of each batch.
        whole: by which their norms and dropout see each other's clips; None for a single process.
        note: told in words of what a person should know.
    """

    def __init__(
        self,
        run: Run,
        preprocessing: Preprocessing,
        *,
        loss: Loss | None = None,
        ranks: Ranks = ALONE,
        whole: WholeBatch | None = None,
        note: Callable[[str], None] = lambda words: None,
    ) -> None:
        import torch

        self._run = run
        self._preprocessing = preprocessing
        self._loss = loss
        self._ranks = ranks
        self._whole = whole
        self._note = note
        weights = run.options.class_weights
        self._weights = None if weights is None else torch.tensor(weights, device=run.device)
        # Batch norm learns nothing from a single clip; without it, or with another process's, a piece may be of one.
        self._least = 2 if run.trainable.norms and whole is None else 1
        self._mixes_all = ranks.world > 1 and loss is None and max(run.options.mixup, run.options.cutmix) > 0

    def step(self, window: Sequence[Batch]) -> int:
        """Moves the weights once by the gradients of some batches; how many clips these were, of all processes."""
        run = self._run
        # Everybody's clips in each batch.
        everybody = self._ranks.everybody([len(batch.labels) for batch in window])
        self._sizes: list[tuple[int, ...]] = list(zip(*everybody, strict=True))
        if any(any(sizes) and not all(sizes) for sizes in self._sizes):
            raise ValueError(f"of a batch each process needs a clip at least, not {self._sizes}")
        clips = sum(map(sum, self._sizes))
        if self._mixes_all:
            window = [self._of_all(*given) for given in zip(window, self._sizes, strict=True)]
        if clips:
            rate = learning_rate(run.step, run.steps, run.options)
            for group in run.optimizer.param_groups:
                group["lr"] = rate * group.get("scale", 1.0)
            while not self._has_gradients(window, clips):
                self._halve()
            self._gather()
            self._move()
            run.clips += clips
            run.epoch_steps += 1
        run.step += 1
        run.place += len(window)
        if clips and run.average is not None:
            run.average.follow(run.step)
        return clips

    def try_out(self, batch: Batch) -> bool:
        """Whether memory suffices to go forward and backward with a batch; the weights stay as they are."""
        self._sizes = [(len(batch.labels),)]
        fits = self._has_gradients([batch], len(batch.labels))
        self._run.optimizer.zero_grad(set_to_none=True)
        return fits

    def top1(self) -> float | None:
        """Share of the epoch's clips so far that were recognised as they were shown; None where that says nothing."""
        run = self._run
        if self._loss is not None or not run.clips or run.options.mixup or run.options.cutmix:
            return None
        return run.right.item() / run.clips

    def _has_gradients(self, window: Sequence[Batch], clips: int) -> bool:
        """Computes them from nothing; False if memory did not suffice, and then all is as before."""
        import torch

        from vidlabel.learning.whole_batch import NoRoomElsewhereError
        from vidlabel.ml.devices import is_out_of_memory

        run = self._run
        run.trainable.train()
        run.optimizer.zero_grad(set_to_none=True)
        self._step_loss = torch.zeros((), device=run.device)
        self._step_right = torch.zeros((), device=run.device)
        if self._whole is None:
            seed_step(run.options.seed, run.step, self._ranks.rank)
        else:
            self._whole.seed(run.options.seed, run.step)
        followed = [buffer for norm in run.trainable.norms for buffer in norm.buffers()]
        before = [buffer.clone() for buffer in followed]
        try:
            for number, batch in enumerate(window):
                for share, loss in self._losses(batch, number, clips):
                    loss = loss * share
                    run.scaler.scale(loss).backward()  # type: ignore[no-untyped-call]
                    self._step_loss += loss.detach()
            if self._whole is not None:
                self._whole.finish()
            return True
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            if self._whole is not None and not isinstance(error, NoRoomElsewhereError):
                self._whole.give_up()
        for buffer, value in zip(followed, before, strict=True):
            buffer.copy_(value)
        return False

    def _losses(self, batch: Batch, number: int, clips: int) -> Iterator[tuple[float, torch.Tensor]]:
        """The losses of a batch's pieces, each with its share of the step's clips; one at a time, for memory's sake."""
        import torch

        run, options = self._run, self._run.options
        if not len(batch.labels):
            return
        x = self._input(batch)
        labels = torch.from_numpy(batch.labels).to(run.device)
        sizes, rank = self._sizes[number], self._ranks.rank
        rng = np.random.default_rng([options.seed, run.step, number, 0])
        own = None if self._loss else mixed(x, labels, mixup=options.mixup, cutmix=options.cutmix, rng=rng)
        if own is not None and self._mixes_all:
            own = own.part(slice(sum(sizes[:rank]), sum(sizes[: rank + 1])))
        dtype = torch.float16 if options.precision == "float16" else torch.bfloat16
        for parts in self._pieces(sizes):
            piece = parts[rank]
            if self._whole is not None:
                self._whole.enter([part.stop - part.start for part in parts])
            with torch.autocast(run.kind, dtype, enabled=options.precision != "float32"):
                if own is None:
                    assert self._loss is not None
                    loss = self._loss(run.network, x[piece], batch.part(piece))
                else:
                    loss = self._own_loss(own.part(piece))
            yield (piece.stop - piece.start) / clips, loss

    def _pieces(self, sizes: Sequence[int]) -> Iterator[tuple[slice, ...]]:
        """The pieces of a batch, of each process's part of it: as many in all of them, for they go through together."""
        wanted = min(self._run.pieces, *sizes) if len(sizes) > 1 else self._run.pieces
        return zip(*[pieces(size, wanted, least=self._least) for size in sizes], strict=True)

    def _of_all(self, batch: Batch, sizes: Sequence[int]) -> Batch:
        """The whole batch: a clip may be mixed with one that another process has."""
        return Batch(self._ranks.whole(batch.frames, sizes), self._ranks.whole(batch.labels, sizes))

    def _own_loss(self, clips: Mixed) -> torch.Tensor:
        network = self._run.network
        logits = (network.read(clips.x) if clips.x.ndim == 2 else network(clips.x)).float()
        self._step_right += (logits.detach().argmax(1) == clips.labels).sum()
        return clips.loss(logits, smoothing=self._run.options.label_smoothing, weights=self._weights)

    def _input(self, batch: Batch) -> torch.Tensor:
        import torch

        from vidlabel.ml.input import to_input

        if batch.frames.ndim == 2:
            return torch.from_numpy(batch.frames).to(self._run.device, torch.float32)
        return to_input(batch.frames.astype(np.uint8, copy=False), self._preprocessing, self._run.device)

    def _gather(self) -> None:
        """Adds up everybody's gradients, losses and clips recognised."""
        import torch

        run, ranks = self._run, self._ranks
        if ranks.world > 1:
            learning = run.trainable.parameters()
            # A weight that nobody used gets no gradient, and stays as it is.
            used = ranks.most([int(one.grad is not None) for one in learning])
            for one, is_used in zip(learning, used, strict=True):
                if is_used and one.grad is None:
                    one.grad = torch.zeros_like(one)
            gradients = [one.grad for one in learning if one.grad is not None]
            ranks.add_up([*gradients, self._step_loss, self._step_right])
        run.loss_sum += self._step_loss
        run.right += self._step_right

    def _move(self) -> None:
        import torch

        from vidlabel.ml.devices import is_out_of_memory

        run = self._run
        run.scaler.unscale_(run.optimizer)
        torch.nn.utils.clip_grad_norm_(run.trainable.parameters(), run.options.clip_norm)
        try:
            run.scaler.step(run.optimizer)
        except (RuntimeError, MemoryError) as error:
            # Some weights may have moved: this step cannot be redone, and smaller pieces would not help it.
            if not is_out_of_memory(error):
                raise
            raise self._no_room("what AdamW keeps of each weight") from error
        run.scaler.update()

    def _halve(self) -> None:
        """Twice as many pieces.

        Raises:
            TrainingError: they cannot be smaller.
        """
        from vidlabel.ml.devices import free_memory

        run = self._run
        run.optimizer.zero_grad(set_to_none=True)
        if run.kind in ("cuda", "mps"):
            free_memory("cuda" if run.kind == "cuda" else "mps")
        # Of every process: they go through their pieces together.
        most = max(min(sizes) // self._least for sizes in self._sizes)
        if run.pieces >= most:
            raise self._no_room(f"{self._least} clip(s) at a time")
        run.pieces = min(most, 2 * run.pieces)
        self._note(
            f"The memory of {run.device} did not suffice: from step {run.step + 1} on a batch goes through the network "
            f"in {run.pieces} parts."
        )

    def _no_room(self, what: str) -> TrainingError:
        return TrainingError(
            f"The memory of the device ({self._run.device}) does not hold {what}. Take a smaller model, tune only the "
            "head or the last stages, or choose another device.",
            kind="memory",
        )
