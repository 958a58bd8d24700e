"""Keeps evaluations beside the project; the oldest make room."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from vidlabel.core.kept_evaluation import MOST_KEPT, KeptEvaluation, evaluations_folder, files_of
from vidlabel.interop.atomic import writing


def keep(project: Path, kept: KeptEvaluation) -> Path:
    """Writes an evaluation into the folder beside a project and removes the oldest ones above ``MOST_KEPT``.

    Raises:
        OSError: it cannot be written.
    """
    path = evaluations_folder(project) / kept.file_name
    with writing(path) as file:
        file.writelines(kept.to_text())
    for old in files_of(project)[MOST_KEPT:]:
        with suppress(OSError):
            old.unlink()
    return path
