"""Projects with many clips, written quickly and without any media file. Usable without pytest."""

from __future__ import annotations

import json
import random
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from vidlabel.core.words import FileEntry, ProbeResult, VideoFacts
from vidlabel.store.project_store import ProjectStore

MODEL_HASH = "0123456789abcdef" * 4
_FACTS = "duration_us, frames, fps, variable_rate, codec, width, height, rotation, audio, start_us"


def some_facts(*, seconds: float = 2.0, fps: float = 30.0) -> VideoFacts:
    """What a probe would tell of an ordinary small clip."""
    return VideoFacts(
        duration_us=round(seconds * 1_000_000),
        frames=round(seconds * fps),
        fps=fps,
        variable_rate=False,
        codec="h264",
        width=320,
        height=240,
        rotation=0,
        audio=False,
    )


def probed(
    entry: FileEntry, content: str, *, whole: bool = False, facts: VideoFacts | None = None
) -> ProbeResult:
    """The result of probing a readable file whose content goes by a name."""
    return ProbeResult(
        entry=entry,
        fingerprint=f"fp-{content}",
        content_hash=f"sha-{content}" if whole else None,
        facts=facts or some_facts(),
    )


def write_project(path: Path, media: Path, *, clips: int, suggested: bool = True, seed: int = 1) -> None:
    """A project of ``clips`` undecided clips under the root ``media``, in the shape the program makes itself.

    The media files are only named (``day_003/clip_0003127.mp4``); make those that a test plays. With
    ``suggested`` each clip has the first five labels of a made-up model.
    """
    media.mkdir(parents=True, exist_ok=True)
    with ProjectStore.open(path, create=True) as store:
        root_id = store.add_root(media).id
        labels = [label.name for label in store.labels()]
        if suggested:
            store.register_model(MODEL_HASH, "made-up", labels, {"trained_on": "nothing"})
    with closing(sqlite3.connect(path, isolation_level=None)) as raw:
        raw.execute("PRAGMA synchronous=OFF")
        raw.execute("BEGIN IMMEDIATE")
        _insert(raw, root_id, clips)
        if suggested:
            _suggest(raw, labels, seed)
        raw.execute("COMMIT")
        raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def relative_of(number: int) -> str:
    """The relative path of the clip with this number, from 1."""
    return f"day_{number // 1000:03d}/clip_{number:07d}.mp4"


def _insert(raw: sqlite3.Connection, root_id: int, clips: int) -> None:
    def numbers() -> Iterator[int]:
        return iter(range(1, clips + 1))

    raw.executemany(
        f"INSERT INTO videos (id, fingerprint, content_hash, size, added_at_us, {_FACTS}) "
        "VALUES (?, ?, ?, ?, 0, 2000000, 60, 30.0, 0, 'h264', 320, 240, 0, 0, 0)",
        ((n, f"fp-{n}", f"sha-{n}", 200_000 + n) for n in numbers()),
    )
    raw.executemany(
        "INSERT INTO files (root_id, relative, size, mtime_ns, video_id, missing) VALUES (?, ?, ?, ?, ?, 0)",
        ((root_id, relative_of(n), 200_000 + n, 1, n) for n in numbers()),
    )
    raw.executemany(
        "INSERT INTO clips (id, video_id, start_us, end_us, start_frame, end_frame, whole, removed, root_id, "
        "relative, name) VALUES (?, ?, 0, 2000000, 0, 60, 1, 0, ?, ?, ?)",
        ((n, n, root_id, relative_of(n), relative_of(n).rsplit("/", 1)[-1]) for n in numbers()),
    )


def _suggest(raw: sqlite3.Connection, labels: list[str], seed: int) -> None:
    chance = random.Random(seed)

    def rows() -> Iterator[tuple[int, str, str, float, float]]:
        for (clip_id,) in raw.execute("SELECT id FROM clips").fetchall():
            names = chance.sample(labels, 5)
            first = chance.uniform(0.25, 0.95)
            second = chance.uniform(0.0, min(first, 1 - first))
            rest = (1 - first - second) / 4
            values = [first, second, rest, rest / 2, rest / 4]
            scores = [[name, value, None] for name, value in zip(names, values, strict=True)]
            yield clip_id, json.dumps(scores), names[0], first, first - second

    for clip_id, scores, name, probability, margin in rows():
        raw.execute(
            "INSERT INTO suggestions (model_id, clip_id, scores, margin, entropy) VALUES (1, ?, ?, ?, ?)",
            (clip_id, scores, margin, 1 - probability),
        )
        raw.execute(
            "UPDATE clips SET model_id = 1, suggested = ?, probability = ?, margin = ? WHERE id = ?",
            (name, probability, margin, clip_id),
        )
