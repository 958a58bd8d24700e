from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.store.conftest import Footage
from vidlabel.core.errors import ProjectError
from vidlabel.core.runs import RunState
from vidlabel.core.snapshot import Part, Snapshot, SnapshotClip
from vidlabel.core.words import ClipQuery, ClipState, DecisionKind, NewDecision
from vidlabel.store.project_store import ProjectStore

MODEL = "ab" * 32


def snapshot(parts: dict[str, Part], *, sources: str = "video", seed: int = 0) -> Snapshot:
    clips = tuple(
        SnapshotClip(
            content_hash=name, start_us=0, end_us=10, label="wave", part=part, source=f"\udcff{name}",
            path=Path(f"/x/\udcff{name}.mp4"), clip_id=number,
        )
        for number, (name, part) in enumerate(sorted(parts.items()))
    )  # fmt: skip
    return Snapshot(
        clips=clips, labels=("wave",), split="by-source", sources=sources, seed=seed, made_at_us=seed
    )


def parts_of(store: ProjectStore) -> dict[str, str]:
    return {key[0]: one.part for key, one in store.snapshots.dealt().items()}


def test_a_snapshot_comes_back_as_it_was_and_only_once(store: ProjectStore) -> None:
    first, second = snapshot({"a": "train", "b": "test"}), snapshot({"a": "train", "c": "test"}, seed=1)
    for one in (first, first, second):
        store.snapshots.keep(one)
    assert store.snapshots.find(first.hash) == first
    assert store.snapshots.newest() == second
    assert store.snapshots.find("nothing") is None
    assert [(facts.hash, facts.train, facts.test) for facts in store.snapshots.all()] == [
        (first.hash, 1, 1),
        (second.hash, 1, 1),
    ]
    assert store.check() == []


def test_what_was_test_stays_test_and_what_was_learned_stays_learned(store: ProjectStore) -> None:
    store.snapshots.keep(snapshot({"a": "test", "b": "train", "c": "validation"}))
    store.snapshots.keep(snapshot({"a": "train", "b": "validation", "c": "train"}, seed=1))
    assert parts_of(store) == {"a": "test", "b": "train", "c": "train"}
    store.snapshots.keep(snapshot({"a": "train", "b": "test"}, seed=2), deal_anew=True)
    assert parts_of(store) == {"a": "train", "b": "test", "c": "train"}


def test_a_split_that_kept_no_source_whole_keeps_none_for_later(store: ProjectStore) -> None:
    store.snapshots.keep(snapshot({"a": "test"}, sources=""))
    store.snapshots.keep(snapshot({"b": "test"}, sources="name", seed=1))
    assert {key[0]: one.source for key, one in store.snapshots.dealt().items()} == {"a": "", "b": "\udcffb"}


def test_a_run_goes_from_preparing_to_its_model(store: ProjectStore) -> None:
    one = snapshot({"a": "train"})
    store.snapshots.keep(one)
    store.register_model(MODEL, "made", ["wave"], {"x": 1})
    begun = store.runs.add("run-1", snapshot=one.hash, base="unknown", details={"settings": {"epochs": 3}})
    assert (begun.state, begun.snapshot, begun.base) == (RunState.PREPARING, one.hash, None)
    with pytest.raises(ProjectError, match="already"):
        store.runs.add("run-1", snapshot=one.hash)
    changed = store.runs.change(
        "run-1", state=RunState.FINISHED, model=MODEL, finished_at_us=7, details={"words": ""}
    )
    assert changed is not None
    assert (changed.model, changed.finished_at_us) == (MODEL, 7)
    assert changed.details == {"settings": {"epochs": 3}, "words": ""}
    assert store.runs.all() == (changed,)
    assert store.runs.change("run-9", state=RunState.FAILED) is None


def test_curated_are_the_clips_a_person_gave_a_label(footage: Footage) -> None:
    store = footage.store
    a, b, c = (footage.clip(name) for name in ("a.mp4", "b.mp4", "day 1/c.mp4"))
    store.decide([NewDecision(clip_id=a, kind=DecisionKind.LABELLED, label="wave")], annotator="me")
    store.decide([NewDecision(clip_id=b, kind=DecisionKind.ACCEPTED, label="run")], annotator="me")
    store.decide([NewDecision(clip_id=c, kind=DecisionKind.UNSURE)], annotator="me")
    (footage.folder / "b.mp4").unlink()
    footage.scan()
    found = list(store.snapshots.curated(ClipQuery()))
    assert [(clip.relative, clip.label, clip.trouble) for clip in found] == [
        ("a.mp4", "wave", ""),
        ("b.mp4", "run", "missing"),
    ]
    only = ClipQuery(states=frozenset({ClipState.LABELLED, ClipState.SKIPPED}))
    assert [clip.relative for clip in store.snapshots.curated(only)] == ["a.mp4"]


def test_a_renamed_label_is_known_by_its_earlier_name(store: ProjectStore) -> None:
    label = store.find_label("wave")
    assert label is not None
    store.rename_label(label.id, "greet")
    assert store.snapshots.aliases() == {"wave": "greet"}


def test_runs_of_an_older_project_are_kept(store: ProjectStore, project: Path) -> None:
    store.close()
    with closing(sqlite3.connect(project, isolation_level=None)) as raw:
        raw.executescript(
            "DROP TRIGGER clips_folder_insert; DROP TRIGGER clips_folder_delete; DROP TRIGGER clips_folder_update;"
            "DROP TABLE remarks; DROP TABLE folder_counts;"
            "ALTER TABLE labels DROP COLUMN colour; ALTER TABLE labels DROP COLUMN key;"
            "ALTER TABLE labels DROP COLUMN merged_into; ALTER TABLE clips DROP COLUMN disagrees;"
            "ALTER TABLE clips DROP COLUMN note; ALTER TABLE clips DROP COLUMN flagged;"
            "ALTER TABLE steps DROP COLUMN kind; ALTER TABLE steps DROP COLUMN details;"
            "ALTER TABLE decisions DROP COLUMN blind; ALTER TABLE decisions DROP COLUMN rechecks;"
            "ALTER TABLE runs DROP COLUMN snapshot_id; DROP TABLE snapshots; DROP TABLE dealt_clips;"
            "UPDATE alembic_version SET version_num = '0002'; PRAGMA user_version = 2;"
            "INSERT INTO runs (name, state, started_at_us) VALUES ('run-1', 'stopped', 5);"
        )
    with ProjectStore.open(project) as again:
        assert [(row.name, row.state, row.snapshot) for row in again.runs.all()] == [
            ("run-1", "stopped", None)
        ]
        again.snapshots.keep(snapshot({"a": "test"}))
        assert again.check() == []
