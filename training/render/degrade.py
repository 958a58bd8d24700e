"""What a cheap camera and an old encoder do to a clip, and things that get in the way."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from training.render.figure import Image

Clip = NDArray[np.uint8]


def degraded(clip: Image, rng: np.random.Generator, *, textures: NDArray[np.uint8]) -> Clip:
    """A clip (T, H, W, 3), 0 to 1, with occluders, blur, exposure, noise and compression of its own, as bytes."""
    if rng.random() < 0.12:
        clip = _occluded(clip, rng, textures)
    if rng.random() < 0.08:
        clip = _with_bars(clip, rng)
    out = np.clip(_exposed(clip, rng), 0, 1)
    blur = rng.choice([0.0, rng.uniform(0.3, 1.1)])
    noise = rng.choice([0.0, rng.uniform(1, 6)])
    quality = int(rng.integers(18, 80)) if rng.random() < 0.7 else 0
    pictures = np.empty(out.shape, np.uint8)
    for t, picture in enumerate(out):
        seen = cv2.GaussianBlur(picture, (0, 0), blur) if blur else picture
        seen = seen * 255
        if noise:
            seen = seen + rng.normal(0, noise, seen.shape)
        frame = np.clip(seen + 0.5, 0, 255).astype(np.uint8)
        if quality:
            _, packed = cv2.imencode(".jpg", frame, [cv2.IMWRITE_JPEG_QUALITY, quality])
            frame = cv2.imdecode(packed, cv2.IMREAD_COLOR)
        pictures[t] = frame
    return pictures


def _exposed(clip: Image, rng: np.random.Generator) -> Image:
    """Exposure, contrast, colour cast, sometimes black and white."""
    if rng.random() < 0.12:
        clip = np.repeat(clip.mean(axis=-1, keepdims=True), 3, axis=-1)
    gain = rng.uniform(0.85, 1.15) * rng.uniform(0.9, 1.1, 3)
    return np.asarray((clip - 0.5) * rng.uniform(0.8, 1.3) * gain + 0.5 + rng.uniform(-0.1, 0.1), np.float32)


def _occluded(clip: Image, rng: np.random.Generator, textures: NDArray[np.uint8]) -> Image:
    """Something still in front, near an edge: a box of another texture."""
    _, height, width, _ = clip.shape
    h, w = int(height * rng.uniform(0.15, 0.5)), int(width * rng.uniform(0.12, 0.4))
    y = int(rng.choice([0, height - h])) if rng.random() < 0.5 else int(rng.integers(0, height - h))
    x = int(rng.choice([0, width - w]))
    texture = textures[int(rng.integers(len(textures)))]
    clip = clip.copy()
    clip[:, y : y + h, x : x + w] = cv2.resize(texture, (w, h), interpolation=cv2.INTER_AREA) / np.float32(
        255
    )
    return clip


def _with_bars(clip: Image, rng: np.random.Generator) -> Image:
    """Black bars above and below, as a wide film in a 4:3 clip has."""
    bar = int(clip.shape[1] * rng.uniform(0.06, 0.14))
    clip = clip.copy()
    clip[:, :bar] = clip[:, -bar:] = 0
    return clip
