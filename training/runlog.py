"""A run's progress as JSON lines and on the screen."""

from __future__ import annotations

import json
import time
from pathlib import Path

from vidlabel.learning.fit import FitProgress

_EVERY = 50


class RunLog:
    """Appends a line every 50 steps and at everything else that happens.

    Args:
        path: the file of JSON lines.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._began = time.monotonic()

    def __call__(self, progress: FitProgress) -> None:
        if progress.kind == "step" and progress.step % _EVERY:
            return
        line = {
            "kind": progress.kind, "epoch": progress.epoch, "step": progress.step, "steps": progress.steps,
            "loss": round(progress.loss, 4) if progress.loss == progress.loss else None, "rate": progress.rate,
            "seconds": round(time.monotonic() - self._began), "processor_seconds": round(time.process_time()),
        }  # fmt: skip
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
        print(line, flush=True)
