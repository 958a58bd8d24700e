"""A clip as a sheet of small pictures: enough to let many clips loop side by side without a decoder for each."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from vidlabel.media.frame_index import FrameIndex
from vidlabel.media.jpeg import jpeg, write_whole
from vidlabel.media.picture import fit_size
from vidlabel.media.reader import FrameReader
from vidlabel.media.sampler import SeenFrames

_LONG = 1500
"""Of clips with more frames only key frames are taken: the others would have to be decoded from there."""


def make_filmstrip(
    path: Path,
    start_us: int,
    end_us: int,
    *,
    out: Path,
    box: tuple[int, int],
    grid: tuple[int, int],
) -> int:
    """Writes pictures spread evenly over the clip ``[start_us, end_us)`` as one JPEG.

    They stand in ``grid`` (columns, rows), row by row, all of one size, which fits into ``box`` and keeps the
    shape of the video. A clip with fewer frames shows some twice; a damaged one is replaced by the one before.

    Args:
        path: the video.
        start_us: the clip's start in microseconds from the video's first frame.
        end_us: its end, exclusive.
        out: the file, which appears only when it is whole; its folder must exist.
        box: most width and height of one picture in px.
        grid: columns and rows.

    Returns:
        The bytes of the file.

    Raises:
        MissingVideoError: the video is not there.
        UnreadableVideoError: none of the pictures can be decoded.
        OSError: the file cannot be written.
    """
    columns, rows = grid
    seen = SeenFrames()
    index = FrameIndex.build(path, watch=seen.keep)
    with FrameReader(path, index, threads=1, decoded=seen.frames) as reader:
        frames = _spread(index, start_us, end_us, count=columns * rows)
        shape = reader.shape_near(frames[0])
        width, height = fit_size(shape.width, shape.height, box)
        pictures = reader.read_many(frames, size=(width, height))
    sheet = pictures.reshape(rows, columns, height, width, 3).swapaxes(1, 2)
    content = jpeg(np.ascontiguousarray(sheet.reshape(rows * height, columns * width, 3)))
    write_whole(out, content)
    return len(content)


def _spread(index: FrameIndex, start_us: int, end_us: int, *, count: int) -> list[int]:
    """Rising frame numbers: what is on screen in the middle of each of ``count`` equal parts of the clip."""
    first, last = index.range(start_us, end_us)
    length = max(1, end_us - start_us)
    frames = [index.frame_at(start_us + length * (2 * part + 1) // (2 * count)) for part in range(count)]
    frames = [min(max(frame, first), last - 1) for frame in frames]
    if last - first > _LONG:
        frames = [max(first, index.key_before(frame)) for frame in frames]
    return frames
