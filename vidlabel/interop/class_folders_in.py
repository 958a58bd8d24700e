"""Class folders, in: ``<label>/<file>``, the label being the name of the folder."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path

from vidlabel.core.errors import FormatError
from vidlabel.core.words import DecisionKind
from vidlabel.interop.record import ImportedRow
from vidlabel.interop.report import Problem

UNLABELLED = "_unlabeled"
"""Where FiftyOne puts what has no label."""


@dataclass(slots=True)
class FoldersContent:
    """What the folders say.

    Attributes:
        rows: a video each, ``line`` being its place in the order of paths, from 1.
        problems: what was left out, by the same numbers.
        not_held: kind of thing passed over, in words -> how many.
    """

    rows: list[ImportedRow] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    not_held: Counter[str] = field(default_factory=Counter)


def read(folder: Path, *, suffixes: Collection[str]) -> FoldersContent:
    """Reads which video is of which label; no video is opened.

    Args:
        folder: the one that holds a folder for each label.
        suffixes: of video files, in small letters, with their dot.

    Raises:
        FormatError: it has no folder with a video in it.
        OSError: a folder cannot be read.
    """
    content = FoldersContent()
    for path in files_below(folder):
        if path.suffix.lower() not in suffixes:
            content.not_held["files that are no videos"] += 1
        elif path.parent == folder:
            content.not_held["videos beside the label folders"] += 1
        else:
            content.rows.append(_row(folder, path, number=len(content.rows) + 1))
    if not content.rows:
        raise FormatError(
            folder,
            "there is no folder with videos in it here. It needs <label>/<file>, a folder for each label.",
        )
    return content


def files_below(folder: Path) -> list[Path]:
    """All files below, in the order of paths, without hidden ones; links to folders are followed once each."""
    found: list[Path] = []
    entered: set[Path] = set()
    for parent, folders, names in os.walk(folder, followlinks=True, onerror=_raise):
        real = Path(parent).resolve()
        if real in entered:
            folders.clear()
            continue
        entered.add(real)
        folders[:] = [name for name in folders if not name.startswith(".")]
        found += [Path(parent, name) for name in names if not name.startswith(".")]
    return sorted(found)


def _raise(error: OSError) -> None:
    raise error


def _row(folder: Path, path: Path, *, number: int) -> ImportedRow:
    label = path.relative_to(folder).parts[0].strip()
    nothing = label == UNLABELLED
    return ImportedRow(
        line=number,
        video=str(path),
        label=None if nothing else label,
        kind=None if nothing else DecisionKind.LABELLED,
        of_folder=True,
    )
