"""train: a run from what was decided to a proof, stopped and resumed, all from the command line."""

from __future__ import annotations

import json
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from tests.cli.conftest import CommandLine, start
from tests.helpers import hmdb51
from vidlabel.core.paths import is_project_file
from vidlabel.core.runs import RunFolder, runs_folder
from vidlabel.learning.checkpoint import load_checkpoint
from vidlabel.learning.run_events import LAST_WORDS, is_held, last_event
from vidlabel.store.project_store import ProjectStore

QUICK = ("--device", "cpu", "--batch-size", "4", "--workers", "1", "--precision", "float32")


@pytest.fixture(scope="session")
def small_base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A network so small that a run takes a second; its weights are random."""
    import torch

    from tests.helpers.tiny_models import CLIPS, SMALL
    from vidlabel.ml.modelfile import save_model
    from vidlabel.ml.networks import build
    from vidlabel.ml.preprocess import Preprocessing
    from vidlabel.ml.published import hmdb51_labels

    path = tmp_path_factory.mktemp("base") / "small.safetensors"
    torch.manual_seed(3)
    network = build("compact3d", labels=51, **SMALL)
    save_model(path, network, name="small", network="compact3d", network_args=SMALL, labels=hmdb51_labels(),
               preprocessing=Preprocessing(**CLIPS), card={"about": {"purpose": "a test"}})  # fmt: skip
    return path


@pytest.fixture(scope="session")
def labelled(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return hmdb51.make(tmp_path_factory.mktemp("hmdb51"))


@pytest.fixture
def project(vidlabel: CommandLine, labelled: tuple[Path, Path], tmp_path: Path) -> Iterator[Path]:
    """A project with 36 decided clips and a remembered split."""
    path = tmp_path / "work.vidlabel"
    vidlabel("import", path, labelled[0], "--format", "hmdb51", "--splits", labelled[1])
    assert is_project_file(path)
    yield path


def test_a_dry_run_tells_and_begins_nothing(vidlabel: CommandLine, project: Path, small_base: Path) -> None:
    answer = vidlabel("train", project, "--base", small_base, "--dry-run", "--json", *QUICK)
    document = answer.json
    assert (document["run"], document["model"]) == (None, None)
    counts = {one["label"]: one for one in document["preflight"]["counts"]}
    assert set(counts) == set(hmdb51.CLASSES)
    assert all(one["train"] + one["validation"] + one["test"] == 12 for one in counts.values())
    assert "wave" in answer.err
    assert not runs_folder(project).exists()
    assert vidlabel.json("runs", "list", project) == {"runs": []}


def test_from_decisions_to_a_promoted_model(vidlabel: CommandLine, project: Path, small_base: Path) -> None:
    say = ("train", project, "--base", small_base, "--split", "official", "--tunes", "all", "--epochs", 2)
    answer = vidlabel(*say, *QUICK, "--rate", "0.01", "--promote", "--json")
    document = answer.json
    assert (document["run"], document["state"], document["promoted"]) == ("run-1", "finished", True)
    assert document["metrics"]["clips"] == 12
    assert 0 <= document["metrics"]["top1"] <= 1
    assert document["proof"]["candidate"]["hash"] == document["hash"]
    assert "Epoch 2" in answer.err
    listed = vidlabel.json("runs", "list", project)["runs"]
    assert [(one["run"], one["state"], one["model"]) for one in listed] == [
        ("run-1", "finished", document["model"])
    ]
    info = vidlabel.json("runs", "info", project)
    assert [one["epoch"] for one in info["history"]] == [1, 2]
    assert info["settings"]["epochs"] == 2
    # What was made is a model like any other, and the project asks it from now on.
    with ProjectStore.open(project) as store:
        active = store.active_model()
        assert active is not None
        assert active[0] == document["hash"]
        assert store.setting("official_splits")["number"] == 1
    assert vidlabel.json("suggest", project, "--device", "cpu")["model_hash"] == document["hash"]
    # A backup says that the run's files are not in it, and why that matters.
    backup = vidlabel("backup", project, project.parent / "copy.vidlabel", "--json")
    assert backup.json["holds"] == {"clips": 36, "decided": 36, "runs": 1}
    assert str(runs_folder(project)) in backup.json["left_out"]
    assert "copy this folder, too" in backup.err
    copied = vidlabel.json("runs", "info", project.parent / "copy.vidlabel")
    assert (copied["state"], copied["hash"]) == ("finished", document["hash"])
    assert copied["proof"] == document["proof"]
    # A finished run answers its result again, and begins nothing.
    again = vidlabel.json("train", project, "--resume", "run-1")
    assert {name: again[name] for name in ("run", "state", "model", "metrics")} == {
        name: document[name] for name in ("run", "state", "model", "metrics")
    }


def test_ctrl_c_keeps_a_checkpoint_and_the_run_goes_on(
    vidlabel: CommandLine, project: Path, small_base: Path
) -> None:
    say = ("--base", small_base, "--epochs", 400, "--patience", 0, "--tunes", "all", *QUICK)
    process = start("train", project, *say, "--json")
    assert process.stderr is not None
    said = ""
    for line in process.stderr:
        said += line
        if line.startswith("Epoch 2"):
            process.send_signal(signal.SIGINT)
            break
    out, rest = process.communicate(timeout=60)
    assert process.returncode == 130, said + rest
    document = json.loads(out)
    assert (document["run"], document["state"]) == ("run-1", "stopped")
    assert RunFolder(runs_folder(project) / "run-1").checkpoint.is_file()
    assert "--resume run-1" in vidlabel("runs", "info", project).out
    refused = vidlabel("train", project, "--resume", "run-1", "--epochs", 3, code=2)
    assert "keeps its settings" in refused.err
    assert "--device, --workers, --cache-gb" in refused.err
    # It goes on where it was; told to keep the best, it makes a model of it.
    process = start("train", project, "--resume", "run-1", "--json")
    assert process.stderr is not None
    for line in process.stderr:
        said += line
        if line.startswith("Epoch"):
            break
    stopped = vidlabel.json("runs", "stop", project, "--keep")
    out, rest = process.communicate(timeout=60)
    assert process.returncode == 0, rest
    assert json.loads(out)["state"] == stopped["state"] == "finished"
    assert "It goes on at step" in said
    assert "not under way" in vidlabel("runs", "stop", project, "run-1", code=1).err


def test_a_killed_run_is_found_interrupted_and_goes_on_to_the_same_weights(
    vidlabel: CommandLine, project: Path, small_base: Path
) -> None:
    say: tuple[object, ...] = (
        "train",
        project,
        "--base",
        small_base,
        "--split",
        "official",
        "--tunes",
        "all",
    )
    say += ("--epochs", 30, "--patience", 0, *QUICK)
    process = start(*say, "--json")
    assert process.stderr is not None
    said = ""
    for line in process.stderr:
        said += line
        if line.startswith("Epoch 3"):  # told before its own checkpoint is written, and after the one before
            break
    folder = RunFolder(runs_folder(project) / "run-1")
    assert is_held(folder), said
    process.kill()
    out, rest = process.communicate(timeout=60)
    assert (process.returncode, out) == (-signal.SIGKILL, ""), said + rest
    assert not is_held(folder)
    found = last_event(folder.events)
    assert found is not None and found["event"] not in LAST_WORDS
    (listed,) = vidlabel.json("runs", "list", project)["runs"]
    assert (listed["state"], listed["model"]) == ("interrupted", None)
    load_checkpoint(folder.checkpoint)
    with folder.events.open("ab") as file:
        file.write(b'{"v": 1, "event": "st')  # as a kill in the middle of a line leaves it
    # How many threads decode, where, and how much is kept changes nothing of what is learnt.
    resumed = vidlabel("train", project, "--resume", "run-1", "--workers", 2, "--cache-gb", 0, "--device", "cpu",
                       "--json")  # fmt: skip
    assert resumed.json["state"] == "finished"
    assert "It goes on at step" in resumed.err
    info = vidlabel.json("runs", "info", project, "run-1")
    assert (info["settings"]["workers"], info["settings"]["cache_gb"], info["settings"]["seed"]) == (2, 0, 0)
    whole = vidlabel.json(*say)
    assert (whole["run"], vidlabel.json("runs", "info", project)["snapshot"]) == ("run-2", info["snapshot"])
    one, other = (load_file(RunFolder(runs_folder(project) / run).model) for run in ("run-1", "run-2"))
    assert one.keys() == other.keys()
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_what_is_wrong_is_said_before_anything_begins(
    vidlabel: CommandLine, project: Path, small_base: Path, tmp_path: Path
) -> None:
    base = ("--base", small_base)
    assert "no run 'run-9'" in vidlabel("train", project, "--resume", "run-9", code=1).err
    assert "no runs yet" in vidlabel("runs", "info", project, code=1).err
    assert "under way" in vidlabel("runs", "stop", project, code=1).err
    assert "--promote" in vidlabel("train", project, *base, "--strict", code=2).err
    assert (
        "divides sources"
        in vidlabel("train", project, *base, "--split", "random", "--source", "video", code=2).err
    )
    assert "Did you mean" in vidlabel("train", project, *base, "--label", "wavy", code=1).err
    vidlabel("train", project, *base, "--rate", "fast", code=2)
    vidlabel("train", project, *base, "--device", "tpu", code=2)
    # Nothing is decided about clips that no filter lets through.
    vidlabel("train", project, *base, "--filter", "folder:nowhere", code=1)
    assert not runs_folder(project).exists()


def test_new_videos_are_found_first(
    vidlabel: CommandLine, labelled: tuple[Path, Path], tmp_path: Path, small_base: Path
) -> None:
    own = tmp_path / "own"
    shutil.copytree(labelled[0], own)
    project = tmp_path / "own.vidlabel"
    vidlabel("import", project, own, "--format", "class-folders")
    gone = next((own / "wave").glob("*.avi"))
    gone.unlink()
    document = vidlabel.json("train", project, "--base", small_base, "--dry-run")
    counts = {one["label"]: one for one in document["preflight"]["counts"]}
    assert sum(counts["wave"][part] for part in ("train", "validation", "test")) == 11
