"""``vidlabel import``: labels from elsewhere."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from vidlabel.cli.context import Use, annotator_or_user, locate, open_project
from vidlabel.cli.importing import Plan, carry_out, plan
from vidlabel.cli.output import Output
from vidlabel.cli.scanning import scan_roots
from vidlabel.core.errors import UsageError
from vidlabel.interop import csv_in
from vidlabel.interop.report import Problem
from vidlabel.store.project_store import ProjectStore

_SHOWN = 20


def run(arguments: Namespace, output: Output) -> int:
    """Writes the decisions of a file, or says which it would write."""
    source: Path = arguments.source
    if not source.is_file():
        raise UsageError(f"There is no file {source}." if not source.exists() else f"{source} is no file.")
    annotator = annotator_or_user(arguments.annotator)
    content = csv_in.read(source)
    opening = (
        _scratch_copy(arguments.project)
        if arguments.dry_run
        else open_project(arguments.project, use=Use.WRITE)
    )
    with opening as store:
        scan_roots(store, output)
        planned = plan(
            store,
            content.rows,
            beside=source.absolute().parent,
            known_labels_only=arguments.known_labels_only,
        )
        if not arguments.dry_run:
            carry_out(store, planned, annotator=annotator)
    problems = sorted([*content.problems, *planned.problems], key=lambda problem: problem.line)
    return _report(arguments, output, planned, problems, unused=content.unused)


@contextmanager
def _scratch_copy(project: str) -> Iterator[ProjectStore]:
    """A copy of the project that may be scanned and is thrown away: a dry run writes nothing at all."""
    named = locate(project, use=Use.INSPECT)
    with TemporaryDirectory(prefix="vidlabel-") as folder:
        copy = Path(folder) / "dry-run.vidlabel"
        if named.project.exists():
            with open_project(project, use=Use.INSPECT) as original:
                original.backup(copy)
        store = ProjectStore.open(copy, create=not copy.exists())
        try:
            if named.folder is not None:
                store.add_root(named.folder)
            yield store
        finally:
            store.close()


def _report(
    arguments: Namespace, output: Output, planned: Plan, problems: list[Problem], *, unused: tuple[str, ...]
) -> int:
    decisions = len(planned.decisions)
    document = {
        "source": str(arguments.source.absolute()),
        "dry_run": arguments.dry_run,
        "imported": decisions,
        "unchanged": planned.unchanged,
        "replaced": planned.replaced,
        "without_decision": planned.nothing_said,
        "new_clips": planned.new_clips,
        "new_labels": planned.labels,
        "not_imported": [{"line": problem.line, "reason": problem.reason} for problem in problems],
        "not_held": [f"column {name}" for name in unused],
    }
    would = "would be " if arguments.dry_run else ""
    lines = [f"{decisions} decisions {would}imported, {planned.unchanged} were so already."]
    if planned.replaced:
        lines.append(
            f"{planned.replaced} of them {would}replace another label (one undo takes the import back)."
        )
    if planned.nothing_said:
        lines.append(f"{planned.nothing_said} rows have no label and decide nothing.")
    if planned.new_clips:
        lines.append(f"{planned.new_clips} parts of videos {would}marked as clips.")
    if planned.labels:
        lines.append(f"Labels {would}added: {', '.join(planned.labels)}.")
    if unused:
        lines.append(f"Columns that are not imported: {', '.join(unused)}.")
    if problems:
        lines.append(f"{len(problems)} lines left out:")
        lines += [f"  line {problem.line}: {problem.reason}" for problem in problems[:_SHOWN]]
        lines += (
            [f"  and {len(problems) - _SHOWN} more (--json lists all)."] if len(problems) > _SHOWN else []
        )
    output.answer(document, lines)
    # A file of which nothing at all could be used is most likely the wrong file, or the wrong project.
    return 1 if problems and not (decisions or planned.unchanged or planned.nothing_said) else 0
