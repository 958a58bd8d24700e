"""How this program starts a process of its own kind: the engine beside the window, a fine-tuning run."""

from __future__ import annotations

import sys
from pathlib import Path

WORKER_OPTION = "--worker"


def worker_command(kind: str, *arguments: str) -> list[str]:
    """The program and arguments that start a worker, to be run from :func:`worker_folder`.

    Args:
        kind: ``"engine"`` is the media and inference process.
        arguments: handed on to the worker.
    """
    # A frozen build is its own interpreter and knows no `-m`.
    program = [sys.executable] if getattr(sys, "frozen", False) else [sys.executable, "-m", "vidlabel"]
    return [*program, WORKER_OPTION, kind, *arguments]


def worker_folder() -> Path:
    """Where a worker is started, so that `-m vidlabel` finds this very package and no other of that name."""
    return Path(__file__).resolve().parent.parent.parent
