"""Snapshots as they were made, which part each clip was ever dealt to, and the clips the next one may hold."""

from __future__ import annotations

import json
import zlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import Connection, insert, select, text

from vidlabel.core.snapshot import PARTS, Part, Snapshot, SnapshotClip
from vidlabel.core.words import DECIDED_STATES, ClipQuery, ClipState
from vidlabel.store import clips_query
from vidlabel.store.engine import Database
from vidlabel.store.label_state import read_state
from vidlabel.store.rows import chunks
from vidlabel.store.schema import clips, dealt_clips, roots, snapshots, videos
from vidlabel.store.text import absolute, from_stored, to_stored

Key = tuple[str, int, int]
"""Content hash, start and end: what a clip is, wherever it lies."""

_BROKEN = frozenset({ClipState.MISSING, ClipState.UNREADABLE})
_DECIDED = sorted(state.value for state in DECIDED_STATES)
_LEVEL = 6
_PORTION = 10_000
_STRONGER = (
    "CASE WHEN 'test' IN (part, excluded.part) THEN 'test' "
    "WHEN 'train' IN (part, excluded.part) THEN 'train' ELSE excluded.part END"
)
"""What was test stays test, and what was learned from stays that."""
_DEAL = (
    "INSERT INTO dealt_clips (content_hash, start_us, end_us, part, source) "
    "VALUES (:content, :start, :end, :part, :source) "
    "ON CONFLICT (content_hash, start_us, end_us) DO UPDATE SET part = {part}, "
    "source = CASE excluded.source WHEN '' THEN source ELSE excluded.source END"
)
_DEALT = ("content_hash", "start_us", "end_us", "part", "source")


@dataclass(frozen=True, slots=True)
class CuratedClip:
    """A clip with a label that a person gave it. ``trouble`` is why its file cannot be used now; "" if it can."""

    clip_id: int
    video_id: int
    content_hash: str | None
    start_us: int
    end_us: int
    label: str
    path: Path
    relative: str
    trouble: str

    @property
    def key(self) -> Key:
        """What it is; only for one that is hashed."""
        return (self.content_hash or "", self.start_us, self.end_us)


class Dealt(NamedTuple):
    """What a clip was used for, and the source it was kept together with then."""

    part: Part
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SnapshotFacts:
    """What lists show of a snapshot: ``labels``, ``train``, ``validation`` and ``test`` are numbers."""

    hash: str
    split: str
    sources: str
    labels: int
    train: int
    validation: int
    test: int
    made_at_us: int


class Snapshots:
    """What the project keeps of snapshots; :attr:`ProjectStore.snapshots`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def keep(self, snapshot: Snapshot, *, deal_anew: bool = False) -> None:
        """Keeps a snapshot for good; its test clips stay test from now on. The same one twice is one.

        Args:
            snapshot: what a run is about to learn from.
            deal_anew: its parts hold from now on even for clips that were test or train before.
        """
        content = json.dumps(snapshot.to_json(), separators=(",", ":")).encode()
        values: dict[str, str | int | bytes] = dict.fromkeys(PARTS, 0)
        values |= Counter(clip.part for clip in snapshot.clips)
        values |= {
            "hash": snapshot.hash, "split": snapshot.split, "sources": snapshot.sources,
            "labels": len(snapshot.labels), "made_at_us": snapshot.made_at_us,
            "manifest": zlib.compress(content, _LEVEL),
        }  # fmt: skip
        # In portions, so that no decision waits. Cut off in between, clips have a part and there is no run yet.
        statement = text(_DEAL.format(part="excluded.part" if deal_anew else _STRONGER))
        for page in chunks(snapshot.clips, _PORTION):
            with self._database.write() as connection:
                connection.execute(statement, [_dealt(clip, snapshot) for clip in page])
        with self._database.write_durably() as connection:
            known = select(snapshots.c.id).where(snapshots.c.hash == values["hash"])
            if connection.execute(known).first() is None:
                connection.execute(insert(snapshots).values(**values))

    def find(self, snapshot_hash: str) -> Snapshot | None:
        """A snapshot as it was made."""
        with self._database.read() as connection:
            found = connection.execute(
                select(snapshots.c.manifest).where(snapshots.c.hash == snapshot_hash)
            ).scalar()
        return None if found is None else self._read(found)

    def newest(self) -> Snapshot | None:
        """The snapshot that was made last."""
        with self._database.read() as connection:
            found = connection.execute(
                select(snapshots.c.manifest).order_by(snapshots.c.made_at_us.desc(), snapshots.c.id.desc())
            ).scalar()
        return None if found is None else self._read(found)

    def all(self) -> tuple[SnapshotFacts, ...]:
        """What is known of each, oldest first."""
        columns = [column for column in snapshots.c if column.name not in ("id", "manifest")]
        with self._database.read() as connection:
            rows = connection.execute(select(*columns).order_by(snapshots.c.id)).mappings()
            return tuple(SnapshotFacts(**row) for row in rows)

    def dealt(self) -> dict[Key, Dealt]:
        """The part each clip was dealt to by the snapshots so far, and its source then."""
        wanted = select(*(dealt_clips.c[name] for name in _DEALT))
        with self._database.read() as connection:
            # The driver's own rows: a million of SQLAlchemy's would take seconds to build.
            cursor = connection.execute(wanted).cursor
            assert cursor is not None
            rows = cursor.fetchall()
        return {(row[0], row[1], row[2]): Dealt(row[3], from_stored(row[4])) for row in rows}

    def aliases(self) -> dict[str, str]:
        """Earlier names of labels that were renamed or merged, with their present ones."""
        with self._database.read() as connection:
            return read_state(connection).present_names()

    def curated(self, query: ClipQuery) -> Iterator[CuratedClip]:
        """The labelled clips among those that fit, also those whose file cannot be used now, by id."""
        states = query.states or DECIDED_STATES
        wanted = replace(query, states=(states & DECIDED_STATES) | _BROKEN, sort="path", descending=False)
        with self._database.read() as connection:
            ids = sorted(clips_query.ids_of(connection, wanted))
            kinds = sorted(state.value for state in states & DECIDED_STATES)
            for chunk in chunks(ids):
                yield from _curated(connection, chunk, kinds)

    def _read(self, manifest: bytes) -> Snapshot:
        return Snapshot.from_json(json.loads(zlib.decompress(manifest)), self._database.path)


def _curated(connection: Connection, ids: list[int], kinds: list[str]) -> Iterator[CuratedClip]:
    columns = (
        clips.c.id, clips.c.video_id, videos.c.content_hash, clips.c.start_us, clips.c.end_us, clips.c.label,
        roots.c.path, clips.c.relative, clips.c.trouble,
    )  # fmt: skip
    rows = connection.execute(
        select(*columns)
        .select_from(
            clips.join(videos, videos.c.id == clips.c.video_id).join(roots, roots.c.id == clips.c.root_id)
        )
        .where(clips.c.id.in_(ids), clips.c.label.is_not(None), clips.c.decision_kind.in_(kinds or _DECIDED))
        .order_by(clips.c.id)
    )
    for number, video, content, start, end, label, root, relative, trouble in rows:
        path = Path(absolute(root, relative))
        yield CuratedClip(number, video, content, start, end, label, path, relative, trouble or "")


def _dealt(clip: SnapshotClip, snapshot: Snapshot) -> dict[str, str | int]:
    return {
        "content": clip.content_hash, "start": clip.start_us, "end": clip.end_us, "part": clip.part,
        "source": to_stored(clip.source) if snapshot.sources else "",
    }  # fmt: skip
