"""Composites real silhouettes as people: clothed, lit, cropped, before a background that moves of its own."""

from __future__ import annotations

import colorsys

import cv2
import numpy as np
from numpy.typing import NDArray

from training.render.backdrop import bordered, built_scene
from training.render.degrade import Clip, degraded
from training.render.figure import Image
from training.render.scene import SKINS

Masks = NDArray[np.uint8]


def composite(
    masks: Masks,
    rng: np.random.Generator,
    *,
    textures: NDArray[np.uint8],
    plain: float = 0.0,
    scenes: float = 0.0,
    frames: int = 16,
    size: int = 64,
) -> Clip:
    """One clip from a silhouette sequence.

    Args:
        masks: (T, H, W), 0 or 1.
        rng: decides everything.
        textures: (N, h, w, 3) bytes.
        plain: share of clips, 0 to 1, with one colour on another and nothing in the way: a network learns what moves
            from these long before it can from the others.
        scenes: share of the others, 0 to 1, in a cluttered place and at times from further off.
        frames: pictures wanted.
        size: height and width wanted; the picture is squashed to it as the network's input is.

    Returns:
        uint8 (frames, size, size, 3).
    """
    chosen = masks[_moments(len(masks), frames, rng)]
    if rng.random() < 0.5:
        chosen = chosen[:, :, ::-1]
    cover = _cropped(chosen, rng, size)
    if rng.random() < plain:
        return _two_colours(cover, rng)
    person = _person(cover, rng, textures)
    if scenes and rng.random() < scenes:
        return _in_a_scene(person, cover, rng, textures)
    behind = moving_texture(rng, textures, frames=frames, size=size)
    return degraded(person * cover[..., None] + behind * (1 - cover[..., None]), rng, textures=textures)


def _in_a_scene(
    person: Image, cover: NDArray[np.float32], rng: np.random.Generator, textures: NDArray[np.uint8]
) -> Clip:
    """A person in a cluttered place, a third of them further off and in any part of the picture."""
    frames, size, _ = cover.shape
    if rng.random() < 0.35:
        person, cover = _further_off(person, cover, rng)
    behind = built_scene(rng, textures, frames=frames, size=size)
    clip = degraded(person * cover[..., None] + behind * (1 - cover[..., None]), rng, textures=textures)
    return bordered(clip, rng) if rng.random() < 0.2 else clip


def _further_off(
    person: Image, cover: NDArray[np.float32], rng: np.random.Generator
) -> tuple[Image, NDArray[np.float32]]:
    """Both at 0.5 to 0.85 of their size. Cut at the picture's edge before, the person is cut there still."""
    size = cover.shape[1]
    share = rng.uniform(0.5, 0.85)
    x, y = rng.uniform(0, (1 - share) * size, 2)
    matrix = np.array([[share, 0, x], [0, share, y]])
    near, own = (
        np.stack(
            [
                np.asarray(cv2.warpAffine(picture, matrix, (size, size), flags=cv2.INTER_AREA), np.float32)
                for picture in layer
            ]
        )
        for layer in (person * cover[..., None], cover)
    )
    return np.asarray(near / np.maximum(own[..., None], 1e-3), np.float32), own


def moving_texture(rng: np.random.Generator, textures: NDArray[np.uint8], *, frames: int, size: int) -> Image:
    """A background: one or two textures that pan, zoom, turn and shake more or less, (T, size, size, 3), 0 to 1."""
    layer = _panned(textures[int(rng.integers(len(textures)))], rng, frames, size)
    if rng.random() < 0.6:
        other = _panned(textures[int(rng.integers(len(textures)))], rng, frames, size)
        edge = np.clip((np.arange(size) - size * rng.uniform(0.4, 0.9)) / 2, 0, 1).astype(np.float32)[
            :, None, None
        ]
        layer = layer * (1 - edge) + other * edge
    if rng.random() < 0.4:
        tint = np.asarray(
            colorsys.hsv_to_rgb(rng.random(), rng.uniform(0, 0.6), rng.uniform(0.3, 1)), np.float32
        )
        layer = layer * (1 - 0.5) + tint * 0.5
    return layer


def _two_colours(cover: NDArray[np.float32], rng: np.random.Generator) -> Clip:
    """A bright person on dark ground or the reverse, as bytes."""
    dark, bright = rng.uniform(0, 0.35, 3), rng.uniform(0.65, 1.0, 3)
    person, ground = (dark, bright) if rng.random() < 0.5 else (bright, dark)
    mixed = cover[..., None] * person + (1 - cover[..., None]) * ground
    return np.asarray(mixed * 255 + 0.5, np.uint8)


def _moments(count: int, frames: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Jittered moments over most of the sequence, at times with a wait before or after."""
    share = rng.uniform(0.65, 1.0)
    start = rng.uniform(0, 1 - share)
    u = (np.arange(frames) + rng.random(frames)) / frames
    if rng.random() < 0.3:
        wait = rng.uniform(0, 0.4)
        u = np.clip((u - wait * rng.random()) / (1 - wait), 0, 1)
    return np.clip(((start + share * u) * count).astype(np.int64), 0, count - 1)


def _cropped(masks: Masks, rng: np.random.Generator, size: int) -> NDArray[np.float32]:
    """The masks seen closer or from further off, squashed to the input's size."""
    _, height, width = masks.shape
    rows, columns = (np.flatnonzero(masks.any(axis=axes)) for axes in ((0, 2), (0, 1)))
    if rng.random() < 0.4 or not len(rows):
        scale_y, scale_x, x, y = float(height), float(width), width / 2, height / 2
        grow = rng.uniform(0.85, 1.15)
    else:
        tall, wide = float(np.ptp(rows)) + 8, float(np.ptp(columns)) + 8
        scale_y = max(tall, wide * 0.75)
        scale_x = scale_y * rng.uniform(1.1, 1.5)
        x, y = columns.mean(), rows.mean()
        grow = rng.uniform(0.85, 1.8)
    scale_x, scale_y = scale_x * grow, scale_y * grow
    x, y = x + rng.normal(0, 0.07) * scale_x, y + rng.normal(0, 0.07) * scale_y
    matrix = np.array(
        [
            [size / scale_x, 0, size / 2 - x * size / scale_x],
            [0, size / scale_y, size / 2 - y * size / scale_y],
        ]
    )
    out = np.empty((len(masks), size, size), np.float32)
    shrink = max(scale_y / size, 1.0)
    for t, mask in enumerate(masks):
        soft = (
            cv2.GaussianBlur(mask.astype(np.float32), (0, 0), 0.35 * shrink)
            if shrink > 1.2
            else mask.astype(np.float32)
        )
        out[t] = cv2.warpAffine(soft, matrix, (size, size), flags=cv2.INTER_LINEAR)
    return out


def _person(cover: NDArray[np.float32], rng: np.random.Generator, textures: NDArray[np.uint8]) -> Image:
    """Clothes for a silhouette: head, shirt and trousers by height, or one cloth; rounder towards the edge."""
    frames, size, _ = cover.shape
    skin = np.asarray(SKINS[int(rng.integers(len(SKINS)))], np.float32)
    shirt, trousers = (
        np.asarray(
            colorsys.hsv_to_rgb(rng.random(), rng.uniform(0, 0.8), rng.uniform(0.08, 0.95)), np.float32
        )
        for _ in range(2)
    )
    banded = rng.random() < 0.7
    cloth = textures[int(rng.integers(len(textures)))]
    weave = cv2.resize(cloth, (size, size), interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    weave = 1 + rng.uniform(0, 0.7) * (weave - weave.mean())
    out = np.empty((frames, size, size, 3), np.float32)
    level = np.arange(size, dtype=np.float32)[:, None]
    for t in range(frames):
        rows = np.flatnonzero(cover[t].max(axis=1) > 0.5)
        top, low = (rows[0], rows[-1]) if len(rows) else (0, size)
        u = (level - top) / max(low - top, 1)
        bands = (
            np.where(u[..., None] < 0.16, skin, np.where(u[..., None] < 0.52, shirt, trousers))
            if banded
            else shirt
        )
        depth = cv2.distanceTransform((cover[t] > 0.5).astype(np.uint8), cv2.DIST_L2, 3)
        shade = 0.55 + 0.45 * np.clip(depth / max(float(depth.max()), 1e-6), 0, 1)
        moved = np.roll(weave, (int(top), 0), axis=(0, 1))
        out[t] = bands * moved * shade[..., None]
    return np.clip(out, 0, 1)


def _panned(texture: NDArray[np.uint8], rng: np.random.Generator, frames: int, size: int) -> Image:
    picture = texture.astype(np.float32) / 255
    moving = rng.random() < 0.5
    u = np.linspace(-0.5, 0.5, frames)
    scale = rng.uniform(0.35, 1.6) * np.exp(u * (rng.normal(0, 0.08) if moving else 0))
    angle = rng.uniform(-0.2, 0.2) + u * (rng.normal(0, 0.06) if moving else 0)
    pan = rng.normal(0, 10, 2) * u[:, None] if moving else np.zeros((frames, 2))
    shake = np.cumsum(rng.normal(0, rng.choice([0.0, 0.0, 0.7]), (frames, 2)), axis=0)
    start = rng.uniform(0, texture.shape[0], 2)
    out = np.empty((frames, size, size, 3), np.float32)
    for t in range(frames):
        c, s = scale[t] * np.cos(angle[t]), scale[t] * np.sin(angle[t])
        x, y = start + pan[t] + shake[t]
        matrix = np.array([[c, -s, x], [s, c, y]])
        out[t] = cv2.warpAffine(
            picture,
            matrix,
            (size, size),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_WRAP,
        )
    return out
