"""Small files of a run's folder: written whole by whoever begins it or wishes something of it, and its proof read.

Neither torch nor what reads models: the window comes here, too.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from vidlabel.core.errors import TrainingError
from vidlabel.core.proof import Proof
from vidlabel.core.runs import RunFolder


def write_text(path: Path, text: str) -> None:
    """Writes a file whole or not at all; its folder must be there.

    Raises:
        OSError: the folder is gone, or does not take it.
    """
    unfinished = path.with_name(f".{path.name}.{secrets.token_hex(4)}.new")
    try:
        unfinished.write_text(text, encoding="utf-8")
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """The same with an object.

    Raises:
        OSError: as ``write_text``.
    """
    write_text(path, json.dumps(content, ensure_ascii=True))


def read_proof(folder: RunFolder, kept: object = None) -> Proof | None:
    """The proof of a run from its folder, else as the project keeps it; None where neither can be read."""
    content: object = kept
    with suppress(OSError, ValueError):
        content = json.loads(folder.proof.read_text(encoding="utf-8"))
    for found in (content, kept):
        with suppress(KeyError, TypeError, ValueError):
            if isinstance(found, dict):
                return Proof.from_json(found)
    return None


def unwritable(path: Path, error: OSError) -> TrainingError:
    """What is said where a run's folder does not take a file."""
    reason = error.strerror or error
    return TrainingError(
        f"{path}: it cannot be written ({reason}). Make room or give yourself the right to it."
    )
