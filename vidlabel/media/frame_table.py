"""The frames of a video and when each is shown, as a table; ``frame_index`` fills it from a file."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vidlabel.core.time import US_PER_SECOND

Int64 = NDArray[np.int64]
Bool = NDArray[np.bool_]
DEFAULT_FPS = 25.0
_HIGHEST_FPS = 2000.0
# What a header says about a single frame is often a tick of its clock.
_SHORTEST_STILL, _LONGEST_STILL = 4_000, 60_000_000


@dataclass(frozen=True, eq=False, kw_only=True)
class FrameTable:
    """Every frame of a video in the order in which it is shown.

    Args:
        path: the file.
        times_us: int64 (n,), microseconds from the first frame, which is at 0; rising.
        key_frames: bool (n,), True where decoding can begin.
        duration_us: the end of the last frame.
        fps: mean frames a second, the file's own figure where it agrees with its frames.
        variable_rate: whether a constant rate would put a frame noticeably elsewhere.
        start_us: time of the first frame in the file's own clock.
        time_base: seconds a tick of ``pts``.
        pts: int64 (n,), each frame's time in ticks of the file.
        packets: int64 (n,), the number, in decoding order, of the packet that holds each frame.
        key_marks: int64 (n,), what the packet of each key frame is known by after a seek (``marked_by``).
        key_dts: int64 (n,), the time to ask for when seeking to a key frame.
        marked_by: ``pts``, ``dts`` or ``content`` (``packets.content_key``).
        named_by: how a decoded frame is recognised: by its own ``pts``, by the ``packet`` it came from, or,
            where nothing else tells, by its ``count`` from the beginning.
    """

    path: Path
    times_us: Int64
    key_frames: Bool
    duration_us: int
    fps: float
    variable_rate: bool
    start_us: int
    time_base: Fraction
    pts: Int64
    packets: Int64
    key_marks: Int64
    key_dts: Int64
    marked_by: str
    named_by: str

    def __len__(self) -> int:
        return len(self.times_us)

    def frame_at(self, us: int) -> int:
        """The frame on screen at a time; the first before 0, the last after the end."""
        place = int(np.searchsorted(self.times_us, us, side="right")) - 1
        return min(max(place, 0), len(self) - 1)

    def range(self, start_us: int, end_us: int) -> tuple[int, int]:
        """The frames of a clip: first and last (exclusive), at least one frame.

        The first is the one on screen at ``start_us``; the last begins before ``end_us``.
        """
        first = self.frame_at(start_us)
        last = int(np.searchsorted(self.times_us, end_us, side="left"))
        return first, max(last, first + 1)

    def end_us(self, frame: int) -> int:
        """When a frame leaves the screen: the next one's time, or the end of the video."""
        return int(self.times_us[frame + 1]) if frame + 1 < len(self) else self.duration_us

    def key_before(self, frame: int) -> int:
        """The last key frame at or before ``frame``; 0 where the file names none."""
        keys = np.flatnonzero(self.key_frames[: frame + 1])
        return int(keys[-1]) if len(keys) else 0

    def index_of(self, pts: int) -> int | None:
        """The frame with this time stamp, or None."""
        place = int(np.searchsorted(self.pts, pts))
        return place if place < len(self) and self.pts[place] == pts else None


def microseconds(ticks: Int64, time_base: Fraction) -> Int64:
    """Ticks to the nearest microsecond, in whole numbers (a float would lose them after some hours)."""
    numerator = time_base.numerator * US_PER_SECOND
    denominator = time_base.denominator
    result: Int64 = (ticks * numerator + denominator // 2) // denominator
    return result


def timing(times_us: Int64, last_us: int, nominal_fps: float | None) -> tuple[float, bool, int]:
    """Rate, whether it varies, and duration, of frames at these times.

    Args:
        times_us: int64 (n,), rising from 0.
        last_us: how long the file says the last frame lasts; 0 where it does not.
        nominal_fps: the file's own figure, if it has one; trusted only where the frames agree with it.

    Returns:
        (fps above 0, variable rate, duration in microseconds)
    """
    nominal = nominal_fps if nominal_fps is not None and 0 < nominal_fps <= _HIGHEST_FPS else None
    count = len(times_us)
    if count == 1:
        if not _SHORTEST_STILL <= last_us <= _LONGEST_STILL:
            last_us = round(US_PER_SECOND / DEFAULT_FPS)
        return US_PER_SECOND / last_us, False, last_us
    step = float(np.median(np.diff(times_us)))
    if not 0 < last_us <= 10 * step:
        last_us = max(1, round(step))
    span = int(times_us[-1])
    fps = (count - 1) * US_PER_SECOND / span
    even = np.arange(count) * (span / (count - 1))
    variable = bool(np.abs(times_us - even).max() > max(1500.0, 0.25 * step))
    if nominal is not None and not variable and abs(nominal - fps) * span / US_PER_SECOND < 0.5:
        fps = nominal
    return fps, variable, span + last_us
