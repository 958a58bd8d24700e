"""Pictures as JPEG files that appear only when they are whole."""

from __future__ import annotations

import os
import tempfile
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.video.codeccontext import VideoCodecContext
from numpy.typing import NDArray

_QUALITY = 4
"""The quantiser of FFmpeg's MJPEG: 2 best to 31 worst."""


def jpeg(picture: NDArray[np.uint8]) -> bytes:
    """uint8 (h, w, 3), red first, as a JPEG."""
    height, width = picture.shape[:2]
    frame = av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(
        format="yuvj420p", dst_colorspace="itu601", dst_color_range="JPEG"
    )
    encoder = VideoCodecContext.create("mjpeg", "w")
    assert isinstance(encoder, VideoCodecContext)
    encoder.width, encoder.height, encoder.pix_fmt = width, height, "yuvj420p"
    encoder.time_base = Fraction(1, 25)
    encoder.color_range = 2
    encoder.qmin = encoder.qmax = _QUALITY
    return b"".join(bytes(packet) for packet in [*encoder.encode(frame), *encoder.encode(None)])


def write_whole(out: Path, content: bytes) -> None:
    """Writes to another name first, then replaces.

    Raises:
        OSError: it cannot be written.
    """
    handle, name = tempfile.mkstemp(prefix=".writing-", suffix=out.suffix, dir=out.parent)
    unfinished = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        unfinished.replace(out)
    finally:
        unfinished.unlink(missing_ok=True)
