"""Which clip of a video is meant by times or frames: one that is there, or one still to be marked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from vidlabel.core.errors import MediaError, VidlabelError
from vidlabel.core.time import seconds_from_us
from vidlabel.core.words import ClipRow, ClipState
from vidlabel.media.frame_index import FrameIndex
from vidlabel.store.project_store import ProjectStore

# Other programs write three decimals; nobody marks two clips that differ by less.
_SAME_US = 1_000


@dataclass(frozen=True, slots=True)
class Marked:
    """A clip: ``row`` where it is there already, else the part of the video to be marked."""

    video: ClipRow
    row: ClipRow | None
    start_us: int
    end_us: int

    def clip_id(self, store: ProjectStore) -> int:
        """The clip's id; a part that is not marked yet is marked now, with the frames its video's index tells."""
        if self.row is not None:
            return self.row.clip_id
        path = Path(self.video.path)
        frames = FrameIndex.build(path).range(self.start_us, self.end_us)
        return store.add_clip(path, self.start_us, self.end_us, frames=frames)


def whole_of(rows: Sequence[ClipRow]) -> ClipRow:
    """The clip that is the whole video."""
    return next((row for row in rows if row.whole), rows[0])


def by_times(rows: Sequence[ClipRow], start_us: int, end_us: int) -> Marked:
    """The clip from ``start_us`` to ``end_us`` (exclusive) of the video with these clips.

    Raises:
        VidlabelError: the video ends before, or cannot be used.
    """
    video = whole_of(rows)
    for row in sorted(rows, key=lambda row: row.whole, reverse=True):
        if abs(row.start_us - start_us) <= _SAME_US and abs(row.end_us - end_us) <= _SAME_US:
            return Marked(video, row, row.start_us, row.end_us)
    if video.state in (ClipState.MISSING, ClipState.UNREADABLE):
        raise MediaError(Path(video.path), video.reason or video.state.value)
    if end_us > video.end_us + _SAME_US or start_us >= video.end_us:
        raise VidlabelError(
            f"{video.path} is {seconds_from_us(video.end_us):.3f} s long: it has no part from "
            f"{seconds_from_us(start_us):.3f} to {seconds_from_us(end_us):.3f} s."
        )
    return Marked(video, None, start_us, min(end_us, video.end_us))


def by_frames(rows: Sequence[ClipRow], first: int, end: int) -> Marked:
    """The clip from frame ``first`` to ``end`` (exclusive); the video is read where its times are needed.

    Raises:
        VidlabelError: the video has fewer frames, or cannot be used.
    """
    video = whole_of(rows)
    for row in sorted(rows, key=lambda row: row.whole, reverse=True):
        if (row.start_frame, row.end_frame) == (first, end):
            return Marked(video, row, row.start_us, row.end_us)
    if video.state in (ClipState.MISSING, ClipState.UNREADABLE):
        raise MediaError(Path(video.path), video.reason or video.state.value)
    if end > video.frames:
        raise VidlabelError(f"{video.path} has {video.frames} frames: it has no part from {first} to {end}.")
    times = FrameIndex.build(Path(video.path)).times_us
    return Marked(video, None, int(times[first]), int(times[end]) if end < len(times) else video.end_us)
