"""``vidlabel check``: the integrity of the database and of the files it names."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

from vidlabel.cli.context import Use, open_project
from vidlabel.cli.output import Output
from vidlabel.store.places import newest_backup

_ABOUT_FILES = ("missing:", "the root ")


def run(arguments: Namespace, output: Output) -> int:
    """Answers what is wrong; with ``--repair`` what was repaired, and what is left."""
    use = Use.REPAIR if arguments.repair else Use.INSPECT
    with open_project(arguments.project, use=use) as store:
        repaired = store.repair() if arguments.repair else []
        found = store.check()
        project = str(store.path)
    missing = [one for one in found if one.startswith(_ABOUT_FILES)]
    problems = [one for one in found if one not in missing]
    document = {
        "project": project,
        "ok": not found,
        "problems": problems,
        "missing": missing,
        "repaired": repaired,
    }
    lines = [f"Repaired: {one}." for one in repaired] + [_sentence(one) for one in found]
    if problems:
        lines.append(_advice(Path(project), repaired=arguments.repair))
    output.answer(document, lines or [f"{project} is in order."])
    # A file that is not there is reported, like one that cannot be read; the project itself is whole.
    return 1 if problems else 0


def _sentence(words: str) -> str:
    return f"{words[:1].upper()}{words[1:]}."


def _advice(project: Path, *, repaired: bool) -> str:
    if not repaired:
        return f"`vidlabel check {project} --repair` puts right what follows from other rows."
    backup = newest_backup(project)
    if backup is None:
        return "This is beyond repair, and there is no backup beside the project."
    return (
        f"This is beyond repair. The newest backup is {backup}; copy it over the project to go on from there."
    )
