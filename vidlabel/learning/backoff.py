"""How many clips go through a network at a time: found out before a run, so that it begins with what fits."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from vidlabel.core.errors import TrainingError
from vidlabel.learning.batches import Batch
from vidlabel.learning.fit_state import Run
from vidlabel.learning.generators import own_generators
from vidlabel.learning.options import FitOptions
from vidlabel.learning.stepping import Loss, Stepper

if TYPE_CHECKING:
    import torch

    from vidlabel.ml.networks import Embedder
    from vidlabel.ml.preprocess import Preprocessing

WANTED = 16
# What the device holds besides what is kept for going backward: the gradients of a layer, cuDNN's own, the decoders'.
_SHARE = 0.5
_UNKNOWN_BYTES = 4 << 30


@dataclass(frozen=True)
class FoundBatch:
    """What fits.

    Attributes:
        size: clips a batch, as wanted: how a model learns shall not follow from the memory.
        pieces: parts in which it goes through the network, for ``FitOptions``.
        at_once: clips that fit at a time, up to ``size``.
        clip_mb: memory that one clip takes, in MB.
    """

    size: int
    pieces: int
    at_once: int
    clip_mb: float


def find_batch(
    network: Embedder,
    preprocessing: Preprocessing,
    *,
    options: FitOptions,
    device: str = "cpu",
    wanted: int = WANTED,
    loss: Loss | None = None,
) -> FoundBatch:
    """Tries steps with made-up clips; network and generators are as before afterwards.

    What one clip keeps in memory gives a first idea; on a GPU that is then tried, and halved until it runs.

    Args:
        network: as for ``fit``; comes back on the CPU.
        preprocessing: gives the clips' size.
        options: as for ``fit``.
        device: torch's name of the device.
        wanted: clips a batch.
        loss: as for ``fit``.

    Raises:
        TrainingError: not even one clip fits.
    """
    import torch

    state = {name: value.detach().clone() for name, value in network.state_dict().items()}
    try:
        with own_generators(device):
            trial = _Trial(network, preprocessing, options=options, device=device, loss=loss)
            kept = trial.kept_bytes()
            at_once = max(1, min(wanted, int(_free_bytes(trial) * _SHARE / max(1, kept))))
            while torch.device(device).type != "cpu" and not trial.fits(at_once):
                if at_once == 1:
                    raise TrainingError(
                        f"The memory of the device ({device}) does not hold a single clip of this model. Take a "
                        "smaller model, tune only the head, or choose another device.",
                        kind="memory",
                    )
                at_once //= 2
    finally:
        network.cpu().load_state_dict(state)
        network.requires_grad_(True).zero_grad(set_to_none=True)
        network.eval()
    return FoundBatch(wanted, math.ceil(wanted / at_once), at_once, kept / 1e6)


class _Trial:
    """Steps of a run that comes to nothing."""

    def __init__(
        self,
        network: Embedder,
        preprocessing: Preprocessing,
        *,
        options: FitOptions,
        device: str,
        loss: Loss | None,
    ) -> None:
        self._preprocessing = preprocessing
        self.run = Run(network, _NoBatches(), options=options, device=device)
        self._stepper = Stepper(self.run, preprocessing, loss=loss)

    def kept_bytes(self) -> int:
        """What is kept of one clip until the gradients are there, weights not counted.

        Measured with two: a batch norm may refuse a single one.
        """
        from torch.autograd.graph import saved_tensors_hooks

        weights = {one.untyped_storage().data_ptr() for one in self.run.network.parameters()}
        kept: dict[int, int] = {}

        def note(tensor: torch.Tensor) -> torch.Tensor:
            storage = tensor.untyped_storage()
            if storage.data_ptr() not in weights:
                kept[storage.data_ptr()] = storage.nbytes()
            return tensor

        with saved_tensors_hooks(note, lambda tensor: tensor):
            if not self.fits(2):
                return 1 << 62
        frames = self._clips(1).frames
        return sum(kept.values()) // 2 + frames.nbytes * 5

    def fits(self, clips: int) -> bool:
        """Whether a step with so many at once finds room, its optimizer's state included."""
        from vidlabel.ml.devices import free_memory

        self.run.pieces = 1
        room = self._stepper.try_out(self._clips(clips))
        if self.run.kind in ("cuda", "mps"):
            free_memory("cuda" if self.run.kind == "cuda" else "mps")
        return room

    def _clips(self, count: int) -> Batch:
        p = self._preprocessing
        frames = np.zeros((count, p.frames, p.height, p.width, 3), np.uint8)
        return Batch(frames, np.zeros(count, np.int64))


class _NoBatches:
    """A run of one step that is not asked for its clips."""

    def __len__(self) -> int:
        return 1

    def epoch(self, number: int, *, first: int = 0) -> Iterator[Batch]:
        """None."""
        return iter(())


def _free_bytes(trial: _Trial) -> int:
    """What the device has for clips: on a GPU what is free, on a processor half of what the machine has."""
    import torch

    if trial.run.kind == "cuda":
        # AdamW keeps two numbers for each that learns, and the gradient is a third.
        state = 12 * sum(one.numel() for one in trial.run.trainable.parameters())
        return max(0, torch.cuda.mem_get_info(trial.run.device)[0] - state)
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2
    except (AttributeError, ValueError, OSError):
        return _UNKNOWN_BYTES
