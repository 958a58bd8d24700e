"""What was seen is used again without opening a video, and confidence means what it says: on the command line."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import torch

from tests.cli.conftest import LABELS, CommandLine
from tests.helpers.clips import numbered_clip
from vidlabel.core.words import DecisionKind, NewDecision
from vidlabel.ml.modelfile import load_model, save_model
from vidlabel.store.places import embeddings_of
from vidlabel.store.project_store import ProjectStore

MANY = 36


def where(vidlabel: CommandLine, footage: Path) -> Path:
    return Path(vidlabel.json("where", footage)["project"])


def forget_suggestions(project: Path) -> None:
    """As if the model had never been asked; what its trunk saw is still beside the project."""
    with closing(sqlite3.connect(project)) as raw, raw:
        raw.execute("DELETE FROM suggestions")
        raw.execute("UPDATE clips SET model_id = NULL, suggested = NULL, probability = NULL, margin = NULL")


def said(answer: dict[str, Any]) -> dict[str, Any]:
    return {clip["video"]: clip["suggestions"] for clip in answer["clips"]}


@pytest.fixture
def many(tmp_path: Path) -> Path:
    """Clips that differ, of one source each."""
    folder = tmp_path / "many"
    folder.mkdir()
    for number in range(MANY):
        numbered_clip(folder / f"clip_{number:02d}.mp4", 6 + number % 7, size=(64 + 16 * (number % 5), 48))
        with (folder / f"clip_{number:02d}.mp4").open("ab") as file:
            file.write(number.to_bytes(4, "big"))
    return folder


def spoil(footage: Path) -> None:
    """No video can be opened any more, and the project does not know it."""
    for video in footage.rglob("*.*"):
        status = video.stat()
        video.write_bytes(b"\0" * status.st_size)
        os.utime(video, ns=(status.st_atime_ns, status.st_mtime_ns))


def test_what_was_seen_is_used_again_without_opening_a_video(
    vidlabel: CommandLine, footage: Path, model: Path
) -> None:
    arguments = (
        "suggest",
        footage,
        "--model",
        model,
        "--device",
        "cpu",
        "--batch-size",
        "1",
        "--top-k",
        "12",
    )
    first = vidlabel.json(*arguments)
    project = where(vidlabel, footage)
    assert embeddings_of(project).is_dir()
    forget_suggestions(project)
    spoil(footage)
    again = vidlabel.json(*arguments)
    assert said(again) == said(first) and len(said(again)) == 3
    assert again["unreadable"] == first["unreadable"]


def test_a_model_with_a_new_head_need_not_see_the_videos_again(
    vidlabel: CommandLine, footage: Path, model: Path, tmp_path: Path
) -> None:
    first = vidlabel.json("suggest", footage, "--model", model, "--device", "cpu", "--batch-size", "1")
    loaded = load_model(model)
    torch.manual_seed(5)
    torch.nn.init.normal_(loaded.module.head.weight)
    tuned = save_model(
        tmp_path / "tuned.safetensors", loaded.module, name="tuned", network=loaded.info.network,
        labels=LABELS, preprocessing=loaded.info.preprocessing, network_args=loaded.info.network_args,
    )  # fmt: skip
    fresh = vidlabel.json("suggest", footage, "--model", tuned.path, "--device", "cpu", "--batch-size", "1")
    spoil(footage)
    project = where(vidlabel, footage)
    forget_suggestions(project)
    again = vidlabel.json("suggest", footage, "--model", tuned.path, "--device", "cpu", "--batch-size", "1")
    assert said(again) == said(fresh) != said(first)


def test_without_the_folder_everything_is_computed_again(
    vidlabel: CommandLine, footage: Path, model: Path
) -> None:
    arguments = ("suggest", footage, "--model", model, "--device", "cpu", "--batch-size", "1")
    first = vidlabel.json(*arguments)
    project = where(vidlabel, footage)
    for file in embeddings_of(project).rglob("*"):
        if file.is_file():
            file.write_bytes(b"\x07" * 100)
    forget_suggestions(project)
    assert said(vidlabel.json(*arguments)) == said(first)
    assert vidlabel.json("check", footage)["problems"] == []


def test_embeddings_that_cannot_be_kept_do_not_stop_suggestions(
    vidlabel: CommandLine, footage: Path, model: Path
) -> None:
    vidlabel("scan", footage)
    project = where(vidlabel, footage)
    embeddings_of(project).write_text("a file where the folder should be")
    answer = vidlabel("suggest", footage, "--model", model, "--device", "cpu", "--batch-size", "1", "--json")
    assert len(answer.json["clips"]) == 3
    assert "suggestions go on" in answer.err


def decide(project: Path, *, every: int) -> None:
    """The first suggestion was right for every n-th clip, else the last that is kept."""
    with ProjectStore.open(project) as store:
        active = store.active_model()
        assert active is not None
        new = []
        for number, (row, suggestion) in enumerate(list(store.suggested_clips(active[0]))):
            label = suggestion.scores[0 if number % every == 0 else -1].label
            if store.find_label(label) is None:
                store.add_label(label)
            new.append(NewDecision(clip_id=row.clip_id, kind=DecisionKind.LABELLED, label=label))
        store.decide(new, annotator="me")


def test_confidence_is_calibrated_on_what_was_decided(
    vidlabel: CommandLine, many: Path, model: Path, tmp_path: Path
) -> None:
    arguments = ("suggest", many, "--model", model, "--device", "cpu", "--batch-size", "1")
    before = vidlabel.json(*arguments)
    assert before["calibration"] == "not calibrated: 30 more decisions needed"
    assert {one["calibrated"] for clip in before["clips"] for one in clip["suggestions"]} == {None}
    few = vidlabel.json("calibrate", many, "--model", model, "--plot", tmp_path / "none.svg")
    assert (few["missing"], few["temperature"], few["plot"]) == (30, None, None)
    assert not (tmp_path / "none.svg").exists()

    decide(where(vidlabel, many), every=2)
    answer = vidlabel.json(*arguments)
    assert answer["calibration"] == f"calibrated on {MANY} decided clips"
    for clip in answer["clips"]:
        shown = [one["calibrated"] for one in clip["suggestions"]]
        assert shown == sorted(shown, reverse=True) and shown[0] < 1
    own = {clip["video"]: [one["probability"] for one in clip["suggestions"]] for clip in answer["clips"]}
    assert own == {
        clip["video"]: [one["probability"] for one in clip["suggestions"]] for clip in before["clips"]
    }

    plot = tmp_path / "reliability.svg"
    found = vidlabel.json("calibrate", many, "--plot", plot)
    assert found["clips"] == MANY and found["temperature"] > 0
    assert (
        sum(one["clips"] for one in found["bins_before"])
        == MANY
        == sum(one["clips"] for one in found["bins_after"])
    )
    assert found["ece_after"] < found["ece_before"]
    ElementTree.fromstring(plot.read_text())
    assert str(plot) in vidlabel("calibrate", many, "--plot", plot).out, "an earlier plot is replaced"
    own = tmp_path / "labels.csv"
    own.write_text("video,label\n")
    assert "no earlier plot" in vidlabel("calibrate", many, "--plot", own, code=1).err
    assert own.read_text() == "video,label\n"
    words = vidlabel("calibrate", many).out
    assert f"calibrated on {MANY} decided clips" in words and "Expected calibration error" in words

    rows = vidlabel.json("list", many, "--sort", "probability", "--descending")["clips"]
    assert [row["calibrated"] for row in rows] == sorted((row["calibrated"] for row in rows), reverse=True)
    assert all(row["calibrated"] != row["probability"] for row in rows)


def test_check_and_backup_know_the_folder(
    vidlabel: CommandLine, footage: Path, model: Path, tmp_path: Path
) -> None:
    vidlabel("suggest", footage, "--model", model, "--device", "cpu", "--batch-size", "1")
    project = where(vidlabel, footage)
    rows = next(embeddings_of(project).rglob("rows.f16"))
    content = bytearray(rows.read_bytes())
    content[0] ^= 1
    rows.write_bytes(content)
    problem = vidlabel.json("check", footage, code=1)
    assert "1 embedding is damaged" in problem["problems"][0]
    assert problem["embeddings"] == {"folder": str(embeddings_of(project)), "rows": 3, "damaged": 1,
                                     "bytes": problem["embeddings"]["bytes"]}  # fmt: skip
    assert "embedding" in vidlabel("check", footage, "--repair").out
    assert vidlabel.json("check", footage)["embeddings"]["damaged"] == 0

    copied = vidlabel.json("backup", footage, tmp_path / "copy.vidlabel")
    assert copied["left_out"] == [str(embeddings_of(project))]
    assert not embeddings_of(tmp_path / "copy.vidlabel").exists()
    assert "computed again" in vidlabel("backup", footage, tmp_path / "other.vidlabel").err
    found = [one for one in vidlabel.json("doctor")["checks"] if one["name"] == "Embeddings"]
    assert len(found) == 1 and found[0]["state"] == "ok" and "1 project" in found[0]["detail"]
