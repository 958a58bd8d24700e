"""CSV out and in: exact, safe in a spreadsheet, and clear about what it cannot use."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.interop.rows import record
from vidlabel.core.errors import FormatError
from vidlabel.core.words import ClipState, Decision, DecisionKind, LabelScore, Suggestion
from vidlabel.interop import csv_in, csv_out
from vidlabel.interop.record import ClipRecord
from vidlabel.interop.values import original_cell, safe_cell

HEADER = "video,start,end,start_frame,end_frame,label,state,annotator,decided_at,model,suggested,probability"


def read_text(path: Path, text: str) -> csv_in.CsvContent:
    path.write_text(text, encoding="utf-8", newline="")
    return csv_in.read(path)


def test_a_file_as_promised(tmp_path: Path) -> None:
    out = tmp_path / "labels.csv"
    nobody = {"label": None, "state": ClipState.SUGGESTED, "annotator": None, "decided_at_us": None}
    suggested = record(2, model="ab12", suggested="kick, high", probability=0.8125, **nobody)
    csv_out.write(out, [record(), suggested])
    assert out.read_bytes().decode() == (
        f"{HEADER}\r\n"
        "/footage/clip_1.mp4,0.000000,2.000001,0,50,wave,labelled,ada,2023-11-14T22:13:20.123+00:00,,,\r\n"
        '/footage/clip_2.mp4,0.000000,2.000001,0,50,,suggested,,,ab12,"kick, high",0.8125\r\n'
    )


def test_what_goes_out_comes_in_again(tmp_path: Path) -> None:
    out = tmp_path / "labels.csv"
    clip = {"start_us": 1_234_567, "end_us": 1_999_999, "start_frame": 31, "end_frame": 49, "whole": False}
    csv_out.write(out, [record(path='/día 1/=a"b,c\n.mp4', label="-wave", state=ClipState.CORRECTED, **clip)])
    [row] = csv_in.read(out).rows
    assert (row.video, row.label, row.kind) == ('/día 1/=a"b,c\n.mp4', "-wave", DecisionKind.CORRECTED)
    assert (row.start_us, row.end_us, row.start_frame, row.end_frame) == (1_234_567, 1_999_999, 31, 49)
    assert (row.annotator, row.decided_at_us) == ("ada", 1_700_000_000_123_000)


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@x", "\tx", "\rx", "\nx", "'=1", "''-"])
def test_no_cell_is_a_formula(cell: str) -> None:
    assert safe_cell(cell) == f"'{cell}"


@given(st.text())
def test_every_cell_comes_back(cell: str) -> None:
    assert original_cell(safe_cell(cell)) == cell
    assert not safe_cell(cell).startswith(("=", "+", "-", "@", "\t", "\r", "\n"))


def test_an_apostrophe_of_its_own_stays() -> None:
    assert original_cell("'round the corner") == safe_cell("'round the corner") == "'round the corner"


def test_what_csv_cannot_hold_is_counted(tmp_path: Path) -> None:
    full = record()
    decision = Decision(
        id=1, clip_id=1, kind=DecisionKind.LABELLED, label="wave", annotator="ada", decided_at_us=1
    )
    scores = (LabelScore("wave", 0.5), LabelScore("kick", 0.25), LabelScore("jump", 0.125))
    suggestion = Suggestion(clip_id=1, model="m", scores=scores, margin=0.25, entropy=0.5)
    rich = ClipRecord(row=full.row, paths=("/a", "/b"), suggestion=suggestion, decisions=(decision, decision))
    gone = ClipRecord(row=record(3, state=ClipState.MISSING).row, paths=("/c",), decisions=(decision,))
    report = csv_out.write(tmp_path / "x.csv", [rich, record(2, path="/odd/\udcff.mp4"), gone])
    assert report.written == 3
    assert dict(report.not_held) == {
        "earlier decisions of clips decided more than once": 1,
        "suggestions after the first": 2,
        "further paths of identical videos": 1,
        "file names that are not UTF-8": 1,
        "decisions about missing or unreadable videos (their label is there)": 1,
    }
    assert "Not held: 2 suggestions after the first" in report.lines()


def test_a_failed_export_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    out = tmp_path / "labels.csv"
    out.write_text("before")

    def broken() -> object:
        yield record()
        raise RuntimeError("the disk is gone")

    with pytest.raises(RuntimeError):
        csv_out.write(out, broken())  # type: ignore[arg-type]
    assert out.read_text() == "before"
    assert list(tmp_path.iterdir()) == [out]


def test_two_columns_are_enough(tmp_path: Path) -> None:
    content = read_text(tmp_path / "x.csv", "\ufeffvideo,label\na.mp4,wave\n\nb.mp4,\n")
    assert [(row.line, row.video, row.label, row.kind) for row in content.rows] == [
        (2, "a.mp4", "wave", DecisionKind.LABELLED),
        (4, "b.mp4", None, None),
    ]


def test_a_spreadsheet_of_another_country(tmp_path: Path) -> None:
    content = read_text(tmp_path / "x.csv", "Label;Video;Start;End;notes\nwave;a.mp4;0,5;1,25;x\n")
    [row] = content.rows
    assert (row.video, row.start_us, row.end_us) == ("a.mp4", 500_000, 1_250_000)
    assert content.unused == ("notes",)


def test_states_without_a_label(tmp_path: Path) -> None:
    content = read_text(
        tmp_path / "x.csv",
        "video,label,state\na,,skipped\nb,,unsure\nc,,unusable\nd,,undecided\ne,wave,missing\nf,,unreadable\n",
    )
    kinds = [row.kind for row in content.rows]
    assert kinds == [
        DecisionKind.SKIPPED, DecisionKind.UNSURE, DecisionKind.UNUSABLE, None, DecisionKind.LABELLED, None,
    ]  # fmt: skip


def test_lines_that_make_no_sense_are_named(tmp_path: Path) -> None:
    content = read_text(
        tmp_path / "x.csv",
        "video,label,start,end,state,decided_at\n"
        '"a\nb",wave,,,,\n'
        ",wave,,,,\n"
        "c,wave,2,1,,\n"
        "d,wave,1,,,\n"
        "e,wave,x,2,,\n"
        "f,wave,,,dreaming,\n"
        "g,,,,accepted,\n"
        "h,wave,,,,yesterday\n"
        "i,wave,,,,,surplus\n"
        "j,wave,,,unsure,\n"
        "k,wave,nan,2,,\n",
    )
    assert [row.video for row in content.rows] == ["a\nb"]
    assert [problem.line for problem in content.problems] == [4, 5, 6, 7, 8, 9, 10, 11, 12, 13]


@pytest.mark.parametrize(
    ("content", "line", "words"),
    [
        (b"", None, "empty"),
        (b"\n \n", None, "empty"),
        (b"video,tag\na,b\n", 1, "label"),
        (b"a.mp4,wave\n", 1, "video and label"),
        (b"video,label\na,wave\n\xe4,wave\n", 3, "UTF-8"),
        ("video,label\n".encode("utf-16"), 1, "UTF-16"),
        (b"video,label,label\na,b,c\n", 1, "twice"),
        (b'video,label\na,"wave\n', 2, "quoting"),
        (b"video,label\na,b\n" + b"x" * 200_000, 3, "too long"),
    ],
)
def test_what_is_no_such_table(tmp_path: Path, content: bytes, line: int | None, words: str) -> None:
    source = tmp_path / "x.csv"
    source.write_bytes(content)
    with pytest.raises(FormatError, match=words) as caught:
        csv_in.read(source)
    assert caught.value.line == line


def test_a_place_that_cannot_be_written_is_named_itself(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    out = tmp_path / "file" / "labels.csv"
    with pytest.raises(OSError, match=r"labels\.csv") as failed:
        csv_out.write(out, [record()])
    assert failed.value.filename == str(out)
