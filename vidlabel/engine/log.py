"""The engine's log: its standard error, which the window has pointed at a file in the log folder."""

from __future__ import annotations

import faulthandler
import logging
import os
import stat
import sys
from pathlib import Path

from vidlabel.core.paths import log_folder

MAX_BYTES = 2 * 1024 * 1024
_STDERR = 2


class ShortLog(logging.StreamHandler):  # type: ignore[type-arg]
    """Writes to standard error; once that file is long, its content moves to ``engine.log.1``.

    Libraries write to the same descriptor from C, so the file itself cannot be exchanged under them.
    """

    def __init__(self, keep: Path) -> None:
        super().__init__(sys.stderr)
        self._keep = keep

    def emit(self, record: logging.LogRecord) -> None:
        super().emit(record)
        status = os.fstat(_STDERR)
        if stat.S_ISREG(status.st_mode) and status.st_size > MAX_BYTES:
            shorten(self._keep)


def shorten(keep: Path) -> None:
    """Moves what standard error's file holds (the last ``MAX_BYTES`` of it) to ``keep`` and empties it."""
    current = keep.with_name("engine.log")
    try:
        with current.open("rb") as file:
            file.seek(max(0, current.stat().st_size - MAX_BYTES))
            part = keep.with_name(keep.name + ".part")
            part.write_bytes(file.read())
        part.replace(keep)
        os.ftruncate(_STDERR, 0)
    except OSError:
        return


def start_log() -> None:
    """Sends everything logged, and the stacks of a crash in C code, to standard error."""
    handler = ShortLog(log_folder() / "engine.log.1")
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(threadName)s %(name)s: %(message)s"))
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    logging.captureWarnings(capture=True)
    faulthandler.enable(_STDERR)
