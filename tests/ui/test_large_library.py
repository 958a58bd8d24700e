"""What must not grow with the number of clips."""

from __future__ import annotations

from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from tests.helpers.projects import relative_of, write_project
from tests.ui.conftest import close_window, show_window
from vidlabel.ui.library.model import ClipModel

CLIPS = 5_000


def test_one_changed_row_does_not_lay_out_all_the_others(
    qtbot: QtBot, tmp_path: Path, one_clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Qt's list view asks for every row when one changes; with many clips each decision would stall."""
    project = tmp_path / "large.vidlabel"
    write_project(project, tmp_path / "media", clips=CLIPS)
    playable = tmp_path / "media" / relative_of(1)
    playable.parent.mkdir(parents=True, exist_ok=True)
    playable.write_bytes(one_clip.read_bytes())
    asked = 0
    counted = ClipModel.rowCount

    def count(model: ClipModel, *arguments: object) -> int:
        nonlocal asked
        asked += 1
        return counted(model, *arguments)

    monkeypatch.setattr(ClipModel, "rowCount", count)
    window = show_window(qtbot, project)
    view = window.library.view
    qtbot.waitUntil(lambda: view.model().rowCount() == CLIPS, timeout=20_000)
    view.viewport().repaint()
    model = view.model()
    asked = 0
    model.dataChanged.emit(model.index(3), model.index(3))
    view.viewport().repaint()
    qtbot.wait(20)
    assert asked < CLIPS // 10
    close_window(qtbot, window)
