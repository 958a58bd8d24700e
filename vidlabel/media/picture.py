"""From a decoded frame to the picture a person or a network sees: upright and of the size asked for."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Literal, cast

import numpy as np
from av.buffer import Buffer
from av.video.frame import VideoFrame
from av.video.reformatter import VideoReformatter
from numpy.typing import NDArray

Picture = NDArray[np.uint8]
Format = Literal["rgb24", "bgra"]
_CHANNELS = {"rgb24": 3, "bgra": 4}


@dataclass(frozen=True, kw_only=True)
class Shape:
    """How decoded frames become upright.

    Args:
        width: px as shown, after rotation and with square pixels.
        height: px as shown.
        rotation: degrees (0, 90, 180, 270) by which the decoded picture is turned clockwise.
        mirrored: the decoded picture is mirrored left to right before it is turned.
    """

    width: int
    height: int
    rotation: int
    mirrored: bool = False

    @classmethod
    def of(cls, frame: VideoFrame, sample_aspect_ratio: Fraction | None) -> Shape:
        """The shape of a video, from a frame of it and how much wider than high its pixels are."""
        rotation, mirrored = _orientation(frame)
        width, height = frame.width, frame.height
        if sample_aspect_ratio is not None and 0.1 < sample_aspect_ratio < 10:
            width = max(1, round(width * sample_aspect_ratio))
        if rotation in (90, 270):
            width, height = height, width
        return cls(width=width, height=height, rotation=rotation, mirrored=mirrored)


def fit_size(width: int, height: int, box: tuple[int, int]) -> tuple[int, int]:
    """The largest (width, height) of the same shape inside ``box``, never larger than the picture itself."""
    scale = min(1.0, box[0] / width, box[1] / height)
    return max(1, round(width * scale)), max(1, round(height * scale))


class Converter:
    """Turns frames into pictures; keeps the scaler of each size asked for. Not for two threads at once."""

    def __init__(self, shape: Shape) -> None:
        self.shape = shape
        self._scalers: dict[tuple[int, int, str], VideoReformatter] = {}

    def convert(self, frame: VideoFrame, size: tuple[int, int] | None, *, fmt: Format = "rgb24") -> Picture:
        """A decoded frame as an upright picture.

        Args:
            frame: as decoded.
            size: (width, height) in px of the result; None takes the video's own.
            fmt: ``rgb24`` (3 channels, red first) or ``bgra`` (4, what QImage calls RGB32).

        Returns:
            uint8 (height, width, channels), contiguous and owned by the caller.
        """
        shape = self.shape
        width, height = size or (shape.width, shape.height)
        turned = shape.rotation in (90, 270)
        key = (height, width, fmt) if turned else (width, height, fmt)
        scaler = self._scalers.setdefault(key, VideoReformatter())
        scaled = scaler.reformat(frame, width=key[0], height=key[1], format=fmt, threads=1)
        picture = _rows(scaled, _CHANNELS[fmt])
        if shape.mirrored:
            picture = picture[:, ::-1]
        if shape.rotation:
            picture = np.rot90(picture, k=-(shape.rotation // 90))
        # The bytes belong to the frame, which goes back to the decoder's pool.
        return np.array(picture, order="C")


def _rows(frame: VideoFrame, channels: int) -> Picture:
    """The bytes of a packed frame, without the padding at the end of each row; a view."""
    plane = frame.planes[0]
    rows = np.frombuffer(memoryview(plane), dtype=np.uint8).reshape(-1, plane.line_size)
    return rows[: frame.height, : frame.width * channels].reshape(frame.height, frame.width, channels)


def _orientation(frame: VideoFrame) -> tuple[int, bool]:
    """(clockwise degrees, mirrored first) from the display matrix beside the frame."""
    matrix = frame.side_data.get("DISPLAYMATRIX")
    if matrix is None:
        return 0, False
    values = np.frombuffer(memoryview(cast(Buffer, matrix)), dtype=np.int32)
    if len(values) < 9:
        return 0, False
    a, b, c, d = (int(values[place]) for place in (0, 1, 3, 4))
    mirrored = a * d - b * c < 0
    if mirrored:
        a, b = -a, -b
    if a == 0 and b == 0:
        return 0, mirrored
    degrees = np.degrees(np.arctan2(b, a))
    return round(degrees / 90) % 4 * 90, mirrored
