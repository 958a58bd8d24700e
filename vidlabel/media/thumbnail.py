"""One small picture of a video, as a JPEG file."""

from __future__ import annotations

import os
import tempfile
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.video.codeccontext import VideoCodecContext
from numpy.typing import NDArray

from vidlabel.media.frame_index import FrameIndex
from vidlabel.media.picture import fit_size
from vidlabel.media.reader import FrameReader

_QUALITY = 4
"""The quantiser of FFmpeg's MJPEG: 2 best to 31 worst."""


def make_thumbnail(
    path: Path,
    at_us: int,
    out: Path,
    *,
    box: tuple[int, int] = (320, 180),
    index: FrameIndex | None = None,
) -> tuple[int, int]:
    """Writes the frame on screen at ``at_us`` as a JPEG that fits into ``box`` and keeps its shape.

    Args:
        path: the video.
        at_us: microseconds from its first frame.
        out: the file, which appears only when it is whole; its folder must exist.
        box: most width and height in px.
        index: the video's frame index, if there is one already.

    Returns:
        (width, height) of the picture in px.

    Raises:
        MissingVideoError: the video is not there.
        UnreadableVideoError: the frame cannot be decoded.
        OSError: the file cannot be written.
    """
    with FrameReader(path, index, threads=1) as reader:
        frame = reader.index.frame_at(at_us)
        shape = reader.shape_near(frame)
        size = fit_size(shape.width, shape.height, box)
        picture = reader.read(frame, size=size)
    _write_whole(out, _jpeg(picture))
    return size


def _jpeg(picture: NDArray[np.uint8]) -> bytes:
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


def _write_whole(out: Path, content: bytes) -> None:
    handle, name = tempfile.mkstemp(prefix=".writing-", suffix=out.suffix, dir=out.parent)
    unfinished = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        unfinished.replace(out)
    finally:
        unfinished.unlink(missing_ok=True)
