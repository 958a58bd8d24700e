"""The services together, with a real store and a real engine."""

from __future__ import annotations

from pathlib import Path

from pytestqt.qtbot import QtBot

from tests.services.conftest import Screen, opened
from vidlabel.core.words import ClipState
from vidlabel.services.workbench import Workbench


def test_an_opened_folder_is_scanned_and_its_first_clip_plays(
    workbench: Workbench, screen: Screen, footage: Path, qtbot: QtBot
) -> None:
    opened(workbench, screen, footage, qtbot)
    row = workbench.library.current
    assert row is not None
    assert row.state is ClipState.UNDECIDED
    assert workbench.session.counts.total == 5
    seen = len(screen.shown)
    qtbot.waitUntil(lambda: len(screen.shown) > seen + 5)
    qtbot.waitUntil(lambda: not workbench.background.jobs, timeout=20_000)
