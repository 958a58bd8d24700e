"""Real places: what cameras saw in clips whose actions have nothing to do with the 51 labels.

UCF101 classes that mean an HMDB51 label are test clips and never come here. Every sixth of the other videos is held
out: composites over it choose between models, and no model is trained on it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from training.files import write_whole
from training.sources import UCF101_MEANS
from vidlabel.media.reader import FrameReader

Grey = NDArray[np.uint8]

HEIGHT, WIDTH = 72, 96
_MOST_FRAMES = 200
_HELD_OUT_EVERY = 6


@dataclass(frozen=True)
class Footage:
    """Videos in grey, each (T, 72, 96)."""

    videos: tuple[Grey, ...]
    names: tuple[str, ...]

    @staticmethod
    def load(work: Path, *, held_out: bool) -> Footage:
        """The videos to train on, or those held out."""
        with np.load(work / "footage.npz") as stored:
            names = [str(name) for name in stored["names"]]
            starts, frames = stored["starts"], stored["frames"]
        chosen = [n for n in range(len(names)) if (n % _HELD_OUT_EVERY == 3) == held_out]
        return Footage(
            tuple(frames[starts[n] : starts[n + 1]] for n in chosen), tuple(names[n] for n in chosen)
        )


def prepare_footage(data: Path, out: Path) -> list[str]:
    """Writes WORK/footage.npz and answers the names of the videos in it."""
    paths = [
        path
        for path in sorted((data / "ucf101_clips").glob("*/*.avi"))
        if path.parent.name not in UCF101_MEANS
    ]
    videos = [_read(path) for path in paths]
    names = [path.stem for path in paths]
    starts = np.concatenate([[0], np.cumsum([len(video) for video in videos])])
    write_whole(
        out,
        lambda file: np.savez(file, frames=np.concatenate(videos), starts=starts, names=np.array(names)),
    )
    return names


def _read(path: Path) -> Grey:
    with FrameReader(path, threads=1) as reader:
        places = list(range(min(len(reader), _MOST_FRAMES)))
        frames = reader.read_many(places, size=(2 * WIDTH, 2 * HEIGHT))
    return np.stack(
        [
            cv2.resize(cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY), (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA)
            for frame in frames
        ]
    ).astype(np.uint8)
