"""``vidlabel evaluate``, the guard of ``models promote`` and the way back, and the worker of the window."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.cli.conftest import CHECKOUT, LABELS, CommandLine, start
from tests.helpers.clips import numbered_clip
from tests.helpers.tiny_models import SMALL
from vidlabel.core.evaluation import Evaluated
from vidlabel.core.kept_evaluation import MOST_KEPT, KeptEvaluation, kept_of
from vidlabel.core.model_card import TRAINED_ON
from vidlabel.core.paths import models_folder
from vidlabel.core.runs import RunFolder, runs_folder
from vidlabel.core.snapshot import Snapshot, SnapshotClip
from vidlabel.core.words import Calibration, ClipQuery, DecisionKind, NewDecision, ReliabilityBin
from vidlabel.engine.proving import prove
from vidlabel.ml.catalogue import find_model
from vidlabel.ml.modelfile import load_model, save_model
from vidlabel.ml.networks import build
from vidlabel.ml.preprocess import Preprocessing
from vidlabel.store.project_store import ProjectStore

CLIPS = 8


def project_of(vidlabel: CommandLine, footage: Path) -> Path:
    return Path(vidlabel.json("where", footage)["project"])


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eight videos that differ."""
    folder = tmp_path_factory.mktemp("films")
    for number in range(CLIPS):
        numbered_clip(folder / f"clip_{number}.mp4", 8 + number, size=(64 + 16 * (number % 5), 48))
    return folder


@pytest.fixture
def own() -> Path:
    """A small untrained network as a model of the person's, by the name 'tiny'."""
    models_folder().mkdir(parents=True, exist_ok=True)
    with torch.random.fork_rng():
        torch.manual_seed(1)
        network = build("compact3d", labels=len(LABELS), **SMALL)
    path = models_folder() / "tiny.safetensors"
    save_model(path, network, name="tiny", network="compact3d", network_args=SMALL, labels=LABELS,
               preprocessing=Preprocessing(frames=4, height=16, width=16))  # fmt: skip
    return path


def variant(
    own: Path, name: str, *, labels: Sequence[str] = LABELS, card: dict[str, Any] | None = None
) -> Path:
    """The same network with other labels or another card."""
    loaded = load_model(own)
    path = models_folder() / f"{name}.safetensors"
    save_model(path, loaded.module, name=name, network=loaded.info.network, network_args=loaded.info.network_args,
               labels=labels, preprocessing=loaded.info.preprocessing, card=card or {})  # fmt: skip
    return path


@pytest.fixture
def other(own: Path) -> Path:
    """The same network with its labels in the reverse order: it says something else of every clip."""
    return variant(own, "other", labels=tuple(reversed(LABELS)))


@pytest.fixture
def footage(vidlabel: CommandLine, films: Path, own: Path, tmp_path: Path) -> Path:
    """Every clip is decided to be what ``tiny`` says of it, but for one, which is its second label."""
    folder = tmp_path / "films"
    folder.mkdir()
    for film in films.iterdir():
        (folder / film.name).write_bytes(film.read_bytes())
    answer = vidlabel.json("suggest", folder, "--model", own, "--device", "cpu", "--batch-size", 4)
    with ProjectStore.open(project_of(vidlabel, folder)) as store:
        for label in LABELS:
            store.add_label(label)
        decided = []
        for number, clip in enumerate(answer["clips"]):
            first, second = (one["label"] for one in clip["suggestions"][:2])
            (row,) = store.clips_of_video(Path(clip["video"]))
            label = second if number == 0 else first
            decided.append(NewDecision(clip_id=row.clip_id, kind=DecisionKind.LABELLED, label=label))
        store.decide(decided, annotator="me")
    return folder


def snapshot(
    store: ProjectStore, *, test: int = CLIPS - 2, labels: tuple[str, ...] = tuple(LABELS)
) -> Snapshot:
    """The first clips are its test part; the others are trained on."""
    clips = tuple(
        SnapshotClip(
            content_hash=one.content_hash or "", start_us=one.start_us, end_us=one.end_us, label=one.label,
            part="test" if number < test else "train", source=one.path.name, path=one.path, clip_id=one.clip_id,
        )
        for number, one in enumerate(store.snapshots.curated(ClipQuery()))
    )  # fmt: skip
    made = Snapshot(clips=clips, labels=labels, split="by-source", made_at_us=1)
    store.snapshots.keep(made)
    return made


# --- evaluate -------------------------------------------------------------------------------------
def test_the_figures_of_the_decided_clips(vidlabel: CommandLine, footage: Path) -> None:
    found = vidlabel.json("evaluate", footage, "--device", "cpu")
    assert (found["model"], found["clips"], found["top1"], found["top5"]) == ("tiny", CLIPS, 7 / 8, 1.0)
    assert 0 < found["mean_class"] < 1
    assert 0 < found["ece"] < 1
    assert found["top1_interval"][0] < 7 / 8 < found["top1_interval"][1]
    assert [one["label"] for one in found["labels"]] == LABELS
    assert sum(map(sum, found["confusion"])) == CLIPS
    assert (found["left_out"], found["only_in_model"], found["unreadable"]) == ({}, [], [])
    assert (found["split"], found["out"], found["trained_on"]) == (None, None, 0)
    said = vidlabel("evaluate", footage, "--device", "cpu").out
    assert "tiny on 8 clips" in said
    assert "7 right; 95 % interval" in said
    assert "most often mistaken" in said


def test_only_clips_that_fit(vidlabel: CommandLine, footage: Path) -> None:
    found = vidlabel.json("evaluate", footage, "--filter", "clip_3", "--device", "cpu")
    assert (found["clips"], found["top1"]) == (1, 1.0)
    assert "no decided clip" in vidlabel("evaluate", footage, "--filter", "nothing", code=1).err


def test_labels_that_only_one_side_knows(vidlabel: CommandLine, footage: Path, own: Path) -> None:
    changed = [f"new_{number}" if number % 2 else label for number, label in enumerate(LABELS)]
    variant(own, "half", labels=changed)
    with ProjectStore.open(project_of(vidlabel, footage), read_only=True) as store:
        labels = [one.label for one in store.snapshots.curated(ClipQuery())]
    known = [label for label in labels if label in changed]
    found = vidlabel("evaluate", footage, "--model", "half", "--device", "cpu", "--json")
    assert found.json["clips"] == len(known)
    assert sum(found.json["left_out"].values()) == CLIPS - len(known)
    assert found.json["only_in_model"] == [label for label in changed if label.startswith("new_")]
    assert "does not know" in found.err or len(known) == CLIPS


def test_a_label_renamed_since_is_the_same_label(vidlabel: CommandLine, footage: Path) -> None:
    before = vidlabel.json("evaluate", footage, "--device", "cpu")
    with ProjectStore.open(project_of(vidlabel, footage)) as store:
        name = next(store.snapshots.curated(ClipQuery())).label
        label = store.find_label(name)
        assert label is not None
        store.rename_label(label.id, "something else")
    after = vidlabel.json("evaluate", footage, "--device", "cpu")
    assert (after["clips"], after["top1"]) == (before["clips"], before["top1"])
    assert "something else" in {one["label"] for one in after["labels"]}


def test_parts_of_the_newest_snapshot(vidlabel: CommandLine, footage: Path) -> None:
    assert "no run has divided" in vidlabel("evaluate", footage, "--split", "test", code=1).err
    vidlabel("scan", footage)
    with ProjectStore.open(project_of(vidlabel, footage)) as store:
        made = snapshot(store)
    found = vidlabel.json("evaluate", footage, "--split", "test", "--device", "cpu")
    assert (found["clips"], found["split"], found["snapshot"]) == (CLIPS - 2, "test", made.hash)
    assert vidlabel.json("evaluate", footage, "--split", "train", "--device", "cpu")["clips"] == 2
    assert "validation part" in vidlabel("evaluate", footage, "--split", "validation", code=1).err


def test_a_part_is_measured_under_the_labels_it_was_frozen_with(vidlabel: CommandLine, footage: Path) -> None:
    vidlabel("scan", footage)
    with ProjectStore.open(project_of(vidlabel, footage)) as store:
        snapshot(store)
    before = vidlabel.json("evaluate", footage, "--split", "test", "--device", "cpu")
    assert before["decided_otherwise"] == 0
    with ProjectStore.open(project_of(vidlabel, footage)) as store:
        first, second, third = list(store.snapshots.curated(ClipQuery()))[:3]
        other = next(label for label in LABELS if label != first.label)
        new = [
            NewDecision(clip_id=first.clip_id, kind=DecisionKind.LABELLED, label=other),
            NewDecision(clip_id=second.clip_id, kind=DecisionKind.UNSURE, label=None),
        ]
        store.decide(new, annotator="me")
        label = store.find_label(third.label)
        assert label is not None
        # A new name is no other decision.
        store.rename_label(label.id, f"{third.label} again")
    after = vidlabel("evaluate", footage, "--split", "test", "--device", "cpu", "--json")
    assert (after.json["clips"], after.json["top1"]) == (before["clips"], before["top1"])
    assert after.json["decided_otherwise"] == 2
    assert "2 clips were decided otherwise since the snapshot" in after.err


def test_the_calibrated_confidence_is_the_one_that_is_shown(
    vidlabel: CommandLine, footage: Path, tmp_path: Path
) -> None:
    own = vidlabel.json("evaluate", footage, "--device", "cpu")
    assert own["calibrated"] is None
    bins = (ReliabilityBin(low=0.0, high=1.0, clips=40, confidence=0.7, accuracy=0.6),)
    with ProjectStore.open(project_of(vidlabel, footage)) as store:
        active = store.active_model()
        assert active is not None
        made = Calibration(model=active[0], temperature=0.5, clips=40, ece_before=0.2, ece_after=0.1,
                           bins_before=bins, bins_after=bins, fitted_at_us=1)  # fmt: skip
        store.calibrations.keep(made)
        store.calibrations.show_some(active[0], after=0, limit=100)
        rows = store.clip_rows(sorted(store.clip_ids(ClipQuery())))
        shown = {row.path: row.calibrated for row in rows}
    out = tmp_path / "all"
    said = vidlabel("evaluate", footage, "--device", "cpu", "--out", out, "--json").json
    assert said["ece"] == own["ece"], "the model's own stays what it is"
    assert (said["calibrated"]["temperature"], said["calibrated"]["fitted_on"]) == (0.5, 40)
    assert said["calibrated"]["ece"] != own["ece"]
    with (out / "clips.csv").open(encoding="utf-8", newline="") as file:
        table = {row["video"]: row for row in csv.DictReader(file)}
    assert len(table) == CLIPS
    for path, value in shown.items():
        assert value is not None
        assert float(table[path]["calibrated"]) == pytest.approx(value, abs=2e-6)
    assert (out / "reliability-calibrated.svg").is_file()
    assert "ECE shown" in vidlabel("evaluate", footage, "--device", "cpu").out


def test_labels_worth_a_second_look_are_told(vidlabel: CommandLine, footage: Path, own: Path) -> None:
    found = vidlabel.json("evaluate", footage, "--device", "cpu")
    # An untrained network is sure of nothing.
    assert found["label_errors"] == []
    loaded = load_model(own)
    with torch.no_grad():
        for parameter in list(loaded.module.parameters())[-2:]:
            parameter.mul_(1000)
    save_model(models_folder() / "bold.safetensors", loaded.module, name="bold", network="compact3d",
               network_args=SMALL, labels=LABELS, preprocessing=loaded.info.preprocessing)  # fmt: skip
    said = vidlabel("evaluate", footage, "--model", "bold", "--device", "cpu", "--json")
    doubtful = said.json["label_errors"]
    assert doubtful and all(one["label"] != one["suggested"] for one in doubtful)
    gaps = [one["label_probability"] - one["probability"] for one in doubtful]
    assert gaps == sorted(gaps)
    words = vidlabel("evaluate", footage, "--model", "bold", "--device", "cpu").out
    assert "labels worth a second look" in words


def test_the_last_evaluations_are_kept_beside_the_project(vidlabel: CommandLine, footage: Path) -> None:
    for _ in range(MOST_KEPT + 1):
        vidlabel.json("evaluate", footage, "--device", "cpu", "--filter", "clip_3")
    vidlabel.json("evaluate", footage, "--device", "cpu")
    kept = kept_of(project_of(vidlabel, footage))
    assert len(kept) == MOST_KEPT
    assert (kept[0].clips, kept[0].expression, kept[1].clips) == (CLIPS, "", 1)
    read = KeptEvaluation.read(kept[0].path)
    assert read.evaluated.top1 == 7 / 8 and len(read.clips) == CLIPS


def test_clips_the_model_was_trained_on_are_warned_of(
    vidlabel: CommandLine, footage: Path, own: Path
) -> None:
    vidlabel("scan", footage)
    with ProjectStore.open(project_of(vidlabel, footage), read_only=True) as store:
        hashes = [one.content_hash for one in store.snapshots.curated(ClipQuery())]
    variant(own, "learned", card={TRAINED_ON: hashes[:3]})
    found = vidlabel("evaluate", footage, "--model", "learned", "--device", "cpu", "--json")
    assert found.json["trained_on"] == 3
    assert "was trained on the videos of 3 of these clips" in found.err


def test_figures_are_written_and_nothing_else_is_replaced(
    vidlabel: CommandLine, footage: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out.json"
    said = vidlabel.json("evaluate", footage, "--device", "cpu", "--out", out)
    assert said["files"] == [str(out)]
    read = Evaluated.from_json(json.loads(out.read_text("utf-8")), out)
    assert (read.clips, read.top1) == (said["clips"], said["top1"])
    assert len(read.answers) == CLIPS
    vidlabel("evaluate", footage, "--device", "cpu", "--out", out)
    assert len(vidlabel.json("evaluate", footage, "--device", "cpu", "--out", tmp_path / "all")["files"]) == 8
    (tmp_path / "mine.csv").write_text("my own\n", "utf-8")
    assert (
        "no earlier evaluation" in vidlabel("evaluate", footage, "--out", tmp_path / "mine.csv", code=1).err
    )
    assert "*.json" in vidlabel("evaluate", footage, "--out", tmp_path / "figures.png", code=2).err
    assert (tmp_path / "mine.csv").read_text("utf-8") == "my own\n"


def test_what_was_seen_once_is_not_opened_again(vidlabel: CommandLine, footage: Path) -> None:
    first = vidlabel.json("evaluate", footage, "--device", "cpu")
    for film in footage.glob("*.mp4"):
        status = film.stat()
        film.write_bytes(b"\0" * status.st_size)
        os.utime(film, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert vidlabel.json("evaluate", footage, "--device", "cpu") == first


# --- the guard -------------------------------------------------------------------------------------
@pytest.fixture
def proven(vidlabel: CommandLine, footage: Path, other: Path) -> Path:
    """A run made ``other``, and its proof against ``tiny``: it has lost nearly everything."""
    vidlabel("scan", footage)
    with ProjectStore.open(project_of(vidlabel, footage)) as store:
        made = snapshot(store)
        proof = prove(find_model("tiny"), find_model("other"), made, device="cpu")
        assert proof.worse
        store.runs.add("run-1", snapshot=made.hash)
        folder = RunFolder(runs_folder(store.path) / "run-1")
        folder.path.mkdir(parents=True)
        folder.proof.write_text(json.dumps(proof.to_json()), "utf-8")
    return footage


def test_a_label_that_got_worse_is_warned_of(vidlabel: CommandLine, proven: Path) -> None:
    said = vidlabel("models", "promote", proven, "other", "--json")
    assert "more than 10 points" in said.err
    assert said.json["model"] == "other"
    assert said.json["worse"]
    assert said.json["proof"]["clips"] == CLIPS - 2
    words = vidlabel("models", "promote", proven, "bundled").out
    assert "`vidlabel suggest" in words
    assert "0 of 8 clips" in words


def test_strict_refuses_and_changes_nothing(vidlabel: CommandLine, proven: Path) -> None:
    said = vidlabel("models", "promote", proven, "other", "--strict", code=1)
    assert "was not made the active model" in said.err
    with ProjectStore.open(project_of(vidlabel, proven), read_only=True) as store:
        active = store.active_model()
    assert active is not None and active[1] == "tiny"


def test_strict_compares_anew_what_has_no_proof_against_the_active_model(
    vidlabel: CommandLine, proven: Path
) -> None:
    vidlabel("models", "promote", proven, "other")
    # The other way round there is no proof: tiny is better than other, and may go ahead.
    said = vidlabel("models", "promote", proven, "tiny", "--strict", "--json")
    assert said.json["model"] == "tiny"
    assert said.json["proof"]["active"]["model"] == "other"
    assert said.json["proof"]["difference"] > 0


def test_a_proof_against_another_model_is_said_to_be_one(vidlabel: CommandLine, proven: Path) -> None:
    vidlabel("models", "promote", proven, "bundled")
    said = vidlabel("models", "promote", proven, "other")
    assert "compares it with tiny" in said.err


def test_strict_without_test_clips_cannot_tell(vidlabel: CommandLine, footage: Path, other: Path) -> None:
    assert "no frozen test clips" in vidlabel("models", "promote", footage, "other", "--strict", code=1).err
    vidlabel("models", "promote", footage, "tiny", "--strict")  # it is the active one: nothing can get worse


def test_going_back_brings_identical_suggestions(vidlabel: CommandLine, proven: Path) -> None:
    before = vidlabel.json("suggest", proven, "--device", "cpu", "--top-k", "10")
    listed = vidlabel.json("list", proven)
    figures = vidlabel.json("evaluate", proven, "--device", "cpu")
    vidlabel("models", "promote", proven, "other")
    assert vidlabel.json("suggest", proven, "--device", "cpu", "--top-k", "10")["clips"] != before["clips"]
    assert vidlabel.json("models", "rollback", proven)["model"] == "tiny"
    assert vidlabel.json("list", proven) == listed
    assert vidlabel.json("suggest", proven, "--device", "cpu", "--top-k", "10") == before
    assert vidlabel.json("evaluate", proven, "--device", "cpu") == figures


# --- the worker ------------------------------------------------------------------------------------
def lines(process: subprocess.Popen[str], given: str | None = None) -> list[dict[str, Any]]:
    out, _ = process.communicate(given, timeout=60)
    return [json.loads(line) for line in out.splitlines()]


def worker(job: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "vidlabel", "--worker", "evaluate", str(job)], text=True, cwd=CHECKOUT,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
    )  # fmt: skip


def job_of(vidlabel: CommandLine, footage: Path, folder: Path, models: list[str]) -> Path:
    with ProjectStore.open(project_of(vidlabel, footage), read_only=True) as store:
        clips = [
            {"clip_id": one.clip_id, "path": str(one.path), "start_us": one.start_us, "end_us": one.end_us,
             "label": one.label, "content_hash": one.content_hash}
            for one in store.snapshots.curated(ClipQuery())
        ]  # fmt: skip
    path = folder / "job.json"
    job = {
        "v": 1,
        "clips": clips,
        "models": models,
        "labels": LABELS,
        "device": "cpu",
        "out": str(folder / "out"),
    }
    path.write_text(json.dumps(job), "utf-8")
    return path


def test_the_worker_measures_one_model_after_the_other(
    vidlabel: CommandLine, footage: Path, other: Path, tmp_path: Path
) -> None:
    process = worker(job_of(vidlabel, footage, tmp_path, ["tiny", "nobody", "other"]))
    # Its standard input stays open until it is done: the end of it would mean that the window is gone.
    assert process.stdin is not None and process.stdout is not None
    told = [json.loads(line) for line in process.stdout]
    process.stdin.close()
    process.stdout.close()
    assert process.wait(30) == 1
    assert all(line["v"] == 1 for line in told)
    assert told[-1] == {"v": 1, "event": "finished", "results": 2, "failed": 1}
    assert [line["model"] for line in told if line["event"] == "failed_model"] == ["nobody"]
    first, second = (line for line in told if line["event"] == "result")
    assert first["model"] == "tiny"
    read = Evaluated.from_json(json.loads(Path(first["path"]).read_text("utf-8")), Path(first["path"]))
    assert (read.clips, read.top1) == (CLIPS, 7 / 8)
    assert second["path"] != first["path"]
    assert any(line["event"] == "progress" and line["total"] == CLIPS for line in told)
    command = vidlabel.json("evaluate", footage, "--device", "cpu")
    assert replace(read, answers=()).to_json()["confusion"] == command["confusion"]


def test_the_worker_stops_when_the_window_is_gone(
    vidlabel: CommandLine, footage: Path, tmp_path: Path
) -> None:
    process = worker(job_of(vidlabel, footage, tmp_path, ["tiny"]))
    told = lines(process, "stop\n")
    assert told[-1]["event"] == "stopped"
    assert process.returncode == 130


def test_the_worker_says_what_is_wrong_with_a_job(tmp_path: Path) -> None:
    (tmp_path / "job.json").write_text("{}", "utf-8")
    process = start("--worker", "evaluate", tmp_path / "job.json")
    told = lines(process)
    assert process.returncode == 1
    assert (told[-1]["event"], told[-1]["kind"]) == ("failed", "job")
