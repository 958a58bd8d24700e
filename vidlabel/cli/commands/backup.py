"""``vidlabel backup``: a whole copy of the project, also while a window writes it."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

from vidlabel.cli.context import Use, open_project
from vidlabel.cli.output import Output
from vidlabel.core.errors import UsageError
from vidlabel.core.paths import PROJECT_SUFFIX
from vidlabel.store.places import embeddings_of


def run(arguments: Namespace, output: Output) -> int:
    """Copies the project and answers where to."""
    with open_project(arguments.project, use=Use.INSPECT) as store:
        out = _target(arguments.out, store.path)
        backup = store.backup(out)
    left_out = [folder for folder in [embeddings_of(store.path)] if folder.is_dir()]
    for folder in left_out:
        output.log(f"vidlabel: {folder} is not copied: embeddings are computed again from the videos.")
    document = {
        "project": str(store.path),
        "backup": str(backup),
        "left_out": [str(folder) for folder in left_out],
    }
    output.answer(document, [str(backup)])
    return 0


def _target(out: Path | None, project: Path) -> Path | None:
    if out is None:
        return None
    target = (out / project.name if out.is_dir() else out).absolute()
    if target.suffix.lower() != PROJECT_SUFFIX:
        raise UsageError(
            f"{out} is not the name of a project. Give a folder, or a name that ends with {PROJECT_SUFFIX}."
        )
    if target.exists():
        raise UsageError(f"{target} is there already. Give another name, or remove it first.")
    return target
