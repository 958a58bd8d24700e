"""sweep: long videos looked through, clips proposed; killed and gone on with, the same bit for bit."""

from __future__ import annotations

import json
import shutil
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing, suppress
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.cli.conftest import LABELS, CommandLine, start
from tests.helpers.clips import numbered_clip, numbered_frame, one_frame_clip, text_file, variable_rate_clip
from vidlabel.media.encode import VideoOptions, write_video
from vidlabel.media.frame_index import FrameIndex
from vidlabel.store.project_store import ProjectStore


@pytest.fixture(scope="session")
def made_long(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """70 s at 10 frames a second: ten seconds of numbers, ten of darkness, in turn."""
    path = tmp_path_factory.mktemp("long") / "long.mp4"
    dark = np.zeros((48, 64, 3), np.uint8)
    frames = (dark if number // 100 % 2 else numbered_frame(number, 64, 48) for number in range(700))
    write_video(path, frames, fps=10, options=VideoOptions(gop=25))
    return path


@pytest.fixture
def footage(tmp_path: Path, made_long: Path) -> Path:
    """A long video, a short one, one of one frame, and a file that is none."""
    folder = tmp_path / "footage"
    folder.mkdir()
    shutil.copyfile(made_long, folder / "long.mp4")
    variable_rate_clip(folder / "varied.mp4", 150)
    one_frame_clip(folder / "one.mp4")
    text_file(folder / "text.mp4")
    return folder


def telling(project: Path) -> tuple[str, ...]:
    """Thresholds at which an untrained model, which is sure of nothing, tells light from darkness."""
    with closing(sqlite3.connect(project)) as connection:
        rows = [row for (row,) in connection.execute("SELECT scores FROM sweep_parts ORDER BY first")]
    curves = np.frombuffer(b"".join(rows), "<f2").reshape(-1, len(LABELS)).astype(float)
    # The label that differs most; it must also be the likeliest, which no other is where it is high.
    ranges = curves.max(axis=0) - curves.min(axis=0)
    curve = curves[:, int(np.argmax(ranges))]
    high, low = np.percentile(curve, 80), np.percentile(curve, 50)
    return ("--start-sure", f"{high:.4f}", "--end-sure", f"{min(low, high):.4f}", "--min-length", "0.5")


def stored(project: Path) -> list[tuple[int, int, bytes]]:
    """The parts in the file, seen from outside."""
    if not project.exists():
        return []
    with closing(sqlite3.connect(project)) as connection:
        return connection.execute("SELECT first, windows, scores FROM sweep_parts ORDER BY first").fetchall()


def swept(answer: dict[str, Any], name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(one for one in answer["videos"] if Path(one["video"]).name == name)
    return found


def test_long_videos_are_swept_and_clips_proposed(vidlabel: CommandLine, footage: Path, model: Path) -> None:
    arguments = ("sweep", footage, "--model", model, "--device", "cpu")
    answer = vidlabel.json(*arguments)
    assert [Path(one["video"]).name for one in answer["videos"]] == ["long.mp4"]
    assert (answer["longer_than"], answer["device"], answer["unreadable"]) == (60.0, "cpu", [])
    video = swept(answer, "long.mp4")
    assert (video["windows"], video["computed"], video["finished"]) == (137, 137, True)

    again = vidlabel.json(*arguments, *telling(project_of(vidlabel, footage)))
    assert again["device"] is None
    video = swept(again, "long.mp4")
    assert video["computed"] == 0
    clips = video["proposals"]
    assert len(clips) > 1
    assert all(0 <= clip["start"] < clip["end"] <= 70 for clip in clips)
    assert all(before["end"] <= after["start"] for before, after in pairwise(clips))
    listed = vidlabel.json("list", footage, "--filter", "long")["clips"]
    assert len(listed) == len(clips) + 1
    inside = [row for row in listed if (row["start"], row["end"]) != (0.0, 70.0)]
    assert {row["suggested"] for row in inside} == {clip["suggested"] for clip in clips}


def test_videos_that_are_named_are_swept_however_long(
    vidlabel: CommandLine, footage: Path, model: Path
) -> None:
    named = (
        "sweep",
        footage,
        "varied.mp4",
        footage / "one.mp4",
        "text.mp4",
        "--model",
        model,
        "--device",
        "cpu",
    )
    answer = vidlabel.json(*named)
    assert {Path(one["video"]).name for one in answer["videos"]} == {"varied.mp4", "one.mp4"}
    assert swept(answer, "one.mp4")["windows"] == 1
    assert [Path(one["video"]).name for one in answer["unreadable"]] == ["text.mp4"]
    assert answer["longer_than"] is None
    clips = swept(vidlabel.json(*named, *telling(project_of(vidlabel, footage))), "varied.mp4")["proposals"]
    with ProjectStore.open(project_of(vidlabel, footage)) as store:
        rows = [row for row in store.clips_of_video(footage / "varied.mp4") if not row.whole]
    assert len(rows) == len(clips)
    index = FrameIndex.build(footage / "varied.mp4")
    for row in rows:
        assert (row.start_frame, row.end_frame) == index.range(row.start_us, row.end_us)


def project_of(vidlabel: CommandLine, folder: Path) -> Path:
    return Path(vidlabel("where", folder).out.strip())


def test_other_settings_propose_anew_without_looking_again(
    vidlabel: CommandLine, footage: Path, model: Path
) -> None:
    arguments = ("sweep", footage, "--model", model, "--device", "cpu")
    vidlabel(*arguments)
    some = swept(vidlabel.json(*arguments, *telling(project_of(vidlabel, footage))), "long.mp4")["proposals"]
    vidlabel("label", footage, "long.mp4", "wave", "--start", some[0]["start"], "--end", some[0]["end"])
    answer = swept(vidlabel.json(*arguments, "--start-sure", "100%"), "long.mp4")
    assert answer["computed"] == 0
    assert [clip["label"] for clip in answer["proposals"]] == ["wave"]
    longer = swept(vidlabel.json(*arguments, "--step", "1"), "long.mp4")
    assert (longer["step"], longer["computed"]) == (1.0, 69)


def test_words_for_people(vidlabel: CommandLine, footage: Path, model: Path) -> None:
    said = vidlabel("sweep", footage, "--model", model, "--device", "cpu")
    assert "clips proposed, 137 windows" in said.out
    assert said.err == ""
    (footage / "long.mp4").unlink()
    nothing = vidlabel("sweep", footage, "--model", model, "--longer-than", "500")
    assert "--longer-than" in nothing.out


@pytest.mark.parametrize(
    "wrong",
    [
        ("--window", "1", "--step", "2"),
        ("--window", "0"),
        ("--step", "0.01"),
        ("--start-sure", "0.2", "--end-sure", "0.5"),
        ("--start-sure", "120%"),
        ("--min-length", "-1"),
    ],
)
def test_settings_that_do_not_go_together(
    vidlabel: CommandLine, footage: Path, wrong: tuple[str, ...]
) -> None:
    said = vidlabel("sweep", footage, *wrong, code=2)
    assert said.err.startswith("vidlabel: ")


def test_a_stretch_that_cannot_be_read_is_named_and_the_rest_is_kept(
    vidlabel: CommandLine, tmp_path: Path, model: Path
) -> None:
    folder = tmp_path / "holed"
    folder.mkdir()
    path = numbered_clip(folder / "holed.mp4", 700, fps=10, size=(64, 48), options=VideoOptions(gop=10))
    vidlabel("scan", folder)
    # The file's index is whole; a fifth of the pictures it points at is gone.
    content = bytearray(path.read_bytes())
    begin, length = content.index(b"mdat") + 4, content.index(b"moov") - content.index(b"mdat") - 4
    content[begin + length * 2 // 5 : begin + length * 3 // 5] = bytes(length * 3 // 5 - length * 2 // 5)
    path.write_bytes(content)
    arguments = ("sweep", folder, "--model", model, "--device", "cpu")
    video = vidlabel.json(*arguments)["videos"][0]
    assert video["finished"]
    assert video["not_read"]
    assert all(20 < start < end < 60 for start, end in video["not_read"])
    assert "could not be read and was not looked at" in vidlabel(*arguments).out


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_ended_in_the_middle_it_goes_on_and_the_result_is_the_same(
    vidlabel: CommandLine, tmp_path: Path, made_long: Path, model: Path, how: signal.Signals
) -> None:
    footage = tmp_path / "footage"
    footage.mkdir()
    shutil.copyfile(made_long, footage / "long.mp4")
    project, whole = tmp_path / "ended.vidlabel", tmp_path / "whole.vidlabel"
    vidlabel("scan", project, footage)
    command = ("sweep", project, "--model", model, "--device", "cpu", "--step", "0.2", "--json")
    running = start(*command)
    try:
        while running.poll() is None and len(stored(project)) < 2:
            with suppress(subprocess.TimeoutExpired):
                running.wait(0.02)
        running.send_signal(how)
        out, err = running.communicate(timeout=30)
    finally:
        running.kill()
    if how is signal.SIGINT:
        assert running.returncode == 130, err
        assert "kept" in json.loads(out)["error"]
    kept = stored(project)
    assert 2 <= len(kept) < 6
    again = swept(vidlabel.json(*command), "long.mp4")
    assert again["computed"] == again["windows"] - sum(windows for _, windows, _ in kept)

    vidlabel("scan", whole, footage)
    vidlabel("sweep", whole, *command[2:])
    assert stored(project) == stored(whole)
    with ProjectStore.open(project) as one, ProjectStore.open(whole) as other:
        path = footage / "long.mp4"
        assert _clips(one, path) == _clips(other, path)


def _clips(store: ProjectStore, path: Path) -> list[tuple[object, ...]]:
    return [
        (row.start_us, row.end_us, row.start_frame, row.end_frame, row.suggested, row.probability)
        for row in store.clips_of_video(path)
    ]
