"""In which floating type a network runs, and whether a faster one may be trusted.

Weights stay float32; what is reduced is the arithmetic of the layers that bear it (torch's autocast).
"""

from __future__ import annotations

from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from vidlabel.core.errors import DeviceError
from vidlabel.core.model_key import AUTO, PRECISIONS
from vidlabel.ml.devices import Device

WORTH_A_PRECISION = 1.1
"""So many times faster than float32 a reduced precision must be to be offered on a CPU."""
MOST_APART = 0.02
"""So far a probability may lie from float32's."""
_CLEAR = 0.05
_TYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}


def dtype_for(precision: str, device: Device) -> torch.dtype:
    """The type the layers compute in.

    ``auto`` is float32 on CPU and MPS, so that a probability is the same for ever wherever it was computed; on
    CUDA bfloat16, or float16 on cards that would emulate it.

    Raises:
        DeviceError: there is no such precision, or none but float32 is written for this kind of device.
    """
    if precision not in PRECISIONS:
        raise DeviceError(f"There is no precision '{precision}'. Choose one of {', '.join(PRECISIONS)}.")
    if precision != AUTO:
        if device.kind == "mps" and precision != "float32":
            raise DeviceError(f"{precision} is not offered on {device.name}. Use --precision float32.")
        return _TYPES[precision]
    if device.kind != "cuda":
        return torch.float32
    # Compute capability 8 (2020) is the first with bfloat16 units; torch counts emulation as support.
    return torch.bfloat16 if torch.cuda.get_device_capability()[0] >= 8 else torch.float16


def computing(device: Device, dtype: torch.dtype) -> AbstractContextManager[object]:
    """The context in which a network computes: no gradients, autocast to ``dtype``, and without TF32.

    TF32 convolutions, torch's default on newer GPUs, keep 10 bits: what is called float32 would depend on the
    device.
    """
    stack = ExitStack()
    stack.enter_context(torch.inference_mode())
    if device.kind == "cuda":
        stack.enter_context(torch.backends.cudnn.flags(enabled=True, allow_tf32=False))
    if dtype != torch.float32:
        stack.enter_context(torch.autocast(device.kind, dtype))
    return stack


@dataclass(frozen=True)
class Agreement:
    """How answers compare with float32's.

    Attributes:
        apart: the largest difference of a probability, 0..1.
        turned: clips whose best label is another one although float32 was sure of its own by a margin.
    """

    apart: float
    turned: int

    @property
    def good(self) -> bool:
        """Whether the answers may stand for float32's."""
        return self.apart <= MOST_APART and self.turned == 0


def agreement(exact: NDArray[np.float32], other: NDArray[np.float32]) -> Agreement:
    """Compares probabilities (B, L) with float32's of the same clips; values that are no numbers are 1 apart."""
    if not np.isfinite(other).all():
        return Agreement(1.0, len(other))
    ordered = np.sort(exact, axis=1)
    clear = ordered[:, -1] - (ordered[:, -2] if exact.shape[1] > 1 else 0) > _CLEAR
    turned = clear & (exact.argmax(axis=1) != other.argmax(axis=1))
    return Agreement(float(np.abs(exact - other).max()), int(turned.sum()))


def moving_clips(count: int, *, frames: int, height: int, width: int) -> NDArray[np.uint8]:
    """Made-up clips to compare answers on: soft patches of colour that drift, each clip another way.

    Noise would look alike to a network in every clip; these do not.

    Returns:
        uint8 (count, frames, height, width, 3), the same every time.
    """
    random = np.random.default_rng(0)
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    clips = np.empty((count, frames, height, width, 3), dtype=np.uint8)
    for clip in range(count):
        waves = random.uniform(-0.5, 0.5, (3, 3)) * (1, 24 / height, 24 / width)
        base, swing = random.uniform(60, 190, 3), random.uniform(10, 60, 3)
        for frame in range(frames):
            phases = [t * frame + v * y + h * x for t, v, h in waves]
            picture = np.stack([np.sin(phase + clip) for phase in phases], axis=-1) * swing + base
            clips[clip, frame] = np.clip(picture, 0, 255).astype(np.uint8)
    return clips


def require_gain(precision: str, device: Device, *, gain: float, found: Agreement) -> None:
    """Refuses a precision that was measured to be no gain, or to answer differently, with this model here.

    Raises:
        DeviceError: with what was measured.
    """
    if gain < WORTH_A_PRECISION:
        raise DeviceError(
            f"{precision} is no gain on {device.name}: {gain:.1f} times as fast as float32, measured with this "
            "model. Use --precision auto."
        )
    if not found.good:
        raise DeviceError(
            f"{precision} does not answer as float32 does with this model: probabilities differ by up to "
            f"{found.apart:.2f}. Use --precision auto."
        )
