"""export: what comes out is exact, whole, and comes in again."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from tests.cli.conftest import CommandLine
from tests.helpers.clips import read_number
from vidlabel.media.reader import FrameReader


@pytest.fixture
def labelled(vidlabel: CommandLine, footage: Path) -> Path:
    """Footage with a whole video labelled twice, a marked clip, and a name that a spreadsheet would run."""
    (footage / "day 1" / "with sound.mp4").rename(footage / "=sound.mp4")
    vidlabel("label", footage, "a.mp4", "kick", "--annotator", "ada")
    vidlabel("label", footage, "a.mp4", "wave", "--annotator", "ada")
    vidlabel("label", footage, "a.mp4", "run", "--start", "0.4", "--end", "1.2", "--annotator", "ada")
    vidlabel("label", footage, "=sound.mp4", "jump", "--annotator", "=cmd()")
    return footage


def test_csv_holds_every_clip_and_comes_in_again(
    vidlabel: CommandLine, labelled: Path, tmp_path: Path
) -> None:
    out = tmp_path / "labels.csv"
    answer = vidlabel.json("export", labelled, out, "--format", "csv")
    assert answer["written"] == 7
    assert answer["not_held"] == {
        "earlier decisions of clips decided more than once": 1,
        "further paths of identical videos": 1,
    }
    with out.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    marked = next(row for row in rows if row["label"] == "run")
    assert (marked["start"], marked["end"]) == ("0.400000", "1.200000")
    assert (marked["start_frame"], marked["end_frame"]) == ("10", "30")
    assert {row["state"] for row in rows} == {"labelled", "undecided", "unreadable"}
    assert "'=cmd()" in {row["annotator"] for row in rows}

    fresh = tmp_path / "fresh.vidlabel"
    vidlabel("scan", fresh, labelled)
    answer = vidlabel.json("import", fresh, out, "--format", "csv", "--annotator", "nobody")
    assert (answer["imported"], answer["new_clips"], answer["not_imported"]) == (3, 1, [])
    again = tmp_path / "again.csv"
    vidlabel("export", fresh, again, "--format", "csv")
    assert again.read_bytes() == out.read_bytes()
    assert vidlabel.json("import", labelled, out, "--format", "csv")["imported"] == 0


def test_jsonl_holds_the_history(vidlabel: CommandLine, labelled: Path, tmp_path: Path) -> None:
    out = tmp_path / "clips.jsonl"
    assert vidlabel.json("export", labelled, out, "--format", "jsonl")["not_held"] == {}
    clips = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    [clip] = [clip for clip in clips if clip["label"] == "wave"]
    assert [decision["label"] for decision in clip["decisions"]] == ["kick", "wave"]
    assert len(clip["paths"]) == 2


def test_an_export_can_be_of_some_clips(vidlabel: CommandLine, labelled: Path, tmp_path: Path) -> None:
    out = tmp_path / "x.csv"
    assert (
        vidlabel.json("export", labelled, out, "--format", "csv", "--filter", "label:run,jump")["written"]
        == 2
    )


def test_class_folders_link_whole_videos(vidlabel: CommandLine, labelled: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    answer = vidlabel.json("export", labelled, out, "--format", "class-folders")
    assert answer["written"] == 2
    assert answer["not_held"]["marked clips (`vidlabel export --cut-clips` cuts them out)"] == 1
    assert answer["not_held"]["clips without a label"] == 4
    assert (out / "wave" / "a.mp4").is_symlink()
    assert (out / "jump" / "=sound.mp4").read_bytes() == (labelled / "=sound.mp4").read_bytes()


def test_marked_clips_are_cut_to_the_frame(vidlabel: CommandLine, labelled: Path, tmp_path: Path) -> None:
    vidlabel("label", labelled, "=sound.mp4", "run", "--start", "0.2", "--end", "0.8")
    out = tmp_path / "out"
    vidlabel("export", labelled, out, "--format", "class-folders", "--cut-clips", "--copy")
    assert not (out / "wave" / "a.mp4").is_symlink()
    with FrameReader(out / "run" / "a_000010_000030.mp4") as reader:
        assert [read_number(picture) for _, picture in reader.frames(0, 99)] == list(range(10, 30))
        assert abs(reader.index.duration_us - 800_000) <= 40_000
    sounding = vidlabel.json("scan", tmp_path / "cut.vidlabel", out / "run")
    assert sounding["clips"] == 2
    clips = vidlabel.json("list", tmp_path / "cut.vidlabel")["clips"]
    assert {(Path(clip["video"]).name, clip["audio"]) for clip in clips} == {
        ("a_000010_000030.mp4", False), ("=sound_000005_000020.mp4", True),
    }  # fmt: skip


def test_nothing_is_replaced_by_accident(vidlabel: CommandLine, labelled: Path, tmp_path: Path) -> None:
    other = tmp_path / "notes.csv"
    other.write_text("my,notes\n")
    assert "--force" in vidlabel("export", labelled, other, "--format", "csv", code=1).err
    assert other.read_text() == "my,notes\n"
    vidlabel("export", labelled, other, "--format", "csv", "--force")
    vidlabel("export", labelled, other, "--format", "csv")
    video = labelled / "a.mp4"
    before = video.read_bytes()
    assert "never" in vidlabel("export", labelled, video, "--format", "csv", "--force", code=1).err
    assert video.read_bytes() == before
    assert "inside" in vidlabel("export", labelled, labelled / "out", "--format", "class-folders", code=1).err
    full = tmp_path / "full"
    full.mkdir()
    (full / "a").touch()
    assert "not empty" in vidlabel("export", labelled, full, "--format", "class-folders", code=1).err
    vidlabel("export", labelled, full, "--format", "class-folders", "--force")
    assert "is a folder" in vidlabel("export", labelled, full, "--format", "csv", code=2).err


def test_a_place_that_cannot_be_written(vidlabel: CommandLine, labelled: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    said = vidlabel("export", labelled, tmp_path / "file" / "x.csv", "--format", "csv", code=1)
    assert "file" in said.err
