"""suggest: all readable clips, stored or new, the same for ever; stopped cleanly, gone on with later."""

from __future__ import annotations

import json
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.cli.conftest import CommandLine, start
from tests.helpers.clips import numbered_clip
from vidlabel.cli import choosing
from vidlabel.core.messages import ClipScores, ClipTrouble
from vidlabel.engine.suggester import suggest_clips
from vidlabel.ml import catalogue
from vidlabel.ml.devices import Device
from vidlabel.store.project_store import ProjectStore

MANY = 250


def first_probabilities(answer: dict[str, Any]) -> dict[str, list[float]]:
    return {
        clip["video"]: [one["probability"] for one in clip["suggestions"][:5]] for clip in answer["clips"]
    }


def test_every_readable_clip_is_answered(vidlabel: CommandLine, footage: Path, model: Path) -> None:
    arguments = ("suggest", footage, "--model", model, "--device", "cpu")
    answer = vidlabel.json(*arguments)
    assert (answer["model"], answer["device"]) == ("tiny", "cpu")
    assert len(answer["clips"]) == 3
    assert {Path(one["video"]).name for one in answer["unreadable"]} == {"audio.mp4", "empty.mp4", "text.mp4"}
    clip = next(one for one in answer["clips"] if one["video"] == str(footage / "a.mp4"))
    assert (clip["start"], clip["end"]) == (0.0, 2.0)
    assert [set(one) for one in clip["suggestions"]] == [{"label", "probability", "calibrated"}] * 5
    probabilities = [one["probability"] for one in clip["suggestions"]]
    assert probabilities == sorted(probabilities, reverse=True)
    rows = vidlabel.json("list", footage, "--filter", "state:suggested")["clips"]
    assert {row["video"]: row["suggested"] for row in rows}[clip["video"]] == clip["suggestions"][0]["label"]

    vidlabel("label", footage, "a.mp4", "wave")
    (footage / "new.mp4").write_bytes((footage / "a.mp4").read_bytes() + b"\0")
    assert "Give --model" in vidlabel("suggest", footage, code=1).err
    again = vidlabel.json(*arguments, "--top-k", "12", "--batch-size", "2")
    assert again["model"] == "tiny"
    assert len(again["clips"]) == 4
    assert {len(one["suggestions"]) for one in again["clips"]} == {12}
    assert first_probabilities(again).items() > first_probabilities(answer).items()


def test_the_device_named_is_the_one_that_went_on(
    vidlabel: CommandLine, footage: Path, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def leaving(*arguments: Any, **options: Any) -> Iterator[ClipScores | ClipTrouble]:
        asked.append(options.pop("device"))
        options["on_fallback"]("Test GPU (cuda) gave up. Suggesting goes on on the CPU, more slowly.")
        yield from suggest_clips(*arguments, device="cpu", **options)

    monkeypatch.setattr("vidlabel.cli.suggesting.suggest_clips", leaving)
    gpu = Device("cuda", "Test GPU", "")
    monkeypatch.setattr("vidlabel.cli.commands.suggest.choose_device", lambda choice: gpu)
    said = vidlabel("suggest", footage, "--model", model, "--json")
    assert asked == ["auto"], "only then may another device take over"
    assert said.json["device"] == "cpu"
    assert "goes on on the CPU" in said.err


def test_words_for_people(vidlabel: CommandLine, footage: Path, model: Path) -> None:
    said = vidlabel("suggest", footage, "--model", model, "--device", "cpu", "--top-k", "1")
    assert "empty.mp4: not readable" in said.out
    assert "3 clips, 3 not readable; model tiny on cpu." in said.out
    assert said.err == ""


def test_no_such_model_or_device(vidlabel: CommandLine, footage: Path, model: Path) -> None:
    assert "nonesuch" in vidlabel.json("suggest", footage, "--model", "nonesuch", code=1)["error"]
    if not torch.backends.mps.is_available():
        said = vidlabel("suggest", footage, "--model", model, "--device", "mps", code=1)
        assert "mps cannot be used" in said.err


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_ctrl_c_keeps_what_was_done(vidlabel: CommandLine, tmp_path: Path, model: Path) -> None:
    footage = tmp_path / "many"
    footage.mkdir()
    clip = numbered_clip(footage / "clip_0.mp4", 12, size=(64, 48)).read_bytes()
    for number in range(1, MANY):
        (footage / f"clip_{number}.mp4").write_bytes(clip + number.to_bytes(4, "big"))
    project = tmp_path / "many.vidlabel"
    vidlabel("scan", project, footage)
    running = start("suggest", project, "--model", model, "--device", "cpu", "--json", "--batch-size", "1")
    try:
        while running.poll() is None and not suggested(project):
            with suppress(subprocess.TimeoutExpired):
                running.wait(0.02)
        running.send_signal(signal.SIGINT)
        out, err = running.communicate(timeout=30)
    finally:
        running.kill()
    assert running.returncode == 130, err
    assert "kept" in json.loads(out)["error"]
    assert "Traceback" not in err
    assert 0 < suggested(project) < MANY


def suggested(project: Path) -> int:
    """How many suggestions are in the file, seen from outside."""
    with closing(sqlite3.connect(project)) as connection:
        (count,) = connection.execute("SELECT count(*) FROM suggestions").fetchone()
    return int(count)


def test_a_new_bundled_model_takes_over_from_the_old(
    vidlabel: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, model: Path
) -> None:
    (tmp_path / "empty").mkdir()
    project = tmp_path / "work.vidlabel"
    vidlabel("scan", project, tmp_path / "empty")
    with ProjectStore.open(project) as store:
        store.register_model("ab" * 32, "bundled", ["wave"], {})
    now = catalogue.find_model(str(model))
    real = catalogue.find_model
    monkeypatch.setattr(choosing, "find_model", lambda name: now if name == "bundled" else real(name))
    said = vidlabel("suggest", project, "--device", "cpu", "--json")
    assert said.json["model_hash"] == now.hash
    assert "takes over" in said.err
    with ProjectStore.open(project) as store:
        assert store.active_model() == (now.hash, now.name)


def test_views_are_kept_under_a_key_of_their_own_and_their_cost_is_told(
    vidlabel: CommandLine, footage: Path, model: Path
) -> None:
    arguments = ("suggest", footage, "--model", model, "--device", "cpu", "--batch-size", "2")
    plain = vidlabel.json(*arguments)
    said = vidlabel(*arguments, "--views", "3", "--flip", "--json")
    several = json.loads(said.out)
    assert several["model"] == "tiny (3 views, flipped)"
    assert several["model_hash"] == f"{plain['model_hash']}-v3f"
    assert "vidlabel: 3 views, flipped: " in said.err
    assert "x the time of one view." in said.err
    assert first_probabilities(several) != first_probabilities(plain)
    again = vidlabel(*arguments, "--views", "3", "--flip", "--json")
    assert first_probabilities(json.loads(again.out)) == first_probabilities(several)
    assert again.err == "", "nothing was computed again"
    assert first_probabilities(vidlabel.json(*arguments)) == first_probabilities(plain)


def test_a_project_keeps_the_way_it_was_first_asked_in(
    vidlabel: CommandLine, footage: Path, monkeypatch: pytest.MonkeyPatch, model: Path
) -> None:
    monkeypatch.setattr(catalogue, "bundled_path", lambda: model)
    first = vidlabel.json("suggest", footage, "--device", "cpu", "--views", "2")
    assert first["model"] == "bundled (2 views)"
    again = vidlabel.json("suggest", footage, "--device", "cpu")
    assert (again["model"], again["model_hash"]) == (first["model"], first["model_hash"])
    assert vidlabel.json("suggest", footage, "--device", "cpu", "--views", "1")["model"] == "bundled"


@pytest.mark.parametrize("wish", [("--views", "0"), ("--views", "17"), ("--precision", "int8")])
def test_ways_that_there_are_not_are_refused(
    vidlabel: CommandLine, footage: Path, wish: tuple[str, str]
) -> None:
    vidlabel("suggest", footage, *wish, code=2)
