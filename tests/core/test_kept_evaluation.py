"""Evaluations beside a project: what is none is passed over or refused, never believed."""

from __future__ import annotations

from pathlib import Path

import pytest

from vidlabel.core.errors import FormatError
from vidlabel.core.evaluation import ClipAnswer, Evaluated, LabelResult
from vidlabel.core.kept_evaluation import KeptEvaluation, MeasuredClip, evaluations_folder, kept_of


def evaluation(made_at_us: int = 5) -> KeptEvaluation:
    """One clip of wave, which was recognised."""
    found = Evaluated(
        model="small", hash="h", clips=1, labels=("wave",), top1=1.0, top5=1.0, mean_class=1.0, ece=0.1,
        confusion=((1,),), figures=(LabelResult("wave", 1, 1.0, 1.0),), bins=(),
        answers=(ClipAnswer(1, "wave", "wave", 0.9, 0.9, 1),),
    )  # fmt: skip
    return KeptEvaluation(
        made_at_us=made_at_us, model="h", part="test", expression="label:wave", snapshot="s", evaluated=found,
        clips={1: MeasuredClip("/films/1.mp4", 0, 2, "wave")}, unusable=3, otherwise=1,
    )  # fmt: skip


def keep(project: Path, made_at_us: int) -> Path:
    kept = evaluation(made_at_us)
    folder = evaluations_folder(project)
    folder.mkdir(exist_ok=True)
    path = folder / kept.file_name
    path.write_text("".join(kept.to_text()), "utf-8")
    return path


def test_it_can_be_read_again(tmp_path: Path) -> None:
    path = keep(tmp_path / "work.vidlabel", 5)
    assert KeptEvaluation.read(path) == evaluation()


def test_a_list_is_newest_first_and_passes_over_what_is_none(tmp_path: Path) -> None:
    project = tmp_path / "work.vidlabel"
    assert kept_of(project) == ()
    older, newer = keep(project, 5), keep(project, 12)
    (evaluations_folder(project) / "00000000000000000099.json").write_text("{}\n", "utf-8")
    (evaluations_folder(project) / "notes.json").write_text("mine", "utf-8")
    found = kept_of(project)
    assert [one.path for one in found] == [newer, older]
    assert (found[0].model, found[0].part, found[0].expression) == ("small", "test", "label:wave")
    assert (found[0].clips, found[0].top1) == (1, 1.0)


@pytest.mark.parametrize("cut", [0, 10, 200])
def test_half_a_file_is_refused_in_words(tmp_path: Path, cut: int) -> None:
    path = keep(tmp_path / "work.vidlabel", 5)
    path.write_text(path.read_text("utf-8")[:cut], "utf-8")
    with pytest.raises(FormatError, match="evaluation"):
        KeptEvaluation.read(path)
