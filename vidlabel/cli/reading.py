"""What an import reads, by format: rows of a file, or the folders of a data set and its official split."""

from __future__ import annotations

from argparse import Namespace
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from vidlabel.cli.context import clips_of
from vidlabel.cli.official import Official, official_split
from vidlabel.cli.output import Output
from vidlabel.cli.scanning import scan_roots
from vidlabel.core.errors import UnknownVideoError, UsageError
from vidlabel.interop import class_folders_in, csv_in, hmdb51_in
from vidlabel.interop.record import ImportedRow
from vidlabel.interop.report import Problem
from vidlabel.learning.split import read_hmdb51_split
from vidlabel.media.walk import SUFFIXES
from vidlabel.ml.published import hmdb51_labels
from vidlabel.store.project_store import ProjectStore

_FOLDERS = frozenset({"class-folders", "hmdb51"})


@dataclass(slots=True)
class Content:
    """What was read.

    Attributes:
        rows: to be planned.
        problems: what was left out already.
        unused: columns that are not imported.
        not_held: kinds of things passed over, in words -> how many.
        folder: of a format of folders; its videos are the project's from then on.
        official: the official split that was named.
        split: what it says, with figures.
    """

    rows: list[ImportedRow]
    problems: list[Problem]
    unused: tuple[str, ...] = ()
    not_held: Counter[str] = field(default_factory=Counter)
    folder: Path | None = None
    official: Official | None = None
    split: dict[str, Any] | None = None


def read(arguments: Namespace) -> Content:
    """Reads the source; the project is not asked yet.

    Raises:
        UsageError: there is no such file or folder, or an option goes with another format.
        FormatError: it is not what ``--format`` says.
    """
    source: Path = arguments.source
    if arguments.format != "hmdb51" and (arguments.splits is not None or arguments.split_number is not None):
        raise UsageError("--splits and --split-number go with --format hmdb51 only.")
    if arguments.split_number is not None and arguments.splits is None:
        raise UsageError("--split-number needs --splits FOLDER, the folder with the split files.")
    if not source.exists():
        raise UsageError(f"There is no {'folder' if arguments.format in _FOLDERS else 'file'} {source}.")
    if arguments.format not in _FOLDERS:
        if not source.is_file():
            raise UsageError(f"{source} is no file.")
        rows = csv_in.read(source)
        return Content(rows.rows, rows.problems, unused=rows.unused)
    if not source.is_dir():
        raise UsageError(f"{source} is no folder, which --format {arguments.format} needs.")
    # As the scanner will call its files: a root is kept without links in its own path.
    folder = source.resolve()
    if arguments.format == "class-folders":
        found = class_folders_in.read(folder, suffixes=SUFFIXES)
        return Content(found.rows, found.problems, not_held=found.not_held, folder=folder)
    return _hmdb51(folder, arguments)


def _hmdb51(folder: Path, arguments: Namespace) -> Content:
    official = official_split(arguments.splits, arguments.split_number)
    entries = () if official is None else read_hmdb51_split(official.folder, official.number)
    listed = {Path(one.video).stem: one.label for one in entries}
    found = hmdb51_in.read(folder, suffixes=SUFFIXES, classes=hmdb51_labels(), listed=listed)
    content = Content(found.rows, found.problems, not_held=found.not_held, folder=folder)
    if official is not None:
        content.official = official
        here = {Path(row.video).stem for row in found.rows}
        parts = Counter(one.part or "unused" for one in entries if Path(one.video).stem in here)
        content.split = {
            **official.to_json(),
            "train": parts["train"],
            "test": parts["test"],
            "unused": parts["unused"],
            "not_here": len(listed) - parts.total(),
            "not_listed": len(here - listed.keys()),
        }
    return content


def settle(store: ProjectStore, content: Content, output: Output) -> None:
    """Finds the videos of folders in the project; where some are new to it, the folder becomes a root.

    Links lead to what they link: class folders that were exported are taken back without a second path.
    """
    folder = content.folder
    if folder is None or any(folder.is_relative_to(root.path) for root in store.roots()):
        return
    if all(_is_known(store, row) for row in content.rows):
        return
    root = store.add_root(folder)
    output.log(f"vidlabel: {root.path} is watched from now on.")
    scan_roots(store, output)


def _is_known(store: ProjectStore, row: ImportedRow) -> bool:
    try:
        return bool(clips_of(store, row.video))
    except UnknownVideoError:
        return False
