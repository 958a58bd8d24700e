"""The process of a run: what a person has in hand after each way in which it can end."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from filelock import FileLock
from safetensors.torch import load_file

from tests.helpers.tiny_run import LABELS, QUICK, base_model, clip_files, run_folder
from vidlabel.cli import train_worker
from vidlabel.cli.train_worker import train_here
from vidlabel.core.proof import Proof
from vidlabel.core.runs import RunFolder, Tunes
from vidlabel.core.snapshot import Snapshot
from vidlabel.core.worker import worker_command, worker_folder
from vidlabel.learning.run_events import last_event, read_events
from vidlabel.learning.run_wishes import Wishes, send_wish
from vidlabel.ml.catalogue import list_models
from vidlabel.ml.modelfile import ModelInfo, load_model, read_info


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("VIDLABEL_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    return clip_files(tmp_path_factory.mktemp("clips"))


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> ModelInfo:
    return base_model(tmp_path_factory.mktemp("base") / "tiny.safetensors")


def begun(tmp_path: Path, name: str, snapshot: Snapshot, base: ModelInfo, **options: Any) -> RunFolder:
    return run_folder(
        tmp_path / "birds.vidlabel.runs" / name, snapshot, base, active_path=str(base.path), **options
    )


def done(folder: RunFolder, **options: Any) -> dict[str, Any]:
    return train_here(folder, on_event=lambda line: None, **options)


def weights(model: str | Path) -> dict[str, torch.Tensor]:
    return load_file(model)


def same(one: str | Path, other: str | Path) -> bool:
    first, second = weights(one), weights(other)
    return first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)


class StopsAt(Wishes):
    """Wishes something once an event has been told so many times."""

    def __init__(self, event: str, times: int, word: str = "stop") -> None:
        super().__init__()
        self.event, self.left, self.word = event, times, word

    def __call__(self, line: dict[str, Any]) -> None:
        if line["event"] == self.event:
            self.left -= 1
            if self.left == 0:
                self.hear(self.word)


@pytest.mark.parametrize("tunes", list(Tunes))
def test_a_run_makes_a_model_with_its_lineage_and_a_proof(
    tmp_path: Path, snapshot: Snapshot, base: ModelInfo, tunes: Tunes
) -> None:
    folder = begun(tmp_path, "run-1", snapshot, base, settings=replace(QUICK, tunes=tunes))
    last = done(folder)
    assert last["event"] == "finished", last
    (model,) = [info for info in list_models() if info.hash == last["model"]]
    assert model.name == "birds-run-1" == last["name"]
    assert model.labels == LABELS
    assert model.license == "Apache-2.0"
    (lineage,) = model.card["lineage"]
    assert (lineage["base_hash"], lineage["snapshot"]) == (base.hash, snapshot.hash)
    assert lineage["settings"]["tunes"] == tunes.value
    seen = {clip.content_hash for clip in snapshot.clips if clip.part != "test"}
    assert set(model.card["training_content_hashes"]) == seen | {"ab" * 32}
    assert model.card["scores"][0]["top1"] == last["metrics"]["val_top1"]
    proof = Proof.from_json(json.loads(folder.proof.read_text()))
    assert proof.clips == 4
    assert proof.candidate.hash == model.hash
    assert last["metrics"]["test_top1"] == proof.candidate.top1
    events = read_events(folder.events)
    assert [line["event"] for line in events].index("proving") > max(
        place for place, line in enumerate(events) if line["event"] in ("epoch", "checkpoint")
    )
    assert not folder.checkpoint.exists()
    assert not (folder.path / "cache").exists()
    assert done(folder)["model"] == last["model"], "a finished run answers its result"


def test_what_does_not_learn_stays_as_the_base_has_it(
    tmp_path: Path, snapshot: Snapshot, base: ModelInfo
) -> None:
    before = weights(base.path)
    moved = {}
    for tunes in Tunes:
        folder = begun(tmp_path, tunes.value, snapshot, base, settings=replace(QUICK, tunes=tunes, epochs=1))
        after = weights(done(folder)["path"])
        moved[tunes] = {
            name
            for name in after
            if not name.startswith("head.") and not torch.equal(before[name], after[name])
        }
    assert moved[Tunes.HEAD] == set()
    assert set() < moved[Tunes.LAST] < moved[Tunes.ALL]


def test_test_clips_are_read_for_the_proof_and_for_nothing_else(
    tmp_path: Path, snapshot: Snapshot, base: ModelInfo
) -> None:
    gone = replace(
        snapshot,
        clips=tuple(
            replace(clip, path=tmp_path / "gone.mp4") if clip.part == "test" else clip
            for clip in snapshot.clips
        ),
    )
    with_them = done(begun(tmp_path, "run-1", snapshot, base))
    without = begun(tmp_path, "run-2", gone, base)
    done(without)
    assert same(without.model, with_them["path"])
    assert [line["words"] for line in read_events(without.events) if line["event"] == "note"] == []


@pytest.mark.parametrize("tunes", [Tunes.HEAD, Tunes.ALL])
def test_stopped_and_resumed_gives_the_same_weights_as_in_one_go(
    tmp_path: Path, snapshot: Snapshot, base: ModelInfo, tunes: Tunes
) -> None:
    settings = replace(QUICK, tunes=tunes, epochs=4)
    whole = begun(tmp_path, "whole", snapshot, base, settings=settings)
    done(whole)
    folder = begun(tmp_path, "parted", snapshot, base, settings=settings)
    for times in (1, 1):
        wishes = StopsAt("epoch", times)
        last = train_here(folder, on_event=wishes, wishes=wishes)
        assert (last["event"], last["kept"]) == ("stopped", True)
    assert done(folder)["event"] == "finished"
    started = [line["resumed_at_step"] for line in read_events(folder.events) if line["event"] == "started"]
    assert started[0] == 0
    assert started == sorted(set(started))
    assert same(folder.model, whole.model)


def test_stop_and_keep_makes_a_model_of_the_best_so_far(
    tmp_path: Path, snapshot: Snapshot, base: ModelInfo
) -> None:
    folder = begun(tmp_path, "run-1", snapshot, base, settings=replace(QUICK, epochs=50))
    wishes = StopsAt("epoch", 2, "keep")
    last = train_here(folder, on_event=wishes, wishes=wishes)
    assert last["event"] == "finished"
    assert 2 <= last["metrics"]["epochs"] < 50
    assert folder.proof.is_file()


def test_a_paused_run_waits_and_goes_on(tmp_path: Path, snapshot: Snapshot, base: ModelInfo) -> None:
    folder = begun(tmp_path, "run-1", snapshot, base)
    wishes = Wishes()

    def listening(line: dict[str, Any]) -> None:
        if line["event"] == "epoch" and line["epoch"] == 1:
            wishes.hear("pause")
        if line["event"] == "paused":
            send_wish(folder, "resume")

    assert train_here(folder, on_event=listening, wishes=wishes)["event"] == "finished"
    told = [line["event"] for line in read_events(folder.events)]
    assert told.index("paused") < told.index("resumed")
    assert not folder.wish.exists()


def test_the_figures_of_a_run_are_those_of_its_best_epoch(
    tmp_path: Path, snapshot: Snapshot, base: ModelInfo
) -> None:
    # Validation says the opposite of what is learnt, so the first epoch is the best and each one worse.
    other = dict(zip(LABELS, LABELS[::-1], strict=True))
    clips = tuple(
        replace(clip, label=other[clip.label]) if clip.part == "validation" else clip
        for clip in snapshot.clips
    )
    settings = replace(QUICK, epochs=4, average=0.0, rate=1e-2)
    folder = begun(tmp_path, "run-1", replace(snapshot, clips=clips), base, settings=settings)
    last = done(folder)
    epochs = [line for line in read_events(folder.events) if line["event"] == "epoch"]
    assert len(epochs) == 4
    (best,) = [line for line in epochs if line["best"]][-1:]
    assert best["epoch"] < 4, "the last epoch must not be the best one, or nothing is shown"
    assert last["metrics"]["best_epoch"] == best["epoch"]
    for name in ("loss", "val_loss", "val_top1", "val_mean_class"):
        assert last["metrics"][name] == pytest.approx(best[name])
    assert last["metrics"]["val_loss"] != pytest.approx(epochs[-1]["val_loss"])
    made = read_info(Path(last["path"]))
    assert made.card["scores"][0]["top1"] == best["val_top1"]
    assert made.card["lineage"][0]["best_epoch"] == best["epoch"]


def test_a_run_begun_in_float16_does_not_go_on_where_that_cannot_be_learnt_in(
    tmp_path: Path, snapshot: Snapshot, base: ModelInfo
) -> None:
    folder = begun(tmp_path, "run-1", snapshot, base)
    (folder.path / "plan.json").write_text('{"precision": "float16", "batch": 4, "pieces": 1}')
    last = done(folder)
    assert (last["event"], last["kind"]) == ("failed", "device")
    assert "needs a GPU" in last["words"]


def test_a_full_disk_is_said_in_words_and_the_checkpoint_of_before_is_whole(
    tmp_path: Path, snapshot: Snapshot, base: ModelInfo
) -> None:
    folder = begun(tmp_path, "run-1", snapshot, base)
    wishes = StopsAt("epoch", 1)
    train_here(folder, on_event=wishes, wishes=wishes)
    before = folder.checkpoint.read_bytes()
    limit = folder.events.stat().st_size + 8192
    assert len(before) > limit
    process = started(
        folder, stderr=subprocess.PIPE,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
    )  # fmt: skip
    out, said = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "Traceback" not in said
    last = json.loads(out.splitlines()[-1])
    assert (last["event"], last["kind"]) == ("failed", "disk")
    assert last == last_event(folder.events)
    assert "the disk is full" in last["words"] and str(folder.path) in last["words"]
    assert "checkpoint is kept" in last["words"]
    assert folder.checkpoint.read_bytes() == before
    assert done(folder)["event"] == "finished"


@pytest.mark.parametrize("tunes", [Tunes.HEAD, Tunes.ALL])
def test_a_clip_that_cannot_be_read_is_left_out_and_named(
    tmp_path: Path, snapshot: Snapshot, base: ModelInfo, tunes: Tunes
) -> None:
    damaged = tmp_path / "damaged.mp4"
    damaged.write_bytes(b"no video")
    first = snapshot.of("train")[0]
    clips = tuple(replace(clip, path=damaged) if clip == first else clip for clip in snapshot.clips)
    folder = begun(
        tmp_path, "run-1", replace(snapshot, clips=clips), base, settings=replace(QUICK, tunes=tunes)
    )
    last = done(folder)
    assert last["event"] == "finished"
    notes = [line["words"] for line in read_events(folder.events) if line["event"] == "note"]
    assert len(notes) == 1
    assert "damaged.mp4" in notes[0]
    assert last["metrics"]["left_out"] == 1


def test_a_loss_that_is_no_number_ends_the_run_in_words(
    tmp_path: Path, snapshot: Snapshot, base: ModelInfo
) -> None:
    folder = begun(tmp_path, "run-1", snapshot, base, settings=replace(QUICK, rate=1e30, epochs=8))
    last = done(folder)
    assert (last["event"], last["kind"]) == ("failed", "nan")
    assert "lower learning rate" in last["words"]
    assert not folder.model.exists()


def test_no_two_processes_work_on_one_run(
    tmp_path: Path, snapshot: Snapshot, base: ModelInfo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(train_worker, "_LOCK_WAIT_S", 0.0)
    folder = begun(tmp_path, "run-1", snapshot, base)
    with FileLock(folder.lock):
        last = done(folder)
    assert (last["event"], last["kind"]) == ("failed", "busy")
    assert "another process" in last["words"]
    assert not folder.events.exists()


def test_the_head_is_kept_where_the_base_tells_the_same_labels_apart(
    tmp_path: Path, snapshot: Snapshot, base: ModelInfo
) -> None:
    earlier = read_info(Path(done(begun(tmp_path, "run-1", snapshot, base))["path"]))
    turned = replace(snapshot, labels=LABELS[::-1])
    # A rate at which nothing moves shows where it began.
    still = replace(QUICK, epochs=1, rate=1e-12, average=0.0, weight_decay=0.0, tunes=Tunes.HEAD)
    last = done(begun(tmp_path, "run-2", turned, earlier, settings=still))
    again = read_info(Path(last["path"]))
    assert again.labels == LABELS[::-1]
    assert [one["head"] for one in again.card["lineage"]] == ["new", "kept"]
    heads = [load_model(info.path).module.head.weight for info in (earlier, again)]
    torch.testing.assert_close(heads[1], heads[0].flip(0), atol=1e-5, rtol=1e-4)


def test_a_base_that_was_replaced_is_refused(tmp_path: Path, snapshot: Snapshot, base: ModelInfo) -> None:
    other = base_model(tmp_path / "other.safetensors", seed=2)
    folder = begun(tmp_path, "run-1", snapshot, base, base_path=str(other.path))
    last = done(folder)
    assert (last["event"], last["kind"]) == ("failed", "model")
    assert "another than when the run was begun" in last["words"]


def test_what_is_no_run_is_refused_in_words(tmp_path: Path) -> None:
    last = done(RunFolder(tmp_path / "nothing"))
    assert (last["event"], last["kind"]) == ("failed", "run")
    assert "vidlabel runs list" in last["words"]


def started(folder: RunFolder, **options: Any) -> subprocess.Popen[str]:
    command = worker_command("train", str(folder.path))
    assert command[0] == sys.executable
    return subprocess.Popen(
        command, cwd=worker_folder(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"}, start_new_session=True, **options,
    )  # fmt: skip
