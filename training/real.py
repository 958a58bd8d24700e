"""The few real clips, one by one: which film each is cut from, and folds that never part a film."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from training.sources import UCF101_MEANS, hmdb51_labels, real_clips, source_of
from vidlabel.core.errors import UnreadableVideoError
from vidlabel.media.reader import FrameReader
from vidlabel.ml.preprocess import Preprocessing

_UCF101_GROUP = re.compile(r"(v_.+_g\d+)_c\d+")


@dataclass(frozen=True)
class FilmClip:
    """A real clip; ``label`` is None where its class means none of the 51."""

    path: Path
    label: int | None
    film: str


def labelled(data: Path) -> list[FilmClip]:
    """Every real clip whose class is one of the 51 labels, in order of path."""
    labels = hmdb51_labels()
    return [
        FilmClip(
            clip.path,
            labels.index(clip.label),
            source_of(clip.path.stem, clip.label) if clip.source == "hmdb51" else _ucf101_group(clip.path),
        )
        for clip in real_clips(data)
    ]


def without_label(data: Path) -> list[FilmClip]:
    """UCF101's clips of classes that mean none of the 51 labels: what real footage looks like in general."""
    found = sorted((data / "ucf101_clips").glob("*/*"))
    return [
        FilmClip(path, None, _ucf101_group(path)) for path in found if path.parent.name not in UCF101_MEANS
    ]


def films(clips: list[FilmClip]) -> NDArray[np.int64]:
    """A number for each clip, the same for clips of one film."""
    names = sorted({clip.film for clip in clips})
    return np.array([names.index(clip.film) for clip in clips], np.int64)


def pictures(clips: list[FilmClip], preprocessing: Preprocessing) -> Iterator[NDArray[np.uint8]]:
    """Each clip as the program would hand it to the network: uint8 (T, H, W, 3)."""
    for clip in clips:
        with FrameReader(clip.path, threads=1) as reader:
            if len(reader) == 0:
                raise UnreadableVideoError(clip.path, "it has no frames")
            size = preprocessing.decode_size(reader.shape.width, reader.shape.height)
            places = preprocessing.positions(len(reader), float(reader.index.fps))
            yield preprocessing.crop(reader.read_many(places, size=size))


def _ucf101_group(path: Path) -> str:
    found = _UCF101_GROUP.match(path.stem)
    return found.group(1) if found else path.stem
