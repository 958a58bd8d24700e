"""A whole window over real services, a real engine and a small project of real clips."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from tests.helpers.clips import numbered_clip
from tests.helpers.projects import relative_of, write_project
from vidlabel import app
from vidlabel.ui.main_window import MainWindow

CLIPS = 6


@pytest.fixture(scope="session")
def one_clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sixty numbered frames at 30 a second."""
    return numbered_clip(tmp_path_factory.mktemp("clip") / "clip.mp4", 60, fps=30)


@pytest.fixture
def project(tmp_path: Path, one_clip: Path) -> Path:
    """Six undecided clips with made-up suggestions, each a copy of the same real video."""
    path = tmp_path / "work.vidlabel"
    write_project(path, tmp_path / "media", clips=CLIPS)
    for number in range(1, CLIPS + 1):
        clip = tmp_path / "media" / relative_of(number)
        clip.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(one_clip, clip)
    return path


@pytest.fixture
def window(qtbot: QtBot) -> Iterator[MainWindow]:
    """The window on its welcome page, shown and active; nothing scans or suggests by itself."""
    window = show_window(qtbot, None)
    yield window
    close_window(qtbot, window)


@pytest.fixture
def at_work(qtbot: QtBot, project: Path) -> Iterator[MainWindow]:
    """The window opened with a project, its first clip painted: the keys act."""
    window = show_window(qtbot, project)
    qtbot.waitUntil(lambda: window.workbench.deciding.can_act, timeout=20_000)
    qtbot.waitUntil(lambda: window.workbench.deciding.suggestion is not None, timeout=10_000)
    yield window
    close_window(qtbot, window)


def show_window(qtbot: QtBot, project: Path | None) -> MainWindow:
    program = app.build(project)
    program.workbench.settings.scan_by_itself = False
    program.workbench.settings.suggest_by_itself = False
    window = program.window
    window.resize(1280, 720)
    window.show()
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow, timeout=5_000)
    return window


def close_window(qtbot: QtBot, window: MainWindow) -> None:
    if window.isVisible():
        with qtbot.waitSignal(window.workbench.closed, timeout=15_000):
            window.close()
    window.workbench.engine.stop_and_wait()
    window.workbench.deleteLater()
    window.deleteLater()
