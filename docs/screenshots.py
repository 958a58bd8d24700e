"""Makes the pictures of the documentation from the real program: `python -m docs.screenshots [--out FOLDER]`.

The sample clips are scanned and suggested on the command line, then the real window shows them, offscreen.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from vidlabel.core.resources import resource_path

SIZE = (1440, 900)
COLUMNS = [372, 748, 320]
THEMES = ("dark", "light")
_SETTLE_MS = 2500
_DECISIONS = 4


def _shoot(clips: Path, out: Path, *, theme: str) -> None:
    """One window in one theme as PNGs: the labelling page after a few decisions, and the models page."""
    from PySide6.QtCore import QEventLoop, Qt, QTimer
    from PySide6.QtTest import QTest

    from vidlabel import app

    program = app.build(clips)
    bench, window = program.workbench, program.window
    bench.settings.theme = theme
    loop = QEventLoop()

    def wait(milliseconds: int) -> None:
        QTimer.singleShot(milliseconds, loop.quit)
        loop.exec()

    def press(key: Any, *held: Any) -> None:
        QTest.keyClick(window.focusWidget() or window, key, *held)
        wait(1000)

    window.resize(*SIZE)
    window.show()
    window.columns.setSizes(COLUMNS)
    wait(2 * _SETTLE_MS)
    for _ in range(_DECISIONS):
        press(Qt.Key.Key_Return)
    press(Qt.Key.Key_U)
    press(Qt.Key.Key_Down)
    wait(_SETTLE_MS)
    window.grab().save(str(out / f"label-{theme}.png"))
    press(Qt.Key.Key_4, Qt.KeyboardModifier.ControlModifier)
    wait(_SETTLE_MS)
    window.grab().save(str(out / f"models-{theme}.png"))
    bench.closed.connect(loop.quit)
    bench.close()
    QTimer.singleShot(5000, loop.quit)
    loop.exec()
    bench.engine.stop_and_wait()


def main() -> int:
    """Takes every picture, each in a process and with a home of its own."""
    parser = argparse.ArgumentParser(description="Pictures for the documentation, from the real program.")
    parser.add_argument("--out", type=Path, default=Path(__file__).with_name("images"))
    parser.add_argument("--one", help=argparse.SUPPRESS)
    parser.add_argument("--clips", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        _shoot(options.clips, options.out, theme=options.one)
        return 0
    options.out.mkdir(parents=True, exist_ok=True)
    for theme in THEMES:
        with tempfile.TemporaryDirectory() as scratch:
            clips = Path(scratch) / "samples"
            shutil.copytree(resource_path("samples"), clips)
            environment = {
                **os.environ,
                "VIDLABEL_HOME": str(Path(scratch) / "home"),
                "QT_QPA_PLATFORM": "offscreen",
            }
            program = [sys.executable, "-m", "vidlabel"]
            subprocess.run([*program, "suggest", str(clips)], env=environment, check=True)
            again = [sys.executable, "-m", "docs.screenshots", "--one", theme, "--clips", str(clips)]
            subprocess.run([*again, "--out", str(options.out)], env=environment, check=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
