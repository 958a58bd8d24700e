"""Makes the pictures of the documentation from the real program: `python -m docs.screenshots [--out FOLDER]`.

Clips made from the samples are suggested, labelled and swept on the command line, then the real window shows them,
offscreen: labelling with calibrated percentages, where the model looks, a long video, and the models page.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from docs import footage

SIZE = (1440, 900)
COLUMNS = [372, 748, 320]
THEMES = ("dark", "light")
_SETTLE_MS = 2500
_DECISIONS = 4
_MOST_MS = 60_000


class Session:
    """The window in one theme, driven by its keys; each ``shoot`` is a picture of it."""

    def __init__(self, clips: Path, out: Path, *, theme: str) -> None:
        from PySide6.QtCore import QEventLoop

        from vidlabel import app

        self._out, self._theme = out, theme
        self.program = app.build(clips)
        self.bench, self.window = self.program.workbench, self.program.window
        self.bench.settings.theme = theme
        self._loop = QEventLoop()
        self.window.resize(*SIZE)
        self.window.show()
        self.window.columns.setSizes(COLUMNS)
        self.until(lambda: self.bench.suggesting.state == "idle" and self.bench.deciding.can_act)
        self.wait(_SETTLE_MS)

    def wait(self, milliseconds: int) -> None:
        from PySide6.QtCore import QTimer

        QTimer.singleShot(milliseconds, self._loop.quit)
        self._loop.exec()

    def until(self, done: Callable[[], bool]) -> None:
        """Waits for something; a picture without it would be a wrong one.

        Raises:
            SystemExit: it has not come.
        """
        for _ in range(_MOST_MS // 100):
            if done():
                return
            self.wait(100)
        sys.exit("What the picture is to show has not come.")

    def press(self, key: Any, *held: Any) -> None:
        from PySide6.QtTest import QTest

        QTest.keyClick(self.window.focusWidget() or self.window, key, *held)
        self.wait(1000)

    def shoot(self, name: str) -> None:
        self.window.grab().save(str(self._out / f"{name}-{self._theme}.png"))

    def show_clip(self, name: str) -> None:
        """The first clip of a video, by the order of the library; of a long one a clip inside it."""
        rows = (self.bench.library.row_of(clip_id) for clip_id in self.bench.library.ids)
        found = [row for row in rows if row is not None and row.name == name]
        inside = [row for row in found if not row.whole]
        self.bench.show_clip((inside or found)[0].clip_id)
        self.wait(_SETTLE_MS)

    def close(self) -> None:
        self.bench.closed.connect(self._loop.quit)
        self.bench.close()
        self.wait(5000)
        self.bench.engine.stop_and_wait()


def _shoot(clips: Path, out: Path, *, theme: str) -> None:
    """One window in one theme as PNGs."""
    from PySide6.QtCore import Qt

    session = Session(clips, out, theme=theme)
    bench, key = session.bench, Qt.Key
    for _ in range(_DECISIONS):
        session.press(key.Key_Return)
    session.press(key.Key_U)
    session.press(key.Key_Down)
    session.wait(_SETTLE_MS)
    session.shoot("label")
    session.press(key.Key_H)
    session.until(lambda: bench.saliency.maps is not None)
    maps = bench.saliency.maps
    glowing = max(range(len(maps.times)), key=lambda place: sum(maps.maps[place]))
    bench.player.pause()
    bench.player.seek_us(maps.times[glowing])
    session.wait(500)
    session.shoot("saliency")
    session.press(key.Key_H)
    session.show_clip(footage.LONG_NAME)
    session.until(lambda: session.window.player.strip.data is not None)
    session.shoot("long-video")
    session.press(key.Key_4, Qt.KeyboardModifier.ControlModifier)
    session.wait(_SETTLE_MS)
    session.shoot("models")
    session.close()


def _prepare(clips: Path, environment: dict[str, str]) -> None:
    """Suggestions, decisions and clips of the long video, as a person would have them after a while."""
    program = [sys.executable, "-m", "vidlabel"]
    labels = footage.make(clips)
    for words in (
        ["suggest", str(clips)],
        ["import", str(clips), str(labels), "--format", "csv"],
        ["calibrate", str(clips)],
        ["sweep", str(clips)],
    ):
        subprocess.run([*program, *words], env=environment, check=True, stdout=subprocess.DEVNULL)


def main() -> int:
    """Takes every picture, each theme in a process and with a home of its own."""
    parser = argparse.ArgumentParser(description="Pictures for the documentation, from the real program.")
    parser.add_argument("--out", type=Path, default=Path(__file__).with_name("images"))
    parser.add_argument("--one", help=argparse.SUPPRESS)
    parser.add_argument("--clips", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        _shoot(options.clips, options.out, theme=options.one)
        return 0
    options.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        clips, home = Path(scratch) / "footage", Path(scratch) / "home"
        environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen", "VIDLABEL_HOME": str(home)}
        _prepare(clips, environment)
        for theme in THEMES:
            own = home.with_name(f"home-{theme}")
            shutil.copytree(home, own)
            environment["VIDLABEL_HOME"] = str(own)
            again = [sys.executable, "-m", "docs.screenshots", "--one", theme, "--clips", str(clips)]
            subprocess.run([*again, "--out", str(options.out)], env=environment, check=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
