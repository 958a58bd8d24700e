"""The official split of a data set: named on the command line once, and remembered by the project."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vidlabel.core.errors import UsageError
from vidlabel.store.project_store import ProjectStore

SETTING = "official_splits"
"""``{"folder": path, "number": 1 to 3}`` among a project's settings."""


@dataclass(frozen=True, slots=True)
class Official:
    """Where the files of an official split lie, and which of its three is meant."""

    folder: Path
    number: int

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {"folder": str(self.folder), "number": self.number}


def official_split(
    folder: Path | None, number: int | None, *, before: Official | None = None
) -> Official | None:
    """The split that ``--splits`` and ``--split-number`` mean; what is not said is as ``before``.

    Raises:
        UsageError: there is no such folder.
    """
    if folder is None:
        if before is None:
            return None
        folder = before.folder
    if not folder.is_dir():
        raise UsageError(f"There is no folder {folder} with split files. Name it with --splits FOLDER.")
    return Official(folder.absolute(), number or (1 if before is None else before.number))


def remembered(store: ProjectStore) -> Official | None:
    """The split named before, if any; its folder may be gone since."""
    kept = store.setting(SETTING)
    if not isinstance(kept, dict) or "folder" not in kept:
        return None
    return Official(Path(kept["folder"]), int(kept.get("number", 1)))


def remember(store: ProjectStore, split: Official) -> None:
    """Keeps it for the next run."""
    store.set_setting(SETTING, split.to_json())
