"""``vidlabel import``: labels from elsewhere."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from vidlabel.cli.context import Use, annotator_or_user, locate, open_project
from vidlabel.cli.importing import Plan, carry_out, plan
from vidlabel.cli.official import remember
from vidlabel.cli.output import Output
from vidlabel.cli.reading import Content, read, settle
from vidlabel.cli.scanning import scan_roots
from vidlabel.interop.report import Problem
from vidlabel.store.project_store import ProjectStore

_SHOWN = 20


def run(arguments: Namespace, output: Output) -> int:
    """Writes the decisions of a file or of folders, or says which it would write."""
    annotator = annotator_or_user(arguments.annotator)
    content = read(arguments)
    # Data sets often come before a project; a file of labels never does.
    use = Use.WRITE if content.folder is None else Use.CREATE
    opening = (
        _scratch_copy(arguments.project, use=use)
        if arguments.dry_run
        else open_project(arguments.project, use=use)
    )
    with opening as store:
        scan_roots(store, output)
        settle(store, content, output)
        planned = plan(
            store,
            content.rows,
            beside=arguments.source.absolute().parent,
            known_labels_only=arguments.known_labels_only,
        )
        if not arguments.dry_run:
            carry_out(store, planned, annotator=annotator)
            if content.official is not None:
                remember(store, content.official)
    return _report(arguments, output, planned, content)


@contextmanager
def _scratch_copy(project: str, *, use: Use) -> Iterator[ProjectStore]:
    """A copy of the project that may be scanned and is thrown away: a dry run writes nothing at all."""
    named = locate(project, use=use)
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


def _report(arguments: Namespace, output: Output, planned: Plan, content: Content) -> int:
    problems = sorted([*content.problems, *planned.problems], key=lambda problem: problem.line)
    document = {
        "source": str(arguments.source.absolute()),
        "dry_run": arguments.dry_run,
        "imported": len(planned.decisions),
        "unchanged": planned.unchanged,
        "replaced": planned.replaced,
        "without_decision": planned.nothing_said,
        "new_clips": planned.new_clips,
        "new_labels": planned.labels,
        "not_imported": [_problem(problem, content) for problem in problems],
        "not_held": [
            *(f"column {name}" for name in content.unused),
            *(f"{count} {kind}" for kind, count in sorted(content.not_held.items())),
        ],
    }
    if content.split is not None:
        document["split"] = content.split
    lines = [*_lines(planned, content, dry=arguments.dry_run), *_left_out(problems, content)]
    output.answer(document, lines)
    # A file of which nothing at all could be used is most likely the wrong file, or the wrong project.
    used = planned.decisions or planned.unchanged or planned.nothing_said
    return 1 if problems and not used else 0


def _problem(problem: Problem, content: Content) -> dict[str, Any]:
    if content.folder is not None:
        return {"video": problem.video, "reason": problem.reason}
    return {"line": problem.line, "reason": problem.reason}


def _lines(planned: Plan, content: Content, *, dry: bool) -> list[str]:
    would = "would be " if dry else ""
    lines = [f"{len(planned.decisions)} decisions {would}imported, {planned.unchanged} were so already."]
    if planned.replaced:
        lines.append(
            f"{planned.replaced} of them {'would ' if dry else ''}replace another label "
            "(one undo takes the import back)."
        )
    if planned.nothing_said:
        lines.append(f"{planned.nothing_said} rows have no label and decide nothing.")
    if planned.new_clips:
        lines.append(f"{planned.new_clips} parts of videos {would}marked as clips.")
    if planned.labels:
        lines.append(f"Labels {would}added: {', '.join(planned.labels)}.")
    if content.unused:
        lines.append(f"Columns that are not imported: {', '.join(content.unused)}.")
    lines += [f"Not held: {count} {kind}." for kind, count in sorted(content.not_held.items())]
    if content.split is not None:
        lines.append(
            "Split {number}: {train} clips train, {test} test, {unused} unused, {not_listed} not listed; "
            "{not_here} of its clips are not here.".format(**content.split)
        )
    return lines


def _left_out(problems: Sequence[Problem], content: Content) -> list[str]:
    if not problems:
        return []
    folders = content.folder is not None
    lines = [f"{len(problems)} {'videos' if folders else 'lines'} left out:"]
    for problem in problems[:_SHOWN]:
        lines.append(f"  {problem.video if folders else f'line {problem.line}'}: {problem.reason}")
    if len(problems) > _SHOWN:
        lines.append(f"  and {len(problems) - _SHOWN} more (--json lists all).")
    return lines
