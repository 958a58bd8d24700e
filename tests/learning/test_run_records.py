from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

from vidlabel.core.errors import TrainingError
from vidlabel.core.runs import RunFolder, RunState, TrainSettings, runs_folder
from vidlabel.core.snapshot import Part, Snapshot, SnapshotClip
from vidlabel.learning import run_records
from vidlabel.learning.preflight import estimate
from vidlabel.learning.run_records import Base, begin_run, reconcile, record_of, resume_run, send_wish
from vidlabel.store.project_store import ProjectStore

BASE = Base(Path("/models/base.safetensors"), "base", "cd" * 32)
MADE = "ef" * 32


def snapshot(seed: int = 0, swap: bool = False) -> Snapshot:
    parts: tuple[Part, ...] = ("train", "validation", "test")
    clips = tuple(
        SnapshotClip(
            content_hash=f"{label}{part}", start_us=0, end_us=10, label=label, source=f"{label}{part}",
            part={"train": "test", "test": "train"}.get(part, part) if swap else part,  # type: ignore[arg-type]
            path=Path("/x.mp4"), clip_id=1,
        )
        for label in ("run", "wave") for part in parts
    )  # fmt: skip
    return Snapshot(clips=clips, labels=("run", "wave"), split="by-source", sources="video", seed=seed)


@pytest.fixture
def store(tmp_path: Path) -> Any:
    with ProjectStore.open(tmp_path / "p.vidlabel", create=True) as opened:
        yield opened


def tell(folder: RunFolder, event: str, **values: object) -> None:
    with folder.events.open("a", encoding="utf-8") as file:
        file.write(json.dumps({"v": 1, "at": round(time.time(), 3), "event": event, **values}) + "\n")


def state(store: ProjectStore, name: str = "run-1") -> RunState:
    record = record_of(store, name)
    assert record is not None
    assert store.read_only or store.runs.find(name).state is record.state  # type: ignore[union-attr]
    return record.state


def make_model(path: Path) -> None:
    described = {"name": "made", "labels": ["run", "wave"], "card": {"training_content_hashes": ["a"]}}
    metadata = {key: json.dumps(value) for key, value in described.items()}
    header = json.dumps({"__metadata__": metadata}).encode()
    path.write_bytes(len(header).to_bytes(8, "little") + header)


def test_a_run_begins_with_all_that_its_process_needs(store: ProjectStore) -> None:
    label = store.find_label("wave")
    assert label is not None
    store.rename_label(label.id, "greet")
    first = begin_run(store, snapshot(), TrainSettings(epochs=7), base=BASE, active=BASE)
    assert first.path == runs_folder(store.path) / "run-1"
    assert Snapshot.from_json(json.loads(first.snapshot.read_text()), first.snapshot) == snapshot()
    told = json.loads(first.settings.read_text())
    assert TrainSettings.from_json(told) == TrainSettings(epochs=7)
    assert (told["base_path"], told["base_hash"], told["active_hash"]) == (
        str(BASE.path),
        BASE.hash,
        BASE.hash,
    )
    assert told["aliases"] == {"wave": "greet"}
    assert store.snapshots.newest() == snapshot()
    second = begin_run(store, snapshot(), TrainSettings(), base=BASE)
    assert second.name == "run-2"
    assert [(one.name, one.state, one.base) for one in reconcile(store)] == [
        ("run-1", RunState.PREPARING, "base"),
        ("run-2", RunState.PREPARING, "base"),
    ]


def test_a_folder_of_another_project_that_was_here_is_not_touched(store: ProjectStore) -> None:
    old = runs_folder(store.path) / "run-1"
    old.mkdir(parents=True)
    assert begin_run(store, snapshot(), TrainSettings(), base=BASE).name == "run-2"
    assert list(old.iterdir()) == []


def test_a_snapshot_that_would_learn_from_test_clips_is_refused(store: ProjectStore) -> None:
    begin_run(store, snapshot(), TrainSettings(), base=BASE)
    with pytest.raises(TrainingError, match="test clips of another run"):
        begin_run(store, snapshot(swap=True), TrainSettings(), base=BASE)
    begin_run(store, snapshot(swap=True), TrainSettings(), base=BASE, new_test=True)
    with pytest.raises(TrainingError, match="No clip has a label"):
        begin_run(store, Snapshot(clips=(), labels=(), split="random"), TrainSettings(), base=BASE)
    assert [row.name for row in store.runs.all()] == ["run-1", "run-2"]


def test_the_state_follows_from_the_lock_and_the_last_word(
    store: ProjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = begin_run(store, snapshot(), TrainSettings(), base=BASE)
    assert state(store) is RunState.PREPARING
    with FileLock(folder.lock):
        assert state(store) is RunState.PREPARING
        tell(folder, "started", epochs=5, train=20)
        assert state(store) is RunState.RUNNING
        tell(folder, "epoch", epoch=1, seconds=4.0, val_top1=0.5)
        tell(folder, "paused")
        assert state(store) is RunState.PAUSED
        tell(folder, "resumed")
        assert state(store) is RunState.RUNNING
    record = record_of(store, "run-1")
    assert record is not None
    assert record.state is RunState.INTERRUPTED
    assert "without a word" in record.words
    assert (record.epoch, record.epochs, record.seconds_a_clip) == (1, 5, 0.2)
    assert record.figures["val_top1"] == 0.5
    assert record.finished_at_us is not None
    send_wish(folder, "stop")
    assert resume_run(store, "run-1") == folder
    assert not folder.wish.exists()
    assert state(store) is RunState.PREPARING
    monkeypatch.setattr(run_records, "GRACE_US", 0)
    assert state(store) is RunState.INTERRUPTED
    tell(folder, "failed", kind="disk", words="The disk is full.")
    record = record_of(store, "run-1")
    assert record is not None
    assert (record.state, record.kind, record.words) == (RunState.FAILED, "disk", "The disk is full.")


def test_a_stopped_run_that_goes_on_is_not_taken_for_stopped(store: ProjectStore) -> None:
    folder = begin_run(store, snapshot(), TrainSettings(), base=BASE)
    tell(folder, "stopped", step=3, kept=True)
    assert state(store) is RunState.STOPPED
    resume_run(store, "run-1")
    time_now = json.loads(folder.events.read_text().splitlines()[-1])["at"]
    line = {"v": 1, "at": time_now - 1, "event": "stopped", "step": 3}
    folder.events.write_text(json.dumps(line) + "\n")
    assert state(store) is RunState.PREPARING
    with pytest.raises(TrainingError, match="preparing"):
        resume_run(store, "run-1")


def test_a_finished_run_makes_its_model_known(store: ProjectStore) -> None:
    store.register_model(BASE.hash, BASE.name, ["wave"], {"a": 1})
    folder = begin_run(store, snapshot(), TrainSettings(), base=BASE)
    make_model(folder.model)
    folder.proof.write_text('{"clips": 2}')
    tell(folder, "finished", model=MADE, name="p-run-1", path=str(folder.model), metrics={"top1": 0.9})
    record = record_of(store, "run-1")
    assert record is not None
    assert (record.state, record.model, record.model_name) == (RunState.FINISHED, MADE, "p-run-1")
    assert record.figures["metrics"] == {"top1": 0.9}
    assert store.active_model() == (BASE.hash, BASE.name)
    store.set_active_model(MADE)
    row = store.runs.find("run-1")
    assert row is not None
    assert (row.base, row.model, row.details["proof"]) == (BASE.hash, MADE, {"clips": 2})
    with pytest.raises(TrainingError, match="finished"):
        resume_run(store, "run-1")
    for path in folder.path.iterdir():
        path.unlink()
    folder.path.rmdir()
    assert reconcile(store) == (record,)


def test_a_run_whose_folder_is_gone_says_so(store: ProjectStore) -> None:
    folder = begin_run(store, snapshot(), TrainSettings(), base=BASE)
    tell(folder, "started", epochs=5)
    with FileLock(folder.lock):
        assert state(store) is RunState.RUNNING
    for path in folder.path.iterdir():
        path.unlink()
    folder.path.rmdir()
    record = record_of(store, "run-1")
    assert record is not None
    assert record.state is RunState.INTERRUPTED
    assert "is gone" in record.words
    with pytest.raises(TrainingError, match="are gone"):
        resume_run(store, "run-1")


def test_a_project_that_is_only_read_shows_the_same(store: ProjectStore) -> None:
    folder = begin_run(store, snapshot(), TrainSettings(), base=BASE)
    tell(folder, "failed", kind="nan", words="The loss is no number.")
    with ProjectStore.open(store.path, read_only=True) as other:
        assert [one.state for one in reconcile(other)] == [RunState.FAILED]
    assert store.runs.all()[0].state is RunState.PREPARING


def test_an_estimate_believes_an_earlier_run(store: ProjectStore) -> None:
    rough = estimate(snapshot(), TrainSettings(), cpus=2)
    assert (rough.measured, "rule of thumb" in rough.words) == (False, True)
    folder = begin_run(store, snapshot(), TrainSettings(), base=BASE)
    tell(folder, "started", epochs=5, train=2)
    tell(folder, "epoch", epoch=1, seconds=2000.0)
    told = estimate(snapshot(), TrainSettings(), records=reconcile(store), cpus=2)
    assert told.measured
    assert told.seconds > 20 * 2000 > rough.seconds
