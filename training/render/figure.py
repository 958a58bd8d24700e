"""Draws people and props as shaded, tapered capsules with a depth buffer and a perspective camera."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.render.skeleton import INDEX, Array, Motion

Image = NDArray[np.float32]

# joint, joint, radius at each (metres, for a person of 1.75 m), tone of the palette
LIMBS = (
    ("l_hip", "l_knee", 0.085, 0.060, "trousers"),
    ("r_hip", "r_knee", 0.085, 0.060, "trousers"),
    ("l_knee", "l_ankle", 0.058, 0.040, "trousers"),
    ("r_knee", "r_ankle", 0.058, 0.040, "trousers"),
    ("l_ankle", "l_toe", 0.045, 0.035, "shoes"),
    ("r_ankle", "r_toe", 0.045, 0.035, "shoes"),
    ("pelvis", "chest", 0.115, 0.125, "shirt"),
    ("l_hip", "l_shoulder", 0.085, 0.075, "shirt"),
    ("r_hip", "r_shoulder", 0.085, 0.075, "shirt"),
    ("l_shoulder", "r_shoulder", 0.068, 0.068, "shirt"),
    ("l_hip", "r_hip", 0.088, 0.088, "trousers"),
    ("neck", "head", 0.050, 0.050, "skin"),
    ("l_shoulder", "l_elbow", 0.058, 0.046, "sleeves"),
    ("r_shoulder", "r_elbow", 0.058, 0.046, "sleeves"),
    ("l_elbow", "l_wrist", 0.044, 0.034, "forearms"),
    ("r_elbow", "r_wrist", 0.044, 0.034, "forearms"),
)
HAND, HEAD_RADIUS = 0.055, 0.105


@dataclass(frozen=True)
class Look:
    """A person's colours (RGB 0 to 1 by tone) and build (factors on the limbs' girth and on the head)."""

    tones: dict[str, tuple[float, float, float]]
    girth: float = 1.0
    head: float = 1.0


@dataclass(frozen=True)
class Camera:
    """Where it stands (T, 3), its axes right, up and forward (T, 3, 3), and its focal length in image heights."""

    position: Array
    axes: Array
    focal: Array

    @staticmethod
    def looking_at(position: Array, target: Array, focal: Array, *, tilt: Array | None = None) -> Camera:
        """A camera per frame that looks from ``position`` to ``target``; ``tilt`` rolls it, radians."""
        forward = target - position
        forward /= np.linalg.norm(forward, axis=-1, keepdims=True)
        right = np.cross(forward, np.array([0.0, 1.0, 0.0]))
        right /= np.linalg.norm(right, axis=-1, keepdims=True)
        up = np.cross(right, forward)
        if tilt is not None:
            c, s = np.cos(tilt)[:, None], np.sin(tilt)[:, None]
            right, up = c * right + s * up, c * up - s * right
        return Camera(position, np.stack([right, up, forward], axis=1), focal)

    def project(self, points: Array, *, height: int, width: int) -> tuple[Array, Array]:
        """Pixels (T, N, 2) and depth (T, N) in metres of points (T, N, 3)."""
        seen = np.einsum("tij,tnj->tni", self.axes, points - self.position[:, None])
        depth = np.maximum(seen[..., 2], 0.15)
        scale = (self.focal * height)[:, None] / depth
        return np.stack([width / 2 + seen[..., 0] * scale, height / 2 - seen[..., 1] * scale], axis=-1), depth

    def rays(self, *, height: int, width: int, frame: int) -> Array:
        """Directions (H, W, 3) through the middles of the pixels of one frame."""
        y, x = np.mgrid[0:height, 0:width].astype(float) + 0.5
        focal = self.focal[frame] * height
        seen = np.stack([(x - width / 2) / focal, (height / 2 - y) / focal, np.ones_like(x)], axis=-1)
        return seen @ self.axes[frame]


@dataclass(frozen=True)
class Capsules:
    """What is drawn: ends (T, N, 3), radii at both ends (N,), colours (N, 3)."""

    a: Array
    b: Array
    ra: Array
    rb: Array
    colour: Array

    @staticmethod
    def of(motion: Motion, looks: tuple[Look, ...]) -> Capsules:
        """The capsules of all people and props of a motion, ``looks`` one a person."""
        a, b, ra, rb, colour = [], [], [], [], []

        def add(
            start: Array, end: Array, radius: float, radius_end: float, tone: tuple[float, float, float]
        ) -> None:
            a.append(start)
            b.append(end)
            ra.append(radius)
            rb.append(radius_end)
            colour.append(tone)

        for joints, look in zip(motion.people, looks, strict=True):
            at = {name: joints[:, position] for name, position in INDEX.items()}
            for first, second, radius, radius_end, tone in LIMBS:
                add(at[first], at[second], radius * look.girth, radius_end * look.girth, look.tones[tone])
            up = (at["head"] - at["neck"]) / np.maximum(
                np.linalg.norm(at["head"] - at["neck"], axis=-1, keepdims=True), 1e-6
            )
            back, size = _backwards(at), HEAD_RADIUS * look.head
            add(at["head"] - 0.05 * up - 0.015 * back, at["head"], size * 0.8, size, look.tones["skin"])
            add(
                at["head"] + 0.01 * up + 0.035 * back,
                at["head"] + 0.04 * up + 0.015 * back,
                size * 0.9,
                size * 0.93,
                look.tones["hair"],
            )
            for side in "lr":
                wrist, elbow = at[f"{side}_wrist"], at[f"{side}_elbow"]
                add(wrist, wrist + 0.28 * (wrist - elbow), HAND * 0.75, HAND * 0.75, look.tones["skin"])
        for prop in motion.props:
            add(prop.a, prop.b, prop.radius, prop.radius, looks[0].tones.get(prop.tone, (0.35, 0.25, 0.2)))
        return Capsules(
            np.stack(a, 1), np.stack(b, 1), np.array(ra), np.array(rb), np.array(colour, dtype=float)
        )


def draw(
    capsules: Capsules,
    camera: Camera,
    *,
    height: int,
    width: int,
    light: tuple[float, float, float] = (-0.4, 0.7, -0.6),
) -> tuple[Image, Image]:
    """Shaded figures over nothing.

    Returns:
        colour (T, H, W, 3) from 0 to 1 and coverage (T, H, W), 1 where something is drawn. Edges are hard: draw
        at twice the size and scale down.
    """
    frames = capsules.a.shape[0]
    a, depth_a = camera.project(capsules.a, height=height, width=width)
    b, depth_b = camera.project(capsules.b, height=height, width=width)
    focal = (camera.focal * height)[:, None]
    ra, rb = capsules.ra * focal / depth_a, capsules.rb * focal / depth_b
    towards = np.asarray(light) / np.linalg.norm(light)
    colour = np.zeros((frames, height, width, 3), np.float32)
    nearest = np.full((frames, height, width), np.inf, np.float32)
    for t in range(frames):
        for n in range(len(capsules.ra)):
            _paint(
                colour[t], nearest[t], (a[t, n], b[t, n]), (ra[t, n], rb[t, n]), (depth_a[t, n], depth_b[t, n]),
                capsules.colour[n], towards, float(focal[t, 0]),
            )  # fmt: skip
    return colour, np.isfinite(nearest).astype(np.float32)


def _paint(
    colour: Image, nearest: Image, ends: tuple[Array, Array], radii: tuple[float, float], depths: tuple[float, float],
    tone: Array, light: Array, focal: float,
) -> None:  # fmt: skip
    """One capsule into one frame, inside its bounding box only."""
    (a, b), (ra, rb), (za, zb) = ends, radii, depths
    height, width = nearest.shape
    reach = max(ra, rb)
    if not 0.3 < reach < 4 * height:
        return
    x0, y0 = np.maximum(np.floor(np.minimum(a, b) - reach), 0).astype(int)
    x1, y1 = np.minimum(np.ceil(np.maximum(a, b) + reach), (width, height)).astype(int)
    if x0 >= x1 or y0 >= y1:
        return
    x = np.arange(x0, x1, dtype=np.float32)[None] + np.float32(0.5)
    y = np.arange(y0, y1, dtype=np.float32)[:, None] + np.float32(0.5)
    dx, dy = np.float32(b[0] - a[0]), np.float32(b[1] - a[1])
    u = np.clip(((x - a[0]) * dx + (y - a[1]) * dy) / max(float(dx * dx + dy * dy), 1e-6), 0, 1).astype(
        np.float32
    )
    radius = np.float32(ra) + u * np.float32(rb - ra)
    ox, oy = x - (np.float32(a[0]) + u * dx), y - (np.float32(a[1]) + u * dy)
    bulge = radius * radius - ox * ox - oy * oy
    depth = np.float32(za) + u * np.float32(zb - za)
    bulge_depth = np.sqrt(np.maximum(bulge, 0))
    depth = depth - bulge_depth * depth / np.float32(focal)
    window = nearest[y0:y1, x0:x1]
    seen = (bulge > 0) & (depth < window)
    lit = (
        ox * np.float32(light[0]) - oy * np.float32(light[1]) - bulge_depth * np.float32(light[2])
    ) / radius
    shade = np.float32(0.52) + np.float32(0.5) * np.clip(lit, -0.35, 1)
    window[seen] = depth[seen]
    colour[y0:y1, x0:x1][seen] = np.clip(shade[seen, None] * tone.astype(np.float32), 0, 1)


def _backwards(at: dict[str, Array]) -> Array:
    """Unit vector out of the back of a person's head, (T, 3)."""
    across = at["l_shoulder"] - at["r_shoulder"]
    up = at["neck"] - at["pelvis"]
    back = np.cross(up, across)
    return back / np.maximum(np.linalg.norm(back, axis=-1, keepdims=True), 1e-6)
