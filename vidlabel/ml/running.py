"""A batch on its way through a network: on a GPU the processor goes on meanwhile."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray


@dataclass(frozen=True)
class Part:
    """Embeddings float16 (B, D) in the processor's memory, there once the event has happened."""

    embeddings: torch.Tensor
    event: torch.cuda.Event | None = None

    @classmethod
    def of(cls, embeddings: torch.Tensor) -> Part:
        if embeddings.device.type != "cuda":
            return cls(embeddings.cpu())
        # Into page-locked memory the copy does not hold up the processor, which prepares the next batch.
        host = torch.empty(embeddings.shape, dtype=embeddings.dtype, pin_memory=True)
        host.copy_(embeddings, non_blocking=True)
        event = torch.cuda.Event()  # type: ignore[no-untyped-call]
        event.record()
        return cls(host, event)

    def wait(self) -> NDArray[np.float16]:
        if self.event is not None:
            self.event.synchronize()
        return self.embeddings.numpy()


class Running:
    """A batch on its way: ``Predictor.start`` gives it out, ``Predictor.finish`` takes it."""

    def __init__(self, frames: NDArray[np.uint8], parts: list[Part]) -> None:
        self.frames = frames
        self.parts = parts

    @property
    def is_ahead(self) -> bool:
        """Whether the device may still be at it while the processor goes on."""
        return any(part.event is not None for part in self.parts)
