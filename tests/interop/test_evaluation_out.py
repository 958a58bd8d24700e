"""An evaluation as tables and figures."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from html import unescape
from pathlib import Path
from xml.etree import ElementTree

import pytest

from vidlabel.core.errors import FormatError
from vidlabel.core.evaluation import CalibratedFigures, ClipAnswer, Evaluated, LabelResult
from vidlabel.core.words import ReliabilityBin
from vidlabel.interop.evaluation_out import COLUMNS, ERROR_COLUMNS, Place, is_earlier, write
from vidlabel.interop.figures_svg import calibrated_svg, confusion_svg, labels_svg, reliability_svg

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture
def found() -> Evaluated:
    """Five clips of two labels, one of them mistaken; a third label that nothing has to do with."""
    right = ClipAnswer(1, "wave", "wave", 0.9, 0.9, 1)
    answers = [replace(right, clip_id=number) for number in (1, 2, 3)]
    return Evaluated(
        model="small", hash="h", clips=5, labels=("wave", "=run()", "a <b> & c"),
        top1=0.8, top5=1.0, mean_class=0.83, ece=0.1,
        confusion=((3, 1, 0), (0, 1, 0), (0, 0, 0)),
        figures=(
            LabelResult("wave", 4, 0.75, 1.0), LabelResult("=run()", 1, 1.0, 0.5),
            LabelResult("a <b> & c", 0, None, None),
        ),
        bins=(
            ReliabilityBin(low=0, high=0.5, clips=0, confidence=None, accuracy=None),
            ReliabilityBin(low=0.5, high=1, clips=5, confidence=0.85, accuracy=0.8),
        ),
        answers=(
            *answers, ClipAnswer(4, "wave", "=run()", 0.6, 0.4, 2), ClipAnswer(5, "=run()", "=run()", 0.7, 0.7, 1)
        ),
        unreadable=((6, "not a video"),), left_out={"fly": 2}, only_in_model=("a <b> & c",), trained_on=1, unhashed=2,
    )  # fmt: skip


PLACES = {number: Place(f"/films/{number}.mp4", 0, 1_500_000) for number in range(1, 6)}


def rows(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


def test_a_table_of_the_clips(found: Evaluated, tmp_path: Path) -> None:
    (path,) = write(tmp_path / "out.csv", found, PLACES)
    head, *content = rows(path)
    assert tuple(head) == COLUMNS
    assert content[0] == [
        "/films/1.mp4",
        "0.000000",
        "1.500000",
        "wave",
        "wave",
        "0.9",
        "0.9",
        "1",
        "yes",
        "",
    ]
    # A spreadsheet must not take it for a formula.
    assert content[3][3:] == ["wave", "'=run()", "0.6", "0.4", "2", "no", ""]


def test_everything_as_json_can_be_read_again(found: Evaluated, tmp_path: Path) -> None:
    (path,) = write(tmp_path / "out.json", found, PLACES)
    assert Evaluated.from_json(json.loads(path.read_text("utf-8")), path) == found
    with pytest.raises(FormatError, match="Evaluate again"):
        Evaluated.from_json({"format": 2}, path)
    with pytest.raises(FormatError, match="damaged"):
        Evaluated.from_json({**found.to_json(), "answers": 3}, path)


def test_a_folder_of_all(found: Evaluated, tmp_path: Path) -> None:
    folder = tmp_path / "out"
    names = {path.name for path in write(folder, found, PLACES)}
    assert names == {path.name for path in folder.iterdir()} == {
        "evaluation.json", "clips.csv", "labels.csv", "confusion.csv", "confusion.svg", "reliability.svg", "labels.svg",
            "label-errors.csv",
    }  # fmt: skip
    assert rows(folder / "labels.csv")[1:] == [
        ["wave", "4", "0.75", "1.0"], ["'=run()", "1", "1.0", "0.5"], ["a <b> & c", "0", "", ""],
    ]  # fmt: skip
    assert rows(folder / "confusion.csv")[1] == ["wave", "3", "1", "0"]


def test_only_an_earlier_evaluation_may_be_replaced(found: Evaluated, tmp_path: Path) -> None:
    for name in ("out.csv", "out.json", "out"):
        write(tmp_path / name, found, PLACES)
        assert is_earlier(tmp_path / name)
    other = tmp_path / "other.csv"
    other.write_text("video,label\n", "utf-8")
    assert not is_earlier(other)
    (tmp_path / "folder").mkdir()
    assert is_earlier(tmp_path / "folder")
    (tmp_path / "folder" / "mine.txt").touch()
    assert not is_earlier(tmp_path / "folder")


def test_the_matrix_shows_the_labels_that_matter(found: Evaluated) -> None:
    drawn = ElementTree.fromstring(confusion_svg(found, title="<small> & co"))
    titles = [title.text for title in drawn.iter(f"{SVG}title")]
    assert titles == [
        "wave suggested as wave: 3",
        "wave suggested as =run(): 1",
        "=run() suggested as =run(): 1",
    ]
    words = [text.text for text in drawn.iter(f"{SVG}text")]
    assert "<small> & co" in words
    assert "a <b> & c" not in words


def test_the_other_figures(found: Evaluated) -> None:
    plot = ElementTree.fromstring(reliability_svg(found, title="small"))
    assert [title.text for title in plot.iter(f"{SVG}title")] == ["5 clips: said 85%, right 80%"]
    bars = ElementTree.fromstring(labels_svg(found, title="small"))
    assert [title.text for title in bars.iter(f"{SVG}title")] == [
        "wave: recall 75.0%, precision 100.0%, 4 clips", "=run(): recall 100.0%, precision 50.0%, 1 clip",
    ]  # fmt: skip


def test_nothing_measured_can_be_written_too(found: Evaluated, tmp_path: Path) -> None:
    nothing = replace(
        found, clips=0, top1=None, top5=None, mean_class=None, ece=None, answers=(), bins=(),
        confusion=((0, 0, 0),) * 3, figures=tuple(LabelResult(label, 0, None, None) for label in found.labels),
    )  # fmt: skip
    for path in write(tmp_path / "out", nothing, {}):
        if path.suffix == ".svg":
            ElementTree.parse(path)
    assert rows(tmp_path / "out" / "clips.csv") == [list(COLUMNS)]


def test_figures_have_colours_for_light_and_dark(found: Evaluated) -> None:
    for text in (
        confusion_svg(found, title=""),
        reliability_svg(found, title=""),
        labels_svg(found, title=""),
    ):
        assert "prefers-color-scheme: dark" in text
        assert 'class="ground"' in text


def test_each_reliability_figure_says_whose_confidence_it_is(found: Evaluated, tmp_path: Path) -> None:
    calibrated = CalibratedFigures(
        temperature=1.5, fitted_on=40, ece=0.04, bins=found.bins, shown=(0.8, 0.8, 0.8, 0.5, 0.6)
    )
    both = replace(found, calibrated=calibrated)
    assert "the model's own confidence" in unescape(reliability_svg(both, title="t"))
    told = calibrated_svg(both, title="t")
    assert "calibrated confidence: expected calibration error 4.0%" in told and "temperature 1.50" in told
    assert "reliability-calibrated.svg" in {path.name for path in write(tmp_path / "out", both, PLACES)}
    assert rows(tmp_path / "out" / "clips.csv")[4][-1] == "0.5"
    assert Evaluated.from_json(json.loads(json.dumps(both.to_json())), tmp_path) == both


def test_label_errors_are_a_table_of_their_own(found: Evaluated, tmp_path: Path) -> None:
    write(tmp_path / "out", found, PLACES)
    head, *content = rows(tmp_path / "out" / "label-errors.csv")
    assert tuple(head) == ERROR_COLUMNS
    # It gives the other label 0.6, and that label's own clips 0.7: it is not sure of it.
    assert content == []
    bolder = replace(found.answers[3], probability=0.9, own=0.1)
    write(tmp_path / "bold", replace(found, answers=(*found.answers[:3], bolder, found.answers[4])), PLACES)
    assert [row[0] for row in rows(tmp_path / "bold" / "label-errors.csv")[1:]] == ["/films/4.mp4"]
