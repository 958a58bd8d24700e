"""Clips that someone marked inside a video."""

from __future__ import annotations

import math
from pathlib import Path

from sqlalchemy import Connection, insert, select, update

from vidlabel.core.errors import UnreadableVideoError
from vidlabel.core.time import US_PER_SECOND, timecode
from vidlabel.store.schema import clips, videos


def add_clip(
    connection: Connection,
    video_id: int,
    path: Path,
    *,
    start_us: int,
    end_us: int,
    frames: tuple[int, int] | None = None,
) -> int:
    """The clip of this range of a video, made if it is not there; ``path`` names it in errors.

    Without ``frames`` (first, end exclusive) they are worked out from the frame rate, which is exact
    only for a constant one; who has the video's frame index gives them.

    Raises:
        UnreadableVideoError: the video cannot be decoded.
        ValueError: the range is empty or not inside the video.
    """
    video = connection.execute(select(videos).where(videos.c.id == video_id)).one()
    if video.reason is not None or video.duration_us is None:
        raise UnreadableVideoError(path, video.reason or "it cannot be decoded")
    if not 0 <= start_us < end_us <= video.duration_us:
        raise ValueError(
            f"{timecode(start_us)} to {timecode(end_us)} is not a range inside {path}, "
            f"which lasts {timecode(video.duration_us)}"
        )
    wanted = (clips.c.video_id == video.id) & (clips.c.start_us == start_us) & (clips.c.end_us == end_us)
    known = connection.execute(select(clips.c.id, clips.c.removed).where(wanted)).first()
    if known is not None:
        connection.execute(update(clips).where(clips.c.id == known.id).values(removed=False))
        return int(known.id)
    whole = connection.execute(select(clips).where(clips.c.video_id == video_id, clips.c.whole)).first()
    assert whole is not None
    if frames is None:
        first = min(_frame_at(start_us, video.fps), max(video.frames - 1, 0))
        last = max(min(_frame_at(end_us, video.fps), video.frames), first + 1)
    else:
        first, last = frames
    key = connection.execute(
        insert(clips).values(
            video_id=video.id,
            start_us=start_us,
            end_us=end_us,
            start_frame=first,
            end_frame=last,
            whole=False,
            removed=False,
            root_id=whole.root_id,
            relative=whole.relative,
            name=whole.name,
            trouble=whole.trouble,
        )
    ).inserted_primary_key
    return int(key[0]) if key else 0


def _frame_at(moment_us: int, fps: float) -> int:
    """The first frame shown at or after a moment; half a microsecond of rounding does not count."""
    return max(math.ceil((moment_us - 0.5) * fps / US_PER_SECOND), 0)
