"""Which file is to blame when the engine dies."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pytestqt.qtbot import QtBot

from tests.services.conftest import Screen
from vidlabel.core.words import ClipState
from vidlabel.services.crash_guard import REASON
from vidlabel.services.workbench import Workbench


@pytest.fixture
def told(at_work: Workbench) -> Iterator[list[str]]:
    words: list[str] = []
    at_work.trouble.connect(words.append)
    yield words


def test_one_crash_blames_no_file(at_work: Workbench, told: list[str]) -> None:
    row = at_work.library.current
    assert row is not None
    at_work.engine.crashed.emit("The media engine crashed (SIGSEGV).", (row.path,))
    assert not at_work.guard.is_guilty(row.path)
    assert told == ["The media engine crashed (SIGSEGV)."]


def test_a_file_alone_in_two_crashes_is_marked_and_not_tried_again(
    at_work: Workbench, screen: Screen, told: list[str], qtbot: QtBot
) -> None:
    row = at_work.library.current
    assert row is not None
    at_work.engine.crashed.emit("It crashed.", (row.path, "/other.mp4"))
    with qtbot.waitSignal(at_work.player.failed) as failed:
        at_work.engine.crashed.emit("It crashed.", (row.path,))
    assert failed.args[1:] == [REASON, False]
    assert row.name in told[-1]
    qtbot.waitUntil(lambda: at_work.session.counts.by_state.get(ClipState.UNREADABLE) == 1)
    assert not at_work.guard.is_guilty("/other.mp4")
    at_work.deciding.skip()
    qtbot.waitUntil(lambda: at_work.library.current_id != row.clip_id, timeout=5000)
    screen.shown.clear()
    with qtbot.waitSignal(at_work.player.failed):
        at_work.show_clip(row.clip_id)
    assert screen.shown == []


def test_decoding_it_wholly_clears_a_file(at_work: Workbench, told: list[str]) -> None:
    for _ in range(3):
        at_work.engine.crashed.emit("It crashed.", ("/a.mp4",))
        at_work.guard.cleared("/a.mp4")
    assert not at_work.guard.is_guilty("/a.mp4")
    assert len(told) == 3
