"""One training clip, composed afresh: somebody in movement, dressed in something, in some place, on a bad camera.

All in grey bytes at the network's own size, so that it costs a millisecond or two and no clip is ever seen twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from training.render.actors import HEIGHT, WIDTH, Actor
from training.render.footage import Footage

Grey = NDArray[np.uint8]
Matrix = NDArray[np.float32]
Values = NDArray[np.float32]

_STIRRING, _QUIET = 22.0, 0.06  # levels between next but one pictures; share of the picture

_INVERSE = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP


@dataclass(frozen=True)
class Stage:
    """What clips are composed of besides the actor.

    Attributes:
        textures: grey (N, h, w).
        footage: real places; None for textures only.
        textured: share of clips, 0 to 1, before a texture and not in a real place.
        bystanders: people of whom one frozen picture may stand in the background.
        frames: pictures a clip.
        size: height and width of a clip in px.
    """

    textures: Grey
    footage: Footage | None
    bystanders: Sequence[Actor]
    textured: float = 0.2
    frames: int = 16
    size: int = 40


def grey_textures(work: Path) -> Grey:
    """The prepared textures in grey, (N, 96, 96)."""
    return np.stack(
        [cv2.cvtColor(texture, cv2.COLOR_RGB2GRAY) for texture in np.load(work / "textures.npy")]
    ).astype(np.uint8)


def compose(actor: Actor, rng: np.random.Generator, stage: Stage, *, plain: float = 0.0) -> tuple[Grey, Grey]:
    """A clip and where the actor is in it.

    Args:
        actor: who moves.
        rng: decides everything.
        stage: the rest.
        plain: share of clips, 0 to 1, of one shade on another with nothing in the way.

    Returns:
        uint8 (frames, size, size) twice: the pictures, and 255 where the actor covers them.
    """
    moments = _moments(len(actor.cover), stage.frames, rng)
    camera = _camera(stage.frames, stage.size, rng)
    placed = _chained(camera, _placing(actor, rng, stage.size))
    cover = _warped(actor.cover[moments], placed, stage.size)
    if rng.random() < plain:
        return _two_shades(cover, rng), cover
    place = _place(stage, camera, rng)
    if stage.bystanders and rng.random() < 0.15:
        _add_bystander(place, camera, stage, rng)
    person = _person(actor, moments, cover, placed, stage, rng)
    alpha = cover.astype(np.float32) / 255
    if rng.random() < 0.12:
        person = 0.5 * (person + place) + rng.uniform(-25, 25)  # hard to tell from what is behind
    clip = place + alpha * (person - place)
    if rng.random() < 0.1:
        _occlude(clip, cover, stage, rng)
    return _filmed_badly(clip, cover, rng), cover


def _moments(count: int, frames: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Jittered moments over most of the sequence."""
    share = rng.uniform(0.65, 1.0)
    start = rng.uniform(0, 1 - share)
    u = (np.arange(frames) + rng.random() * 0.6 + rng.random(frames) * 0.4) / frames
    return np.clip(((start + share * u) * count).astype(np.int64), 0, count - 1)


def _camera(frames: int, size: int, rng: np.random.Generator) -> Matrix:
    """Where a point of the scene is seen in each picture: (frames, 2, 3); half of the cameras stand still."""
    u = np.linspace(-0.5, 0.5, frames)
    x = y = np.zeros(frames)
    zoom, turn = np.ones(frames), np.zeros(frames)
    if rng.random() < 0.5:
        pan = rng.normal(0, 0.22, 2) * (1.0, 0.4) * size
        bend = rng.normal(0, 0.15, 2) * size
        x, y = (pan[k] * u + bend[k] * (u * u - 0.08) for k in range(2))
        zoom = np.exp(u * rng.choice([0.0, rng.normal(0, 0.25)]))
        turn = u * rng.normal(0, 0.06)
    if rng.random() < 0.35:
        shake = rng.normal(0, rng.uniform(0.1, 0.9) * size / 40, (2, frames))
        x, y = x + shake[0], y + shake[1]
    c, s, middle = zoom * np.cos(turn), zoom * np.sin(turn), size / 2
    matrix = np.empty((frames, 2, 3), np.float32)
    matrix[:, 0] = np.stack([c, -s, middle - c * middle + s * middle + x], -1)
    matrix[:, 1] = np.stack([s, c, middle - s * middle - c * middle + y], -1)
    return matrix


def _placing(actor: Actor, rng: np.random.Generator, size: int) -> Matrix:
    """From the actor's picture to the clip's: as filmed, closer, or further off; mirrored half of the time."""
    seen = actor.cover.max(axis=0) > 127
    rows, columns = (np.flatnonzero(seen.any(axis=axis)) for axis in (1, 0))
    if not len(rows):
        rows, columns = np.array([0, HEIGHT - 1]), np.array([0, WIDTH - 1])
    tall, wide = (rows[-1] - rows[0] + 1) / HEIGHT, (columns[-1] - columns[0] + 1) / WIDTH
    x, y = (columns[0] + columns[-1]) / 2, (rows[0] + rows[-1]) / 2
    chance = rng.random()
    if chance < 0.4:
        zoom, x, y = rng.uniform(0.9, 1.15), WIDTH / 2, HEIGHT / 2
        to_x, to_y = rng.normal(0.5, 0.06, 2) * size
    else:
        wanted = rng.uniform(0.55, 1.05) if chance < 0.8 else rng.uniform(0.35, 0.6)
        zoom = float(np.clip(wanted / max(tall, wide), 0.4, 3.0))
        to_x, to_y = rng.normal(0.5, 0.09, 2) * size
    aspect = np.exp(rng.normal(0, 0.12))
    scale_x = zoom * aspect * size / WIDTH * (1 if rng.random() < 0.5 else -1)
    scale_y, lean = zoom / aspect * size / HEIGHT, rng.normal(0, 0.04)
    turn = np.array([[np.cos(lean), -np.sin(lean)], [np.sin(lean), np.cos(lean)]])
    linear = turn @ np.diag([scale_x, scale_y])
    shift = np.array([to_x, to_y]) - linear @ (x, y)
    return np.concatenate([linear, shift[:, None]], axis=1).astype(np.float32)


def _chained(after: Matrix, before: Matrix) -> Matrix:
    """First ``before`` (2, 3), then each of ``after`` (T, 2, 3)."""
    out = np.empty_like(after)
    out[..., :2] = after[..., :2] @ before[:, :2]
    out[..., 2] = after[..., :2] @ before[:, 2] + after[..., 2]
    return out


def _warped(pictures: Grey, matrices: Matrix, size: int) -> Grey:
    """Each picture moved by its matrix; softened first where it shrinks a lot."""
    out = np.empty((len(pictures), size, size), np.uint8)
    reach = 1 / max(abs(float(np.linalg.det(matrices[0][:, :2]))) ** 0.5, 1e-3)
    for t, picture in enumerate(pictures):
        seen = cv2.blur(picture, (2, 2) if reach < 2.6 else (3, 3)) if reach > 1.6 else picture
        cv2.warpAffine(seen, matrices[t], (size, size), dst=out[t], flags=cv2.INTER_LINEAR)
    return out


def _place(stage: Stage, camera: Matrix, rng: np.random.Generator) -> Values:
    """The surroundings, (frames, size, size), 0 to 255: footage that plays, a still of it, or a texture."""
    chance = rng.random()
    size = stage.size
    if stage.footage is None or rng.random() < stage.textured:
        layer = _textured(stage, camera, rng)
        if rng.random() < 0.6:
            other, level = _textured(stage, camera, rng), int(size * rng.uniform(0.4, 0.9))
            layer[:, level:] = other[:, level:]
        return layer
    video = stage.footage.videos[int(rng.integers(len(stage.footage.videos)))]
    if chance < 0.5:
        picture = video[int(rng.integers(len(video)))]
        return _through(np.broadcast_to(picture, (stage.frames, *picture.shape)), camera, rng, size)
    step = min(rng.uniform(1.0, 3.0), (len(video) - 1) / stage.frames)
    start = rng.uniform(0, len(video) - 1 - step * (stage.frames - 1))
    numbers = (start + step * np.arange(stage.frames)).astype(np.int64)
    if rng.random() < 0.3:
        numbers = numbers[::-1]
    still = np.broadcast_to(camera[:1] * 0 + np.eye(2, 3, dtype=np.float32), camera.shape)
    playing = _through(video[numbers], still if rng.random() < 0.7 else camera, rng, size)
    # Whoever moves in the footage is a person too. To be told that this one is nobody would be the wrong lesson.
    stirring = np.abs(playing[2:] - playing[:-2]).max(axis=0) > _STIRRING
    if stirring.mean() > _QUIET:
        return _through(
            np.broadcast_to(video[numbers[0]], (stage.frames, *video.shape[1:])), camera, rng, size
        )
    return playing


def _through(pictures: Grey, camera: Matrix, rng: np.random.Generator, size: int) -> Values:
    """A part of the pictures filling the clip, seen through the camera."""
    height, width = pictures.shape[1:]
    share = rng.uniform(0.45, 0.95)
    scale = np.array([size / (share * width), size / (share * height)]) * np.exp(rng.normal(0, 0.1, 2))
    if rng.random() < 0.5:
        scale[0] = -scale[0]
    middle = (0.5 + rng.uniform(-0.5, 0.5, 2) * (1 - share)) * (width, height)
    before = np.concatenate([np.diag(scale), (size / 2 - scale * middle)[:, None]], axis=1)
    matrices = _chained(camera, before.astype(np.float32))
    out = np.empty((len(pictures), size, size), np.uint8)
    for t, picture in enumerate(pictures):
        cv2.warpAffine(
            picture, matrices[t], (size, size), dst=out[t], flags=cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REFLECT_101,
        )  # fmt: skip
    return out.astype(np.float32)


def _textured(stage: Stage, camera: Matrix, rng: np.random.Generator) -> Values:
    """A texture that repeats, seen through the camera."""
    texture = stage.textures[int(rng.integers(len(stage.textures)))]
    size, scale = stage.size, rng.uniform(0.35, 1.6)
    before = np.array([[1 / scale, 0, 0], [0, 1 / scale, 0]], np.float32)
    before[:, 2] = -rng.uniform(0, 96, 2) / scale
    matrices = _chained(camera, before)
    out = np.empty((stage.frames, size, size), np.uint8)
    for t in range(stage.frames):
        cv2.warpAffine(
            texture, matrices[t], (size, size), dst=out[t], flags=cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_WRAP,
        )  # fmt: skip
    return np.asarray(
        (out.astype(np.float32) - 128) * rng.uniform(0.3, 1.2) + rng.uniform(50, 200), np.float32
    )


def _person(
    actor: Actor, moments: NDArray[np.int64], cover: Grey, placed: Matrix, stage: Stage, rng: np.random.Generator
) -> Values:  # fmt: skip
    """How the actor looks: bands of clothes or one cloth, with a pattern that goes along, rounder to the edge."""
    size, frames = stage.size, stage.frames
    if actor.shade is not None and rng.random() < 0.6:
        lit = _warped(actor.shade[moments], placed, size).astype(np.float32)
        base = lit * rng.uniform(0.6, 1.3) + rng.uniform(-40, 60)
    else:
        base = np.broadcast_to(_clothes(cover, rng), cover.shape).astype(np.float32)
    if rng.random() < 0.7:
        base = base + _pattern(cover, stage, rng)
    soft = np.stack([cv2.blur(picture, (5, 5)) for picture in cover]).astype(np.float32) / 255
    depth = rng.uniform(0, 0.5)
    return np.asarray(base * (1 - depth + depth * soft) + np.zeros((frames, 1, 1), np.float32), np.float32)


def _clothes(cover: Grey, rng: np.random.Generator) -> Values:
    """Shades by height within the actor: head, shirt, trousers; (frames, size, 1) or one number."""
    if rng.random() < 0.3:
        return np.full((1, 1, 1), rng.uniform(10, 245), np.float32)
    size = cover.shape[1]
    rows = cover.max(axis=2) > 127
    top = np.where(rows.any(axis=1), rows.argmax(axis=1), 0)
    low = np.where(rows.any(axis=1), size - rows[:, ::-1].argmax(axis=1), size)
    u = (np.arange(size)[None] - top[:, None]) / np.maximum(low - top, 1)[:, None]
    head, waist = rng.uniform(0.1, 0.25), rng.uniform(0.4, 0.7)
    skin, shirt, trousers = rng.uniform(60, 230), rng.uniform(10, 245), rng.uniform(10, 230)
    return np.where(u < head, skin, np.where(u < waist, shirt, trousers))[..., None].astype(np.float32)


def _pattern(cover: Grey, stage: Stage, rng: np.random.Generator) -> Values:
    """A piece of something real or of a texture, with mean 0, that goes where the actor's middle goes."""
    if stage.footage is not None and rng.random() < 0.6:
        video = stage.footage.videos[int(rng.integers(len(stage.footage.videos)))]
        cloth = video[int(rng.integers(len(video)))]
    else:
        cloth = stage.textures[int(rng.integers(len(stage.textures)))]
    size = stage.size
    mass = np.maximum(cover.sum(axis=(1, 2), dtype=np.float64), 1)
    level = np.arange(size) + 0.5
    x = (cover.sum(axis=1, dtype=np.float64) @ level) / mass
    y = (cover.sum(axis=2, dtype=np.float64) @ level) / mass
    scale = rng.uniform(0.6, 1.6)
    start = rng.uniform(0.2, 0.8, 2) * (cloth.shape[1], cloth.shape[0])
    out = np.empty(cover.shape, np.uint8)
    for t in range(len(cover)):
        matrix = np.array(
            [[scale, 0, start[0] - scale * x[t]], [0, scale, start[1] - scale * y[t]]], np.float32
        )
        cv2.warpAffine(
            cloth, matrix, (size, size), dst=out[t], flags=_INVERSE, borderMode=cv2.BORDER_REFLECT_101
        )
    values = out.astype(np.float32)
    return np.asarray((values - values.mean()) * rng.uniform(0.2, 1.1), np.float32)


def _add_bystander(place: Values, camera: Matrix, stage: Stage, rng: np.random.Generator) -> None:
    """Somebody who stands still: an outline is not enough to be the one who acts."""
    other = stage.bystanders[int(rng.integers(len(stage.bystanders)))]
    picture = other.cover[int(rng.integers(len(other.cover)))]
    placed = _chained(camera, _placing(other, rng, stage.size))
    cover = _warped(np.broadcast_to(picture, (stage.frames, *picture.shape)), placed, stage.size)
    shade = _clothes(cover, rng) + rng.uniform(-20, 20)
    place += cover.astype(np.float32) / 255 * (shade - place)


def _occlude(clip: Values, cover: Grey, stage: Stage, rng: np.random.Generator) -> None:
    """Something still in front, at an edge."""
    size = stage.size
    h, w = int(size * rng.uniform(0.15, 0.5)), int(size * rng.uniform(0.12, 0.35))
    y, x = int(rng.choice([0, size - h])), int(rng.integers(0, size - w + 1))
    texture = stage.textures[int(rng.integers(len(stage.textures)))]
    clip[:, y : y + h, x : x + w] = cv2.resize(texture, (w, h), interpolation=cv2.INTER_AREA)
    cover[:, y : y + h, x : x + w] = 0


def _filmed_badly(clip: Values, cover: Grey, rng: np.random.Generator) -> Grey:
    """Exposure, flicker, blur, noise, coarse pixels, black bars."""
    size = clip.shape[1]
    if rng.random() < 0.4:
        sigma = rng.uniform(0.3, 0.9)
        for picture in clip:
            cv2.GaussianBlur(picture, (3, 3), sigma, dst=picture)
    gain, lift = rng.uniform(0.6, 1.25), rng.uniform(-25, 35)
    if rng.random() < 0.15:
        gain = gain * np.exp(rng.normal(0, 0.04, (len(clip), 1, 1)))
    out = (clip - 128) * gain + 128 + lift
    if rng.random() < 0.4:
        out += rng.standard_normal(clip.shape, np.float32) * rng.uniform(1, 7)
    if rng.random() < 0.1:
        out = 255 - out
    seen = np.clip(out, 0, 255).astype(np.uint8)
    if rng.random() < 0.12:
        bar, side = int(size * rng.uniform(0.03, 0.16)), int(size * rng.choice([0, rng.uniform(0.03, 0.14)]))
        for layer in (seen, cover):
            layer[:, :bar] = 0
            layer[:, size - bar :] = 0
            if side:
                layer[:, :, :side] = layer[:, :, size - side :] = 0
    return seen


def _two_shades(cover: Grey, rng: np.random.Generator) -> Grey:
    """A bright actor on dark ground or the reverse."""
    dark, bright = rng.uniform(0, 90), rng.uniform(165, 255)
    person, ground = (dark, bright) if rng.random() < 0.5 else (bright, dark)
    return np.asarray(ground + cover.astype(np.float32) / 255 * (person - ground), np.uint8)
