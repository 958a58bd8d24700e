"""Variety that costs next to nothing while training: framing, colours, mirror; the same for all frames of a clip."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from training.shards import resized
from vidlabel.learning.batches import flip_shift_shade

Frames = NDArray[np.uint8]


class Augment:
    """Changes a batch at random and scales it to the size trained at.

    Args:
        side: height and width wanted in px.
        strong: closer framing and other colours too; else only ``flip_shift_shade``.
    """

    def __init__(self, side: int, *, strong: bool) -> None:
        self._side = side
        self._strong = strong

    def __call__(self, frames: Frames, rng: np.random.Generator) -> Frames:
        """uint8 (B, T, H, W, 3) to uint8 (B, T, side, side, 3)."""
        if not self._strong:
            return resized(flip_shift_shade(frames, rng), self._side)
        return np.stack([_varied(clip, rng, self._side) for clip in frames])


def _varied(clip: Frames, rng: np.random.Generator, side: int) -> Frames:
    height, width = clip.shape[1:3]
    closer = rng.uniform(0.72, 1.0) if rng.random() < 0.7 else 1.0
    h, w = (min(int(length * closer * rng.uniform(0.94, 1.06)), length) for length in (height, width))
    y, x = int(rng.integers(0, height - h + 1)), int(rng.integers(0, width - w + 1))
    way = cv2.INTER_AREA if side < min(h, w) else cv2.INTER_LINEAR
    seen = np.stack(
        [cv2.resize(picture, (side, side), interpolation=way) for picture in clip[:, y : y + h, x : x + w]]
    )
    if rng.random() < 0.5:
        seen = seen[:, :, ::-1]
    return _recoloured(np.asarray(seen, np.uint8), rng)


def _recoloured(clip: Frames, rng: np.random.Generator) -> Frames:
    """Other brightness and contrast; at times colours exchanged, taken away, or turned over."""
    levels = np.arange(256) / 255
    curve = levels ** rng.uniform(0.6, 1.6) * rng.uniform(0.75, 1.15) + rng.uniform(-0.05, 0.1)
    if rng.random() < 0.1:
        curve = 1 - curve
    clip = np.clip(curve * 255 + 0.5, 0, 255).astype(np.uint8)[clip]
    chance = rng.random()
    if chance < 0.2:
        return clip[..., rng.permutation(3)]
    if chance < 0.35:
        return np.repeat(clip.mean(axis=-1, keepdims=True).astype(np.uint8), 3, axis=-1)
    return clip
