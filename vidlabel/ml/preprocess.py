"""From a decoded clip to what a network sees: which frames, what size, which scale. The only such place.

A ``Preprocessing`` travels inside the model file, so the window, the command line, fine-tuning and the
recipes under ``training/`` cannot disagree about it. Nothing here imports torch.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Literal, cast

import numpy as np
from numpy.typing import NDArray

Resize = Literal["squash", "short_side"]
Frames = NDArray[np.uint8]

KINETICS_MEAN = (0.43216, 0.394666, 0.37645)
KINETICS_STD = (0.22803, 0.22145, 0.216989)

# A banner of 4000x20 px scaled by its short side would be a picture of many megapixels of which the
# centre crop keeps a sliver; beyond this ratio it is squeezed instead.
_WIDEST_RATIO = 4.0


@dataclass(frozen=True, kw_only=True)
class Preprocessing:
    """How a clip becomes one network input of ``frames`` pictures of ``height`` x ``width`` px.

    Args:
        frames: pictures a clip.
        height: height of the network input in px.
        width: width of the network input in px.
        resize: ``"squash"`` scales straight to ``width`` x ``height``; ``"short_side"`` keeps the aspect,
            scales the shorter side to ``short_side`` px and crops the centre.
        squash_to: (width, height) in px, at least the input's; only with ``resize="squash"``: scales to this
            size instead, whatever the aspect, and crops the centre.
        short_side: px, at least ``height`` and ``width``; only with ``resize="short_side"``.
        span_s: None spreads the frames over the whole clip; a number of seconds spreads them over a window
            of that length in the middle of the clip.
        mean: what is taken off red, green and blue, in 0..1 units.
        std: what the difference is divided by, in 0..1 units, above 0.

    Raises:
        ValueError: a value is out of its range.
    """

    frames: int = 16
    height: int = 64
    width: int = 64
    resize: Resize = "squash"
    short_side: int | None = None
    squash_to: tuple[int, int] | None = None
    span_s: float | None = None
    mean: tuple[float, float, float] = KINETICS_MEAN
    std: tuple[float, float, float] = KINETICS_STD

    def __post_init__(self) -> None:
        if min(self.frames, self.height, self.width) < 1:
            raise ValueError("frames, height and width must be at least 1")
        if self.resize not in ("squash", "short_side"):
            raise ValueError(f"resize must be 'squash' or 'short_side', not {self.resize!r}")
        if self.resize == "short_side" and (
            self.short_side is None or self.short_side < max(self.height, self.width)
        ):
            raise ValueError("resize 'short_side' needs a short_side of at least height and width")
        if self.resize == "squash" and self.short_side is not None:
            raise ValueError("short_side has no meaning with resize 'squash'")
        if self.squash_to is not None:
            if self.resize != "squash":
                raise ValueError("squash_to has a meaning with resize 'squash' only")
            if self.squash_to[0] < self.width or self.squash_to[1] < self.height:
                raise ValueError("squash_to must be at least width and height")
        if self.span_s is not None and not 0 < self.span_s < float("inf"):
            raise ValueError("span_s must be a number of seconds above 0")
        if len(self.mean) != 3 or len(self.std) != 3 or not np.isfinite([*self.mean, *self.std]).all():
            raise ValueError("mean and std must be three finite numbers each")
        if min(self.std) <= 0:
            raise ValueError("std must be above 0")

    def positions(self, count: int, fps: float) -> tuple[int, ...]:
        """The frames to look at: the middle of each of ``frames`` equal parts of the clip (or its window).

        Args:
            count: frames in the clip, at least 1.
            fps: frames a second, above 0; only used with ``span_s``.

        Returns:
            ``frames`` indices in ``0..count-1``, never going back, repeating where the clip is shorter.
        """
        start, length = self.window(count, fps)
        return tuple(start + ((2 * part + 1) * length) // (2 * self.frames) for part in range(self.frames))

    def jittered_positions(self, count: int, fps: float, rng: np.random.Generator) -> tuple[int, ...]:
        """Like ``positions``, at a random place inside each part: for training."""
        start, length = self.window(count, fps)
        places = (np.arange(self.frames) + rng.random(self.frames)) * length / self.frames
        return tuple(int(place) for place in start + np.minimum(places.astype(np.int64), length - 1))

    def decode_size(self, width: int, height: int) -> tuple[int, int]:
        """The (width, height) in px to which a picture of ``width`` x ``height`` px, rotated, is scaled."""
        if width < 1 or height < 1:
            raise ValueError(f"a picture of {width}x{height} px has no size to scale")
        if self.short_side is None:
            return self.squash_to or (self.width, self.height)
        longest = round(self.short_side * min(_WIDEST_RATIO, max(width, height) / min(width, height)))
        return (longest, self.short_side) if width >= height else (self.short_side, longest)

    def crop(self, frames: Frames) -> Frames:
        """The centre of the scaled pictures.

        Args:
            frames: uint8 (T, h, w, 3), scaled to ``decode_size``.

        Returns:
            uint8 (T, height, width, 3), a view where possible.

        Raises:
            ValueError: the pictures are smaller than the network input, or (``squash``) of another size.
        """
        height, width = frames.shape[1:3]
        too_small = height < self.height or width < self.width
        squashed = self.squash_to or (self.width, self.height)
        if too_small or (self.resize == "squash" and (width, height) != squashed):
            raise ValueError(
                f"pictures of {width}x{height} px do not suit an input of {self.width}x{self.height} px"
            )
        top, left = (height - self.height) // 2, (width - self.width) // 2
        return frames[:, top : top + self.height, left : left + self.width]

    def to_json(self) -> dict[str, Any]:
        """Plain values, for the metadata of a model file."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        values |= {"mean": list(self.mean), "std": list(self.std)}
        # Left out where it says nothing: an older vidlabel refuses values it does not know.
        squash_to = values.pop("squash_to")
        return values if squash_to is None else {**values, "squash_to": list(squash_to)}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Preprocessing:
        """The inverse of ``to_json``.

        Raises:
            ValueError: a value is missing its type or range, or its name is unknown (a newer vidlabel's).
        """
        known = {field.name for field in fields(cls)}
        unknown = sorted(set(values) - known)
        if unknown:
            raise ValueError(f"unknown preprocessing {', '.join(unknown)}")
        read: dict[str, Any] = dict(values)
        for name in ("frames", "height", "width"):
            if name in read and type(read[name]) is not int:
                raise ValueError(f"{name} must be a whole number")
        if read.get("squash_to") is not None:
            read["squash_to"] = _two_sizes(read["squash_to"])
        if read.get("short_side") is not None and type(read["short_side"]) is not int:
            raise ValueError("short_side must be a whole number")
        if read.get("span_s") is not None and type(read["span_s"]) not in (int, float):
            raise ValueError("span_s must be a number")
        for name in ("mean", "std"):
            if name in read:
                read[name] = _three_numbers(name, read[name])
        return cls(**read)

    def window(self, count: int, fps: float) -> tuple[int, int]:
        """First frame and number of frames of the part of the clip that is looked at."""
        if count < 1:
            raise ValueError("a clip has at least one frame")
        if self.span_s is None:
            return 0, count
        if not 0 < fps < float("inf"):
            raise ValueError(f"frames a second must be above 0, not {fps}")
        length = min(count, max(1, round(self.span_s * fps)))
        return (count - length) // 2, length


def _two_sizes(value: object) -> tuple[int, int]:
    if not isinstance(value, list | tuple) or len(value) != 2 or any(type(size) is not int for size in value):
        raise ValueError("squash_to must be two whole numbers")
    return cast(tuple[int, int], tuple(value))


def _three_numbers(name: str, value: object) -> tuple[float, float, float]:
    if not isinstance(value, list | tuple) or len(value) != 3:
        raise ValueError(f"{name} must be three numbers")
    if any(type(number) not in (int, float) for number in value):
        raise ValueError(f"{name} must be three numbers")
    return cast(tuple[float, float, float], tuple(float(number) for number in value))
