"""What a run has told, read from its file while another process writes it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.helpers.train_worker import proof_of as made_up_proof
from vidlabel.core.runs import RunFolder, RunState
from vidlabel.services import run_jobs
from vidlabel.services.run_story import MOST_POINTS, Curve, RunStory, read_on
from vidlabel.services.run_words import background_words


def write(path: Path, *events: dict[str, Any]) -> None:
    with path.open("a", encoding="utf-8") as file:
        for number, event in enumerate(events):
            file.write(json.dumps({"v": 1, "at": 1000.0 + number, **event}) + "\n")


def started(step: int = 0) -> dict[str, Any]:
    return {
        "event": "started", "epochs": 2, "steps": 4, "device": "cpu", "precision": "float32", "batch": 8,
        "train": 16, "validation": 4, "test": 5, "resumed_at_step": step,
    }  # fmt: skip


def step(number: int, loss: float) -> dict[str, Any]:
    return {
        "event": "step", "epoch": (number + 1) // 2, "step": number, "steps": 4, "loss": loss, "rate": 0.001,
        "clips_per_s": 12.0, "left_s": 90.0, "memory_mb": None,
    }  # fmt: skip


def epoch(number: int, *, best: bool) -> dict[str, Any]:
    return {
        "event": "epoch", "epoch": number, "loss": 1.0, "train_top1": None, "val_loss": 1.5, "val_top1": 0.5,
        "val_mean_class": 0.4, "recall": {"wave": 0.5}, "seconds": 3.0, "best": best,
    }  # fmt: skip


def test_reads_on_where_it_was_and_waits_for_the_rest_of_a_line(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    story = read_on(RunStory(), path)
    assert story.state is RunState.PREPARING
    write(path, started(), step(1, 2.0))
    story = read_on(story, path)
    assert (story.state, story.step, story.train, story.left_s) == (RunState.RUNNING, 1, 16, 90.0)
    whole = json.dumps({"v": 1, **step(2, 1.0)})
    with path.open("a", encoding="utf-8") as file:
        file.write(whole[:30])
    assert read_on(story, path).step == 1
    with path.open("a", encoding="utf-8") as file:
        file.write(whole[30:] + "\n")
    story = read_on(story, path)
    assert story.curve.points == ((1.0, 2.0), (2.0, 1.0))
    assert read_on(story, path) is story


def test_a_resumed_run_takes_back_what_came_after_its_checkpoint(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    write(path, started(), step(1, 4.0), step(2, 3.0), epoch(1, best=True), step(3, 9.0), step(4, 9.0),
          epoch(2, best=False), started(2), step(3, 2.0))  # fmt: skip
    story = read_on(RunStory(), path)
    assert story.curve.points == ((1.0, 4.0), (2.0, 3.0), (3.0, 2.0))
    assert [one.epoch for one in story.epoch_points] == [1]
    assert story.best is not None and story.best.recall == {"wave": 0.5}


@pytest.mark.parametrize(
    ("last", "state"),
    [
        ({"event": "paused"}, RunState.PAUSED),
        ({"event": "stopped", "step": None, "kept": False}, RunState.STOPPED),
        ({"event": "failed", "kind": "disk", "words": "It is full."}, RunState.FAILED),
        (
            {"event": "finished", "model": "abc", "name": "mine", "path": "/m", "metrics": {}},
            RunState.FINISHED,
        ),
    ],
)
def test_the_last_word_says_where_it_stands(tmp_path: Path, last: dict[str, Any], state: RunState) -> None:
    path = tmp_path / "events.jsonl"
    write(path, started(), step(1, 2.0), last)
    assert read_on(RunStory(), path).state is state


def test_lines_of_others_and_halves_of_killed_ones_are_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    path.write_text('{"v": 1, "event": "st\nhello\n{"v": 99, "event": "failed"}\n', encoding="utf-8")
    write(path, started(), step(1, 2.0))
    assert read_on(RunStory(), path).state is RunState.RUNNING


def test_a_long_curve_keeps_its_shape_in_few_points() -> None:
    curve = Curve()
    for first in range(0, 20_000, 500):
        curve = curve.extended([(float(at), float(at)) for at in range(first, first + 500)])
    assert 1000 < len(curve.points) <= MOST_POINTS
    assert all(abs(x - y) < 1e-6 for x, y in curve.points)
    assert curve.points[0][0] < 20 and curve.points[-1][0] > 19_950


def test_the_status_bar_says_epoch_rate_and_time_left(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    write(path, started(), step(3, 2.0))
    words = background_words("run-1", read_on(RunStory(), path))
    assert words == "Training run-1 · epoch 2 of 2 · 12 clips/s · 2 min left"


# --- its proof ---------------------------------------------------------------------------------------
def test_a_run_whose_folder_is_gone_still_shows_the_proof_that_the_project_keeps(tmp_path: Path) -> None:
    clips: list[list[Any]] = [["", 0, 0, "wave", "test", "", "", clip_id] for clip_id in (3, 4, 5)]
    kept = made_up_proof(clips, ["wave", "run"])
    run = run_jobs.RunEntry(
        name="run-1", folder=RunFolder(tmp_path / "run-1"), state=RunState.FINISHED, model="m", proof=kept
    )
    found = run_jobs.proof_of(run)
    assert found.proof is not None and found.proof.won == (3, 4) and found.trouble == ""
    (tmp_path / "run-1").mkdir()
    run.folder.proof.write_text("{")
    assert run_jobs.proof_of(run).proof == found.proof
    without = run_jobs.proof_of(replace(run, proof=None))
    assert without.proof is None and "cannot be read" in without.trouble


def test_a_run_that_has_no_proof_yet_says_nothing(tmp_path: Path) -> None:
    run = run_jobs.RunEntry(name="run-1", folder=RunFolder(tmp_path / "run-1"), state=RunState.RUNNING)
    found = run_jobs.proof_of(run)
    assert found.proof is None and found.trouble == ""
