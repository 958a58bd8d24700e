"""A run's state on disk: tensors and plain values only, loaded without unpickling any object."""

from __future__ import annotations

import io
import pickle
import zipfile
from pathlib import Path
from typing import Any

from vidlabel.core.errors import TrainingError
from vidlabel.ml.files import write_whole

FORMAT_VERSION = 2


def save_checkpoint(path: Path, state: dict[str, Any]) -> None:
    """Writes tensors, numbers, texts, lists and dicts, whole or not at all.

    Raises:
        OSError: the file cannot be written.
    """
    import torch

    content = io.BytesIO()
    torch.save({"format": FORMAT_VERSION, **state}, content)
    write_whole(path, content.getvalue())


def load_checkpoint(path: Path) -> dict[str, Any]:
    """Reads what ``save_checkpoint`` wrote, onto the CPU.

    Raises:
        TrainingError: there is none, or it is damaged, from elsewhere, or from a newer vidlabel.
    """
    import torch

    damaged = TrainingError(
        f"{path}: the checkpoint is damaged. Start the run from its beginning.", kind="checkpoint"
    )
    if path.is_file() and not zipfile.is_zipfile(path):
        raise damaged
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError as error:
        raise TrainingError(
            f"{path}: there is no checkpoint here. Start the run from its beginning.", kind="checkpoint"
        ) from error
    except (OSError, EOFError, RuntimeError, ValueError, LookupError, pickle.UnpicklingError) as error:
        raise damaged from error
    version = state.get("format") if isinstance(state, dict) else None
    if not isinstance(version, int):
        raise TrainingError(f"{path}: this is no checkpoint of vidlabel's.", kind="checkpoint")
    if version > FORMAT_VERSION:
        raise TrainingError(
            f"{path}: the checkpoint was made by a newer vidlabel. Update vidlabel to go on with it.",
            kind="checkpoint",
        )
    return dict(state)
