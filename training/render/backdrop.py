"""Cluttered places: sky or wall, ground, fences, windows, crowds and bystanders, filmed by a camera that may move."""

from __future__ import annotations

import colorsys

import cv2
import numpy as np
from numpy.typing import NDArray

from training.render.degrade import Clip
from training.render.figure import Image

Canvas = NDArray[np.float32]
_ZOOM = 3  # px of canvas for a px of picture: room for the camera, and smooth edges


def built_scene(rng: np.random.Generator, textures: NDArray[np.uint8], *, frames: int, size: int) -> Image:
    """A place with many edges in it, (frames, size, size, 3), 0 to 1; half of them stand still."""
    side = size * _ZOOM
    canvas = _ground_and_sky(rng, textures, side)
    for _ in range(int(rng.integers(2, 12))):
        draw = (_box, _box, _fence, _crowd, _line, _bystander)[int(rng.integers(6))]
        draw(canvas, rng, textures)
    soft = cv2.GaussianBlur(canvas, (0, 0), rng.uniform(0.5, 2.5))
    return _filmed(np.asarray(np.clip(soft, 0, 1), np.float32), rng, frames=frames, size=size)


def bordered(clip: Clip, rng: np.random.Generator) -> Clip:
    """The clip inside a black frame, as films that were cropped and converted more than once have it."""
    _, height, width, _ = clip.shape
    top, low = (int(height * rng.uniform(0, 0.16)) for _ in range(2))
    left = right = int(width * rng.choice([0.0, rng.uniform(0, 0.14)]))
    out = np.zeros_like(clip)
    inner = (width - left - right, height - top - low)
    for t, picture in enumerate(clip):
        out[t, top : height - low, left : width - right] = cv2.resize(
            picture, inner, interpolation=cv2.INTER_AREA
        )
    return out


def _filmed(canvas: Canvas, rng: np.random.Generator, *, frames: int, size: int) -> Image:
    """The canvas through a camera that pans, zooms and shakes, or stands."""
    side = canvas.shape[0]
    moving = rng.random() < 0.5
    u = np.linspace(-0.5, 0.5, frames)
    scale = rng.uniform(1.2, 2.6) * np.exp(u * (rng.normal(0, 0.12) if moving else 0))
    pan = rng.normal(0, side * 0.08, 2) * [1, 0.4] * u[:, None] if moving else np.zeros((frames, 2))
    shake = np.cumsum(rng.normal(0, rng.choice([0.0, 0.0, 1.2]), (frames, 2)), axis=0)
    middle = side / 2 + rng.normal(0, side * 0.06, 2)
    out = np.empty((frames, size, size, 3), np.float32)
    for t in range(frames):
        x, y = middle + pan[t] + shake[t] - scale[t] * size / 2
        matrix = np.array([[scale[t], 0, x], [0, scale[t], y]])
        out[t] = cv2.warpAffine(
            canvas,
            matrix,
            (size, size),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REFLECT_101,
        )
    return out


def _ground_and_sky(rng: np.random.Generator, textures: NDArray[np.uint8], side: int) -> Canvas:
    horizon = int(side * rng.uniform(0.25, 0.8))
    canvas = np.empty((side, side, 3), np.float32)
    fade = np.linspace(0, 1, horizon, dtype=np.float32)[:, None, None]
    canvas[:horizon] = _colour(rng) * (1 - fade) + _colour(rng) * fade
    canvas[horizon:] = _colour(rng)
    for rows in (slice(0, horizon), slice(horizon, side)):
        cloth = _cloth(rng, textures, side, rows.stop - rows.start)
        canvas[rows] *= 1 + rng.uniform(0, 1.4) * (cloth - cloth.mean())
    return canvas


def _box(canvas: Canvas, rng: np.random.Generator, textures: NDArray[np.uint8]) -> None:
    """A wall, a window, a poster, a tree: one colour or a texture, round or square."""
    side = canvas.shape[0]
    w, h = (int(side * rng.uniform(0.04, 0.4)) for _ in range(2))
    x, y = (int(rng.integers(0, side - length)) for length in (w, h))
    fill = np.broadcast_to(_colour(rng), (h, w, 3)).copy()
    if rng.random() < 0.5:
        fill *= 0.4 + _cloth(rng, textures, w, h)
    shape = np.ones((h, w, 1), np.float32)
    if rng.random() < 0.3:
        round_ = np.zeros((h, w), np.float32)
        cv2.ellipse(round_, (w // 2, h // 2), (w // 2, h // 2), 0, 0, 360, 1.0, -1)
        shape = round_[..., None]
    canvas[y : y + h, x : x + w] = fill * shape + canvas[y : y + h, x : x + w] * (1 - shape)


def _fence(canvas: Canvas, rng: np.random.Generator, _: NDArray[np.uint8]) -> None:
    """Posts, bars or steps at even distances."""
    side = canvas.shape[0]
    start, length, low, high = (
        int(side * rng.uniform(*span)) for span in ((0, 0.6), (0.2, 1), (0, 0.5), (0.4, 1))
    )
    colour, step = tuple(map(float, _colour(rng))), int(rng.integers(5, 24))
    upright, thick = rng.random() < 0.7, int(rng.integers(1, 4))
    for place in range(start, min(start + length, side), step):
        ends = ((place, low), (place, high)) if upright else ((low, place), (high, place))
        cv2.line(canvas, *ends, colour, thick)


def _crowd(canvas: Canvas, rng: np.random.Generator, _: NDArray[np.uint8]) -> None:
    """Spots of many colours in a band."""
    side = canvas.shape[0]
    level, tall, spot = rng.uniform(0.2, 0.8) * side, rng.uniform(0.02, 0.12) * side, rng.uniform(1, 5)
    for _n in range(int(rng.integers(15, 70))):
        middle = (int(rng.integers(0, side)), int(level + rng.normal() * tall))
        axes = (max(int(spot), 1), max(int(spot * rng.uniform(1, 2.5)), 1))
        cv2.ellipse(canvas, middle, axes, 0, 0, 360, tuple(map(float, _colour(rng))), -1)


def _line(canvas: Canvas, rng: np.random.Generator, _: NDArray[np.uint8]) -> None:
    """A court's line, a rope, a rail."""
    ends = rng.integers(0, canvas.shape[0], (2, 2))
    colour = tuple(map(float, _colour(rng)))
    cv2.line(canvas, ends[0].tolist(), ends[1].tolist(), colour, int(rng.integers(1, 4)))


def _bystander(canvas: Canvas, rng: np.random.Generator, _: NDArray[np.uint8]) -> None:
    """Somebody who stands there and does nothing."""
    side = canvas.shape[0]
    tall = side * rng.uniform(0.12, 0.5)
    x, y = rng.uniform(0.05, 0.95) * side, rng.uniform(0.3, 0.7) * side
    skin, shirt, trousers = (tuple(map(float, _colour(rng))) for _n in range(3))
    parts = ((-0.42, 0.06, 0.08, skin), (-0.18, 0.12, 0.2, shirt), (0.22, 0.09, 0.27, trousers))
    for down, across, along, colour in parts:
        axes = (max(int(across * tall), 1), max(int(along * tall), 1))
        cv2.ellipse(canvas, (int(x), int(y + down * tall)), axes, 0, 0, 360, colour, -1)


def _colour(rng: np.random.Generator) -> NDArray[np.float32]:
    """Mostly greyish, at times strong."""
    return np.asarray(
        colorsys.hsv_to_rgb(rng.random(), rng.uniform(0, 1) ** 2, rng.uniform(0.05, 1)), np.float32
    )


def _cloth(rng: np.random.Generator, textures: NDArray[np.uint8], width: int, height: int) -> Canvas:
    """A piece of a texture, 0 to 1."""
    picture = textures[int(rng.integers(len(textures)))]
    piece = picture[: max(int(len(picture) * rng.uniform(0.3, 1)), 2)]
    scaled = cv2.resize(piece, (max(width, 1), max(height, 1)), interpolation=cv2.INTER_LINEAR)
    return np.asarray(scaled, np.float32) / np.float32(255)
