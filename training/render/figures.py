"""One training clip of drawn people: movement, bodies, camera, surroundings, light, then a bad camera."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from training.render.backdrop import bordered, built_scene
from training.render.degrade import Clip, degraded
from training.render.library import ACTIONS, written
from training.render.recorded import Take, performed
from training.render.scene import camera_for, film, random_framing, random_look, surroundings
from training.render.silhouettes import moving_texture
from training.render.skeleton import Motion


def labels_with_motion(takes: dict[str, list[Take]]) -> tuple[str, ...]:
    """Labels for which there is any movement to draw, sorted."""
    return tuple(sorted(set(ACTIONS) | set(takes)))


def move(label: str, rng: np.random.Generator, *, takes: dict[str, list[Take]], frames: int = 16) -> Motion:
    """Somebody doing ``label``: recorded where there is a recording (about half of the time), else written."""
    seconds = rng.uniform(1.1, 2.6)
    recorded = takes.get(label, [])
    if recorded and (label not in ACTIONS or rng.random() < min(0.6, 0.15 + 0.06 * len(recorded))):
        return performed(
            recorded[int(rng.integers(len(recorded)))], rng, label=label, frames=frames, seconds=seconds
        )
    moments = (np.arange(frames) + rng.uniform(0.2, 0.8, frames)) / frames
    return written(label, rng, moments * seconds)


def render_figure(
    label: str,
    rng: np.random.Generator,
    *,
    takes: dict[str, list[Take]],
    textures: NDArray[np.uint8],
    plain: float = 0.0,
    scenes: float = 0.0,
    frames: int = 16,
    size: int = 64,
) -> Clip:
    """A clip of ``label``: uint8 (frames, size, size, 3), squashed from the shape it was filmed in.

    ``plain`` is the share of clips, 0 to 1, before one still colour and filmed well; ``scenes`` is the share of
    the others in a cluttered place.
    """
    motion = move(label, rng, takes=takes, frames=frames)
    looks = tuple(random_look(rng) for _ in motion.people)
    camera = camera_for(motion, random_framing(rng, motion), rng)
    width = int(size * rng.choice([1.333, 1.333, 1.333, 1.0, 1.6, 1.78]))
    easy, cluttered = rng.random() < plain, False
    if easy:
        behind = np.broadcast_to(
            rng.choice([rng.uniform(0, 0.3, 3), rng.uniform(0.7, 1, 3)]), (frames, size, width, 3)
        )
    elif scenes and rng.random() < scenes:
        cluttered = True
        flat = built_scene(rng, textures, frames=frames, size=size)
        behind = np.stack([cv2.resize(picture, (width, size)) for picture in flat])
    elif rng.random() < 0.65:
        ground, wall = (
            textures[int(k)].astype(np.float32) / 255 for k in rng.integers(len(textures), size=2)
        )
        behind = surroundings(
            camera, height=size, width=width, ground=ground, wall=wall, distance=rng.uniform(2.5, 12),
            scale=rng.uniform(0.15, 0.8), wall_scale=rng.uniform(0.08, 0.6), haze=tuple(rng.uniform(0.4, 0.95, 3)),
        )  # fmt: skip
    else:
        flat = moving_texture(rng, textures, frames=frames, size=size)
        behind = np.stack([cv2.resize(picture, (width, size)) for picture in flat])
    light = (rng.normal(0, 0.6), rng.uniform(0.3, 1.0), rng.normal(-0.5, 0.5))
    filmed = film(motion, looks, camera, np.asarray(behind, np.float32), supersample=2, light=light)
    squashed = np.stack(
        [cv2.resize(picture, (size, size), interpolation=cv2.INTER_AREA) for picture in filmed]
    )
    if easy:
        return np.asarray(np.clip(squashed * 255 + 0.5, 0, 255), np.uint8)
    clip = degraded(squashed, rng, textures=textures)
    return bordered(clip, rng) if cluttered and rng.random() < 0.2 else clip
