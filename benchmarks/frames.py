"""Whether every frame is the right frame, and how long random access takes in 1080p."""

from __future__ import annotations

import os
import random
import statistics
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from time import perf_counter

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.report import Report, run
from tests.helpers import clips as make
from vidlabel.media.encode import VideoOptions, write_video
from vidlabel.media.frame_index import FrameIndex
from vidlabel.media.reader import FrameReader

_WINDOW = (1280, 720)
_HD_FRAMES = 500


def measure(quick: bool) -> Report:
    """Numbered clips read forwards, at random and backwards; the same frames by OpenCV's ``POS_FRAMES``."""
    # OpenCV's own FFmpeg would fill the terminal with what it thinks of being asked to seek.
    os.environ["OPENCV_FFMPEG_LOGLEVEL"] = "-8"
    count = 50 if quick else 300
    with tempfile.TemporaryDirectory(prefix="vidlabel-frames-") as folder:
        clips = _clips(Path(folder), count)
        wrong = {name: _wrong(clip, count) for name, clip in clips.items()}
        theirs = {name: _wrong_by_opencv(clip, count) for name, clip in clips.items()}
        film = Path(folder) / "hd.mp4"
        options = VideoOptions(codec="libx264", gop=250, b_frames=3, extra={"preset": "ultrafast", "bf": "3"})
        frames = _HD_FRAMES if not quick else 250
        write_video(film, _hd_frames(frames), fps=30, options=options)
        order = random.Random(11).choices(range(frames), k=8 if quick else 40)
        hd = _random_access(film, order)
        theirs_ms, theirs_wrong = _random_access_by_opencv(film, order)
    return Report(
        name="frames",
        figures={
            "wrong": sum(wrong.values()) + hd["wrong"],
            "median_ms_1080p": hd["median_ms"],
            "p95_ms_1080p": hd["p95_ms"],
            "step_back_ms_1080p": hd["step_back_ms"],
            "index_ms_1080p": hd["index_ms"],
            "forward_fps_1080p": hd["forward_fps"],
            "clips": len(clips),
            "reads_a_clip": 3 * count,
            **{f"wrong_{name}": number for name, number in wrong.items()},
        },
        baselines={
            "opencv_wrong": sum(theirs.values()) + theirs_wrong,
            "opencv_median_ms_1080p": theirs_ms,
            **{f"opencv_wrong_{name}": number for name, number in theirs.items()},
        },
        goals={"wrong": {"at_most": 0}},
    )


def _clips(folder: Path, count: int) -> dict[str, Path]:
    plain = VideoOptions(gop=25)
    return {
        "constant": make.numbered_clip(folder / "constant.mp4", count, options=plain),
        "constant_avi": make.numbered_clip(folder / "constant.avi", count, options=plain),
        "variable": make.variable_rate_clip(folder / "variable.mp4", count, options=plain),
        "variable_mkv": make.variable_rate_clip(folder / "variable.mkv", count, options=plain),
        "offset": make.offset_clip(folder / "offset.mp4", count),
        "offset_ts": make.offset_clip(folder / "offset.ts", count),
        "b_frames": make.b_frame_clip(folder / "b-frames.mp4", count),
        "b_frames_avi": make.b_frame_clip(folder / "b-frames.avi", count),
        "mpeg2": make.numbered_clip(folder / "mpeg2.mpg", count, options=VideoOptions(gop=12, b_frames=2)),
    }


def _orders(count: int) -> list[Sequence[int]]:
    """Forwards, at random, backwards."""
    return [range(count), random.Random(3).sample(range(count), count), range(count - 1, -1, -1)]


def _wrong(clip: Path, count: int) -> int:
    """Frames that are not the one asked for, or could not be had."""
    with FrameReader(clip) as reader:
        wrong = abs(len(reader) - count)
        for order in _orders(count):
            wrong += sum(
                make.read_number(reader.read(frame)) != frame for frame in order if frame < len(reader)
            )
    return wrong


def _wrong_by_opencv(clip: Path, count: int) -> int:
    capture = cv2.VideoCapture(str(clip))
    wrong = 0
    for order in _orders(count):
        for frame in order:
            capture.set(cv2.CAP_PROP_POS_FRAMES, frame)
            there, picture = capture.read()
            wrong += not there or make.read_number(np.asarray(picture, dtype=np.uint8)) != frame
    capture.release()
    return wrong


def _hd_frames(count: int) -> Iterator[NDArray[np.uint8]]:
    """1080p with something to encode: numbers over a texture that moves."""
    texture = np.random.default_rng(0).integers(0, 60, (1080 // 8, 240 + 320), dtype=np.uint8)
    texture = np.kron(texture, np.ones((8, 8), dtype=np.uint8))
    for number in range(count):
        left = 4 * number % 2000
        yield make.numbered_frame(number, 1920, 1080) // 4 * 3 + texture[:, left : left + 1920, None]


def _random_access(film: Path, order: Sequence[int]) -> dict[str, float]:
    begin = perf_counter()
    index = FrameIndex.build(film)
    indexed = perf_counter() - begin
    wrong = 0
    seconds: list[float] = []
    with FrameReader(film, index) as reader:
        reader.read(0, size=_WINDOW, fmt="bgra")
        for frame in order:
            reader.close()  # nothing kept from the read before
            reader.read(0, size=_WINDOW, fmt="bgra")
            begin = perf_counter()
            picture = reader.read(frame, size=_WINDOW, fmt="bgra")
            seconds.append(perf_counter() - begin)
            wrong += make.read_number(picture) != frame
        steps: list[float] = []
        for frame in range(200, 150, -1):
            begin = perf_counter()
            picture = reader.read(frame, size=_WINDOW, fmt="bgra")
            steps.append(perf_counter() - begin)
            wrong += make.read_number(picture) != frame
        begin = perf_counter()
        shown = sum(1 for _ in reader.frames(0, 150, size=_WINDOW, fmt="bgra"))
        forward = shown / (perf_counter() - begin)
    return {
        "wrong": wrong,
        "median_ms": statistics.median(seconds) * 1000,
        "p95_ms": float(np.percentile(seconds, 95)) * 1000,
        "step_back_ms": statistics.median(steps) * 1000,
        "index_ms": indexed * 1000,
        "forward_fps": forward,
    }


def _random_access_by_opencv(film: Path, order: Sequence[int]) -> tuple[float, int]:
    capture = cv2.VideoCapture(str(film))
    seconds: list[float] = []
    wrong = 0
    for frame in order:
        begin = perf_counter()
        capture.set(cv2.CAP_PROP_POS_FRAMES, frame)
        _, picture = capture.read()
        picture = cv2.cvtColor(cv2.resize(picture, _WINDOW), cv2.COLOR_BGR2BGRA)
        seconds.append(perf_counter() - begin)
        wrong += make.read_number(np.asarray(picture, dtype=np.uint8)) != frame
    capture.release()
    return statistics.median(seconds) * 1000, wrong


if __name__ == "__main__":
    sys.exit(run(measure, "Exact frames from every direction, and random access in 1080p."))
