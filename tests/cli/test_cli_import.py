"""import: labels from elsewhere, told exactly what came over."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import CommandLine
from vidlabel.core.words import DecisionKind, NewDecision
from vidlabel.store.project_store import ProjectStore


@pytest.fixture
def labels(tmp_path: Path) -> Path:
    return tmp_path / "labels.csv"


def test_two_columns(vidlabel: CommandLine, footage: Path, labels: Path) -> None:
    labels.write_text(f"video,label\na.mp4,wave\n{footage / 'day 1' / 'b.avi'},kick\n")
    answer = vidlabel.json("import", footage, labels, "--format", "csv", "--annotator", "ada")
    assert (answer["imported"], answer["unchanged"], answer["not_imported"]) == (2, 0, [])
    clips = vidlabel.json("list", footage, "--filter", "state:decided")["clips"]
    assert {(clip["label"], clip["annotator"], clip["state"]) for clip in clips} == {
        ("wave", "ada", "labelled"), ("kick", "ada", "labelled"),
    }  # fmt: skip
    again = vidlabel.json("import", footage, labels, "--format", "csv")
    assert (again["imported"], again["unchanged"]) == (0, 2)


def test_a_dry_run_says_the_same_and_writes_nothing(
    vidlabel: CommandLine, footage: Path, labels: Path
) -> None:
    labels.write_text("video,label,start,end\na.mp4,wave,0.4,1.2\nb.avi,kick,,\nday 1/b.avi,kick,,\n")
    project = Path(vidlabel("where", footage).out.strip())
    dry = vidlabel.json("import", footage, labels, "--format", "csv", "--dry-run")
    assert not project.exists()
    assert (dry["imported"], dry["new_clips"], dry["dry_run"]) == (2, 1, True)
    assert [one["line"] for one in dry["not_imported"]] == [3]
    vidlabel("scan", footage)
    before = project.read_bytes()
    assert "would be imported" in vidlabel("import", footage, labels, "--format", "csv", "--dry-run").out
    assert project.read_bytes() == before
    wet = vidlabel.json("import", footage, labels, "--format", "csv")
    assert wet == dry | {"dry_run": False}


def test_unknown_videos_and_labels_are_named_by_line(
    vidlabel: CommandLine, footage: Path, labels: Path
) -> None:
    labels.write_text("video,label\na.mp4,wavy\nz.mp4,wave\nday 1/b.avi,kick\n,x\n")
    answer = vidlabel.json("import", footage, labels, "--format", "csv", "--known-labels-only")
    assert answer["imported"] == 1
    reasons = {one["line"]: one["reason"] for one in answer["not_imported"]}
    assert "Did you mean wave" in reasons[2]
    assert "z.mp4" in reasons[3]
    assert "no video" in reasons[5]
    answer = vidlabel.json("import", footage, labels, "--format", "csv")
    assert (answer["imported"], answer["unchanged"], answer["new_labels"]) == (1, 1, ["wavy"])
    assert vidlabel.json("label", footage, "a.mp4", "wavy")["label"] == "wavy"


def test_a_file_of_which_nothing_fits_is_a_failure(
    vidlabel: CommandLine, footage: Path, labels: Path
) -> None:
    labels.write_text("video,label\nz.mp4,wave\n")
    answer = vidlabel.json("import", footage, labels, "--format", "csv", code=1)
    assert answer["imported"] == 0
    assert len(answer["not_imported"]) == 1


def test_one_clip_twice(vidlabel: CommandLine, footage: Path, labels: Path) -> None:
    labels.write_text("video,label\na.mp4,wave\na.mp4,wave\ncopy.mp4,kick\n")
    for imported in (1, 0):
        answer = vidlabel.json("import", footage, labels, "--format", "csv")
        assert answer["imported"] == imported
        assert [one["line"] for one in answer["not_imported"]] == [3]
    assert vidlabel.json("list", footage)["counts"]["by_label"] == {"kick": 1}


def test_parts_by_time_and_by_frame(vidlabel: CommandLine, footage: Path, labels: Path) -> None:
    labels.write_text(
        "video,label,start,end,start_frame,end_frame\n"
        "a.mp4,wave,0.4,1.2,,\n"
        "a.mp4,kick,,,25,50\n"
        "day 1/b.avi,run,0,1.2,,\n"
        "day 1/b.avi,jump,1,9,,\n"
        "day 1/b.avi,jump,,,20,99\n"
    )
    answer = vidlabel.json("import", footage, labels, "--format", "csv")
    assert (answer["imported"], answer["new_clips"]) == (3, 2)
    assert [one["line"] for one in answer["not_imported"]] == [5, 6]
    clips = vidlabel.json("list", footage, "--filter", "state:decided", "--sort", "path")["clips"]
    assert [(clip["label"], clip["start"], clip["end"], clip["whole"]) for clip in clips] == [
        ("wave", 0.4, 1.2, False), ("kick", 1.0, 2.0, False), ("run", 0.0, 1.2, True),
    ]  # fmt: skip
    assert vidlabel.json("import", footage, labels, "--format", "csv")["unchanged"] == 3


def test_who_when_and_what_kind_come_over(vidlabel: CommandLine, footage: Path, labels: Path) -> None:
    labels.write_text(
        "video,label,state,annotator,decided_at\n"
        "a.mp4,wave,corrected,grace,2024-05-06T07:08:09.123+02:00\n"
        "day 1/b.avi,,unsure,,\n"
    )
    vidlabel("import", footage, labels, "--format", "csv", "--annotator", "ada")
    clips = {Path(clip["video"]).name: clip for clip in vidlabel.json("list", footage)["clips"]}
    first = clips["a.mp4"]
    assert (first["state"], first["annotator"]) == ("corrected", "grace")
    assert first["decided_at"] == "2024-05-06T05:08:09.123+00:00"
    assert (clips["b.avi"]["state"], clips["b.avi"]["annotator"]) == ("unsure", "ada")
    assert vidlabel.json("import", footage, labels, "--format", "csv")["unchanged"] == 2


def test_an_import_over_other_labels_says_so(vidlabel: CommandLine, footage: Path, labels: Path) -> None:
    vidlabel("label", footage, "a.mp4", "wave")
    labels.write_text("video,label\na.mp4,kick\n")
    assert vidlabel.json("import", footage, labels, "--format", "csv")["replaced"] == 1


def test_no_table(vidlabel: CommandLine, footage: Path, labels: Path) -> None:
    labels.write_bytes(b"video,label\na.mp4,f\xe9te\n")
    said = vidlabel("import", footage, labels, "--format", "csv", code=1)
    assert f"{labels}, line 2" in said.err
    assert said.out == ""


def test_everything_comes_into_a_fresh_project(
    vidlabel: CommandLine, tmp_path: Path, made_clips: Path
) -> None:
    footage = tmp_path / "all"
    footage.mkdir()
    names = ("=a.mp4", 'b, "c".mp4', "d\ne.mp4", "'f.mp4", "höhe 日本.mp4", "g.mp4", "h.mp4")
    for number, name in enumerate(names):
        (footage / name).write_bytes((made_clips / "a.mp4").read_bytes() + bytes(number + 1))
    told = zip(
        names,
        (DecisionKind.ACCEPTED, DecisionKind.CORRECTED, DecisionKind.LABELLED, DecisionKind.SKIPPED,
         DecisionKind.UNSURE, DecisionKind.UNUSABLE),
        ("=cmd()", 'sitz, "platz"', "x" * 3000, None, None, None),
        strict=False,
    )  # fmt: skip
    first = tmp_path / "first.vidlabel"
    vidlabel("scan", first, footage)
    with ProjectStore.open(first) as store:
        for name, kind, label in told:
            if label is not None:
                store.add_label(label)
            clip = store.clips_of_video(footage / name)[0].clip_id
            store.decide([NewDecision(clip_id=clip, kind=kind, label=label)], annotator='@ann, "x"')
    out = [tmp_path / f"{number}.csv" for number in range(2)]
    vidlabel("label", first, "h.mp4", "wave", "--start", "0.5", "--end", "1.25")
    vidlabel("export", first, out[0], "--format", "csv")
    second = tmp_path / "second.vidlabel"
    vidlabel("scan", second, footage)
    answer = vidlabel.json("import", second, out[0], "--format", "csv")
    assert (answer["imported"], answer["new_clips"], answer["not_imported"]) == (7, 1, [])
    assert set(answer["new_labels"]) == {"=cmd()", 'sitz, "platz"', "x" * 3000}
    vidlabel("export", second, out[1], "--format", "csv")
    assert out[1].read_bytes() == out[0].read_bytes()


def test_a_row_that_is_left_out_adds_no_label(vidlabel: CommandLine, footage: Path, labels: Path) -> None:
    labels.write_text("video,label\nz.mp4,new\na.mp4,\x07\na.mp4,  two   words \n")
    answer = vidlabel.json("import", footage, labels, "--format", "csv")
    assert answer["new_labels"] == ["two words"]
    assert [one["line"] for one in answer["not_imported"]] == [2, 3]


def test_labels_are_known_by_the_name_they_had(vidlabel: CommandLine, footage: Path, labels: Path) -> None:
    project = footage.parent / "work.vidlabel"
    vidlabel("scan", project, footage)
    vidlabel("label", project, "day 1/b.avi", "kick")
    with ProjectStore.open(project) as store:
        known = {label.name: label.id for label in store.labels()}
        store.rename_label(known["wave"], "waving hello")
        store.retire_label(known["kick"])
    labels.write_text("video,label\na.mp4,wave\nday 1/b.avi,kick\n")
    answer = vidlabel.json("import", project, labels, "--format", "csv")
    assert (answer["imported"], answer["unchanged"], answer["new_labels"]) == (1, 1, [])
    assert vidlabel.json("label", project, "day 1/with sound.mp4", "wave")["label"] == "waving hello"
    with ProjectStore.open(project) as store:
        assert next(label.retired for label in store.labels() if label.name == "kick")
