"""Takes the gallery from the real program: every page and dialog, dark and light, 1280x720 and 1920x1080, empty and
full: `python -m docs.gallery [--out FOLDER] [--only NAME…]`.

Full is the footage of ``docs.screenshots``: clips made from the samples, suggested, partly labelled, swept. Empty is a
project of an empty folder. Each theme is a process with a home of its own; docs/gallery.md shows what it wrote.
"""

from __future__ import annotations

import argparse
import faulthandler
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from docs.screenshots import THEMES, Session, prepare, save

SIZES = ((1280, 720), (1920, 1080))
PAGES = ("label", "review", "evaluate", "models", "train")
DIALOGS = (
    ("labels", "project.labels"),
    ("history", "see.history"),
    ("statistics", "see.statistics"),
    ("settings", "program.settings"),
    ("keys", "program.keys"),
    ("palette", "program.palette"),
)
"""Name of the picture, and the action that opens what it shows; left out where the program has no such action."""
_COLOURS = 128
_DECISIONS = 4
_SETTLE_MS = 2000
_PAGE_MS = 1500
_HEAD = """# Gallery

The real program, taken by `python -m docs.gallery`: dark and light, 1280 × 720 and 1920 × 1080, with an empty
project and with one of {clips} clips made from the samples. A dialog is laid over the middle of its window, as
pictures are taken without a window manager.
"""


def _size_name(size: tuple[int, int]) -> str:
    return f"{size[0]}x{size[1]}"


class Gallery(Session):
    """A session whose every picture is taken in both sizes."""

    def shoot_sizes(self, name: str) -> None:
        for size in SIZES:
            self.window.resize(*size)
            self.wait(_PAGE_MS)
            picture = self.window.grab().toImage()
            save(picture, self._out / f"{name}-{_size_name(size)}-{self._theme}.png", colours=_COLOURS)

    def shoot_dialog(self, name: str, action_id: str) -> None:
        """A dialog over the labelling page, drawn where it stands."""
        from PySide6.QtCore import Qt
        from PySide6.QtGui import QPainter
        from PySide6.QtWidgets import QApplication

        for size in SIZES:
            self.window.resize(*size)
            self.wait(_PAGE_MS)
            self.window.actions_table[action_id].trigger()
            self.wait(_PAGE_MS)
            picture = self.window.grab().toImage()
            dialog = QApplication.activeModalWidget() or QApplication.activeWindow()
            if dialog is not None and dialog is not self.window and dialog.isVisible():
                room = self.window.rect()
                place = room.center() - dialog.rect().center()
                painter = QPainter(picture)
                painter.drawPixmap(max(0, place.x()), max(0, place.y()), dialog.grab())
                painter.end()
            save(picture, self._out / f"{name}-{_size_name(size)}-{self._theme}.png", colours=_COLOURS)
            if dialog is not None and dialog is not self.window:
                dialog.close()
            else:  # a sheet of the window itself
                self.press(Qt.Key.Key_Escape)
            self.wait(300)


def _shoot_full(clips: Path, out: Path, theme: str) -> None:
    from PySide6.QtCore import Qt

    session = Gallery(clips, out, theme=theme)
    key = Qt.Key
    for _ in range(_DECISIONS):
        session.press(key.Key_Return)
    session.press(key.Key_U)
    session.press(key.Key_Down)
    session.wait(_SETTLE_MS)
    session.shoot_sizes("label-full")
    _dialogs(session)
    session.window.actions_table["see.grid"].trigger()
    session.wait(_SETTLE_MS)
    session.shoot_sizes("grid-full")
    session.window.actions_table["see.grid"].trigger()
    for number, page in enumerate(PAGES[1:], start=2):
        session.page(getattr(key, f"Key_{number}"), page)
        session.wait(_SETTLE_MS)
        if page == "evaluate":
            _measure(session)
        session.shoot_sizes(f"{page}-full")
    session.close()


def _dialogs(session: Gallery) -> None:
    for name, action_id in DIALOGS:
        if action_id in session.window.actions_table:
            session.shoot_dialog(name, action_id)


def _measure(session: Gallery) -> None:
    page = session.window.places.page("evaluate")
    session.until(lambda: page.setup.go.isEnabled())
    page.setup.go.click()
    session.until(lambda: session.bench.evaluating.result is not None and page.report.filled)


def _shoot_empty(folder: Path, out: Path, theme: str) -> None:
    from PySide6.QtCore import Qt

    session = Gallery(folder, out, theme=theme, clips_expected=False)
    session.shoot_sizes("label-empty")
    for number, page in enumerate(PAGES[1:], start=2):
        session.page(getattr(Qt.Key, f"Key_{number}"), page)
        session.wait(_SETTLE_MS)
        session.shoot_sizes(f"{page}-empty")
    session.window.actions_table["project.close"].trigger()
    session.wait(_SETTLE_MS)
    session.shoot_sizes("welcome")
    session.close()


def _lines(out: Path) -> Iterator[str]:
    """One section for each thing shown, its pictures in a table: a row for each size, a column for each theme."""
    names = [f"{page}-{state}" for page in PAGES for state in ("full", "empty")]
    names[1:1] = ["grid-full"]
    for name in ("welcome", *names, *(name for name, _ in DIALOGS)):
        found = [
            [out / f"{name}-{_size_name(size)}-{theme}.png" for theme in THEMES] for size in SIZES
        ]  # fmt: skip
        if not all(path.is_file() for row in found for path in row):
            continue
        yield f"\n## {name.replace('-', ', ').capitalize()}\n"
        yield "| " + " | ".join(THEMES) + " |"
        yield "|---|---|"
        for row in found:
            yield "| " + " | ".join(f"![{path.stem}]({out.name}/{path.name})" for path in row) + " |"


def main() -> int:
    """Takes every picture and writes the page that shows them."""
    parser = argparse.ArgumentParser(description="The gallery, from the real program.")
    parser.add_argument("--out", type=Path, default=Path(__file__).with_name("gallery"))
    parser.add_argument("--one", help=argparse.SUPPRESS)
    parser.add_argument("--clips", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        # Qt's own crashes leave nothing else to go by.
        faulthandler.enable()
        shoot = _shoot_full if any(options.clips.iterdir()) else _shoot_empty
        shoot(options.clips, options.out, options.one)
        return 0
    options.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        home, full, empty = (Path(scratch) / name for name in ("home", "footage", "nothing"))
        empty.mkdir()
        environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen", "VIDLABEL_HOME": str(home)}
        prepare(full, environment)
        for theme in THEMES:
            own = home.with_name(f"home-{theme}")
            shutil.copytree(home, own)
            environment["VIDLABEL_HOME"] = str(own)
            for clips in (full, empty):
                again: list[Any] = [sys.executable, "-m", "docs.gallery", "--one", theme, "--clips", clips]
                subprocess.run([*again, "--out", options.out], env=environment, check=True)
        videos = sum(1 for path in full.iterdir() if path.suffix == ".mp4")
    text = _HEAD.format(clips=f"{videos} videos and their proposed")
    options.out.with_suffix(".md").write_text(text + "\n".join(_lines(options.out)) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
