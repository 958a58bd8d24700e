"""Marked clips as files of their own, exact to the frame; the video they are cut from is only read."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vidlabel.core.errors import MediaError
from vidlabel.core.words import ClipRow
from vidlabel.media.encode import VideoOptions, write_video
from vidlabel.media.reader import FrameReader
from vidlabel.media.sound import SoundReader

# Close to what the eye cannot tell from the original: the cut may go into a training set.
_OPTIONS = VideoOptions(codec="libx264", extra={"crf": "16"}, gop=12)


def cut_clip(row: ClipRow, out: Path) -> None:
    """Writes the frames of a clip, upright and with their own times, and its sound.

    Raises:
        MediaError: the video is gone or cannot be read.
    """
    source = Path(row.path)
    times: list[int] = []
    with FrameReader(source) as reader:
        write_video(
            out,
            _pictures(reader, row, times),
            fps=row.fps,
            times_us=times,
            sound=_sound(source, row),
            options=_OPTIONS,
        )


def _pictures(reader: FrameReader, row: ClipRow, times: list[int]) -> Iterator[NDArray[np.uint8]]:
    """The clip's pictures; each one's time goes into ``times`` just before; damaged frames are left out."""
    first, stop = reader.index.range(row.start_us, row.end_us)
    begins = int(reader.index.times_us[first])
    for frame, picture in reader.frames(first, stop):
        times.append(int(reader.index.times_us[frame]) - begins)
        yield picture


def _sound(source: Path, row: ClipRow) -> NDArray[np.int16] | None:
    if not row.audio:
        return None
    try:
        with SoundReader(source) as reader:
            return reader.read(row.start_us, row.end_us)
    except MediaError:
        return None  # A damaged sound track does not keep the pictures from being cut.
