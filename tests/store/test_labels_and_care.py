from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from tests.store.conftest import Footage
from vidlabel.core.errors import ProjectError, UnknownLabelError
from vidlabel.core.words import ClipQuery, ClipState, DecisionKind, NewDecision, QueueOrder
from vidlabel.store.backup import daily_name
from vidlabel.store.check import Fault, FaultKind
from vidlabel.store.places import backups_of
from vidlabel.store.project_store import ProjectStore


def _label(footage: Footage, relative: str, label: str) -> int:
    clip = footage.clip(relative)
    new = NewDecision(clip_id=clip, kind=DecisionKind.LABELLED, label=label)
    footage.store.decide([new], annotator="me")
    return clip


def _id(store: ProjectStore, name: str) -> int:
    return next(label.id for label in store.labels() if label.name == name)


def test_a_renamed_label_is_renamed_everywhere_and_the_old_name_is_understood(footage: Footage) -> None:
    store = footage.store
    clip = _label(footage, "a.mp4", "wave")
    assert store.rename_label(_id(store, "wave"), " waving  hello ").labels
    assert store.clip_row(clip).label == "waving hello"  # type: ignore[union-attr]
    assert store.history(clip)[0].label == "waving hello"
    assert store.counts().by_label == {"waving hello": 1}
    _label(footage, "b.mp4", "wave")
    assert store.counts().by_label == {"waving hello": 2}
    store.undo(annotator="me")
    store.undo(annotator="me")
    store.redo(annotator="me")
    assert store.clip_row(clip).label == "waving hello"  # type: ignore[union-attr]
    with pytest.raises(ProjectError, match="already"):
        store.rename_label(_id(store, "run"), "waving hello")
    assert store.add_label("wave").name == "wave"
    _label(footage, "b.mp4", "wave")
    assert store.counts().by_label == {"waving hello": 1, "wave": 1}
    assert store.check() == []


def test_a_retired_label_stays_on_its_clips_and_is_not_given_any_more(footage: Footage) -> None:
    store = footage.store
    clip = _label(footage, "a.mp4", "wave")
    store.retire_label(_id(store, "wave"))
    assert store.clip_row(clip).label == "wave"  # type: ignore[union-attr]
    with pytest.raises(UnknownLabelError):
        _label(footage, "b.mp4", "wave")
    store.undo(annotator="me")
    store.redo(annotator="me")
    assert store.clip_row(clip).label == "wave"  # type: ignore[union-attr]
    assert store.recent_labels(5) == ()
    store.add_label("wave")
    _label(footage, "b.mp4", "wave")
    assert [label.name for label in store.recent_labels(5)] == ["wave"]


def test_order_and_recent_labels(footage: Footage) -> None:
    store = footage.store
    store.reorder_labels([_id(store, "wave"), _id(store, "run")])
    assert [label.name for label in store.labels()][:3] == ["wave", "run", "brush_hair"]
    for label in ("run", "wave", "kiss", "wave"):
        _label(footage, "a.mp4", label)
    assert [label.name for label in store.recent_labels(2)] == ["wave", "kiss"]
    for bad in ("", "  ", "a\x00b"):
        with pytest.raises(ProjectError, match="printable"):
            store.add_label(bad)
    with pytest.raises(ProjectError, match="there already"):
        store.add_label("wave")


def test_settings_and_views_are_kept_with_the_project(footage: Footage) -> None:
    query = ClipQuery(
        text="50%", states=frozenset({ClipState.UNSURE}), labels=frozenset({"wave"}), min_probability=0.25,
        order=QueueOrder.RANDOM, seed=9, sort="name", descending=True,
    )  # fmt: skip
    footage.store.save_view("odd ones", query)
    footage.store.save_view("all", ClipQuery())
    footage.store.set_setting("queue", {"order": "path", "n": [1, None]})
    footage.store.close()
    with ProjectStore.open(footage.store.path) as store:
        assert store.saved_views() == {"all": ClipQuery(), "odd ones": query}
        assert store.setting("queue") == {"order": "path", "n": [1, None]}
        assert store.setting("never set") is None
        store.delete_view("all")
        assert list(store.saved_views()) == ["odd ones"]


def test_a_backup_is_whole_while_someone_writes(footage: Footage, tmp_path: Path) -> None:
    _label(footage, "a.mp4", "wave")
    out = footage.store.backup(tmp_path / "safe" / "copy.vidlabel")
    assert [found.name for found in out.parent.iterdir()] == ["copy.vidlabel"]
    _label(footage, "b.mp4", "run")
    with ProjectStore.open(out, read_only=True) as copy:
        assert copy.counts().by_label == {"wave": 1}
        assert copy.check() == []
    with pytest.raises(ProjectError, match="project itself"):
        footage.store.backup(footage.store.path)
    (tmp_path / "file").write_text("x")
    with pytest.raises(ProjectError, match="cannot be written"):
        footage.store.backup(tmp_path / "file" / "copy.vidlabel")


def test_daily_backups_are_made_once_a_day_and_seven_are_kept(footage: Footage) -> None:
    store = footage.store
    mine = store.backup()
    for days in range(1, 10):
        store.backup(daily_name(store.path, datetime.now() - timedelta(days=days)))
    today = store.backup_if_due()
    assert today is not None
    assert store.backup_if_due() is None
    kept = sorted(found.name for found in backups_of(store.path).iterdir() if found != mine)
    assert len(kept) == 7
    assert kept[-1] == today.name
    assert mine.exists()


def test_check_finds_and_repair_mends_what_follows_from_other_rows(footage: Footage) -> None:
    clip = _label(footage, "a.mp4", "wave")
    assert footage.store.check() == []
    with closing(sqlite3.connect(footage.store.path, isolation_level=None)) as raw:
        raw.execute("UPDATE clips SET decision_kind = NULL, label = NULL WHERE id = ?", (clip,))
        raw.execute("UPDATE clip_counts SET clips = 77 WHERE name = 'undecided'")
    found = {fault.kind: fault.words for fault in footage.store.check()}
    assert "newest decision" in found[FaultKind.CLIP]
    assert "undecided is wrong" in found[FaultKind.TOTAL]
    assert len(footage.store.repair()) == 2
    assert footage.store.check() == []
    assert footage.store.clip_row(clip).label == "wave"  # type: ignore[union-attr]


def test_check_names_missing_files_and_roots(footage: Footage, tmp_path: Path) -> None:
    (footage.folder / "b.mp4").unlink()
    gone = footage.folder / "b.mp4"
    assert footage.store.check() == [Fault(FaultKind.FILE, f"missing: {gone}", gone)]
    footage.folder.rename(tmp_path / "away")
    (fault,) = footage.store.check()
    assert (fault.kind, fault.path) == (FaultKind.ROOT, footage.folder)
    assert "relink" in fault.words
