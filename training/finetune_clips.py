"""Clips from video files to what a network sees: varied for training by the program's own batches, and in several
views for testing.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vidlabel.core.words import Views
from vidlabel.learning.augment import Augmentation
from vidlabel.learning.clip_batches import ClipBatches, LabelledClip
from vidlabel.media.frame_index import FrameIndex
from vidlabel.media.reader import FrameReader
from vidlabel.media.sampler import IndexShelf
from vidlabel.ml.preprocess import Preprocessing
from vidlabel.ml.views import as_batch, view_positions

Frames = NDArray[np.uint8]

VARIETY = Augmentation(smallest=0.4, stretch=1.25, speed=1.4, shade=0.2)
"""How much a clip is changed each time it is shown; each recipe has its own ``smallest``."""


def training_batches(
    clips: Sequence[LabelledClip],
    preprocessing: Preprocessing,
    *,
    size: int,
    seed: int,
    variety: Augmentation,
    workers: int,
) -> ClipBatches:
    """What ``fit`` draws from: files decoded and varied anew in every epoch; says which cannot be read any more.

    Raises:
        TrainingError: there are too few clips.
    """
    return ClipBatches(
        clips, preprocessing, size=size, seed=seed, strength=variety, workers=workers, on_trouble=_left_out
    )


def _left_out(clip: LabelledClip, why: str) -> None:
    # It could be read when the index was made; one clip gone is no reason to lose a night's work.
    print(f"left out: {clip.path}: {why}", flush=True)


class Decoder:
    """Reads clips for testing; remembers where the frames of each file lie, which costs a fifth of decoding it."""

    def __init__(self, preprocessing: Preprocessing) -> None:
        self.preprocessing = preprocessing
        self._shelf = IndexShelf()

    def views(self, path: Path, views: Views, *, crops: int) -> Frames:
        """One clip as it is tested: uint8 (V, T, height, width, 3), V = ``views.count`` times the crops.

        Raises:
            MissingVideoError, UnreadableVideoError: it cannot be read.
        """
        p = self.preprocessing
        index = self._shelf.index(path, lambda: FrameIndex.build(path))
        with FrameReader(path, index, threads=1) as reader:
            places = np.asarray(view_positions(p, views, len(reader), float(reader.index.fps)))
            wanted, back = np.unique(places, return_inverse=True)
            size = p.decode_size(reader.shape.width, reader.shape.height)
            frames = reader.read_many(wanted, size=size)
        cropped = three_crops(frames, p) if crops == 3 else p.crop(frames)[None]
        # (crops, places, H, W, 3) to (views, crops of it, T, H, W, 3)
        looks = cropped[:, back].reshape(len(cropped), views.clips, p.frames, p.height, p.width, 3)
        return as_batch(looks.reshape(1, -1, p.frames, p.height, p.width, 3), views)


def three_crops(frames: Frames, p: Preprocessing) -> Frames:
    """Both ends and the middle of the longer side: uint8 (3, T, height, width, 3).

    Of a network that sees the whole picture squeezed, the middle alone: (1, T, height, width, 3).
    """
    if p.resize == "squash":
        return p.crop(frames)[None]
    down, right = frames.shape[1] - p.height, frames.shape[2] - p.width
    along_width = right >= down
    crops = []
    for part in (0, 1, 2):
        top = down // 2 if along_width else down * part // 2
        left = right * part // 2 if along_width else right // 2
        crops.append(frames[:, top : top + p.height, left : left + p.width])
    return np.stack(crops)
