"""Clips whose frames carry their own number, in every shape that real footage has.

A frame's number is written as 16 blocks of black and white (top half) and once more inverted (bottom half),
so that a frame that is torn, mixed with another or turned wrongly reads as no number at all.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vidlabel.media.encode import SOUND_RATE, VideoOptions, write_sound, write_video

WIDTH, HEIGHT = 160, 96
_COLUMNS, _ROWS = 8, 4


def numbered_frame(number: int, width: int = WIDTH, height: int = HEIGHT) -> NDArray[np.uint8]:
    """A picture that carries ``number`` (0..65535): uint8 (height, width, 3)."""
    bits = (number >> np.arange(16)) & 1
    blocks = np.concatenate([bits, 1 - bits]).reshape(_ROWS, _COLUMNS)
    rows = np.arange(height) * _ROWS // height
    columns = np.arange(width) * _COLUMNS // width
    grey = np.where(blocks[np.ix_(rows, columns)] == 1, 225, 30).astype(np.uint8)
    return np.repeat(grey[:, :, None], 3, axis=2)


def read_number(picture: NDArray[np.uint8]) -> int:
    """The number a picture carries; -1 if it carries none. Works at any size from 32x16 px."""
    height, width = picture.shape[:2]
    rows = ((np.arange(_ROWS) + 0.5) * height / _ROWS).astype(int)
    columns = ((np.arange(_COLUMNS) + 0.5) * width / _COLUMNS).astype(int)
    grey = picture[..., :3].mean(axis=2)
    blocks = np.array(
        [[grey[max(r - 1, 0) : r + 2, max(c - 1, 0) : c + 2].mean() for c in columns] for r in rows]
    )
    bits = (blocks > 128).astype(int).reshape(2, 16)
    if (bits[0] == bits[1]).any():
        return -1
    return int((bits[0] << np.arange(16)).sum())


def numbered_frames(count: int, width: int = WIDTH, height: int = HEIGHT) -> Iterator[NDArray[np.uint8]]:
    """``count`` pictures numbered from 0."""
    return (numbered_frame(number, width, height) for number in range(count))


def numbered_clip(
    path: Path,
    count: int = 60,
    *,
    fps: Fraction | float = 25,
    size: tuple[int, int] = (WIDTH, HEIGHT),
    times_us: Sequence[int] | None = None,
    start_us: int = 0,
    sound: NDArray[np.int16] | None = None,
    options: VideoOptions | None = None,
) -> Path:
    """A clip of numbered frames; the suffix chooses the format. ``start_us`` moves the first frame's time."""
    if start_us and times_us is None:
        times_us = [round(number * 1_000_000 / fps) for number in range(count)]
    if times_us is not None:
        times_us = [time + start_us for time in times_us]
    write_video(path, numbered_frames(count, *size), fps=fps, times_us=times_us, sound=sound, options=options)
    return path


def variable_times(count: int, seed: int = 1) -> list[int]:
    """Rising frame times with steps of 10 to 120 ms, whole milliseconds, from 0."""
    steps = np.random.default_rng(seed).integers(10, 121, count - 1) * 1000
    return [0, *np.cumsum(steps).tolist()]


def variable_rate_clip(path: Path, count: int = 60, *, options: VideoOptions | None = None) -> Path:
    """A numbered clip whose frames last 10 to 120 ms each."""
    return numbered_clip(path, count, times_us=variable_times(count), options=options)


def offset_clip(path: Path, count: int = 60, *, start_us: int = 3_200_000) -> Path:
    """A numbered clip whose first frame is not at zero in the file's own clock."""
    return numbered_clip(path, count, start_us=start_us)


def b_frame_clip(path: Path, count: int = 60, *, gop: int = 30) -> Path:
    """A numbered clip with three B-frames in a row."""
    options = VideoOptions(
        codec="libx264", gop=gop, b_frames=3, extra={"x264-params": "b-adapt=0:scenecut=0"}
    )
    return numbered_clip(path, count, options=options)


def rotated_clip(path: Path, rotation: int, count: int = 10) -> Path:
    """A numbered clip stored turned, with the rotation that makes it upright again in the header."""
    turned = (np.rot90(frame, k=rotation // 90).copy() for frame in numbered_frames(count))
    write_video(path, turned, options=VideoOptions(rotation=rotation))
    return path


def one_frame_clip(path: Path) -> Path:
    """A clip of a single frame."""
    return numbered_clip(path, 1)


def tone(seconds: float, hertz: float = 440.0) -> NDArray[np.int16]:
    """A sine tone, int16 (n, 2) at 48 kHz."""
    wave = np.sin(2 * np.pi * hertz * np.arange(round(seconds * SOUND_RATE)) / SOUND_RATE) * 12_000
    return np.repeat(wave.astype(np.int16)[:, None], 2, axis=1)


def audio_only(path: Path, seconds: float = 0.5) -> Path:
    """A file of a video's suffix that holds only sound."""
    write_sound(path, tone(seconds))
    return path


def truncated_clip(path: Path, count: int = 60, *, keep: float = 0.5) -> Path:
    """A clip cut off in the middle of its bytes, its index (if any) in front, as a broken copy is."""
    muxer = {"movflags": "faststart"} if path.suffix in (".mp4", ".mov", ".m4v") else {}
    numbered_clip(path, count, options=VideoOptions(gop=12, muxer=muxer))
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * keep)])
    return path


def empty_file(path: Path) -> Path:
    """A file of zero bytes."""
    path.write_bytes(b"")
    return path


def text_file(path: Path) -> Path:
    """A text whose name says video."""
    path.write_text("Dear diary, this is not a video.\n" * 40, encoding="utf-8")
    return path


def zero_fps_clip(path: Path, count: int = 20) -> Path:
    """An AVI whose header says 0 frames a second in its main header."""
    numbered_clip(path, count)
    content = bytearray(path.read_bytes())
    header = content.index(b"avih") + 8
    content[header : header + 4] = bytes(4)
    path.write_bytes(content)
    return path
