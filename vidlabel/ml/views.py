"""Several looks at one clip: where the frames of each lie, and how their answers become one.

Clips of several places and mirrored ones, averaged, are how video networks are evaluated (Simonyan and
Zisserman 2014, "Two-Stream Convolutional Networks"; Wang et al. 2018, "Non-local Neural Networks").
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vidlabel.core.words import Views
from vidlabel.ml.preprocess import Preprocessing


def view_positions(p: Preprocessing, views: Views, count: int, fps: float) -> tuple[int, ...]:
    """The frames that all views of a clip look at, view after view.

    The windows begin at places spread evenly over the clip; where a window is all of it, each view takes
    its frames at another phase. One view is ``Preprocessing.positions``.

    Args:
        p: of the model.
        views: how many.
        count: frames in the clip, at least 1.
        fps: frames a second of the video.

    Returns:
        ``views.clips * p.frames`` places in the clip, from 0; rising within a view.
    """
    if views.clips == 1:
        return p.positions(count, fps)
    _, length = p.window(count, fps)
    places: list[int] = []
    parts = 2 * views.clips * p.frames
    for view in range(views.clips):
        start = (count - length) * view // (views.clips - 1)
        phases = (2 * (views.clips * part + view) + 1 for part in range(p.frames))
        places += [start + phase * length // parts for phase in phases]
    return tuple(places)


def as_batch(frames: NDArray[np.uint8], views: Views) -> NDArray[np.uint8]:
    """All views of some clips as a batch of plain clips.

    Args:
        frames: uint8 (B, views.clips, T, H, W, 3).
        views: with ``flip`` each is there as it is and mirrored left to right.

    Returns:
        uint8 (B * views.count, T, H, W, 3), the views of a clip one after the other.
    """
    if views.flip:
        frames = np.concatenate([frames, frames[..., ::-1, :]], axis=1)
    return frames.reshape(-1, *frames.shape[2:])


def averaged(probabilities: NDArray[np.float32], views: Views) -> NDArray[np.float32]:
    """The clips' answers from their views': float32 (B * views.count, L) to (B, L), rows adding up to 1."""
    if views.count == 1:
        return probabilities
    by_clip = probabilities.reshape(-1, views.count, probabilities.shape[1])
    mean: NDArray[np.float32] = by_clip.mean(axis=1, dtype=np.float64).astype(np.float32)
    return mean
