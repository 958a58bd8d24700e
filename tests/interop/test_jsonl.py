"""JSON lines: everything a project knows of a clip."""

from __future__ import annotations

import json
from pathlib import Path

from tests.interop.rows import record
from vidlabel.core.words import Decision, DecisionKind, LabelScore, Suggestion
from vidlabel.interop import jsonl
from vidlabel.interop.record import ClipRecord


def test_one_object_a_clip(tmp_path: Path) -> None:
    first = Decision(
        id=1, clip_id=1, kind=DecisionKind.CORRECTED, label="kick", annotator="ada", decided_at_us=1_000_000,
        model="m", suggested="wave", probability=0.5, took_us=1_500_000,
    )  # fmt: skip
    undo = Decision(
        id=2, clip_id=1, kind=DecisionKind.WITHDRAWN, label=None, annotator="ada", decided_at_us=2, undoes=1
    )
    suggestion = Suggestion(
        clip_id=1,
        model="m",
        scores=(LabelScore("wave", 0.5, 0.4), LabelScore("kick", 0.25)),
        margin=0.25,
        entropy=0.5,
    )
    rich = ClipRecord(row=record().row, paths=("/é", "/b"), suggestion=suggestion, decisions=(first, undo))
    out = tmp_path / "clips.jsonl"
    report = jsonl.write(out, [rich, record(2)])
    lines = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    assert report.to_json() == {"written": 2, "not_held": {}, "notes": []}
    assert lines[0]["end"] == 2.000001
    assert lines[0]["paths"] == ["/é", "/b"]
    assert lines[0]["suggestions"] == [
        {"label": "wave", "probability": 0.5, "calibrated": 0.4},
        {"label": "kick", "probability": 0.25, "calibrated": None},
    ]
    assert lines[0]["decisions"][0] == {
        "kind": "corrected", "label": "kick", "annotator": "ada",
        "decided_at": "1970-01-01T00:00:01.000+00:00", "model": "m", "suggested": "wave", "probability": 0.5,
        "took": 1.5, "imported": False, "undo": False,
    }  # fmt: skip
    assert lines[0]["decisions"][1]["undo"] is True
    assert lines[1]["suggestions"] == []


def test_a_file_name_that_is_not_utf8_comes_back(tmp_path: Path) -> None:
    out = tmp_path / "clips.jsonl"
    jsonl.write(out, [record(path="/odd/\udcff.mp4")])
    assert json.loads(out.read_text(encoding="utf-8"))["video"] == "/odd/\udcff.mp4"
