"""runs: what a project knows of its runs, whatever became of their processes."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from tests.cli.conftest import CommandLine
from tests.helpers import hmdb51
from vidlabel.core.runs import RunFolder, TrainSettings, runs_folder
from vidlabel.learning.run_records import Base, begin_run
from vidlabel.learning.snapshots import prepare
from vidlabel.store.project_store import ProjectStore


@pytest.fixture
def begun(vidlabel: CommandLine, tmp_path: Path, model: Path) -> tuple[Path, RunFolder]:
    """A project with a run whose process died after two epochs."""
    clips, _ = hmdb51.make(tmp_path, sources=4, clips=1, tested=1)
    project = tmp_path / "p.vidlabel"
    vidlabel("import", project, clips, "--format", "hmdb51")
    with ProjectStore.open(project) as store:
        base = Base(path=model, name="tiny", hash="0" * 64)
        folder = begin_run(store, prepare(store), TrainSettings(base="tiny", epochs=5), base=base)
    told = [
        {"event": "started", "epochs": 5, "steps": 10, "train": 6, "validation": 3, "test": 3},
        {"event": "epoch", "epoch": 1, "loss": 1.5, "val_top1": 0.25, "val_mean_class": 0.25, "best": True},
        {"event": "epoch", "epoch": 2, "loss": 1.2, "val_top1": 0.5, "val_mean_class": 0.5, "best": True},
    ]
    lines = [json.dumps({"v": 1, "at": time.time() + place, **one}) for place, one in enumerate(told)]
    folder.events.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return project, folder


def test_a_run_whose_process_died_is_told_as_interrupted(
    vidlabel: CommandLine, begun: tuple[Path, RunFolder]
) -> None:
    project, folder = begun
    (listed,) = vidlabel.json("runs", "list", project)["runs"]
    assert (listed["run"], listed["state"], listed["model"]) == ("run-1", "interrupted", None)
    info = vidlabel.json("runs", "info", project, "run-1")
    assert [one["val_top1"] for one in info["history"]] == [0.25, 0.5]
    assert info["proof"] is None
    assert info["settings"]["epochs"] == 5
    assert "--resume run-1" in vidlabel("runs", "info", project).out
    assert "interrupted" in vidlabel("runs", "stop", project, "run-1", code=1).err
    assert folder.path.parent == runs_folder(project)


def test_the_figures_of_a_finished_run_are_those_of_its_best_epoch(
    vidlabel: CommandLine, begun: tuple[Path, RunFolder]
) -> None:
    project, folder = begun
    (listed,) = vidlabel.json("runs", "list", project)["runs"]
    assert listed["metrics"]["val_top1"] == 0.5, "without a result it is the newest one"
    best = {"best_epoch": 1, "val_top1": 0.25, "val_mean_class": 0.25, "loss": 1.5}
    told = {"v": 1, "at": time.time() + 5, "event": "finished", "model": "e" * 64, "metrics": best}
    with folder.events.open("a", encoding="utf-8") as file:
        file.write(json.dumps(told) + "\n")
    (listed,) = vidlabel.json("runs", "list", project)["runs"]
    assert (listed["state"], listed["metrics"]) == ("finished", best)


def test_without_runs_and_with_wrong_words(vidlabel: CommandLine, footage: Path) -> None:
    assert vidlabel.json("runs", "list", footage) == {"runs": []}
    assert "vidlabel train" in vidlabel("runs", "list", footage).out
    assert "no runs yet" in vidlabel("runs", "info", footage, "run-1", code=1).err
    assert "no --keep" in vidlabel("runs", "list", footage, "--keep", code=2).err
    assert "takes no run" in vidlabel("runs", "list", footage, "run-1", code=2).err
    assert "error" in vidlabel.json("runs", "begin", footage, code=2)


def test_an_unknown_run_is_told_with_those_there_are(
    vidlabel: CommandLine, begun: tuple[Path, RunFolder]
) -> None:
    said = vidlabel("runs", "info", begun[0], "run-7", code=1).err
    assert "no run 'run-7'" in said
    assert "run-1" in said
