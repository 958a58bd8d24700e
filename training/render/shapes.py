"""Procedural movement: shapes of a body and parts that travel, speed up, turn, swing their parts and change in size.

Nothing here is a person or an action. A network that has learned to tell these movements apart, in textures that move
as well, begins with an eye for what moves (after Yu, Chen and Gandelsman 2024, who show how far that goes).
"""

from __future__ import annotations

from itertools import product

import cv2
import numpy as np
from numpy.typing import NDArray

from training.render.actors import FIGURE_FRAMES, HEIGHT, WIDTH, Actor

Path2 = NDArray[np.float64]

PATHS = ("still", "steady", "speeding up", "to and fro", "in a circle")
CHANGES = ("rigid", "turning", "swinging parts", "growing or shrinking")
KINDS = tuple(f"{path}, {change}" for path, change in product(PATHS, CHANGES))
_FINE = 4  # bits behind the point of drawn coordinates


def shape_actors(count: int, *, seed: int) -> list[Actor]:
    """``count`` moving shapes, as many of each of ``KINDS``; their label is the kind's place."""
    return [_moving_shape(n % len(KINDS), np.random.default_rng([seed, n])) for n in range(count)]


def _moving_shape(kind: int, rng: np.random.Generator) -> Actor:
    path, change = divmod(kind, len(CHANGES))
    u = np.linspace(0, 1, FIGURE_FRAMES)
    middle = _path(PATHS[path], u, rng)
    beats, start = rng.uniform(0.8, 3.0), rng.uniform(0, 2 * np.pi)
    turn = np.full_like(u, rng.uniform(0, 2 * np.pi))
    size, swing = np.ones_like(u), np.zeros_like(u)
    if CHANGES[change] == "turning":
        turn = turn + u * rng.choice([-1, 1]) * rng.uniform(1.0, 6.0)
    elif CHANGES[change] == "swinging parts":
        swing = rng.uniform(0.4, 1.2) * np.sin(2 * np.pi * beats * u + start)
    elif CHANGES[change] == "growing or shrinking":
        size = np.exp(rng.choice([-1, 1]) * rng.uniform(0.5, 1.2) * (u - 0.5))
    outline, parts = _body(rng), _parts(rng)
    scale = rng.uniform(7, 16)
    cover = np.zeros((len(u), HEIGHT, WIDTH), np.uint8)
    for t, picture in enumerate(cover):
        own = scale * size[t]
        _fill(picture, _turned(outline, turn[t]) * own + middle[t])
        for root, angle, length, thick, way in parts:
            at = turn[t] + angle + way * swing[t]
            limb = np.array([[0, -thick], [length, -thick * 0.6], [length, thick * 0.6], [0, thick]])
            _fill(picture, (_turned(limb, at) + _turned(root[None], turn[t])) * own + middle[t])
    return Actor(kind, cover)


def _path(name: str, u: NDArray[np.float64], rng: np.random.Generator) -> Path2:
    """Where the body's middle is, (T, 2) px."""
    way = rng.uniform(0, 2 * np.pi)
    direction, across = np.array([np.cos(way), np.sin(way)]), np.array([-np.sin(way), np.cos(way)])
    reach = rng.uniform(14, 34)
    along = np.zeros_like(u)
    aside = np.zeros_like(u)
    if name == "steady":
        along = u - 0.5
    elif name == "speeding up":
        along = u ** rng.uniform(2.2, 3.5) - 0.4
        along = along if rng.random() < 0.5 else -along[::-1]
    elif name == "to and fro":
        along = 0.5 * np.sin(2 * np.pi * (rng.uniform(1.0, 2.5) * u + rng.random()))
    elif name == "in a circle":
        angle = 2 * np.pi * rng.choice([-1, 1]) * rng.uniform(0.7, 1.6) * u
        along, aside = 0.45 * np.cos(angle), 0.45 * np.sin(angle)
    middle = np.array([WIDTH / 2, HEIGHT / 2]) + rng.normal(0, 3, 2)
    return np.asarray(middle + reach * (along[:, None] * direction + aside[:, None] * across))


def _body(rng: np.random.Generator) -> Path2:
    """A closed outline around the origin, about 1 in size: round, long, or angular."""
    corners = int(rng.choice([3, 4, 5, 12, 24]))
    angle = np.sort(np.linspace(0, 2 * np.pi, corners, endpoint=False) + rng.normal(0, 0.12, corners))
    radius = rng.uniform(0.75, 1.1, corners) if corners < 12 else np.ones(corners)
    outline = np.stack([radius * np.cos(angle), radius * np.sin(angle)], -1)
    return np.asarray(outline * (1.0, rng.uniform(0.35, 1.0)))


def _parts(rng: np.random.Generator) -> list[tuple[Path2, float, float, float, float]]:
    """Limbs: where they start, their angle, length, half thickness, and how they swing."""
    return [
        (
            rng.uniform(-0.5, 0.5, 2),
            rng.uniform(0, 2 * np.pi),
            rng.uniform(0.9, 1.9),
            rng.uniform(0.1, 0.3),
            float(rng.choice([-1.0, 1.0])),
        )
        for _ in range(int(rng.integers(1, 5)))
    ]


def _turned(points: Path2, angle: float) -> Path2:
    c, s = np.cos(angle), np.sin(angle)
    return np.asarray(points @ np.array([[c, s], [-s, c]]))


def _fill(picture: NDArray[np.uint8], outline: Path2) -> None:
    corners = np.round(outline * 2**_FINE).astype(np.int32)
    cv2.fillPoly(picture, [corners], 255, lineType=cv2.LINE_AA, shift=_FINE)
