"""What training will show of a clip: some changed versions of it beside the unchanged one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from vidlabel.learning.augment import Augmentation, augmentation, vary
from vidlabel.learning.clip_stock import LabelledClip, read_plain, read_roomy
from vidlabel.ml.files import write_whole
from vidlabel.ml.preprocess import Preprocessing

Frames = NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Versions:
    """A clip as the model sees it and as training shows it.

    Attributes:
        original: uint8 (T, height, width, 3).
        changed: uint8 (N, T, height, width, 3).
    """

    original: Frames
    changed: Frames


def augment_preview(
    clip: LabelledClip,
    preprocessing: Preprocessing,
    *,
    strength: str | Augmentation = "light",
    seed: int = 0,
    count: int = 6,
    mirror: bool = True,
) -> Versions:
    """Some versions of a clip, made by the very functions that training calls.

    Args:
        clip: which.
        preprocessing: of the model.
        strength: as for ``ClipBatches``; with ``none`` all versions are the original.
        seed: the same one gives the same versions.
        count: of versions, at least 1.
        mirror: whether this clip's label may be mirrored.

    Raises:
        MissingVideoError, UnreadableVideoError: the clip cannot be read.
        UsageError: there is no such strength.
    """
    how = augmentation(strength)
    original = read_plain(clip, preprocessing).frames
    if how is None:
        return Versions(original, np.stack([original] * count))
    stock = read_roomy(clip, preprocessing)
    changed = [
        vary(stock, preprocessing, how, rng=np.random.default_rng([seed, number]), mirror=mirror)
        for number in range(count)
    ]
    return Versions(original, np.stack(changed))


def write_versions(
    versions: Versions, folder: Path, *, on_written: Callable[[int, Path], None] = lambda number, path: None
) -> tuple[Path, tuple[Path, ...]]:
    """Writes each version as one PNG, its frames side by side: T times ``width`` by ``height`` px.

    Args:
        versions: what to write.
        folder: where to; is made where it is missing.
        on_written: told of each changed version, from 0.

    Returns:
        The original's file (``original.png``) and those of the changed ones (``changed-1.png`` on).

    Raises:
        OSError: the disk does not take it.
    """
    original = _strip(versions.original, folder / "original.png")
    written = []
    for number, frames in enumerate(versions.changed):
        written.append(_strip(frames, folder / f"changed-{number + 1}.png"))
        on_written(number, written[-1])
    return original, tuple(written)


def _strip(frames: Frames, path: Path) -> Path:
    picture = cv2.cvtColor(np.concatenate(list(frames), axis=1), cv2.COLOR_RGB2BGR)
    done, content = cv2.imencode(".png", picture)
    if not done:
        raise OSError(f"{path}: the picture cannot be encoded")
    write_whole(path, content.tobytes())
    return path
