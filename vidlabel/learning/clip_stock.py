"""What is kept of a clip once it is decoded: enough for every way in which training may show it.

A clip is the same bytes whenever it is decoded, so that it makes no difference whether they came from the file or
from the cache. What chance adds comes afterwards (``augment``).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vidlabel.core.snapshot import Part, Snapshot
from vidlabel.media.sampler import IndexShelf, read_positions
from vidlabel.ml.preprocess import Preprocessing

Frames = NDArray[np.uint8]

_WHOLE_US = 10**15
_MORE_MOMENTS = 16
"""So many frames more than the network looks at are kept at most, for other moments than its own."""
_REACH = 2
"""Of a clip longer than what the network looks at at once, so many times that are kept."""
_ROOM = 8 / 7
"""A network's input that is the whole picture squeezed leaves no room to crop in: it is kept this much larger."""


@dataclass(frozen=True, kw_only=True)
class LabelledClip:
    """A clip to learn from or to measure on.

    Attributes:
        path: where its video is today.
        label: the place of its label in the label list.
        content_hash: of the video file; "" where that is not known, which its path, size and time stand in for.
        start_us, end_us: microseconds from the video's first frame, the end exclusive.
        clip_id: of the project; 0 for none.
    """

    path: Path
    label: int
    content_hash: str = ""
    start_us: int = 0
    end_us: int = _WHOLE_US
    clip_id: int = 0

    def __post_init__(self) -> None:
        if self.label < 0 or not 0 <= self.start_us < self.end_us:
            raise ValueError(
                f"{self.path}: label {self.label}, {self.start_us} to {self.end_us} us is no clip"
            )

    @property
    def key(self) -> tuple[str, int, int]:
        """What it is, wherever it lies.

        Raises:
            OSError: its content hash is not known and the file is not there.
        """
        if self.content_hash:
            return (self.content_hash, self.start_us, self.end_us)
        status = self.path.stat()
        here = f"{self.path.absolute()} {status.st_size} {status.st_mtime_ns}"
        return (here, self.start_us, self.end_us)


def clips_of(
    snapshot: Snapshot, part: Part, *, where: Mapping[str, Path] | None = None
) -> tuple[LabelledClip, ...]:
    """The clips of one part of a snapshot, in its order.

    Args:
        snapshot: gives the label list, too.
        part: which.
        where: paths of today by content hash, where they are others than the snapshot's.
    """
    places = {label: place for place, label in enumerate(snapshot.labels)}
    moved = where or {}
    return tuple(
        LabelledClip(
            path=moved.get(clip.content_hash, clip.path),
            label=places[clip.label],
            content_hash=clip.content_hash,
            start_us=clip.start_us,
            end_us=clip.end_us,
            clip_id=clip.clip_id,
        )
        for clip in snapshot.of(part)
    )


@dataclass(frozen=True, eq=False)
class Stock:
    """A decoded clip.

    Attributes:
        frames: uint8 (K, h, w, 3), rising in time.
        share: of these frames, how much the network looks at at once; above 0, at most 1.
    """

    frames: Frames
    share: float


def read_plain(clip: LabelledClip, p: Preprocessing, *, shelf: IndexShelf | None = None) -> Stock:
    """A clip exactly as the model sees it: frames uint8 (T, height, width, 3), share 1.

    Raises:
        MissingVideoError, UnreadableVideoError: it cannot be read.
    """
    frames = read_positions(
        clip.path,
        start_us=clip.start_us,
        end_us=clip.end_us,
        positions=p.positions,
        size=p.decode_size,
        shelf=shelf,
    )
    return Stock(np.ascontiguousarray(p.crop(frames)), 1.0)


def read_roomy(clip: LabelledClip, p: Preprocessing, *, shelf: IndexShelf | None = None) -> Stock:
    """A clip with more moments and more of the picture than the network looks at, to choose among.

    Of a network that looks at the whole clip, up to 16 frames more than it takes, spread over all of it; of one
    that looks at some seconds, as close together, over twice that time around the middle.

    Raises:
        MissingVideoError, UnreadableVideoError: it cannot be read.
    """
    share = 1.0

    def positions(count: int, fps: float) -> tuple[int, ...]:
        nonlocal share
        places, share = roomy_positions(p, count, fps)
        return places

    frames = read_positions(
        clip.path,
        start_us=clip.start_us,
        end_us=clip.end_us,
        positions=positions,
        size=lambda width, height: roomy_size(p, width, height),
        shelf=shelf,
    )
    return Stock(frames, share)


def roomy_positions(p: Preprocessing, count: int, fps: float) -> tuple[tuple[int, ...], float]:
    """Which of a clip's ``count`` frames are kept, and which share of them the network looks at at once."""
    _, length = p.window(count, fps)
    reach = min(count, _REACH * length)
    kept = max(1, min(reach, round((p.frames + min(p.frames, _MORE_MOMENTS)) * reach / length)))
    start = (count - reach) // 2
    return tuple(start + ((2 * place + 1) * reach) // (2 * kept) for place in range(kept)), length / reach


def roomy_size(p: Preprocessing, width: int, height: int) -> tuple[int, int]:
    """The (width, height) in px at which a picture of ``width`` x ``height`` px is kept."""
    wide, tall = p.decode_size(width, height)
    if (wide, tall) == (p.width, p.height):
        return round(wide * _ROOM), round(tall * _ROOM)
    return wide, tall


def expected_bytes(p: Preprocessing, clips: Collection[object]) -> int:
    """About what so many clips take in the cache: an estimate, for pictures of 4:3 and clips as long as is kept."""
    wide, tall = roomy_size(p, 320, 240)
    moments = p.frames + min(p.frames, _MORE_MOMENTS)
    return len(clips) * 3 * wide * tall * (moments if p.span_s is None else round(1.5 * moments))
