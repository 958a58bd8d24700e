"""An engine that really dies: its frame reader aborts the process on files whose names stand in a list."""

from __future__ import annotations

import sys
from pathlib import Path

from vidlabel.core.worker import worker_folder

_ENGINE = """
import os, pathlib, sys
sys.path.insert(0, {folder!r})
names = pathlib.Path({names!r})
from vidlabel.media import reader
real = reader.FrameReader.__init__
def init(self, path, *args, **options):
    if names.exists() and pathlib.Path(path).name in names.read_text(encoding="utf-8").split("\\n"):
        os.abort()
    real(self, path, *args, **options)
reader.FrameReader.__init__ = init
from vidlabel.engine.main import run_engine
run_engine()
"""


class DeadlyFiles:
    """The list, as a file that the engine looks at each time it opens a video."""

    def __init__(self, list_file: Path) -> None:
        self._list = list_file

    def add(self, name: str) -> None:
        """From now on the file of this name kills."""
        names = self._list.read_text(encoding="utf-8").split("\n") if self._list.exists() else []
        self._list.write_text("\n".join([*names, name]), encoding="utf-8")

    @property
    def command(self) -> list[str]:
        """What starts the engine."""
        code = _ENGINE.format(folder=str(worker_folder()), names=str(self._list))
        return [sys.executable, "-c", code]
