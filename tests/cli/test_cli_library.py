"""scan, list, label, where, backup, check: what a person keeps a project with."""

from __future__ import annotations

import os
import shutil
import sqlite3
from pathlib import Path

import pytest

from tests.cli.conftest import CommandLine
from tests.helpers.clips import numbered_clip


def test_scan_tells_what_is_there(vidlabel: CommandLine, footage: Path) -> None:
    found = vidlabel.json("scan", footage)
    assert found["files"] == found["probed"] == 7
    assert found["hashed"] == 2
    assert found["clips"] == 6
    reasons = {Path(one["video"]).name: one["reason"] for one in found["unreadable"]}
    assert reasons.keys() == {"audio.mp4", "empty.mp4", "text.mp4"}
    assert "empty" in reasons["empty.mp4"]
    again = vidlabel.json("scan", footage)
    assert (again["probed"], again["hashed"], again["clips"]) == (0, 0, 6)


def test_scan_makes_a_project_file_for_several_folders(vidlabel: CommandLine, footage: Path) -> None:
    project = footage.parent / "work.vidlabel"
    (footage.parent / "more").mkdir()
    numbered_clip(footage.parent / "more" / "c.mp4", 5)
    found = vidlabel.json("scan", project, footage, footage.parent / "more")
    assert found["project"] == str(project)
    assert found["roots"] == [str(footage), str(footage.parent / "more")]
    assert found["clips"] == 7


def test_a_video_that_went_is_missing_and_keeps_its_label(vidlabel: CommandLine, footage: Path) -> None:
    vidlabel("label", footage, "day 1/b.avi", "wave")
    (footage / "day 1" / "b.avi").rename(footage.parent / "b.avi")
    assert vidlabel.json("scan", footage)["missing"] == 1
    [clip] = vidlabel.json("list", footage, "--filter", "state:missing")["clips"]
    assert clip["label"] == "wave"
    assert "b.avi" in vidlabel("label", footage, "day 1/b.avi", "kick", code=1).err
    (footage.parent / "b.avi").rename(footage / "moved.avi")
    assert vidlabel.json("scan", footage)["missing"] == 0
    [clip] = vidlabel.json("list", footage, "--filter", "label:wave")["clips"]
    assert clip["video"] == str(footage / "moved.avi")


def test_a_root_that_is_not_there_is_reported(vidlabel: CommandLine, footage: Path) -> None:
    project = footage.parent / "work.vidlabel"
    vidlabel("scan", project, footage)
    footage.rename(footage.parent / "elsewhere")
    found = vidlabel("scan", project, "--json")
    assert len(found.json["problems"]) == 1
    assert str(footage) in found.err
    assert found.json["missing"] == 0


def test_list_says_all_of_a_clip(vidlabel: CommandLine, footage: Path) -> None:
    vidlabel("scan", footage)
    answer = vidlabel.json("list", footage, "--sort", "path")
    clip = next(one for one in answer["clips"] if one["video"] == str(footage / "a.mp4"))
    expected = {
        "paths": [str(footage / "a.mp4"), str(footage / "copy.mp4")],
        "start": 0.0, "end": 2.0, "start_frame": 0, "end_frame": 50, "whole": True, "label": None,
        "state": "undecided", "annotator": None, "decided_at": None, "suggested": None, "probability": None,
        "reason": None,
    }  # fmt: skip
    assert {name: clip[name] for name in expected} == expected
    assert answer["counts"]["clips"] == 6
    assert answer["counts"]["by_state"] == {"undecided": 3, "unreadable": 3}


def test_list_filters_and_sorts(vidlabel: CommandLine, footage: Path) -> None:
    vidlabel("label", footage, "a.mp4", "wave")
    names = [
        Path(one["video"]).name
        for one in vidlabel.json("list", footage, "--filter", 'folder:"day 1"', "--sort", "duration")["clips"]
    ]
    assert names == ["with sound.mp4", "b.avi"]
    said = vidlabel("list", footage, "--filter", "state:decided").out
    assert "a.mp4" in said
    assert "1 of 6 clips, 1 decided" in said


def test_label_is_a_decision_of_somebody(vidlabel: CommandLine, footage: Path) -> None:
    clip = vidlabel.json("label", footage, "a.mp4", "wave", "--annotator", "ada")
    assert (clip["state"], clip["label"], clip["annotator"]) == ("labelled", "wave", "ada")
    assert clip["decided_at"] is not None
    clip = vidlabel.json("label", footage, footage / "copy.mp4", "kick")
    assert clip["video"] == str(footage / "a.mp4")
    assert vidlabel.json("list", footage)["counts"]["by_label"] == {"kick": 1}


def test_label_finds_a_video_from_the_current_folder(
    vidlabel: CommandLine, footage: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(footage / "day 1")
    assert vidlabel.json("label", "..", "b.avi", "wave")["video"] == str(footage / "day 1" / "b.avi")


def test_label_of_a_part_marks_a_clip_once(vidlabel: CommandLine, footage: Path) -> None:
    part = ("--start", "0.4", "--end", "1.2")
    clip = vidlabel.json("label", footage, "a.mp4", "wave", *part)
    assert (clip["start"], clip["end"], clip["whole"]) == (0.4, 1.2, False)
    assert (clip["start_frame"], clip["end_frame"]) == (10, 30)
    vidlabel("label", footage, "a.mp4", "kick", *part)
    assert vidlabel.json("list", footage)["counts"]["clips"] == 7
    assert vidlabel.json("label", footage, "a.mp4", "run", "--start", "0", "--end", "2")["whole"] is True
    assert (
        "2.000 s long" in vidlabel("label", footage, "a.mp4", "run", "--start", "1", "--end", "5", code=1).err
    )


def test_label_refuses_what_is_not_there(vidlabel: CommandLine, footage: Path) -> None:
    assert "Did you mean cartwheel" in vidlabel("label", footage, "a.mp4", "cart_wheel", code=1).err
    assert "not a video of this project" in vidlabel("label", footage, "z.mp4", "wave", code=1).err
    assert "empty" in vidlabel("label", footage, "empty.mp4", "wave", code=1).err
    assert vidlabel.json("list", footage)["counts"]["decided"] == 0


def test_a_name_in_two_roots_has_to_be_told_apart(vidlabel: CommandLine, footage: Path) -> None:
    other = footage.parent / "other"
    other.mkdir()
    numbered_clip(other / "a.mp4", 5)
    project = footage.parent / "work.vidlabel"
    vidlabel("scan", project, footage, other)
    assert "absolute path" in vidlabel("label", project, "a.mp4", "wave", code=1).err
    assert vidlabel.json("label", project, other / "a.mp4", "wave")["video"] == str(other / "a.mp4")


def test_where_makes_nothing(vidlabel: CommandLine, footage: Path, home: Path) -> None:
    before = vidlabel.json("where", footage)
    assert before["exists"] is False
    assert not any(home.iterdir())
    assert vidlabel("where", footage).out.strip() == before["project"]
    vidlabel("scan", footage)
    assert Path(before["project"]).is_file()


def test_a_project_that_can_only_be_read(vidlabel: CommandLine, footage: Path) -> None:
    project = footage.parent / "archive" / "work.vidlabel"
    project.parent.mkdir()
    vidlabel("scan", project, footage)
    project.chmod(0o444)
    assert vidlabel.json("list", project)["counts"]["clips"] == 6


def test_backup_is_a_whole_project(vidlabel: CommandLine, footage: Path) -> None:
    vidlabel("label", footage, "a.mp4", "wave")
    beside = Path(vidlabel.json("backup", footage)["backup"])
    assert vidlabel.json("list", beside)["counts"]["by_label"] == {"wave": 1}
    (footage.parent / "safe").mkdir()
    in_folder = Path(vidlabel("backup", footage, footage.parent / "safe").out.strip())
    assert in_folder.parent == footage.parent / "safe"
    assert "there already" in vidlabel("backup", footage, in_folder, code=2).err
    assert "ends with .vidlabel" in vidlabel("backup", footage, footage / "a.mp4", code=2).err
    assert "no project yet" in vidlabel("backup", in_folder.parent, code=1).err


def test_check_reports_and_repairs(vidlabel: CommandLine, footage: Path) -> None:
    project = footage.parent / "work.vidlabel"
    vidlabel("scan", project, footage)
    assert vidlabel.json("check", project)["ok"] is True
    (footage / "day 1" / "b.avi").unlink()
    answer = vidlabel.json("check", project)
    assert answer["problems"] == []
    assert answer["missing"] == [str(footage / "day 1" / "b.avi")]
    connection = sqlite3.connect(project)
    connection.execute("UPDATE clip_counts SET clips = 99 WHERE what = 'state' AND name = 'undecided'")
    connection.commit()
    connection.close()
    said = vidlabel("check", project, code=1)
    assert "--repair" in said.out
    assert vidlabel.json("check", project, "--repair")["repaired"] != []
    assert vidlabel.json("list", project)["counts"]["by_state"]["undecided"] == 3


def test_a_damaged_project_names_its_backup(vidlabel: CommandLine, footage: Path) -> None:
    project = footage.parent / "work.vidlabel"
    vidlabel("scan", project, footage)
    backup = vidlabel("backup", project).out.strip()
    content = bytearray(project.read_bytes())
    content[4096 : len(content) - 4096] = bytes(len(content) - 8192)
    project.write_bytes(content)
    assert backup in vidlabel("list", project, code=1).err
    assert backup in vidlabel("check", project, code=1).out
    answer = vidlabel.json("check", project, code=1)
    assert answer["ok"] is False
    assert backup in answer["problems"][0]
    shutil.copy(backup, project)
    assert vidlabel.json("check", project)["ok"] is True


def test_a_label_answers_all_paths_of_its_video(vidlabel: CommandLine, footage: Path) -> None:
    answer = vidlabel.json("label", footage, "copy.mp4", "wave")
    assert answer["paths"] == [str(footage / "a.mp4"), str(footage / "copy.mp4")]


def test_no_project_is_left_by_a_scan_of_nothing(vidlabel: CommandLine, tmp_path: Path) -> None:
    assert "no folder yet" in vidlabel("scan", "work.vidlabel", code=2).err
    assert list(tmp_path.glob("*.vidlabel")) == []


def test_list_says_when_nothing_was_scanned(vidlabel: CommandLine, footage: Path) -> None:
    assert f"vidlabel scan {footage}" in vidlabel("list", footage).err


def _close(*paths: Path) -> None:
    for path in paths:
        path.chmod(0)
        if os.access(path, os.R_OK):
            path.chmod(0o700)
            pytest.skip("this user may read everything")


def test_a_folder_that_may_not_be_read(vidlabel: CommandLine, tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir()
    _close(closed)
    answer = vidlabel.json("scan", closed, code=1)
    assert f"{closed}: no permission to read it" in answer["error"]
    closed.chmod(0o700)
    vidlabel("scan", closed)


def test_check_names_what_it_may_not_see(vidlabel: CommandLine, footage: Path) -> None:
    vidlabel("scan", footage)
    _close(footage / "day 1")
    try:
        answer = vidlabel.json("check", footage)
        assert len(answer["missing"]) == 2
        assert "permission" in vidlabel("check", footage).out
    finally:
        (footage / "day 1").chmod(0o700)


def test_a_video_that_may_be_read_again_is_read_again(
    vidlabel: CommandLine, footage: Path, model: Path
) -> None:
    vidlabel("scan", footage)
    video = footage / "a.mp4"
    _close(video, footage / "copy.mp4")
    for state in ("unreadable", "suggested"):
        if state == "suggested":
            video.chmod(0o600)
        vidlabel("suggest", footage, "--model", model, "--device", "cpu")
        (clip,) = (one for one in vidlabel.json("list", footage)["clips"] if one["video"] == str(video))
        assert clip["state"] == state


def test_videos_in_a_folder_that_may_not_be_read_any_more(vidlabel: CommandLine, footage: Path) -> None:
    project = footage.parent / "work.vidlabel"
    vidlabel("scan", project, footage)
    vidlabel("label", project, "day 1/b.avi", "wave")
    for mode in (0, 0o300):
        _close(footage / "day 1")
        (footage / "day 1").chmod(mode)
        vidlabel("scan", project)
        answer = vidlabel.json("list", project, "--filter", "b.avi")
        assert answer["clips"][0]["state"] == "missing"
        assert "no permission" in answer["clips"][0]["reason"]
        (footage / "day 1").chmod(0o700)
        vidlabel("scan", project)
        assert vidlabel.json("list", project, "--filter", "b.avi")["clips"][0]["state"] == "labelled"
