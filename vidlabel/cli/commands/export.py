"""``vidlabel export``: clips and labels for other programs."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

from vidlabel.cli.context import Use, open_project
from vidlabel.cli.cutting import cut_clip
from vidlabel.cli.output import Output
from vidlabel.core.errors import UsageError, VidlabelError
from vidlabel.core.filters import parse
from vidlabel.core.paths import is_project_file
from vidlabel.core.words import ClipQuery
from vidlabel.interop import class_folders, csv_out, jsonl, targets
from vidlabel.interop.records import records
from vidlabel.interop.report import ExportReport
from vidlabel.media.walk import SUFFIXES
from vidlabel.store.project_store import ProjectStore


def run(arguments: Namespace, output: Output) -> int:
    """Writes the export and reports what the format could not hold."""
    _check_options(arguments)
    query = parse(arguments.filter, base=ClipQuery(sort="path"))
    out: Path = arguments.out.absolute()
    with open_project(arguments.project, use=Use.READ) as store:
        _refuse_harm(out, store, arguments)
        report = _write(out, store, query, arguments)
    document = {"out": str(out), "format": arguments.format, **report.to_json()}
    output.answer(document, [*report.lines(), str(out)])
    return 0


def _check_options(arguments: Namespace) -> None:
    for option in ("cut_clips", "copy"):
        if getattr(arguments, option) and arguments.format != "class-folders":
            raise UsageError(f"--{option.replace('_', '-')} goes with --format class-folders only.")


def _write(out: Path, store: ProjectStore, query: ClipQuery, arguments: Namespace) -> ExportReport:
    if arguments.format == "csv":
        return csv_out.write(out, records(store, query))
    if arguments.format == "jsonl":
        return jsonl.write(out, records(store, query))
    place = class_folders.Place.COPY if arguments.copy else class_folders.Place.LINK
    return class_folders.write(
        out, records(store, query), place=place, cut=cut_clip if arguments.cut_clips else None
    )


def _refuse_harm(out: Path, store: ProjectStore, arguments: Namespace) -> None:
    """Nothing of the person's is replaced by accident, and a video or project never."""
    if arguments.format == "class-folders":
        _refuse_folder(out, store, forced=arguments.force)
        return
    if out.is_dir():
        raise UsageError(f"{out} is a folder. Name the file to write.")
    if not out.exists():
        return
    if out.suffix.lower() in SUFFIXES or is_project_file(out):
        raise VidlabelError(f"{out} is a video or a project, which an export never replaces.")
    if not arguments.force and not targets.is_earlier_export(out, arguments.format):
        raise VidlabelError(f"{out} is there and is no earlier export of this kind. --force replaces it.")


def _refuse_folder(out: Path, store: ProjectStore, *, forced: bool) -> None:
    if out.exists() and not out.is_dir():
        raise UsageError(f"{out} is a file. Name a folder.")
    if forced:
        return
    reason = targets.why_not_this_folder(out, (Path(root.path) for root in store.roots()))
    if reason:
        raise VidlabelError(f"{reason} Choose another folder, or give --force to use it all the same.")
