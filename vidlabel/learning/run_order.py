"""What a run was told to do, as it lies in its folder. No torch."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from vidlabel.core.errors import FormatError
from vidlabel.core.paths import PROJECT_SUFFIX
from vidlabel.core.runs import RunFolder, TrainSettings
from vidlabel.core.snapshot import Snapshot

_RUNS = ".runs"


@dataclass(frozen=True, kw_only=True)
class RunOrder:
    """Everything a run begins with.

    Attributes:
        snapshot: what it learns from.
        settings: how.
        base_path: model file to start from.
        base_hash: of that file when the run was begun; "" where nobody noted it.
        base_name: what people call it.
        active_path: the model in use when the run was begun, to compare with; None if there was none.
        active_name: what people call it.
        aliases: earlier names of labels that were renamed, with the present ones.
        paths: where videos lie that were moved since the snapshot was made, by content.
        name: of the model to be made.
    """

    snapshot: Snapshot
    settings: TrainSettings
    base_path: Path
    base_hash: str = ""
    base_name: str = ""
    active_path: Path | None = None
    active_name: str = ""
    aliases: Mapping[str, str] = field(default_factory=dict)
    paths: Mapping[str, Path] = field(default_factory=dict)
    name: str = ""


def read_order(folder: RunFolder) -> RunOrder:
    """Reads snapshot and settings of a run.

    Raises:
        FormatError: one of the files is missing or damaged.
        UsageError: a setting is out of its range.
    """
    snapshot = Snapshot.from_json(_read(folder.snapshot), folder.snapshot)
    told = _read(folder.settings)
    base, active = told.get("base_path"), told.get("active_path")
    if not isinstance(base, str) or not base:
        raise FormatError(folder.settings, "it does not say which model to start from. Begin the run anew.")
    try:
        settings = TrainSettings.from_json(told)
        paths = {str(key): Path(path) for key, path in dict(told.get("paths") or {}).items()}
        aliases = {str(old): str(new) for old, new in dict(told.get("aliases") or {}).items()}
    except (TypeError, ValueError) as error:
        raise FormatError(folder.settings, f"the settings are damaged ({error}).") from error
    return RunOrder(
        snapshot=snapshot,
        settings=settings,
        base_path=Path(base),
        base_hash=str(told.get("base_hash") or ""),
        base_name=str(told.get("base_name") or ""),
        active_path=Path(active) if isinstance(active, str) and active else None,
        active_name=str(told.get("active_name") or ""),
        aliases=aliases,
        paths=paths,
        name=str(told.get("name") or f"{_project(folder)}-{folder.name}"),
    )


def _project(folder: RunFolder) -> str:
    """The project's name, which its runs' folder is named after."""
    return folder.path.absolute().parent.name.removesuffix(_RUNS).removesuffix(PROJECT_SUFFIX) or "model"


def _read(path: Path) -> dict[str, Any]:
    try:
        read = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise FormatError(
            path, "it is not there, so this is no run, or a damaged one. Begin a new one."
        ) from error
    except (OSError, ValueError) as error:
        raise FormatError(path, f"it cannot be read ({error}). Begin a new run.") from error
    if not isinstance(read, dict):
        raise FormatError(path, "it is damaged. Begin a new run.")
    return read
