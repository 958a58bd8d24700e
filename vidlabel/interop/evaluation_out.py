"""An evaluation, out: every clip as CSV, everything as JSON, or a folder with tables and figures."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from vidlabel.core.evaluation import ClipAnswer, Evaluated
from vidlabel.core.label_errors import label_errors
from vidlabel.core.time import US_PER_SECOND
from vidlabel.interop.atomic import writing
from vidlabel.interop.figures_svg import calibrated_svg, confusion_svg, labels_svg, reliability_svg
from vidlabel.interop.values import probability_text, safe_cell, seconds_text

COLUMNS = (
    "video", "start", "end", "label", "suggested", "probability", "label_probability", "rank", "right", "calibrated",
)  # fmt: skip
ERROR_COLUMNS = ("video", "start", "end", "label", "suggested", "probability", "label_probability")
JSON_NAME = "evaluation.json"
# An evaluation of before may have fewer columns.
_BEGINNINGS = {".csv": ",".join(COLUMNS[:9]).encode(), ".json": b'{"format":1,"model":'}


class Place(NamedTuple):
    """Where a clip is: its file, and its times in microseconds, end exclusive."""

    path: str
    start_us: int
    end_us: int


_NOWHERE = Place("", 0, 0)


def is_earlier(out: Path) -> bool:
    """Whether a file or folder is an earlier evaluation of the kind its name says, or empty: it may be replaced.

    Raises:
        OSError: it cannot be read.
    """
    if out.is_dir():
        return not any(out.iterdir()) or ((out / JSON_NAME).is_file() and is_earlier(out / JSON_NAME))
    beginning = _BEGINNINGS.get(out.suffix.lower())
    if beginning is None:
        return False
    with out.open("rb") as file:
        return file.read(len(beginning)) in (beginning, b"")


def write(out: Path, found: Evaluated, places: Mapping[int, Place]) -> tuple[Path, ...]:
    """Writes what the name asks for: ``.csv`` the clips, ``.json`` everything, any other a folder of all.

    Args:
        out: where to.
        found: what was measured.
        places: of each clip; one that has none is written without.

    Returns:
        The files written.

    Raises:
        OSError: a file cannot be written; what was there before under its name is untouched.
    """
    if out.suffix.lower() == ".csv":
        return (write_csv(out, found, places),)
    if out.suffix.lower() == ".json":
        return (write_json(out, found, places),)
    return write_folder(out, found, places)


def write_csv(path: Path, found: Evaluated, places: Mapping[int, Place]) -> Path:
    """One row a clip. RFC 4180 in UTF-8, safe to open in a spreadsheet.

    ``probability`` is the model's own; ``calibrated`` is what is shown, empty where the project has no calibration.

    Raises:
        OSError: as ``write``.
    """
    shown = found.calibrated.shown if found.calibrated is not None else (None,) * len(found.answers)
    rows = (
        (
            place.path, seconds_text(place.start_us), seconds_text(place.end_us), one.label, one.suggested,
            probability_text(one.probability), probability_text(one.own), str(one.rank or ""),
            "yes" if one.right else "no", probability_text(calibrated),
        )
        for one, calibrated in zip(found.answers, shown, strict=True)
        for place in [places.get(one.clip_id, _NOWHERE)]
    )  # fmt: skip
    return _table(path, COLUMNS, rows)


def write_json(path: Path, found: Evaluated, places: Mapping[int, Place]) -> Path:
    """Everything, with the place of each clip under ``places`` by clip id.

    Raises:
        OSError: as ``write``.
    """
    own = {str(clip): list(place) for clip, place in places.items()}
    with writing(path) as file:
        # ASCII on purpose: JSON is read the same whatever reads it, and any file name can be said.
        json.dump({**found.to_json(), "places": own}, file, separators=(",", ":"))
    return path


def write_folder(folder: Path, found: Evaluated, places: Mapping[int, Place]) -> tuple[Path, ...]:
    """Clips, labels, confusion matrix and label errors as tables, everything as JSON, and the figures.

    Raises:
        OSError: as ``write``.
    """
    title = f"{found.model} on {found.clips:,} clip{'' if found.clips == 1 else 's'}"
    figures = {
        "confusion.svg": confusion_svg(found, title=title),
        "reliability.svg": reliability_svg(found, title=title),
        "labels.svg": labels_svg(found, title=title),
    }
    if found.calibrated is not None:
        figures["reliability-calibrated.svg"] = calibrated_svg(found, title=title)
    written = [
        write_json(folder / JSON_NAME, found, places),
        write_csv(folder / "clips.csv", found, places),
        _labels(folder / "labels.csv", found),
        _confusion(folder / "confusion.csv", found),
        _label_errors(folder / "label-errors.csv", found, places),
    ]
    for name, text in figures.items():
        with writing(folder / name) as file:
            file.write(text)
        written.append(folder / name)
    return tuple(written)


def doubt_json(one: ClipAnswer, place: Place) -> dict[str, str | float]:
    """A clip that may carry a wrong label, in plain values; times in seconds."""
    return {
        "video": place.path, "start": place.start_us / US_PER_SECOND, "end": place.end_us / US_PER_SECOND,
        "label": one.label, "suggested": one.suggested, "probability": one.probability,
        "label_probability": one.own,
    }  # fmt: skip


def _label_errors(path: Path, found: Evaluated, places: Mapping[int, Place]) -> Path:
    rows = (
        (
            place.path, seconds_text(place.start_us), seconds_text(place.end_us), one.label, one.suggested,
            probability_text(one.probability), probability_text(one.own),
        )
        for one in label_errors(found.answers)
        for place in [places.get(one.clip_id, _NOWHERE)]
    )  # fmt: skip
    return _table(path, ERROR_COLUMNS, rows)


def _labels(path: Path, found: Evaluated) -> Path:
    rows = (
        (one.label, str(one.clips), probability_text(one.recall), probability_text(one.precision))
        for one in found.figures
    )
    return _table(path, ("label", "clips", "recall", "precision"), rows)


def _confusion(path: Path, found: Evaluated) -> Path:
    rows = ((label, *map(str, row)) for label, row in zip(found.labels, found.confusion, strict=True))
    return _table(path, ("label \\ suggested", *found.labels), rows)


def _table(path: Path, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> Path:
    with writing(path) as file:
        table = csv.writer(file, lineterminator="\r\n")
        table.writerow([_cell(name) for name in columns])
        for row in rows:
            table.writerow([_cell(cell) for cell in row])
    return path


def _cell(text: str) -> str:
    """A file name that is not UTF-8 (Linux allows it) cannot be written as UTF-8; it is shown so."""
    return safe_cell(text.encode("utf-8", "replace").decode())
