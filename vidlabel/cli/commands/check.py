"""``vidlabel check``: the integrity of the database and of the files it names."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from vidlabel.cli.context import Use, locate, open_project
from vidlabel.cli.output import Output
from vidlabel.core.errors import DamagedProjectError
from vidlabel.store.check import ABOUT_FILES, REPAIRABLE, Fault, FaultKind
from vidlabel.store.places import newest_backup
from vidlabel.store.project_store import ProjectStore

_SHOWN = 20


def run(arguments: Namespace, output: Output) -> int:
    """Answers what is wrong; with ``--repair`` what was repaired, and what is left."""
    use = Use.REPAIR if arguments.repair else Use.INSPECT
    project = locate(arguments.project, use=use).project.absolute()
    repaired: list[str] = []
    embeddings: dict[str, Any] | None = None
    advised = False
    try:
        with open_project(arguments.project, use=use) as store:
            repaired = store.repair() if arguments.repair else []
            found: Sequence[Fault] = store.check()
            embeddings = _embeddings(store)
    except DamagedProjectError as error:
        # That is what was asked, so it is an answer; the message names the backup itself.
        if output.as_json:
            output.log(f"vidlabel: {error}")
        advised = True
        found = [Fault(FaultKind.DATABASE, error.reason)]
    about_files = [one for one in found if one.kind in ABOUT_FILES]
    problems = [one for one in found if one.kind not in ABOUT_FILES]
    document = {
        "project": str(project),
        "ok": not found,
        "problems": [one.words for one in problems],
        "missing": [str(one.path) for one in about_files],
        "repaired": repaired,
        "embeddings": embeddings,
    }
    lines = [f"Repaired: {one}." for one in repaired]
    lines += [_sentence(one) for one in [*problems, *about_files[:_SHOWN]]]
    if len(about_files) > _SHOWN:
        lines.append(f"And {len(about_files) - _SHOWN} more files (--json lists all).")
    if problems and not advised:
        repairable = not arguments.repair and all(one.kind in REPAIRABLE for one in problems)
        lines.append(_how_to_repair(project) if repairable else _beyond_repair(project))
    output.answer(document, lines or [f"{project} is in order."])
    # A file that is not there is reported, like one that cannot be read; the project itself is whole.
    return 1 if problems else 0


def _embeddings(store: ProjectStore) -> dict[str, Any]:
    """What lies in the folder beside the project; damage in it is among the faults, too."""
    surveys = store.embeddings.survey()
    return {
        "folder": str(store.embeddings.folder),
        "rows": sum(one.rows for one in surveys),
        "damaged": sum(one.damaged for one in surveys),
        "bytes": sum(one.nbytes for one in surveys),
    }


def _sentence(fault: Fault) -> str:
    return f"{fault.words[:1].upper()}{fault.words[1:].rstrip('.')}."


def _how_to_repair(project: Path) -> str:
    return f"`vidlabel check {project} --repair` puts right what follows from other rows."


def _beyond_repair(project: Path) -> str:
    backup = newest_backup(project)
    if backup is None:
        return "This is beyond repair, and there is no backup beside the project."
    return (
        f"This is beyond repair. The newest backup is {backup}; copy it over the project to go on from there."
    )
