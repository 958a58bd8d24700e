"""Footage for the pictures of the documentation, made from the sample clips: more clips, and a long video."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vidlabel.core.resources import resource_path
from vidlabel.media.encode import write_video
from vidlabel.media.reader import FrameReader

LONG_NAME = "afternoon_in_the_yard.mp4"
_FPS = 25
_SIZE = (320, 240)
_TURNS = 3


def make(folder: Path) -> Path:
    """Fills a folder: the samples, three variants of each, and all of them joined to a video of a minute and more.

    Returns:
        A CSV file beside the folder with the labels of the variants, to be imported; enough to calibrate on.
    """
    folder.mkdir(parents=True)
    labels: list[tuple[str, str]] = []
    samples = sorted(resource_path("samples").glob("*.mp4"))
    for sample in samples:
        shutil.copyfile(sample, folder / sample.name)
        frames = _frames(sample)
        stem, label = sample.stem.removesuffix("_01"), sample.stem.split("_")[1]
        variants = (frames[:, :, ::-1], frames[:, 24:-8, 16:-32], np.roll(frames[:, :, ::-1], 40, axis=2))
        for number, variant in enumerate(variants, start=2):
            name = f"{stem}_{number:02}.mp4"
            write_video(folder / name, iter(np.ascontiguousarray(variant)), fps=_FPS)
            labels.append((name, label))
    write_video(folder / LONG_NAME, _joined(samples), fps=_FPS)
    table = folder.with_suffix(".csv")
    with table.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("video", "label"), *labels])
    return table


def _frames(clip: Path) -> NDArray[np.uint8]:
    """All frames, uint8 (T, 240, 320, 3)."""
    with FrameReader(clip) as reader:
        return np.stack(list(reader.read_many(range(len(reader.index)), size=_SIZE)))


def _joined(clips: list[Path]) -> Iterator[NDArray[np.uint8]]:
    for turn in range(_TURNS):
        for place in np.random.default_rng(turn).permutation(len(clips)):
            yield from _frames(clips[place])
