"""Where an export may go: nothing of the person's is replaced or mixed up by accident."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from vidlabel.interop import csv_out

_BEGINNINGS = {"csv": ",".join(csv_out.COLUMNS).encode(), "jsonl": b'{"video":'}


def is_earlier_export(out: Path, kind: str) -> bool:
    """Whether a file is an earlier export of this kind (``csv`` or ``jsonl``), or empty.

    Raises:
        OSError: it cannot be read.
    """
    beginning = _BEGINNINGS[kind]
    with out.open("rb") as file:
        return file.read(len(beginning)) in (beginning, b"")


def why_not_this_folder(out: Path, roots: Iterable[Path]) -> str:
    """Why class folders should not go into ``out``; '' where nothing speaks against it."""
    for root in roots:
        if out.resolve().is_relative_to(root):
            return f"{out} is inside {root}, so its files would be found as videos by the next scan."
    if out.is_dir() and any(out.iterdir()):
        return f"{out} is not empty."
    return ""
