"""Gathers the curated clips of a project: those with a label that a person gave, whose file can be used.

What has no hash yet is hashed, for a clip is known by its content.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from vidlabel.core.errors import MediaError, StoppedError
from vidlabel.core.fingerprint import content_hash
from vidlabel.core.words import ClipQuery, ClipState
from vidlabel.store.project_store import ProjectStore
from vidlabel.store.snapshots import CuratedClip

_ASK_EVERY = 1000


@dataclass(frozen=True, slots=True)
class Gathered:
    """The labelled clips that fit: those to be used, by content and time, and what became of the others."""

    usable: tuple[CuratedClip, ...]
    missing: tuple[Path, ...]
    unreadable: int
    other_label: int
    not_hashed: int


def gather(
    store: ProjectStore,
    query: ClipQuery,
    labels: Sequence[str],
    should_stop: Callable[[], bool],
    on_progress: Callable[[int, int], None],
) -> Gathered:
    """The labelled clips that fit the query; ``labels`` are those offered.

    Raises:
        StoppedError: ``should_stop`` said so.
    """
    found = list(store.snapshots.curated(query))
    hashes = _hash_missing(store, found, should_stop, on_progress)
    if hashes and not store.read_only:
        found = list(store.snapshots.curated(query))  # identical contents have become one video
    offered = frozenset(labels)
    wanted = [clip for clip in found if clip.label in offered]
    there = _there(wanted, should_stop)
    usable: dict[tuple[str, int, int], CuratedClip] = {}
    missing, unreadable, not_hashed = [], 0, 0
    for clip in wanted:
        own = clip.content_hash or hashes.get(clip.video_id)
        if clip.trouble == ClipState.UNREADABLE:
            unreadable += 1
        elif clip.trouble or clip.video_id not in there:
            missing.append(clip.path)
        elif own is None:
            not_hashed += 1
        else:
            usable.setdefault((own, clip.start_us, clip.end_us), replace(clip, content_hash=own))
    ordered = tuple(usable[key] for key in sorted(usable))
    return Gathered(ordered, tuple(missing), unreadable, len(found) - len(wanted), not_hashed)


def _hash_missing(
    store: ProjectStore,
    found: Sequence[CuratedClip],
    should_stop: Callable[[], bool],
    on_progress: Callable[[int, int], None],
) -> dict[int, str]:
    """Hashes by video what has no hash yet, and keeps them."""
    open_ = {clip.video_id: clip.path for clip in found if clip.content_hash is None and not clip.trouble}
    hashes: dict[int, str] = {}
    for done, (video_id, path) in enumerate(open_.items()):
        check(should_stop)
        on_progress(done, len(open_))
        try:
            hashes[video_id] = content_hash(path, should_stop)
        except (MediaError, OSError):
            continue  # gone or not to be read: it is told among what is missing or was left out
        if not store.read_only:
            store.save_hash(video_id, hashes[video_id])
    if open_:
        on_progress(len(open_), len(open_))
    return hashes


def _there(clips: Sequence[CuratedClip], should_stop: Callable[[], bool]) -> set[int]:
    """The videos whose file is where it should be, looked up on the disk."""
    paths = {clip.video_id: clip.path for clip in clips if not clip.trouble}
    found: set[int] = set()
    for count, (video_id, path) in enumerate(paths.items()):
        if not count % _ASK_EVERY:
            check(should_stop)
        if path.exists():
            found.add(video_id)
    return found


def check(should_stop: Callable[[], bool]) -> None:
    """Raises StoppedError where the person wants no more."""
    if should_stop():
        raise StoppedError("Making a snapshot was stopped.")
