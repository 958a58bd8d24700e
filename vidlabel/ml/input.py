"""Pictures as bytes to the tensor a network takes; on the device, so that bytes cross the bus, not floats."""

from __future__ import annotations

from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from vidlabel.ml.preprocess import Preprocessing


def to_input(
    frames_uint8: NDArray[np.uint8] | torch.Tensor,
    p: Preprocessing,
    device: torch.device | str,
    dtype: torch.dtype = torch.float32,
) -> torch.Tensor:
    """Scales and normalises a batch of cropped clips.

    Args:
        frames_uint8: uint8 (B, T, H, W, 3), red first, as ``Preprocessing.crop`` leaves them.
        p: gives mean and std.
        device: where the result shall be.
        dtype: floating type of the result.

    Returns:
        (B, 3, T, H, W) of ``dtype`` on ``device``, in channels_last_3d memory order (the bytes' own order).
    """
    frames = (
        torch.from_numpy(_writable(frames_uint8)) if isinstance(frames_uint8, np.ndarray) else frames_uint8
    )
    if frames.dtype != torch.uint8 or frames.ndim != 5 or frames.shape[-1] != 3:
        raise ValueError(f"expected uint8 (B, T, H, W, 3), got {frames.dtype} {tuple(frames.shape)}")
    values = frames.to(device, non_blocking=True).to(torch.float32)
    mean = torch.tensor(p.mean, dtype=torch.float32, device=values.device) * 255
    scale = 1 / (torch.tensor(p.std, dtype=torch.float32, device=values.device) * 255)
    return values.sub_(mean).mul_(scale).to(dtype).permute(0, 4, 1, 2, 3)


class Staging(Protocol):
    """Brings prepared clips to where the network computes."""

    def send(self, frames: NDArray[np.uint8]) -> torch.Tensor:
        """uint8 (B, T, H, W, 3) to the same on the device; ``frames`` may be changed once this returns."""
        ...


class PlainStaging:
    """For devices that share memory with the processor, or copy on their own terms."""

    def __init__(self, device: torch.device) -> None:
        self._device = device

    def send(self, frames: NDArray[np.uint8]) -> torch.Tensor:
        """As ``Staging.send``."""
        return torch.from_numpy(_writable(frames)).to(self._device)


class PinnedStaging:
    """For CUDA: two page-locked buffers in turn, copied on a stream of their own beside the computing.

    While the network computes on one batch, the next is copied; a buffer is filled again only after the copy
    out of it has ended.
    """

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._stream = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]
        self._buffers: list[torch.Tensor | None] = [None, None]
        self._copied = [torch.cuda.Event() for _ in self._buffers]  # type: ignore[no-untyped-call]
        self._turn = 0

    def send(self, frames: NDArray[np.uint8]) -> torch.Tensor:
        """As ``Staging.send``."""
        turn, self._turn = self._turn, 1 - self._turn
        self._copied[turn].synchronize()
        buffer = self._buffers[turn]
        if buffer is None or buffer.shape[1:] != frames.shape[1:] or len(buffer) < len(frames):
            buffer = torch.empty(frames.shape, dtype=torch.uint8, pin_memory=True)
            self._buffers[turn] = buffer
        part = buffer[: len(frames)]
        part.copy_(torch.from_numpy(_writable(frames)))
        computing = torch.cuda.current_stream(self._device)
        with torch.cuda.stream(self._stream):
            there = part.to(self._device, non_blocking=True)
            self._copied[turn].record(self._stream)
        computing.wait_event(self._copied[turn])
        # Its memory was taken on the copying stream: it must not be reused before the computing is done.
        there.record_stream(computing)
        return there


def staging_for(device: torch.device) -> Staging:
    """What suits the device."""
    return PinnedStaging(device) if device.type == "cuda" else PlainStaging(device)


def _writable(frames: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """torch warns about memory it might write to; shared memory and memory-mapped pictures are read-only."""
    return frames if frames.flags.writeable and frames.flags.c_contiguous else np.array(frames, order="C")
