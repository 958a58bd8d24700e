"""``vidlabel where``: the project file that belongs to a folder."""

from __future__ import annotations

from argparse import Namespace

from vidlabel.cli.output import Output
from vidlabel.core.errors import UsageError
from vidlabel.core.paths import project_of_folder


def run(arguments: Namespace, output: Output) -> int:
    """Prints the path; nothing is made."""
    folder = arguments.folder
    if not folder.is_dir():
        raise UsageError(
            f"There is no folder {folder}." if not folder.exists() else f"{folder} is no folder."
        )
    project = project_of_folder(folder)
    path = str(project.absolute())
    output.answer({"folder": str(folder.resolve()), "project": path, "exists": project.is_file()}, [path])
    return 0
