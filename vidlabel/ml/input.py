"""Pictures as bytes to the tensor a network takes; on the device, so that bytes cross the bus, not floats."""

from __future__ import annotations

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


def _writable(frames: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """torch warns about memory it might write to; shared memory and memory-mapped pictures are read-only."""
    return frames if frames.flags.writeable and frames.flags.c_contiguous else np.array(frames, order="C")
