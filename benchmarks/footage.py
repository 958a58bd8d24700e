"""Clips for the benchmarks, made here: something moves, the camera too, and there is grain, as in real footage."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from vidlabel.media.encode import VideoOptions, write_video

_FPS = 30
_GRAIN = 16


def make_clips(folder: Path, count: int, *, size: tuple[int, int], frames: int) -> list[Path]:
    """Every other one H.264 in MP4, as the web has them, and MPEG-4 in AVI, as the field's older data sets have.

    Args:
        folder: where to.
        count: how many; each is another scene.
        size: (width, height) in px.
        frames: of each, 30 a second.
    """
    width, height = size
    paths: list[Path] = []
    for number in range(count):
        path = folder / f"{height}_{number}{'.mp4' if number % 2 == 0 else '.avi'}"
        options = VideoOptions(gop=250 if path.suffix == ".mp4" else 12)
        write_video(path, _scene(number, width, height, frames), fps=_FPS, options=options)
        paths.append(path)
    return paths


def _scene(seed: int, width: int, height: int, frames: int) -> Iterator[NDArray[np.uint8]]:
    random = np.random.default_rng(seed)
    coarse = random.integers(
        0, 256, (height // 8 + frames // 8 + 8, width // 8 + frames // 4 + 8, 3), np.uint8
    )
    soft = cv2.GaussianBlur(coarse, (0, 0), 1.5)
    scenery = cv2.resize(soft, None, fx=8, fy=8, interpolation=cv2.INTER_CUBIC)
    grain = random.integers(0, _GRAIN, (height + 32, width + 32, 3), np.uint8)
    colour = tuple(int(part) for part in random.integers(0, 256, 3))
    for frame in range(frames):
        picture = scenery[frame : frame + height, 2 * frame : 2 * frame + width].copy()
        x = width * (0.5 + 0.3 * np.sin(frame / 9 + seed))
        y = height * (0.5 + 0.3 * np.cos(frame / 7))
        cv2.circle(picture, (int(x), int(y)), height // 6, colour, -1)
        shift_x, shift_y = random.integers(0, 32, 2)
        part = grain[shift_y : shift_y + height, shift_x : shift_x + width]
        yield np.asarray(cv2.add(picture, part), dtype=np.uint8)
