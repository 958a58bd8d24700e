"""Our own CSV, out: one row a clip. RFC 4180 in UTF-8, safe to open in a spreadsheet; see docs/formats.md."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from pathlib import Path

from vidlabel.core.time import iso_from_us
from vidlabel.core.words import ClipRow, ClipState, DecisionKind
from vidlabel.interop.atomic import writing
from vidlabel.interop.record import ClipRecord
from vidlabel.interop.report import ExportReport
from vidlabel.interop.values import probability_text, safe_cell, seconds_text

COLUMNS = (
    "video",
    "start",
    "end",
    "start_frame",
    "end_frame",
    "label",
    "state",
    "annotator",
    "decided_at",
    "model",
    "suggested",
    "probability",
)


def write(path: Path, records: Iterable[ClipRecord]) -> ExportReport:
    """Writes all clips, in the order given.

    Raises:
        OSError: the file cannot be written; what was there before is untouched.
    """
    report = ExportReport()
    with writing(path) as file:
        table = csv.writer(file, lineterminator="\r\n")
        table.writerow(COLUMNS)
        for record in records:
            table.writerow([safe_cell(_storable(cell, report)) for cell in _cells(record.row)])
            report.written += 1
            _count_what_is_lost(report, record)
    return report


def _storable(cell: str, report: ExportReport) -> str:
    """A file name that is not UTF-8 (Linux allows it) cannot be written as UTF-8; it is shown so."""
    shown = cell.encode("utf-8", "replace").decode()
    if shown != cell:
        report.not_held["file names that are not UTF-8"] += 1
    return shown


def _cells(row: ClipRow) -> tuple[str, ...]:
    return (
        row.path,
        seconds_text(row.start_us),
        seconds_text(row.end_us),
        str(row.start_frame),
        str(row.end_frame),
        row.label or "",
        row.state.value,
        row.annotator or "",
        "" if row.decided_at_us is None else iso_from_us(row.decided_at_us),
        row.model or "",
        row.suggested or "",
        probability_text(row.probability),
    )


def _count_what_is_lost(report: ExportReport, record: ClipRecord) -> None:
    lost = {
        "earlier decisions of clips decided more than once": len(record.decisions) - 1,
        "suggestions after the first": len(record.suggestion.scores) - 1 if record.suggestion else 0,
        "decisions about missing or unreadable videos (their label is there)": _hidden_decision(record),
        "further paths of identical videos": len(record.paths) - 1 if record.row.whole else 0,
    }
    for kind, count in lost.items():
        if count > 0:
            report.not_held[kind] += count


def _hidden_decision(record: ClipRecord) -> int:
    """1 where the file's trouble stands in the column that else says how the clip was decided."""
    hidden = record.row.state in (ClipState.MISSING, ClipState.UNREADABLE)
    return int(hidden and bool(record.decisions) and record.decisions[-1].kind is not DecisionKind.WITHDRAWN)
