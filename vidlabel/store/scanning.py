"""From what a walk and a probe saw to videos, files and clips."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from pathlib import Path

from sqlalchemy import Connection, delete, insert, select, update

from vidlabel.core.words import Changes, FileEntry, ProbeResult
from vidlabel.store.listed import gone_and_back, not_surely_unchanged
from vidlabel.store.roots import Overlaps, Place
from vidlabel.store.rows import chunks
from vidlabel.store.schema import clips, files, roots, videos
from vidlabel.store.text import absolute
from vidlabel.store.videos import (
    drop_or_keep,
    forget_paths,
    insert_video,
    is_gone,
    merge_videos,
    refresh_videos,
    update_video,
    videos_by,
)

WHOLLY_IN_FINGERPRINT = 128 * 1024
"""Up to this size in bytes a fingerprint (head and tail of 64 KiB each) covers the whole content."""
_NEW_FILE = insert(files)
_LOOK_AGAIN = -1
"""Stored as the time of a file that could not be read at all, so that the next scan looks again."""


def new_or_changed(
    connection: Connection, root_id: int, entries: Sequence[FileEntry]
) -> tuple[tuple[FileEntry, ...], list[int]]:
    """Which of these files must be probed, and the ids of unchanged files that had been missing."""
    others = not_surely_unchanged(connection, root_id, entries)
    if not others:
        return (), []
    known = Overlaps(connection, root_id).known(connection, [entry.relative for entry in others])
    wanted: list[FileEntry] = []
    back: list[int] = []
    for entry in others:
        row = known.get(entry.relative)
        if row is None or row.size != entry.size or row.mtime_ns != entry.mtime_ns:
            wanted.append(entry)
        elif row.missing:
            back.append(row.id)
    return tuple(wanted), back


def mark_back(connection: Connection, file_ids: Iterable[int]) -> Changes:
    """Files that had been missing are there again."""
    ids = list(file_ids)
    for chunk in chunks(ids):
        connection.execute(update(files).where(files.c.id.in_(chunk)).values(missing=False))
    return Changes(clips=frozenset(refresh_videos(connection, _videos_of(connection, ids))))


def _videos_of(connection: Connection, file_ids: Iterable[int]) -> set[int]:
    found: set[int] = set()
    for chunk in chunks(file_ids):
        found.update(connection.execute(select(files.c.video_id).where(files.c.id.in_(chunk))).scalars())
    return found


def sizes_known(connection: Connection, sizes: Iterable[int]) -> set[int]:
    """Those sizes that some known file has."""
    found: set[int] = set()
    for chunk in chunks(set(sizes)):
        found.update(
            connection.execute(select(files.c.size).where(files.c.size.in_(chunk)).distinct()).scalars()
        )
    return found


class ProbeSaver:
    """Writes one batch of probe results in the caller's transaction."""

    def __init__(self, connection: Connection, root_id: int, results: Sequence[ProbeResult]) -> None:
        self._connection = connection
        self._root_id = root_id
        self._results = results
        overlaps = Overlaps(connection, root_id)
        self._files = overlaps.known(connection, [result.entry.relative for result in results])
        self._by_fingerprint: dict[str, list[int]] = {}
        self._by_hash: dict[str, list[int]] = {}
        self._hashes: dict[int, str | None] = {}
        self._reasons: dict[int, str | None] = {}
        fingerprints = {result.fingerprint for result in results if result.fingerprint}
        content_hashes = {result.content_hash for result in results if result.content_hash}
        for column, values in (("fingerprint", fingerprints), ("content_hash", content_hashes)):
            for row in videos_by(connection, column, values):
                self._know(row.id, row.fingerprint, content_hash=row.content_hash, reason=row.reason)
        self._clips: set[int] = set()
        self._refresh: set[int] = set()
        self._left: set[int] = set()
        self._library = False

    def _know(self, video_id: int, fingerprint: str, *, content_hash: str | None, reason: str | None) -> None:
        if video_id not in self._hashes:
            self._by_fingerprint.setdefault(fingerprint, []).append(video_id)
        if content_hash is not None and self._hashes.get(video_id) != content_hash:
            self._by_hash.setdefault(content_hash, []).append(video_id)
        self._hashes[video_id] = content_hash
        self._reasons[video_id] = reason

    def save(self) -> Changes:
        """Writes all of them and answers what changed."""
        for result in self._results:
            self._save_one(result)
        self._clips |= drop_or_keep(self._connection, self._left)
        self._clips |= refresh_videos(self._connection, self._refresh - self._left)
        return Changes(clips=frozenset(self._clips), library=self._library or bool(self._left))

    def _save_one(self, result: ProbeResult) -> None:
        file = self._files.get(result.entry.relative)
        place = (self._root_id, result.entry.relative) if file is None else (file.root_id, file.relative)
        old_video = None if file is None else file.video_id
        video_id = self._same_content(result, old_video)
        if video_id is None:
            video_id, clip_id = insert_video(self._connection, result, place)
            self._clips.add(clip_id)
            self._library = True
        else:
            if video_id in self._reasons and self._reasons[video_id] is None and result.facts is None:
                self._library = True
            update_video(self._connection, video_id, result)
            self._refresh.add(video_id)
        self._know(
            video_id,
            result.fingerprint,
            content_hash=result.content_hash or self._hashes.get(video_id),
            reason=result.reason,
        )
        if old_video is not None and old_video != video_id:
            self._left.add(old_video)
        self._write_file(result, place, None if file is None else file.id, video_id=video_id)

    def _same_content(self, result: ProbeResult, old_video: int | None) -> int | None:
        """The known video that this file holds, if any.

        A file that cannot be decoded is only ever itself, so that each bad file is listed.
        """
        if not result.fingerprint:
            return old_video  # not readable at the moment: nothing is known against its being what it was
        if result.facts is not None and result.content_hash is not None:
            for video_id in self._by_hash.get(result.content_hash, []):
                if self._reasons[video_id] is None:
                    return video_id
        candidates = self._by_fingerprint.get(result.fingerprint, [])
        for video_id in sorted(candidates, key=lambda candidate: candidate != old_video):
            known = self._hashes[video_id]
            if known and result.content_hash and known != result.content_hash:
                continue
            if video_id == old_video:
                return video_id
            both_readable = result.facts is not None and self._reasons[video_id] is None
            if both_readable and result.entry.size <= WHOLLY_IN_FINGERPRINT:
                return video_id
            if is_gone(self._connection, video_id):
                forget_paths(self._connection, video_id)  # moved or renamed
                return video_id
        return None

    def _write_file(self, result: ProbeResult, place: Place, file_id: int | None, *, video_id: int) -> None:
        values = {
            "size": result.entry.size,
            "mtime_ns": result.entry.mtime_ns if result.fingerprint else _LOOK_AGAIN,
            "video_id": video_id,
            "missing": False,
        }
        if file_id is None:
            root_id, relative = place
            self._connection.execute(_NEW_FILE, {"root_id": root_id, "relative": relative, **values})
        else:
            self._connection.execute(update(files).where(files.c.id == file_id).values(**values))


def finish_scan(connection: Connection, root_id: int, seen: Collection[str]) -> tuple[list[int], list[int]]:
    """After a whole walk: ids of files that are not there any more, and of those that are back."""
    return gone_and_back(connection, root_id, seen)


def mark_missing(connection: Connection, file_ids: Sequence[int]) -> Changes:
    """Files that are not there any more. Copies and moved files do not need their old path: it goes."""
    concerned = _videos_of(connection, file_ids)
    for chunk in chunks(file_ids):
        connection.execute(update(files).where(files.c.id.in_(chunk)).values(missing=True))
    other = files.alias()
    still_there = select(other.c.id).where(other.c.video_id == files.c.video_id, ~other.c.missing).exists()
    for chunk in chunks(file_ids):
        connection.execute(delete(files).where(files.c.id.in_(chunk), files.c.missing, still_there))
    return Changes(clips=frozenset(refresh_videos(connection, concerned)), library=True)


def without_hash(connection: Connection, limit: int) -> list[tuple[int, Path]]:
    """Readable videos whose whole content has not been hashed, with a path that is there."""
    rows = connection.execute(
        select(videos.c.id, roots.c.path, files.c.relative)
        .join(files, files.c.video_id == videos.c.id)
        .join(roots, roots.c.id == files.c.root_id)
        .where(videos.c.content_hash.is_(None), videos.c.reason.is_(None), ~files.c.missing)
        .order_by(videos.c.id, files.c.id)
        .limit(limit)
    )
    found: dict[int, Path] = {}
    for row in rows:
        found.setdefault(row.id, Path(absolute(row.path, row.relative)))
    return list(found.items())


def save_hash(connection: Connection, video_id: int, content_hash: str) -> Changes:
    """The hash of a video's whole content; a video that has the same becomes one with it."""
    connection.execute(update(videos).where(videos.c.id == video_id).values(content_hash=content_hash))
    same = [row.id for row in videos_by(connection, "content_hash", [content_hash]) if row.reason is None]
    others = [other for other in same if other != video_id]
    if not others or video_id not in same:
        return Changes()
    return Changes(clips=frozenset(merge_videos(connection, video_id, others[0])), library=True)


def mark_trouble(connection: Connection, place: Place, reason: str, *, missing: bool) -> Changes:
    """A file turned out to be unusable while it was played or scored."""
    wanted = (files.c.root_id == place[0]) & (files.c.relative == place[1])
    video_id = connection.execute(select(files.c.video_id).where(wanted)).scalar()
    if video_id is None:
        return Changes()
    if missing:
        connection.execute(update(files).where(wanted).values(missing=True))
    else:
        connection.execute(update(videos).where(videos.c.id == video_id).values(reason=reason))
    return Changes(clips=frozenset(refresh_videos(connection, [video_id], missing_reason=reason)))


def video_at(connection: Connection, place: Place) -> int:
    """The video whose file is listed at a place (see :func:`vidlabel.store.roots.place_of`)."""
    wanted = (files.c.root_id == place[0]) & (files.c.relative == place[1])
    return int(connection.execute(select(files.c.video_id).where(wanted)).scalar_one())


def place_of_clip(connection: Connection, clip_id: int) -> Place | None:
    """Where the file of a clip is listed."""
    row = connection.execute(select(clips.c.root_id, clips.c.relative).where(clips.c.id == clip_id)).first()
    return None if row is None else (row.root_id, row.relative)
