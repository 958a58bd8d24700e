"""The clips of a part of a snapshot as they are to be measured: under the labels they were frozen with."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from vidlabel.core.snapshot import Part, Snapshot, SnapshotClip
from vidlabel.core.words import ChosenClips, ClipQuery, ClipRow, ClipState
from vidlabel.store.project_store import ProjectStore
from vidlabel.store.snapshots import CuratedClip

_BROKEN = frozenset({ClipState.MISSING, ClipState.UNREADABLE})


@dataclass(frozen=True, slots=True, kw_only=True)
class PartClips:
    """Clips of a part.

    Attributes:
        clips: with the snapshot's labels under their present names, where their files are today; by id.
        otherwise: those of ``clips`` that have another label today, or none.
        gone: clips of the part that the project has no longer.
    """

    clips: tuple[CuratedClip, ...]
    otherwise: frozenset[int]
    gone: int


def part_clips(store: ProjectStore, snapshot: Snapshot, part: Part, query: ClipQuery) -> PartClips:
    """The clips of a part that fit a query, whatever was decided of them since."""
    all_of = snapshot.of(part)
    by_id = {clip.clip_id: clip for clip in all_of}
    there = set(store.clip_ids(_chosen(ClipQuery(), by_id)))
    moved = _moved(store, [clip for clip in all_of if clip.clip_id not in there])
    wanted = {clip_id: by_id[clip_id] for clip_id in there} | moved
    fitting = store.clip_rows(sorted(store.clip_ids(_chosen(query, wanted))))
    today = {one.clip_id: one.label for one in store.snapshots.curated(_chosen(ClipQuery(), wanted))}
    names = store.snapshots.aliases()
    clips = tuple(_clip(row, wanted[row.clip_id], names) for row in fitting)
    return PartClips(
        clips=clips,
        otherwise=frozenset(one.clip_id for one in clips if today.get(one.clip_id) != one.label),
        gone=len(all_of) - len(wanted),
    )


def _chosen(query: ClipQuery, ids: Iterable[int]) -> ClipQuery:
    return replace(query, chosen=ChosenClips(words="of a part", ids=tuple(ids)))


def _moved(store: ProjectStore, lost: list[SnapshotClip]) -> dict[int, SnapshotClip]:
    """Clips whose video was found to be the same as another one: they are clips of that one now."""
    by_key = {clip.key: clip for clip in lost}
    if not by_key:
        return {}
    return {one.clip_id: by_key[one.key] for one in store.snapshots.curated(ClipQuery()) if one.key in by_key}


def _clip(row: ClipRow, frozen: SnapshotClip, names: Mapping[str, str]) -> CuratedClip:
    return CuratedClip(
        clip_id=row.clip_id, video_id=row.video_id, content_hash=frozen.content_hash, start_us=frozen.start_us,
        end_us=frozen.end_us, label=names.get(frozen.label, frozen.label), path=Path(row.path),
        relative=row.relative,
        trouble=(row.reason or "its file is missing") if row.state in _BROKEN else "",
    )  # fmt: skip
