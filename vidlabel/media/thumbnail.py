"""One small picture of a video, as a JPEG file."""

from __future__ import annotations

from pathlib import Path

from vidlabel.media.frame_index import FrameIndex
from vidlabel.media.jpeg import jpeg, write_whole
from vidlabel.media.picture import fit_size
from vidlabel.media.reader import FrameReader


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
    write_whole(out, jpeg(picture))
    return size
