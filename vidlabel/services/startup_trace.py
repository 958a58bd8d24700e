"""Marks of the program's start, for measuring: only where ``VIDLABEL_TRACE_STARTUP`` names a file."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

from PySide6.QtCore import QObject, Slot

VARIABLE = "VIDLABEL_TRACE_STARTUP"


class StartupTrace(QObject):
    """Each mark once, as a line of JSON: ``{"mark": "painted", "t": seconds since 1970, "cpu": seconds}``."""

    def __init__(self, file: Path | None = None, parent: QObject | None = None) -> None:
        super().__init__(parent)
        named = os.environ.get(VARIABLE)
        self._file = file or (Path(named) if named else None)
        self._marked: set[str] = set()

    @property
    def wanted(self) -> bool:
        return self._file is not None

    def mark(self, name: str) -> None:
        """This happens now."""
        if self._file is None or name in self._marked:
            return
        self._marked.add(name)
        with self._file.open("a", encoding="utf-8") as lines:
            lines.write(json.dumps({"mark": name, "t": time.time(), "cpu": time.process_time()}) + "\n")

    @Slot(object)
    def on_opened(self, _facts: object) -> None:
        self.mark("project_opened")

    @Slot()
    def on_engine_ready(self) -> None:
        self.mark("engine_ready")

    @Slot(object)
    def on_clip_painted(self, _row: object) -> None:
        self.mark("clip_painted")
