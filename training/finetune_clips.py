"""Clips from video files to what a network sees: varied for training, in several views for testing.

Decoding runs ahead on threads. What chance decides follows from (seed, epoch, place), so that a run can be resumed.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from vidlabel.core.errors import MediaError, TrainingError
from vidlabel.core.words import Views
from vidlabel.learning.batches import Batch
from vidlabel.media.frame_index import FrameIndex
from vidlabel.media.reader import FrameReader
from vidlabel.ml.preprocess import Preprocessing
from vidlabel.ml.views import as_batch, view_positions

Frames = NDArray[np.uint8]
# Batches that are decoded ahead.
_AHEAD = 3
# A network's input that is the whole picture squeezed leaves no room to crop in: it is decoded this much larger.
_ROOM = 8 / 7


@dataclass(frozen=True, kw_only=True)
class Variety:
    """How much a clip is changed each time it is shown in training.

    Attributes:
        smallest: the smallest share of the picture that is still shown, 0..1.
        stretch: the most by which the shape of what is shown differs from the input's.
        earliest: the least share of the clip that is looked at where the network looks at all of it, 0..1.
        shade: by how much brightness and contrast change at most, 0..1.
        flip: whether half of the clips are mirrored.
    """

    smallest: float = 0.4
    stretch: float = 1.25
    earliest: float = 0.7
    shade: float = 0.2
    flip: bool = True


@dataclass(frozen=True)
class LabelledFile:
    """A video file and the place of its label in the label list."""

    path: Path
    label: int


class Decoder:
    """Reads clips; remembers where the frames of each file lie, which costs a fifth of decoding it."""

    def __init__(self, preprocessing: Preprocessing) -> None:
        self.preprocessing = preprocessing
        self._indexes: dict[Path, FrameIndex] = {}

    def varied(self, path: Path, variety: Variety, rng: np.random.Generator) -> Frames:
        """One clip changed by chance: uint8 (T, height, width, 3).

        Raises:
            MissingVideoError, UnreadableVideoError: it cannot be read.
        """
        p = self.preprocessing
        with self._open(path) as reader:
            count, fps = len(reader), float(reader.index.fps)
            length = (
                count if p.span_s is not None else max(1, round(count * rng.uniform(variety.earliest, 1)))
            )
            if p.span_s is not None:
                length = min(count, max(1, round(p.span_s * fps)))
            first = int(rng.integers(count - length + 1))
            places = [first + place for place in p.jittered_positions(length, fps, rng)]
            frames = reader.read_many(places, size=self._roomy(reader))
        return shown(frames, p, variety, rng)

    def views(self, path: Path, views: Views, *, crops: int) -> Frames:
        """One clip as it is tested: uint8 (V, T, height, width, 3), V = ``views.count`` times the crops.

        Raises:
            MissingVideoError, UnreadableVideoError: it cannot be read.
        """
        p = self.preprocessing
        with self._open(path) as reader:
            places = np.asarray(view_positions(p, views, len(reader), float(reader.index.fps)))
            wanted, back = np.unique(places, return_inverse=True)
            size = p.decode_size(reader.shape.width, reader.shape.height)
            frames = reader.read_many(wanted, size=size)
        cropped = three_crops(frames, p) if crops == 3 else p.crop(frames)[None]
        # (crops, places, H, W, 3) to (views, crops of it, T, H, W, 3)
        looks = cropped[:, back].reshape(len(cropped), views.clips, p.frames, p.height, p.width, 3)
        return as_batch(looks.reshape(1, -1, p.frames, p.height, p.width, 3), views)

    def _open(self, path: Path) -> FrameReader:
        index = self._indexes.get(path)
        reader = FrameReader(path, index, threads=1)
        self._indexes[path] = reader.index
        return reader

    def _roomy(self, reader: FrameReader) -> tuple[int, int]:
        """The size to decode at for training: with room to crop in."""
        p = self.preprocessing
        width, height = p.decode_size(reader.shape.width, reader.shape.height)
        if (width, height) == (p.width, p.height):
            return round(width * _ROOM), round(height * _ROOM)
        return width, height


class ClipBatches:
    """What ``fit`` draws from: files decoded and varied anew in every epoch.

    Args:
        files: the clips, at least two.
        decoder: reads them.
        size: clips a batch; a last batch of a single clip joins the one before.
        seed: of the order and of what varies.
        variety: how much varies.
        workers: decoding threads.
    """

    def __init__(
        self,
        files: Sequence[LabelledFile],
        decoder: Decoder,
        *,
        size: int,
        seed: int,
        variety: Variety,
        workers: int,
    ) -> None:
        if len(files) < 2 or size < 2:
            raise TrainingError(f"{len(files)} clips in batches of {size} are too few to train on.")
        self._files = files
        self._decoder = decoder
        self._seed, self._variety, self._workers = seed, variety, workers
        self._bounds = [*range(0, len(files), size), len(files)]
        if len(self._bounds) > 2 and self._bounds[-1] - self._bounds[-2] == 1:
            del self._bounds[-2]

    def __len__(self) -> int:
        return len(self._bounds) - 1

    def epoch(self, number: int, *, first: int = 0) -> Iterator[Batch]:
        """The batches of an epoch from place ``first`` on.

        Raises:
            TrainingError: none of a batch's files can be read any more.
        """
        order = np.random.default_rng([self._seed, number]).permutation(len(self._files))
        ahead: deque[tuple[NDArray[np.int64], list[Future[Frames | None]]]] = deque()
        with ThreadPoolExecutor(self._workers, thread_name_prefix="decode") as pool:
            try:
                for place in range(first, len(self)):
                    chosen = order[self._bounds[place] : self._bounds[place + 1]]
                    ahead.append((chosen, [pool.submit(self._one, int(n), number) for n in chosen]))
                    if len(ahead) > _AHEAD:
                        yield self._gathered(*ahead.popleft())
                while ahead:
                    yield self._gathered(*ahead.popleft())
            finally:
                pool.shutdown(cancel_futures=True)

    def _one(self, number: int, epoch: int) -> Frames | None:
        rng = np.random.default_rng([self._seed, epoch, number, 1])
        try:
            return self._decoder.varied(self._files[number].path, self._variety, rng)
        except MediaError as error:
            # It could be read when the index was made; one clip gone is no reason to lose a night's work.
            print(f"left out: {error}", flush=True)
            return None

    def _gathered(self, chosen: NDArray[np.int64], clips: list[Future[Frames | None]]) -> Batch:
        read = [(clip.result(), self._files[int(n)].label) for n, clip in zip(chosen, clips, strict=True)]
        there = [(frames, label) for frames, label in read if frames is not None]
        if not there:
            raise TrainingError("None of the clips of a batch can be read any more. Is the disk still there?")
        return Batch(np.stack([frames for frames, _ in there]), np.array([label for _, label in there]))


def shown(frames: Frames, p: Preprocessing, variety: Variety, rng: np.random.Generator) -> Frames:
    """A random part of the pictures at the input's size, mirrored and shaded by chance, the same for all frames.

    Args:
        frames: uint8 (T, h, w, 3), at least the input's size.
        p: gives the input's size.
        variety: how much changes.
        rng: decides.

    Returns:
        uint8 (T, height, width, 3).
    """
    height, width = frames.shape[1:3]
    # The largest box of the input's shape; a squeezed picture is squeezed on.
    grow = min(height / p.height, width / p.width) if p.resize == "short_side" else None
    tall, wide = (p.height * grow, p.width * grow) if grow else (float(height), float(width))
    share = rng.uniform(variety.smallest, 1)
    ratio = float(np.exp(rng.uniform(-1, 1) * np.log(variety.stretch)))
    h = min(height, max(1, round(tall * (share / ratio) ** 0.5)))
    w = min(width, max(1, round(wide * (share * ratio) ** 0.5)))
    top, left = int(rng.integers(height - h + 1)), int(rng.integers(width - w + 1))
    part = frames[:, top : top + h, left : left + w]
    way = cv2.INTER_AREA if p.height < h else cv2.INTER_LINEAR
    seen = np.stack([cv2.resize(picture, (p.width, p.height), interpolation=way) for picture in part])
    if variety.flip and rng.random() < 0.5:
        seen = seen[:, :, ::-1]
    contrast, light = 1 + variety.shade * rng.uniform(-1, 1, 2)
    levels = (np.arange(256) - 128) * contrast + 128 * light
    return np.clip(levels, 0, 255).astype(np.uint8)[seen]


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
