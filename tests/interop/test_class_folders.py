"""Class folders: a folder a label, nothing lost without a word, no original touched."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.interop.rows import record, row
from vidlabel.core.errors import MissingVideoError
from vidlabel.core.words import ClipRow, ClipState
from vidlabel.interop import class_folders
from vidlabel.interop.class_folders import Place
from vidlabel.interop.record import ClipRecord


def clip(folder: Path, name: str, **changes: object) -> ClipRecord:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(str(path).encode())
    made = row(**{"path": str(path), "relative": name, **changes})  # type: ignore[arg-type]
    return ClipRecord(row=made, paths=(made.path,))


@pytest.mark.parametrize("place", list(Place))
def test_videos_lie_under_their_label(tmp_path: Path, place: Place) -> None:
    source = clip(tmp_path / "in", "a.mp4")
    out = tmp_path / "out"
    report = class_folders.write(out, [source], place=place)
    placed = out / "wave" / "a.mp4"
    assert placed.read_bytes() == Path(source.row.path).read_bytes()
    assert placed.is_symlink() is (place is Place.LINK)
    assert report.written == 1


def test_two_videos_of_one_name(tmp_path: Path) -> None:
    first, second = clip(tmp_path / "in", "1/a.mp4"), clip(tmp_path / "in", "2/A.mp4")
    report = class_folders.write(tmp_path / "out", [first, second])
    assert sorted(path.name for path in (tmp_path / "out" / "wave").iterdir()) == ["A_2.mp4", "a.mp4"]
    assert (tmp_path / "out" / "wave" / "A_2.mp4").read_bytes() == Path(second.row.path).read_bytes()
    assert any("A_2.mp4" in note for note in report.notes)


@pytest.mark.parametrize("place", list(Place))
def test_the_same_export_again_adds_nothing(tmp_path: Path, place: Place) -> None:
    clips = [clip(tmp_path / "in", "1/a.mp4"), clip(tmp_path / "in", "2/a.mp4")]
    for _ in range(2):
        report = class_folders.write(tmp_path / "out", clips, place=place)
        assert report.written == 2
    assert len(list((tmp_path / "out" / "wave").iterdir())) == 2


def test_what_cannot_be_held_is_counted(tmp_path: Path) -> None:
    clips = [
        clip(tmp_path / "in", "a.mp4", label=None, state=ClipState.SUGGESTED),
        clip(tmp_path / "in", "b.mp4", whole=False),
        clip(tmp_path / "in", "c.mp4", state=ClipState.MISSING),
        clip(tmp_path / "in", "d.mp4", state=ClipState.UNREADABLE),
        record(path=str(tmp_path / "gone.mp4")),
    ]
    report = class_folders.write(tmp_path / "out", clips)
    assert report.written == 0
    assert dict(report.not_held) == {
        "clips without a label": 1,
        "marked clips (`vidlabel export --cut-clips` cuts them out)": 1,
        "labelled clips whose file is missing": 2,
        "labelled clips whose file cannot be read": 1,
    }


@pytest.mark.parametrize(
    ("label", "folder"),
    [
        ("pick/put", "pick_put"),
        ("..", "_"),
        ("a.", "a"),
        ("../../etc", ".._.._etc"),
        ("con", "_con"),
        ('a:"b"', "a__b_"),
    ],
)
def test_a_label_that_is_no_folder_name(tmp_path: Path, label: str, folder: str) -> None:
    report = class_folders.write(tmp_path / "out", [clip(tmp_path / "in", "a.mp4", label=label)])
    assert [path.name for path in (tmp_path / "out").iterdir()] == [folder]
    assert any(folder in note for note in report.notes)


def test_labels_that_would_share_a_folder(tmp_path: Path) -> None:
    clips = [clip(tmp_path / "in", "a.mp4", label="Wave"), clip(tmp_path / "in", "b.mp4", label="wave")]
    class_folders.write(tmp_path / "out", clips)
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["Wave", "wave_2"]


def test_marked_clips_are_cut(tmp_path: Path) -> None:
    def cut(row: ClipRow, out: Path) -> None:
        if row.start_frame == 99:
            out.write_text("half")
            raise MissingVideoError(Path(row.path), "it is gone")
        out.write_text("frames")

    part = {"whole": False, "start_frame": 10, "end_frame": 20}
    clips = [
        clip(tmp_path / "in", f"{'n' * 251}.mp4", **part),
        clip(tmp_path / "in", "b.mp4", whole=False, start_frame=99),
    ]
    report = class_folders.write(tmp_path / "out", clips, cut=cut)
    [made] = (tmp_path / "out" / "wave").iterdir()
    assert made.name.endswith("n_000010_000020.mp4")
    assert made.read_text() == "frames"
    assert report.written == 1
    assert report.not_held["clips whose file could not be read"] == 1


def test_a_foreign_file_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "out" / "wave").mkdir(parents=True)
    (tmp_path / "out" / "wave" / "a.mp4").write_text("mine")
    class_folders.write(tmp_path / "out", [clip(tmp_path / "in", "a.mp4")])
    assert (tmp_path / "out" / "wave" / "a.mp4").read_text() == "mine"
    assert (tmp_path / "out" / "wave" / "a_2.mp4").is_symlink()
