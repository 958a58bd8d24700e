"""Clips to the pictures that the network sees."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from time import thread_time
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from vidlabel.core.messages import WantedClip
from vidlabel.core.words import ONE_VIEW, Views
from vidlabel.media.sampler import IndexShelf, read_positions
from vidlabel.ml.views import view_positions

if TYPE_CHECKING:
    from vidlabel.ml.preprocess import Preprocessing


def decode_clip(
    clip: WantedClip, preprocessing: Preprocessing, *, shelf: IndexShelf | None = None
) -> NDArray[np.uint8]:
    """The pictures that the network sees of a clip: uint8 (T, H, W, 3).

    Raises:
        MissingVideoError, UnreadableVideoError: the file cannot be used.
    """
    (frames,) = decode_views(clip, preprocessing, views=ONE_VIEW, shelf=shelf)
    return np.asarray(frames, dtype=np.uint8)


def decode_views(
    clip: WantedClip, preprocessing: Preprocessing, *, views: Views, shelf: IndexShelf | None = None
) -> NDArray[np.uint8]:
    """The pictures of all views, each frame decoded once: uint8 (views.clips, T, H, W, 3); none is mirrored yet.

    Raises:
        MissingVideoError, UnreadableVideoError: the file cannot be used.
    """
    frames = read_positions(
        Path(clip.path),
        start_us=clip.start_us,
        end_us=clip.end_us,
        positions=partial(view_positions, preprocessing, views),
        size=preprocessing.decode_size,
        shelf=shelf,
    )
    cropped = preprocessing.crop(frames)
    return cropped.reshape(views.clips, preprocessing.frames, *cropped.shape[1:])


class ViewsCost:
    """What several views cost against one, measured on the first clips.

    The decoding threads and the network's thread each add what they measured; nothing is added twice by two.
    """

    CLIPS = 3

    def __init__(self, views: Views) -> None:
        self._asked = 0 if views.count > 1 else self.CLIPS
        self._decode = [0.0, 0.0]
        self._network = [0.0, 0.0]
        self._compared = 0

    def wants_clip(self) -> bool:
        """Whether this clip shall be decoded both ways; asked under the owner's lock."""
        self._asked += 1
        return self._asked <= self.CLIPS

    @property
    def odd(self) -> bool:
        """The first way finds the file cold, so each has its turn to be first."""
        return self._asked % 2 == 1

    def add_decoding(self, one: float, all_views: float) -> None:
        """Seconds of one clip; under the owner's lock."""
        self._decode = [self._decode[0] + one, self._decode[1] + all_views]

    def add_network(self, one: float, all_views: float) -> bool:
        """Seconds of one clip; answers whether this was the last that is needed."""
        self._network = [self._network[0] + one, self._network[1] + all_views]
        self._compared += 1
        return self._compared == self.CLIPS

    def times(self, *, side_by_side: bool) -> float:
        """How many times the time of one view all take; ``side_by_side``: the slower part is what counts (GPU)."""
        together = max if side_by_side else sum
        one, several = (together((self._decode[place], self._network[place])) for place in (0, 1))
        return several / one if one else 1.0


def decode_both_ways(
    clip: WantedClip,
    preprocessing: Preprocessing,
    *,
    views: Views,
    one_first: bool,
) -> tuple[NDArray[np.uint8], float, float]:
    """As ``decode_views``, with the processor seconds of one view and of all.

    Raises:
        MissingVideoError, UnreadableVideoError: the file cannot be used.
    """
    seconds: dict[Views, float] = {}
    frames: dict[Views, NDArray[np.uint8]] = {}
    for way in (ONE_VIEW, views) if one_first else (views, ONE_VIEW):
        # Without the shelf: the second way would find the index that the first had to make.
        began = thread_time()
        frames[way] = decode_views(clip, preprocessing, views=way)
        seconds[way] = thread_time() - began
    return frames[views], seconds[ONE_VIEW], seconds[views]
