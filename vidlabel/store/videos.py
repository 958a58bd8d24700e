"""One video per content: how its clips follow what happens to its files."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, case, delete, exists, func, insert, select, update

from vidlabel.core.time import now_us
from vidlabel.core.words import ClipState, ProbeResult, VideoFacts
from vidlabel.store import sweeps
from vidlabel.store.roots import Place
from vidlabel.store.rows import AnyRow, chunks
from vidlabel.store.schema import clips, decisions, files, remarks, roots, suggestions, videos
from vidlabel.store.text import absolute

REPLACED = "another video is now at this path. Put the old file back anywhere inside a root to go on with it."
_NEW_VIDEO = insert(videos)
_NEW_CLIP = insert(clips)
_NO_FACTS: dict[str, Any] = dict.fromkeys(VideoFacts.__slots__)
GONE = "the file is not where it was. Put it back, or relink its root."

CLOSED = "no permission to read its folder. Give yourself the right to, then scan again."


def insert_video(connection: Connection, result: ProbeResult, place: Place) -> tuple[int, int]:
    """A new video and its whole-video clip; answers (video id, clip id)."""
    video = connection.execute(
        _NEW_VIDEO,
        {
            "fingerprint": result.fingerprint,
            "content_hash": result.content_hash,
            "size": result.entry.size,
            "reason": _reason(result),
            "added_at_us": now_us(),
            **(_fact_columns(result.facts) or _NO_FACTS),
        },
    ).inserted_primary_key
    video_id = int(video[0]) if video else 0
    clip = connection.execute(
        _NEW_CLIP,
        {
            "video_id": video_id,
            "start_us": 0,
            "end_us": result.facts.duration_us if result.facts else 0,
            "start_frame": 0,
            "end_frame": result.facts.frames if result.facts else 0,
            "whole": True,
            "removed": False,
            "trouble": None if result.facts else ClipState.UNREADABLE.value,
            **_place_columns(place),
        },
    ).inserted_primary_key
    return video_id, int(clip[0]) if clip else 0


def update_video(connection: Connection, video_id: int, result: ProbeResult) -> None:
    """What a new probe of the same content tells."""
    values: dict[str, Any] = {"reason": _reason(result)}
    if result.fingerprint:
        values |= {"fingerprint": result.fingerprint, "size": result.entry.size}
    if result.content_hash is not None:
        values["content_hash"] = result.content_hash
    if result.facts is not None:
        values |= _fact_columns(result.facts)
        whole = (clips.c.video_id == video_id) & clips.c.whole
        connection.execute(
            update(clips).where(whole).values(end_us=result.facts.duration_us, end_frame=result.facts.frames)
        )
    connection.execute(update(videos).where(videos.c.id == video_id).values(**values))


def _reason(result: ProbeResult) -> str | None:
    return None if result.facts is not None else result.reason or "it cannot be decoded"


def _fact_columns(facts: VideoFacts | None) -> dict[str, Any]:
    if facts is None:
        return {}
    return {name: getattr(facts, name) for name in VideoFacts.__slots__}


def _place_columns(place: Place) -> dict[str, Any]:
    root_id, relative = place
    return {"root_id": root_id, "relative": relative, "name": relative.rsplit("/", 1)[-1]}


def refresh_videos(
    connection: Connection, video_ids: Iterable[int], *, missing_reason: str = GONE
) -> set[int]:
    """Lets clips show the path and trouble that follow from their video's files; answers those clips."""
    touched: set[int] = set()
    for video_id in set(video_ids):
        chosen = connection.execute(
            select(files.c.root_id, files.c.relative, files.c.missing)
            .where(files.c.video_id == video_id)
            .order_by(files.c.missing, files.c.id)
            .limit(1)
        ).first()
        missing = chosen is None or chosen.missing
        reason = None
        if missing:
            reason = REPLACED if chosen is None else missing_reason
        if (
            chosen is not None
            and reason == GONE
            and _is_closed(connection, (chosen.root_id, chosen.relative))
        ):
            reason = CLOSED
        connection.execute(update(videos).where(videos.c.id == video_id).values(missing_reason=reason))
        unreadable = exists().where(videos.c.id == video_id, videos.c.reason.is_not(None))
        trouble = ClipState.MISSING.value if missing else case((unreadable, ClipState.UNREADABLE.value))
        place = _place_columns((chosen.root_id, chosen.relative)) if chosen is not None else {}
        connection.execute(update(clips).where(clips.c.video_id == video_id).values(trouble=trouble, **place))
        touched.update(connection.execute(select(clips.c.id).where(clips.c.video_id == video_id)).scalars())
    return touched


def _is_closed(connection: Connection, place: Place) -> bool:
    """Whether a file cannot be seen only because its folder may not be read."""
    path = path_at(connection, place)
    if path is None:
        return False
    try:
        path.stat()
    except PermissionError:
        return True
    except OSError:
        return False
    # A folder that may be entered but not listed.
    return not os.access(path.parent, os.R_OK)


def drop_or_keep(connection: Connection, video_ids: Iterable[int]) -> set[int]:
    """Videos that lost their last path: those with decisions or remarks are shown as missing, the others go."""
    touched: set[int] = set()
    for video_id in set(video_ids):
        if (
            connection.execute(select(files.c.id).where(files.c.video_id == video_id).limit(1)).first()
            is not None
        ):
            touched |= refresh_videos(connection, [video_id])
            continue
        ids = list(connection.execute(select(clips.c.id).where(clips.c.video_id == video_id)).scalars())
        touched.update(ids)
        said = (select(table.c.id).where(table.c.clip_id.in_(ids)).limit(1) for table in (decisions, remarks))
        if any(connection.execute(something).first() is not None for something in said):
            refresh_videos(connection, [video_id])
            continue
        connection.execute(delete(suggestions).where(suggestions.c.clip_id.in_(ids)))
        connection.execute(delete(clips).where(clips.c.video_id == video_id))
        sweeps.forget(connection, [video_id])
        connection.execute(delete(videos).where(videos.c.id == video_id))
    return touched


def paths_of(connection: Connection, video_id: int) -> list[tuple[Path, bool]]:
    """Every path of a video on this machine, and whether it is known to be missing; present ones first."""
    rows = connection.execute(
        select(roots.c.path, files.c.relative, files.c.missing)
        .join(roots, roots.c.id == files.c.root_id)
        .where(files.c.video_id == video_id)
        .order_by(files.c.missing, files.c.id)
    )
    return [(Path(absolute(row.path, row.relative)), bool(row.missing)) for row in rows]


def paths_of_many(connection: Connection, video_ids: Iterable[int]) -> dict[int, tuple[Path, ...]]:
    """The same for several videos, without what is missing or not."""
    found: dict[int, list[Path]] = {}
    for chunk in chunks(set(video_ids)):
        rows = connection.execute(
            select(files.c.video_id, roots.c.path, files.c.relative)
            .join(roots, roots.c.id == files.c.root_id)
            .where(files.c.video_id.in_(chunk))
            .order_by(files.c.video_id, files.c.missing, files.c.id)
        )
        for row in rows:
            found.setdefault(row.video_id, []).append(Path(absolute(row.path, row.relative)))
    return {video_id: tuple(paths) for video_id, paths in found.items()}


def path_at(connection: Connection, place: Place) -> Path | None:
    """The path on this machine of a place."""
    root = connection.execute(select(roots.c.path).where(roots.c.id == place[0])).scalar()
    return None if root is None else Path(absolute(root, place[1]))


def look_again(connection: Connection, place: Place) -> None:
    """Lets the next scan probe a file even if nothing about it seems to have changed."""
    wanted = (files.c.root_id == place[0]) & (files.c.relative == place[1])
    connection.execute(update(files).where(wanted).values(mtime_ns=-1))


def forget_paths(connection: Connection, video_id: int) -> None:
    """The video was moved: where it was is no longer one of its paths."""
    connection.execute(delete(files).where(files.c.video_id == video_id))


def is_gone(connection: Connection, video_id: int) -> bool:
    """Whether no path of the video leads to a file any more (looked up on the disk)."""
    return not any(not missing and path.exists() for path, missing in paths_of(connection, video_id))


def videos_by(connection: Connection, column: str, values: Iterable[str]) -> list[AnyRow]:
    """Videos whose ``fingerprint`` or ``content_hash`` is one of these."""
    wanted = select(videos.c.id, videos.c.fingerprint, videos.c.content_hash, videos.c.reason)
    found: list[AnyRow] = []
    for chunk in chunks(values):
        found.extend(connection.execute(wanted.where(videos.c[column].in_(chunk)).order_by(videos.c.id)))
    return found


def merge_videos(connection: Connection, one: int, other: int) -> set[int]:
    """Two videos turn out to be the same content: they become one. Answers the clips concerned.

    The one with the newest decision stays, else the older one. What was decided on the other stays in its
    history: its clips are only no longer listed.
    """
    newest = (
        select(clips.c.video_id, func.max(clips.c.decision_id))
        .where(clips.c.video_id.in_([one, other]))
        .group_by(clips.c.video_id)
    )
    decided = {video_id: decision or 0 for video_id, decision in connection.execute(newest)}
    kept, gone = sorted((one, other), key=lambda video_id: (-decided.get(video_id, 0), video_id))
    connection.execute(update(files).where(files.c.video_id == gone).values(video_id=kept))
    known_ranges = select(clips.c.start_us, clips.c.end_us).where(clips.c.video_id == kept, ~clips.c.removed)
    ranges = {(row.start_us, row.end_us) for row in connection.execute(known_ranges)}
    for clip in connection.execute(select(clips).where(clips.c.video_id == gone)).all():
        doubled = clip.whole or (clip.start_us, clip.end_us) in ranges
        values: dict[str, Any] = {"removed": True} if doubled else {"video_id": kept}
        connection.execute(update(clips).where(clips.c.id == clip.id).values(**values))
    touched = drop_or_keep(connection, [gone])
    return touched | refresh_videos(connection, [kept])
