"""import of class folders and of HMDB51: labels from the folders, and a split that is remembered."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.cli.conftest import CommandLine
from vidlabel.store.project_store import ProjectStore

A, B, C = (f"{film}_{label}_f_cm_np1_fr_med_{number}.avi" for film, label, number in (
    ("Some #Film! (2)", "draw_sword", 0), ("Other", "wave", 1), ("Third_wave", "draw_sword", 0),
))  # fmt: skip


@pytest.fixture
def folders(tmp_path: Path, made_clips: Path) -> Path:
    """Three different clips in two class folders."""
    place = tmp_path / "data"
    for name, source in (
        ("wave/w 1.mp4", "a.mp4"),
        ("kick/k.avi", "b.avi"),
        ("kick/k.mp4", "with sound.mp4"),
    ):
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(made_clips / source, place / name)
    return place


@pytest.fixture
def hmdb51(tmp_path: Path, made_clips: Path) -> Path:
    place = tmp_path / "hmdb51"
    for label, name, source in (
        ("draw_sword", A, "a.mp4"), ("wave", B, "b.avi"), ("draw_sword", C, "with sound.mp4")
    ):  # fmt: skip
        (place / label).mkdir(parents=True, exist_ok=True)
        shutil.copy(made_clips / source, place / label / name)
    splits = tmp_path / "splits"
    splits.mkdir()
    (splits / "draw_sword_test_split2.txt").write_text(
        f"{A} 1\n{C} 2\ngone_draw_sword_f_cm_np1_fr_med_0.avi 0\n"
    )
    (splits / "wave_test_split2.txt").write_text(f"{B} 1\n")
    return place


def _labels(vidlabel: CommandLine, project: Path) -> dict[str, str | None]:
    return {Path(clip["video"]).name: clip["label"] for clip in vidlabel.json("list", project)["clips"]}


def test_class_folders_into_a_new_project(vidlabel: CommandLine, folders: Path, tmp_path: Path) -> None:
    project = tmp_path / "new.vidlabel"
    (folders / "notes.txt").write_text("not a video")
    (folders / ".hidden").mkdir()
    dry = vidlabel.json("import", project, folders, "--format", "class-folders", "--dry-run")
    assert not project.exists()
    answer = vidlabel.json("import", project, folders, "--format", "class-folders", "--annotator", "ada")
    assert answer == dry | {"dry_run": False}
    assert (answer["imported"], answer["new_labels"], answer["not_held"]) == (
        3,
        [],
        ["1 files that are no videos"],
    )
    assert _labels(vidlabel, project) == {"w 1.mp4": "wave", "k.avi": "kick", "k.mp4": "kick"}
    again = vidlabel.json("import", project, folders, "--format", "class-folders")
    assert (again["imported"], again["unchanged"]) == (0, 3)


@pytest.mark.parametrize("copied", [False, True])
def test_what_was_exported_comes_back(
    vidlabel: CommandLine, footage: Path, tmp_path: Path, copied: bool
) -> None:
    vidlabel("label", footage, "a.mp4", "wave")
    vidlabel("label", footage, "day 1/b.avi", "kick")
    before = _labels(vidlabel, footage)
    out = tmp_path / "out"
    copy = ("--copy",) if copied else ()
    vidlabel("export", footage, out, "--format", "class-folders", *copy)
    answer = vidlabel.json("import", footage, out, "--format", "class-folders")
    assert (answer["imported"], answer["unchanged"]) == (0, 2)
    fresh = tmp_path / "fresh.vidlabel"
    vidlabel("scan", fresh, footage)
    answer = vidlabel.json("import", fresh, out, "--format", "class-folders")
    assert answer["imported"] == 2
    assert _labels(vidlabel, fresh) == before
    with ProjectStore.open(fresh) as store:
        # Links are the videos they lead to, so nothing more has to be watched.
        assert len(store.roots()) == (2 if copied else 1)


def test_one_video_in_two_folders(vidlabel: CommandLine, folders: Path, tmp_path: Path) -> None:
    shutil.copy(folders / "wave" / "w 1.mp4", folders / "kick" / "same.mp4")
    answer = vidlabel.json("import", tmp_path / "p.vidlabel", folders, "--format", "class-folders")
    assert answer["imported"] == 3
    (problem,) = answer["not_imported"]
    assert problem["video"].endswith("same.mp4")
    assert "another label" in problem["reason"]
    assert "line" not in problem["reason"]


def test_unlabelled_videos_decide_nothing(vidlabel: CommandLine, folders: Path, tmp_path: Path) -> None:
    (folders / "kick").rename(folders / "_unlabeled")
    answer = vidlabel.json("import", tmp_path / "p.vidlabel", folders, "--format", "class-folders")
    assert (answer["imported"], answer["without_decision"]) == (1, 2)


def test_folders_that_are_none(vidlabel: CommandLine, footage: Path, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    assert "<label>/<file>" in vidlabel("import", footage, empty, "--format", "class-folders", code=1).err
    missing = tmp_path / "x"
    assert "no folder" in vidlabel("import", footage, missing, "--format", "class-folders", code=2).err
    file = footage / "a.mp4"
    assert "no folder" in vidlabel("import", footage, file, "--format", "hmdb51", code=2).err
    assert (
        "hmdb51 only"
        in vidlabel("import", footage, footage, "--format", "class-folders", "--splits", empty, code=2).err
    )
    assert "class-folders" in vidlabel("import", footage, footage, "--format", "hmdb51", code=1).err


def test_hmdb51_with_its_split(vidlabel: CommandLine, hmdb51: Path, tmp_path: Path) -> None:
    splits = tmp_path / "splits"
    answer = vidlabel.json(
        "import", hmdb51, hmdb51, "--format", "hmdb51", "--splits", splits, "--split-number", 2
    )
    assert (answer["imported"], answer["not_imported"]) == (3, [])
    assert answer["split"] == {
        "folder": str(splits), "number": 2, "train": 2, "test": 1, "unused": 0, "not_here": 1, "not_listed": 0,
    }  # fmt: skip
    assert _labels(vidlabel, hmdb51) == {A: "draw_sword", B: "wave", C: "draw_sword"}
    with ProjectStore.open(Path(vidlabel("where", hmdb51).out.strip())) as store:
        assert store.setting("official_splits") == {"folder": str(splits), "number": 2}


def test_hmdb51_in_one_heap_and_in_the_wrong_folder(
    vidlabel: CommandLine, hmdb51: Path, tmp_path: Path
) -> None:
    heap = tmp_path / "heap"
    heap.mkdir()
    for path in hmdb51.rglob("*.avi"):
        path.rename(heap / path.name)
    vidlabel("import", tmp_path / "heap.vidlabel", heap, "--format", "hmdb51")
    assert _labels(vidlabel, tmp_path / "heap.vidlabel") == {A: "draw_sword", B: "wave", C: "draw_sword"}
    (hmdb51 / "wave").mkdir(exist_ok=True)
    (heap / A).rename(hmdb51 / "wave" / A)
    (heap / B).rename(hmdb51 / "wave" / B)
    answer = vidlabel.json(
        "import", hmdb51, hmdb51, "--format", "hmdb51", "--splits", tmp_path / "splits", "--split-number", "2"
    )
    assert answer["imported"] == 1
    (problem,) = answer["not_imported"]
    assert problem["video"].endswith(A)
    assert "draw_sword" in problem["reason"]


def test_split_files_that_are_not_there(vidlabel: CommandLine, hmdb51: Path, tmp_path: Path) -> None:
    say = ("import", hmdb51, hmdb51, "--format", "hmdb51", "--splits")
    assert "no folder" in vidlabel(*say, tmp_path / "none", code=2).err
    assert "_test_split1.txt" in vidlabel(*say, tmp_path / "splits", code=1).err
