"""Makes the pictures of the documentation from the real program: `python -m docs.screenshots [--out FOLDER]`.

Clips made from the samples are suggested, labelled and swept on the command line, then the real window shows them,
offscreen: labelling with calibrated percentages, where the model looks, a long video, a run from its set-up to its
proof, and the pages Models and Evaluate.
"""

from __future__ import annotations

import argparse
import faulthandler
import io
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
PAGE_SIZE = (1280, 720)
LARGE_SIZE = (1920, 1080)
COLUMNS = [372, 748, 320]
THEMES = ("dark", "light")
_SETTLE_MS = 2500
_DECISIONS = 4
_MOST_MS = 180_000
_MOST_BYTES = 250_000
"""Larger pictures make reading the documentation slow."""
_EPOCHS = 60
_EPOCHS_SHOWN = 30
_COLOURS = 256


class Session:
    """The window in one theme, driven by its keys; each ``shoot`` is a picture of it."""

    def __init__(self, clips: Path, out: Path, *, theme: str, clips_expected: bool = True) -> None:
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
        if clips_expected:
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
        save(self.window.grab().toImage(), self._out / f"{name}-{self._theme}.png")

    def page(self, key: Any, name: str) -> Any:
        """A page, reached by its key, in the size of the pages' pictures."""
        from PySide6.QtCore import Qt

        self.window.resize(*PAGE_SIZE)
        self.press(key, Qt.KeyboardModifier.ControlModifier)
        return self.window.places.page(name)

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


def save(picture: Any, path: Path, *, colours: int = 0) -> None:
    """Writes a picture, with a palette of ``colours``; 0 for all of them, or of 256 where it would be too large.

    Raises:
        SystemExit: it is too large even so.
    """
    from PIL import Image
    from PySide6.QtGui import QImage

    plain = picture.convertToFormat(QImage.Format.Format_RGB888)
    image = Image.frombuffer(
        "RGB",
        (plain.width(), plain.height()),
        bytes(plain.constBits()),
        "raw",
        "RGB",
        plain.bytesPerLine(),
        1,
    )
    found = _png(image.quantize(colours, method=Image.Quantize.MEDIANCUT) if colours else image)
    if len(found) > _MOST_BYTES and not colours:
        found = _png(image.quantize(_COLOURS, method=Image.Quantize.MEDIANCUT))
    if len(found) > _MOST_BYTES:
        sys.exit(f"{path.name} would be of {len(found):,} bytes.")
    path.write_bytes(found)


def _png(image: Any) -> bytes:
    written = io.BytesIO()
    image.save(written, "PNG", optimize=True)
    return written.getvalue()


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
    _shoot_run(session)
    session.page(key.Key_4, "models")
    session.wait(_SETTLE_MS)
    session.shoot("models")
    _shoot_evaluation(session)
    session.close()


def _shoot_run(session: Session) -> None:
    """A run: its set-up, while it runs, and its proof."""
    from PySide6.QtCore import Qt

    training = session.bench.training
    page = session.page(Qt.Key.Key_5, "train")
    session.until(lambda: page.is_built)
    form = page.new_run.form
    # The variants of a sample are of one source: by source, nothing would be left to test on.
    form.split.setCurrentIndex(form.split.findData("random"))
    form.epochs.setValue(_EPOCHS)
    form.more.numbers["patience"].setValue(0)
    session.wait(_SETTLE_MS)
    session.until(lambda: page.new_run.plan is not None and page.new_run.start.isEnabled())
    page.focus_first()
    session.shoot("train-setup")
    page.new_run.start.click()
    session.until(lambda: bool(training.live) and _epochs_told(training) >= _EPOCHS_SHOWN)
    session.shoot("train-live")
    name = training.live[0].name
    if training.live:
        training.wish(name, "keep")
    session.until(lambda: not training.live and page.one_run.proof.isVisible())
    session.wait(_SETTLE_MS)
    page.focus_first()
    session.shoot("train-proof")


def _epochs_told(training: Any) -> int:
    """How many epochs of the run under way are over."""
    story = training.story(training.live[0].name)
    return 0 if story is None else story.epoch


def _shoot_evaluation(session: Session) -> None:
    """The evaluate page, in both sizes."""
    from PySide6.QtCore import Qt

    evaluating = session.bench.evaluating
    page = session.page(Qt.Key.Key_3, "evaluate")
    session.until(lambda: page.setup.go.isEnabled())
    page.setup.go.click()
    session.until(lambda: evaluating.result is not None and page.report.filled)
    session.wait(500)
    session.shoot("evaluate")
    session.window.resize(*LARGE_SIZE)
    session.wait(1000)
    session.shoot("evaluate-large")


def prepare(clips: Path, environment: dict[str, str]) -> None:
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
        # Qt's own crashes leave nothing else to go by.
        faulthandler.enable()
        _shoot(options.clips, options.out, theme=options.one)
        return 0
    options.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        clips, home = Path(scratch) / "footage", Path(scratch) / "home"
        environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen", "VIDLABEL_HOME": str(home)}
        prepare(clips, environment)
        for theme in THEMES:
            own = home.with_name(f"home-{theme}")
            shutil.copytree(home, own)
            environment["VIDLABEL_HOME"] = str(own)
            again = [sys.executable, "-m", "docs.screenshots", "--one", theme, "--clips", str(clips)]
            subprocess.run([*again, "--out", str(options.out)], env=environment, check=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
