"""Our own JSON lines, out: one object a clip with all its decisions and suggestions; see docs/formats.md."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from vidlabel.core.time import iso_from_us, seconds_from_us
from vidlabel.core.words import ClipRow, Decision, Suggestion
from vidlabel.interop.atomic import writing
from vidlabel.interop.record import ClipRecord
from vidlabel.interop.report import ExportReport

_LONE = re.compile("[\ud800-\udfff]")


def write(path: Path, records: Iterable[ClipRecord]) -> ExportReport:
    """Writes all clips, in the order given. The format holds everything a project knows of a clip.

    Raises:
        OSError: the file cannot be written; what was there before is untouched.
    """
    report = ExportReport()
    with writing(path) as file:
        for record in records:
            line = json.dumps(clip_json(record), ensure_ascii=False, separators=(",", ":"))
            # A file name that is not UTF-8 is carried as lone surrogates; JSON can hold them escaped only.
            file.write(_LONE.sub(lambda found: f"\\u{ord(found.group()):04x}", line) + "\n")
            report.written += 1
    return report


def clip_json(record: ClipRecord) -> dict[str, Any]:
    """One clip as JSON values; times in seconds, ends exclusive."""
    row = record.row
    return {
        **row_json(row, record.paths),
        "suggestions": suggestions_json(record.suggestion),
        "decisions": [_decision_json(decision) for decision in record.decisions],
    }


def row_json(row: ClipRow, paths: tuple[str, ...] = ()) -> dict[str, Any]:
    """What the library shows of a clip, as JSON values; ``list --json`` answers the same."""
    return {
        "video": row.path,
        "paths": list(paths or (row.path,)),
        "start": seconds_from_us(row.start_us),
        "end": seconds_from_us(row.end_us),
        "start_frame": row.start_frame,
        "end_frame": row.end_frame,
        "whole": row.whole,
        "label": row.label,
        "state": row.state.value,
        "annotator": row.annotator,
        "decided_at": None if row.decided_at_us is None else iso_from_us(row.decided_at_us),
        "model": row.model,
        "suggested": row.suggested,
        "probability": row.probability,
        "calibrated": row.calibrated,
        "reason": row.reason,
        "fps": row.fps,
        "width": row.width,
        "height": row.height,
        "audio": row.audio,
    }


def suggestions_json(suggestion: Suggestion | None) -> list[dict[str, Any]]:
    """A suggestion as JSON values, best label first."""
    scores = suggestion.scores if suggestion else ()
    return [
        {"label": score.label, "probability": score.probability, "calibrated": score.calibrated}
        for score in scores
    ]


def _decision_json(decision: Decision) -> dict[str, Any]:
    return {
        "kind": decision.kind.value,
        "label": decision.label,
        "annotator": decision.annotator,
        "decided_at": iso_from_us(decision.decided_at_us),
        "model": decision.model,
        "suggested": decision.suggested,
        "probability": decision.probability,
        "took": None if decision.took_us is None else seconds_from_us(decision.took_us),
        "imported": decision.imported,
        "undo": decision.undoes is not None,
    }
