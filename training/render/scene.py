"""Puts a motion in front of a camera: colours, framing, ground and wall, light."""

from __future__ import annotations

import colorsys
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from training.render.figure import Camera, Capsules, Image, Look, draw
from training.render.skeleton import INDEX, Array, Motion

Texture = NDArray[np.float32]

SKINS = ((0.96, 0.80, 0.69), (0.90, 0.70, 0.56), (0.76, 0.55, 0.41), (0.55, 0.37, 0.26), (0.36, 0.24, 0.18))
HAIRS = ((0.12, 0.09, 0.08), (0.30, 0.19, 0.11), (0.62, 0.45, 0.24), (0.45, 0.43, 0.42), (0.05, 0.05, 0.06))
FIXED = {
    "glass": (0.75, 0.85, 0.9), "metal": (0.62, 0.64, 0.68), "wood": (0.5, 0.34, 0.2), "paper": (0.95, 0.95, 0.92),
    "smoke": (0.85, 0.85, 0.87), "food": (0.75, 0.55, 0.3), "eye": (0.08, 0.07, 0.07), "lips": (0.6, 0.22, 0.22),
}  # fmt: skip


def random_look(rng: np.random.Generator) -> Look:
    """Clothes, skin, hair and build of somebody."""

    def cloth() -> tuple[float, float, float]:
        return colorsys.hsv_to_rgb(rng.random(), rng.uniform(0, 0.75), rng.uniform(0.12, 0.95))

    skin, shirt, trousers = SKINS[int(rng.integers(len(SKINS)))], cloth(), cloth()
    bare = rng.random()
    tones = {
        "skin": skin, "hair": HAIRS[int(rng.integers(len(HAIRS)))], "shirt": shirt,
        "trousers": shirt if rng.random() < 0.15 else trousers, "shoes": cloth(),
        "sleeves": skin if bare < 0.25 else shirt, "forearms": skin if bare < 0.6 else shirt,
        "prop": cloth(), "ball": cloth(), "horse": (0.4, 0.26, 0.16), **FIXED,
    }  # fmt: skip
    return Look(tones, girth=rng.uniform(0.85, 1.35), head=rng.uniform(0.92, 1.1))


@dataclass(frozen=True)
class Framing:
    """How close and from where: ``azimuth`` and ``elevation`` in radians, ``span`` metres of height in view."""

    azimuth: float
    elevation: float
    span: float
    focal: float = 1.4
    follow: float = 1.0
    shake: float = 0.0
    zoom: float = 0.0
    orbit: float = 0.0
    tilt: float = 0.0


def random_framing(rng: np.random.Generator, motion: Motion) -> Framing:
    """A framing as such a scene is usually filmed, with room for chance."""
    points = np.concatenate([joints.reshape(-1, 3) for joints in motion.people])
    tall = float(np.ptp(points[:, 1])) + 0.3
    wide = float(max(np.ptp(joints[:, INDEX["pelvis"], 0::2], axis=0).max() for joints in motion.people))
    span = {
        "body": tall * rng.uniform(0.85, 1.7),
        "upper": rng.uniform(0.8, 1.5),
        "face": rng.uniform(0.4, 0.85),
    }[motion.framing]
    follow = (
        float(rng.choice([0.0, 0.5, 1.0], p=[0.3, 0.2, 0.5]))
        if motion.framing == "body"
        else rng.uniform(0.6, 1.0)
    )
    if follow < 0.9:
        span = max(span, wide * 0.7 * (1 - follow))
    around = np.pi if motion.framing == "body" else 1.0
    return Framing(
        azimuth=rng.uniform(-around, around),
        elevation=rng.normal(0.08, 0.14),
        span=span,
        focal=rng.uniform(1.0, 2.4),
        follow=follow,
        shake=rng.choice([0.0, 0.0, 0.012, 0.035]),
        zoom=rng.choice([0.0, 0.0, rng.uniform(-0.35, 0.35)]),
        orbit=rng.choice([0.0, 0.0, rng.uniform(-0.5, 0.5)]),
        tilt=rng.normal(0, 0.04),
    )


def camera_for(motion: Motion, framing: Framing, rng: np.random.Generator) -> Camera:
    """A camera on the people's middle (their heads for a face), following them more or less smoothly."""
    if motion.framing == "face":
        parts = [INDEX["head"], INDEX["neck"]]
    elif motion.framing == "upper":
        parts = [INDEX["head"], INDEX["chest"], INDEX["neck"]]
    else:
        parts = [INDEX[name] for name in ("head", "pelvis", "l_ankle", "r_ankle")]
    middle = np.mean([joints[:, parts].mean(axis=1) for joints in motion.people], axis=0)
    frames = len(middle)
    steady = middle.mean(axis=0, keepdims=True)
    target = steady + framing.follow * (_smooth(middle) - steady)
    target = target + rng.normal(0, 0.06, 3) * framing.span
    u = np.linspace(-0.5, 0.5, frames)
    azimuth = framing.azimuth + framing.orbit * u
    elevation = np.clip(framing.elevation, -0.12, 0.7)
    distance = framing.focal * framing.span * np.exp(framing.zoom * u)
    around = np.stack(
        [
            np.sin(azimuth) * np.cos(elevation),
            np.full(frames, np.sin(elevation)),
            np.cos(azimuth) * np.cos(elevation),
        ],
        -1,
    )
    position = target + around * distance[:, None]
    position[:, 1] = np.maximum(position[:, 1], 0.15)
    jitter = np.cumsum(rng.normal(0, framing.shake * framing.span, (frames, 3)), axis=0) * 0.5
    return Camera.looking_at(
        position, target + jitter, np.full(frames, framing.focal), tilt=np.full(frames, framing.tilt)
    )


def surroundings(
    camera: Camera, *, height: int, width: int, ground: Texture, wall: Texture, distance: float, scale: float,
    wall_scale: float, haze: tuple[float, float, float],
) -> Image:  # fmt: skip
    """Ground plane and a wall around it (a cylinder ``distance`` metres off), textured: (T, H, W, 3), 0 to 1.

    ``scale`` and ``wall_scale`` are repeats of the texture a metre; the wall's first row stands on the ground.
    """
    frames = len(camera.position)
    seen = np.empty((frames, height, width, 3), np.float32)
    for t in range(frames):
        rays = camera.rays(height=height, width=width, frame=t)
        x, y, z = camera.position[t]
        flat = np.maximum(np.hypot(rays[..., 0], rays[..., 2]), 1e-6)
        to_wall = distance / flat
        with np.errstate(divide="ignore", invalid="ignore"):
            to_ground = np.where(rays[..., 1] < -1e-4, -y / rays[..., 1], np.inf)
        down = to_ground < to_wall
        hit = np.where(down, to_ground, to_wall)
        gx, gz = x + rays[..., 0] * np.minimum(hit, 1e4), z + rays[..., 2] * np.minimum(hit, 1e4)
        around = np.arctan2(rays[..., 0], rays[..., 2]) * distance + x * 0.3
        floor = _sample(ground, gx * scale, gz * scale)
        upright = _sample(wall, around * wall_scale, (y + rays[..., 1] * to_wall) * wall_scale)
        picture = np.where(down[..., None], floor, upright)
        far = np.where(down, 1 - np.exp(-hit / (distance * 1.2)), 0.25)[..., None]
        seen[t] = picture * (1 - far) + np.asarray(haze) * far
    return seen


def film(
    motion: Motion, looks: tuple[Look, ...], camera: Camera, background: Image, *, supersample: int = 2,
    light: tuple[float, float, float] = (-0.4, 0.7, -0.6),
) -> Image:  # fmt: skip
    """The people of a motion before a background (T, H, W, 3), with a soft shadow under them."""
    _, height, width, _ = background.shape
    colour, cover = draw(
        Capsules.of(motion, looks),
        camera,
        height=height * supersample,
        width=width * supersample,
        light=light,
    )
    picture = background * _shadow(motion, camera, height=height, width=width)[..., None]
    out = np.empty_like(background)
    for t in range(len(background)):
        alpha = cv2.resize(cover[t], (width, height), interpolation=cv2.INTER_AREA)[..., None]
        figure = cv2.resize(colour[t] * cover[t][..., None], (width, height), interpolation=cv2.INTER_AREA)
        out[t] = picture[t] * (1 - alpha) + figure
    return out


def _shadow(motion: Motion, camera: Camera, *, height: int, width: int) -> Image:
    """A factor (T, H, W) that darkens the ground under every joint."""
    points = np.concatenate(motion.people, axis=1)
    lift = points[..., 1]
    pixels, depth = camera.project(points * [1, 0, 1], height=height, width=width)
    size = (camera.focal * height)[:, None] / depth
    out = np.ones((len(points), height, width), np.float32)
    for t in range(len(points)):
        layer = np.zeros((height, width), np.float32)
        for n in np.argsort(-lift[t]):  # the lowest joints cast the darkest shadow and come last
            (x, y), s = pixels[t, n], size[t, n]
            axes = (max(int(0.2 * s), 1), max(int(0.07 * s), 1))
            if -width < x < 2 * width and -height < y < 2 * height and axes[0] < 2 * width:
                dark = float(np.exp(-1.2 * max(lift[t, n], 0)))
                cv2.ellipse(layer, (int(x), int(y)), axes, 0, 0, 360, dark, -1)
        out[t] = 1 - 0.45 * cv2.GaussianBlur(layer, (0, 0), max(height / 60, 0.8))
    return out


def _sample(texture: Texture, u: Array, v: Array) -> Texture:
    """Texture colours at (u, v) repeats, linear between texels."""
    height, width = texture.shape[:2]
    x = np.mod(u, 1.0).astype(np.float32) * (width - 1)
    y = np.mod(v, 1.0).astype(np.float32) * (height - 1)
    picture = cv2.remap(texture, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP)
    return np.asarray(picture, np.float32)


def _smooth(path: Array, passes: int = 3) -> Array:
    for _ in range(passes):
        padded = np.concatenate([path[:1], path, path[-1:]])
        path = (padded[:-2] + padded[1:-1] + padded[2:]) / 3
    return path
