"""How a clip is changed each time it is shown in training: the same for all of its frames.

What changed from frame to frame would look like motion. Published practice throughout: random parts of the picture
(Szegedy et al. 2015), colour (Howard 2013), erasing (Zhong et al. 2020), other moments and speeds (Wang et al. 2016).
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from vidlabel.core.errors import UsageError
from vidlabel.learning.clip_stock import Stock
from vidlabel.ml.preprocess import Preprocessing

Frames = NDArray[np.uint8]

_GREY = np.array([0.299, 0.587, 0.114])
_OTHER_SIDE = {
    "left": "right",
    "right": "left",
    "clockwise": "counterclockwise",
    "counterclockwise": "clockwise",
}
_WORDS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+")


@dataclass(frozen=True, kw_only=True)
class Augmentation:
    """How much a clip is changed each time it is shown.

    Attributes:
        smallest: the smallest share of the picture that is still shown, above 0 to 1.
        stretch: the most by which the shape of what is shown differs from the input's, at least 1.
        speed: the most by which a clip is faster or slower, at least 1.
        shade: by how much brightness and contrast change at most, 0..1.
        colour: by how much colours grow stronger or paler at most, 0..1; their hue turns by as many half right
            angles.
        flip: whether half of the clips are mirrored.
        erase: how often a part of the picture is painted over, 0..1.
    """

    smallest: float = 0.5
    stretch: float = 1.25
    speed: float = 1.3
    shade: float = 0.2
    colour: float = 0.0
    flip: bool = True
    erase: float = 0.0

    def __post_init__(self) -> None:
        shares = (self.shade, self.colour, self.erase)
        if (
            not 0 < self.smallest <= 1
            or min(self.stretch, self.speed) < 1
            or not all(0 <= share <= 1 for share in shares)
        ):
            raise ValueError("smallest is above 0 to 1, stretch and speed at least 1, the others in 0..1")


STRENGTHS: Mapping[str, Augmentation | None] = {
    "none": None,
    "light": Augmentation(),
    "strong": Augmentation(smallest=0.25, stretch=4 / 3, speed=1.6, shade=0.4, colour=0.4, erase=0.25),
}


def augmentation(strength: str | Augmentation) -> Augmentation | None:
    """What a strength by name stands for; None leaves clips as the model sees them.

    Raises:
        UsageError: there is no such strength.
    """
    if isinstance(strength, Augmentation):
        return strength
    if strength not in STRENGTHS:
        raise UsageError(f"Clips are changed {', '.join(STRENGTHS)}: there is no '{strength}'.")
    return STRENGTHS[strength]


def unmirrored(labels: Sequence[str]) -> frozenset[int]:
    """The places of labels that a mirror would turn into each other, like "turn left" and "turn right"."""
    words = [tuple(word.lower() for word in _WORDS.findall(label)) for label in labels]
    there = set(words)
    turned = [tuple(_OTHER_SIDE.get(word, word) for word in own) for own in words]
    return frozenset(
        place for place, own in enumerate(words) if turned[place] != own and turned[place] in there
    )


def vary(
    stock: Stock,
    p: Preprocessing,
    how: Augmentation,
    *,
    rng: np.random.Generator,
    mirror: bool = True,
    out: Frames | None = None,
) -> Frames:
    """One clip changed by chance.

    Args:
        stock: the clip with room to choose in.
        p: gives the input's size.
        how: how much changes.
        rng: decides.
        mirror: whether this clip may be mirrored at all.
        out: uint8 (T, height, width, 3), contiguous, to write to; None makes a new one.

    Returns:
        uint8 (T, height, width, 3).
    """
    seen = np.empty((p.frames, p.height, p.width, 3), np.uint8) if out is None else out
    places = _moments(stock, p.frames, how, rng)
    top, left, h, w = _box(stock.frames.shape[1:3], p, how, rng)
    mirrored = bool(rng.random() < 0.5) and how.flip and mirror
    way = cv2.INTER_AREA if p.height < h else cv2.INTER_LINEAR
    for number, place in enumerate(places):
        if number and place == places[number - 1]:
            seen[number] = seen[number - 1]
            continue
        part = stock.frames[place, top : top + h, left : left + w]
        cv2.resize(part, (p.width, p.height), dst=seen[number], interpolation=way)
        if mirrored:
            cv2.flip(seen[number], 1, dst=seen[number])
    _recolour(seen, how, rng)
    _erase(seen, how, rng)
    return seen


def _moments(stock: Stock, frames: int, how: Augmentation, rng: np.random.Generator) -> NDArray[np.int64]:
    """Which of the kept frames: a stretch of them, faster or slower, one from each of its equal parts."""
    kept = len(stock.frames)
    length = kept * min(1.0, stock.share * _factor(how.speed, rng))
    start = rng.random() * (kept - length)
    places = start + (np.arange(frames) + rng.random(frames)) * length / frames
    return np.minimum(places.astype(np.int64), kept - 1)


def _box(
    size: Sequence[int], p: Preprocessing, how: Augmentation, rng: np.random.Generator
) -> tuple[int, int, int, int]:
    """Which part of the picture: top, left, height, width in px."""
    height, width = size
    tall, wide = float(height), float(width)
    if p.resize == "short_side":
        # The largest box of the input's shape; a squeezed picture is squeezed on.
        grow = min(height / p.height, width / p.width)
        tall, wide = p.height * grow, p.width * grow
    share = rng.uniform(how.smallest, 1)
    ratio = _factor(how.stretch, rng)
    h = min(height, max(1, round(tall * (share / ratio) ** 0.5)))
    w = min(width, max(1, round(wide * (share * ratio) ** 0.5)))
    return int(rng.integers(height - h + 1)), int(rng.integers(width - w + 1)), h, w


def _recolour(clip: Frames, how: Augmentation, rng: np.random.Generator) -> None:
    """Other brightness and contrast, stronger or paler colours, another hue: one matrix for all pixels."""
    contrast, light = 1 + how.shade * rng.uniform(-1, 1, 2)
    strength = 1 + how.colour * rng.uniform(-1, 1)
    angle = how.colour * math.pi / 4 * rng.uniform(-1, 1)
    if how.shade == 0 and how.colour == 0:
        return
    matrix = strength * np.eye(3) + (1 - strength) * np.outer(np.ones(3), _GREY)
    matrix = contrast * matrix @ _turned(angle)
    offset = np.full((3, 1), 128 * (light - contrast))
    picture = clip.reshape(-1, clip.shape[2], 3)
    picture[...] = cv2.transform(picture, np.hstack([matrix, offset]))


def _turned(angle: float) -> NDArray[np.float64]:
    """Colours turned around the grey axis, on which black and white lie (Rodrigues' rotation)."""
    axis = np.full(3, 1 / math.sqrt(3))
    cross = np.array([[0, -axis[2], axis[1]], [axis[2], 0, -axis[0]], [-axis[1], axis[0], 0]])
    return np.asarray(np.eye(3) + math.sin(angle) * cross + (1 - math.cos(angle)) * cross @ cross)


def _erase(clip: Frames, how: Augmentation, rng: np.random.Generator) -> None:
    """At times paints over a part of the picture, at the same place in all frames, in one colour."""
    height, width = clip.shape[1:3]
    wanted, share, ratio = rng.random(), rng.uniform(0.03, 0.25), _factor(2.5, rng)
    at, colour = rng.random(2), rng.integers(0, 256, 3, dtype=np.uint8)
    if wanted >= how.erase:
        return
    h = min(height, max(1, round(height * (share * ratio) ** 0.5)))
    w = min(width, max(1, round(width * (share / ratio) ** 0.5)))
    top, left = int(at[0] * (height - h + 1)), int(at[1] * (width - w + 1))
    clip[:, top : top + h, left : left + w] = colour


def _factor(most: float, rng: np.random.Generator) -> float:
    """A factor between ``1 / most`` and ``most``, as likely below 1 as above."""
    return float(np.exp(rng.uniform(-1, 1) * math.log(most)))
