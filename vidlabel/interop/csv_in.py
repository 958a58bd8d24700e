"""CSV, in: what :mod:`vidlabel.interop.csv_out` writes, and any table with ``video`` and ``label``."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from vidlabel.core.errors import FormatError
from vidlabel.core.time import us_from_iso, us_from_seconds
from vidlabel.core.words import ClipState, DecisionKind
from vidlabel.interop.record import ImportedRow
from vidlabel.interop.report import Problem
from vidlabel.interop.values import original_cell

REQUIRED = ("video", "label")
USED = ("video", "label", "start", "end", "start_frame", "end_frame", "annotator", "decided_at", "state")

_LABELLING = frozenset({DecisionKind.ACCEPTED, DecisionKind.CORRECTED, DecisionKind.LABELLED})
_STATES = {state.value: state for state in ClipState}
_KINDS = {kind.value: kind for kind in DecisionKind if kind is not DecisionKind.WITHDRAWN}


@dataclass(slots=True)
class CsvContent:
    """A table as read: rows that can be used, lines that cannot, and columns that mean nothing here."""

    rows: list[ImportedRow] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    unused: tuple[str, ...] = ()


class _BadCellError(ValueError):
    """The message says which cell of a line cannot be used."""


def read(path: Path) -> CsvContent:
    """Reads a whole table. Lines that make no sense become problems; only a file that is no table is refused.

    Raises:
        FormatError: not UTF-8, empty, a column missing or twice, or broken quoting; with the line.
        OSError: the file cannot be read.
    """
    text = _decoded(path)
    header_line = next((number for number, line in enumerate(text.splitlines(), 1) if line.strip()), None)
    if header_line is None:
        raise FormatError(path, "the file is empty. Its first line must name the columns: video,label.")
    delimiter = _delimiter(text)
    table = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    content = CsvContent()
    columns: list[str] | None = None
    for line, cells in _lines(path, table):
        if not any(cell.strip() for cell in cells):
            continue
        if columns is None:
            columns = _columns(path, cells, line=line)
            content.unused = tuple(name for name in columns if name not in USED)
            continue
        try:
            content.rows.append(_row(columns, cells, line=line, comma=delimiter == ";"))
        except _BadCellError as error:
            content.problems.append(Problem(line, str(error)))
    return content


def _decoded(path: Path) -> str:
    raw = path.read_bytes()
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        hint = "UTF-16" if raw[:2] in (b"\xff\xfe", b"\xfe\xff") else "another encoding"
        raise FormatError(
            path, f"this is not UTF-8 but {hint}. Save it as 'CSV UTF-8'.", line=line
        ) from error


def _delimiter(text: str) -> str:
    """A comma, unless only another one makes the required columns appear (spreadsheets of many countries)."""
    header = next(line for line in text.splitlines() if line.strip())
    for delimiter in (",", ";", "\t"):
        names = {cell.strip().strip('"').lower() for cell in header.split(delimiter)}
        if names.issuperset(REQUIRED):
            return delimiter
    return ","


def _lines(path: Path, table: Iterator[list[str]]) -> Iterator[tuple[int, list[str]]]:
    """Each record with the line it begins on (a quoted cell may run over several)."""
    begins = 1
    while True:
        try:
            cells = next(table)
        except StopIteration:
            return
        except csv.Error as error:
            raise FormatError(
                path, f"the quoting is broken or a cell too long ({error}).", line=begins
            ) from error
        yield begins, cells
        begins = table.line_num + 1  # type: ignore[attr-defined]


def _columns(path: Path, cells: list[str], *, line: int) -> list[str]:
    columns = [original_cell(cell).strip().lower() for cell in cells]
    missing = [name for name in REQUIRED if name not in columns]
    if missing:
        found = ", ".join(name or "(no name)" for name in columns)[:200]
        raise FormatError(path, f"the column {' and '.join(missing)} is missing. Found: {found}.", line=line)
    twice = sorted({name for name in columns if name and columns.count(name) > 1})
    if twice:
        raise FormatError(path, f"the column {twice[0]} is there twice.", line=line)
    return columns


def _row(columns: list[str], cells: list[str], *, line: int, comma: bool) -> ImportedRow:
    if len(cells) > len(columns) and any(cell.strip() for cell in cells[len(columns) :]):
        raise _BadCellError(
            f"{len(cells)} cells, but the header has {len(columns)}; quote a cell that holds a comma"
        )
    values = {name: original_cell(cell) for name, cell in zip(columns, cells, strict=False)}
    video = values.get("video", "")
    if not video.strip():
        raise _BadCellError("no video is named")
    label = values.get("label", "").strip() or None
    state = values.get("state", "").strip().lower()
    start_us, end_us = _range(values, "start", "end", lambda text: _microseconds(text, comma=comma))
    start_frame, end_frame = _range(values, "start_frame", "end_frame", _frame)
    return ImportedRow(
        line=line,
        video=video,
        label=label,
        kind=_kind(state, label),
        start_us=start_us,
        end_us=end_us,
        start_frame=start_frame,
        end_frame=end_frame,
        annotator=values.get("annotator", "").strip() or None,
        decided_at_us=_moment(values.get("decided_at", "").strip()),
        state_given=state in _KINDS,
    )


def _kind(state: str, label: str | None) -> DecisionKind | None:
    """What the row decides. A state that is no decision (missing, suggested, ...) leaves it to the label."""
    if state and state not in _STATES:
        raise _BadCellError(f"there is no state '{state}'")
    kind = _KINDS.get(state)
    if kind in _LABELLING and label is None:
        raise _BadCellError(f"the state is {state}, but there is no label")
    if kind is not None and kind not in _LABELLING and label is not None:
        raise _BadCellError(f"the state is {state}, which goes without a label")
    if kind is None and label is not None:
        return DecisionKind.LABELLED
    return kind


def _range(
    values: dict[str, str], first: str, last: str, read_one: Callable[[str], int]
) -> tuple[int | None, int | None]:
    texts = values.get(first, "").strip(), values.get(last, "").strip()
    if not any(texts):
        return None, None
    if not texts[1]:
        raise _BadCellError(f"there is a {first}, but no {last}")
    start = read_one(texts[0]) if texts[0] else 0
    end = read_one(texts[1])
    # An unreadable video has neither length nor frames: its row says 0 to 0, which names the whole of it.
    if (start, end) == (0, 0):
        return None, None
    if start < 0 or end <= start:
        raise _BadCellError(f"{first} {texts[0] or 0} to {last} {texts[1]} is no range")
    return start, end


def _microseconds(text: str, *, comma: bool) -> int:
    try:
        seconds = float(text.replace(",", ".") if comma else text)
    except ValueError:
        seconds = math.nan
    if not math.isfinite(seconds) or abs(seconds) > 1e9:
        raise _BadCellError(f"'{text}' is no time in seconds")
    return us_from_seconds(seconds)


def _frame(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise _BadCellError(f"'{text}' is no frame number") from None


def _moment(text: str) -> int | None:
    if not text:
        return None
    try:
        return us_from_iso(text)
    except ValueError:
        raise _BadCellError(
            f"'{text}' is no date and time (ISO 8601, as 2026-03-01T09:30:00+00:00)"
        ) from None
