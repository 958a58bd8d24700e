"""The review page in a real window: clips loop, a click culls, one key takes the rest, an undo brings all back."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from tests.ui.conftest import CLIPS, close_window, show_window
from tests.ui.test_models import press
from tests.ui.test_names import nameless
from vidlabel.core.words import ClipState, Decision
from vidlabel.services.review_words import Mode
from vidlabel.store.project_store import ProjectStore
from vidlabel.ui.main_window import MainWindow
from vidlabel.ui.review.page import ReviewPage

KEY = Qt.Key
CONTROL = Qt.KeyboardModifier.ControlModifier


@pytest.fixture
def waves(project: Path) -> Path:
    """Every clip is suggested as wave, the first surest: 0.9, 0.85, …"""
    with closing(sqlite3.connect(project)) as raw, raw:
        raw.execute("UPDATE clips SET suggested = 'wave', probability = 0.95 - 0.05 * id")
    return project


@pytest.fixture
def window(qtbot: QtBot, waves: Path) -> Iterator[MainWindow]:
    window = show_window(qtbot, waves)
    window.workbench.settings.review_least = 0.5
    qtbot.waitUntil(lambda: window.workbench.session.is_open, timeout=10_000)
    yield window
    close_window(qtbot, window)


@pytest.fixture
def page(qtbot: QtBot, window: MainWindow) -> ReviewPage:
    """The page, reached by its key, every tile painted."""
    press(qtbot, window, KEY.Key_2, CONTROL)
    page = window.places.page("review")
    assert isinstance(page, ReviewPage)
    painted(qtbot, window)
    return page


def painted(qtbot: QtBot, window: MainWindow, tiles: int = CLIPS) -> None:
    reviewing = window.workbench.reviewing
    qtbot.waitUntil(lambda: len(reviewing.rows) == tiles and reviewing.waiting == 0, timeout=20_000)


def states(project: Path) -> list[str]:
    with ProjectStore.open(project, read_only=True) as store:
        return [row.state.value for row in store.clip_rows(range(1, CLIPS + 1))]


def newest(project: Path, clip_id: int) -> Decision:
    with ProjectStore.open(project, read_only=True) as store:
        return store.history(clip_id)[0]


def test_enter_accepts_all_but_the_clicked_and_one_undo_takes_it_back(
    qtbot: QtBot, window: MainWindow, page: ReviewPage, project: Path
) -> None:
    reviewing = window.workbench.reviewing
    assert [row.clip_id for row in reviewing.rows] == [1, 2, 3, 4, 5, 6]
    assert page.view.hasFocus()
    press(qtbot, window, KEY.Key_Right)
    press(qtbot, window, KEY.Key_Space)
    spot = page.view.visualRect(page.view.tile_model.index(4)).center()
    QTest.mouseClick(page.view.viewport(), Qt.MouseButton.LeftButton, pos=spot)
    assert page.head.accept.words == "Accept 4 of 6 as wave"
    with qtbot.waitSignal(reviewing.saved, timeout=10_000):
        press(qtbot, window, KEY.Key_Return)
    assert states(project) == ["accepted", "suggested", "accepted", "accepted", "suggested", "accepted"]
    first = newest(project, 1)
    assert (first.label, first.suggested, first.probability) == ("wave", "wave", pytest.approx(0.9))
    assert first.model
    qtbot.waitUntil(lambda: page.message.isVisible(), timeout=10_000)
    assert "wave" in page.message.title.text()
    qtbot.waitUntil(lambda: window.workbench.session.undo_words is not None, timeout=10_000)
    press(qtbot, window, KEY.Key_Z, CONTROL)
    qtbot.waitUntil(lambda: reviewing.open == CLIPS, timeout=10_000)
    painted(qtbot, window)
    assert states(project) == ["suggested"] * CLIPS
    assert [reviewing.mark(clip) is not None for clip in range(1, 7)] == [
        False,
        True,
        False,
        False,
        True,
        False,
    ]
    assert page.head.accept.words == "Accept 4 of 6 as wave"


def test_another_label_for_the_clicked_is_part_of_the_same_step(
    qtbot: QtBot, window: MainWindow, page: ReviewPage, project: Path
) -> None:
    press(qtbot, window, KEY.Key_X)
    press(qtbot, window, KEY.Key_Slash)
    qtbot.waitUntil(page.head.picker.hasFocus, timeout=5_000)
    qtbot.keyClicks(page.head.picker, "kick")
    label = page.head.picker.matches.current
    press(qtbot, window, KEY.Key_Return)
    assert page.view.hasFocus()
    with qtbot.waitSignal(window.workbench.reviewing.saved, timeout=10_000):
        press(qtbot, window, KEY.Key_Return)
    assert states(project) == ["corrected", *["accepted"] * 5]
    assert newest(project, 1).label == label
    with ProjectStore.open(project) as store:
        store.undo(annotator="me")
    assert states(project) == ["suggested"] * CLIPS


def test_no_key_decides_before_the_pictures_are_on_the_screen(
    qtbot: QtBot, window: MainWindow, page: ReviewPage, project: Path
) -> None:
    reviewing = window.workbench.reviewing
    reviewing._painted.discard(3)
    with qtbot.waitSignal(reviewing.refused, timeout=5_000):
        reviewing.accept()
    assert states(project) == ["suggested"] * CLIPS


def test_a_held_key_decides_nothing(
    qtbot: QtBot, window: MainWindow, page: ReviewPage, project: Path
) -> None:
    held = QKeyEvent(
        QKeyEvent.Type.KeyPress, KEY.Key_Return, Qt.KeyboardModifier.NoModifier, "\r", autorep=True
    )
    QApplication.sendEvent(page.view, held)
    reviewing = window.workbench.reviewing
    assert not reviewing._writing
    assert states(project) == ["suggested"] * CLIPS


def test_tiles_loop_while_they_are_seen_and_motion_is_wanted(
    qtbot: QtBot, window: MainWindow, page: ReviewPage
) -> None:
    view, strips = page.view, window.workbench.filmstrips
    row, _rect, size = view.tiles()[0]
    shown = {strips.number(row, now, size=size) for now in range(0, 2000, 20)}
    assert shown == set(range(24))
    assert view.looping.running
    window.workbench.settings.reduce_motion = True
    assert not view.looping.running
    window.workbench.settings.reduce_motion = False
    press(qtbot, window, KEY.Key_1, CONTROL)
    qtbot.waitUntil(lambda: not view.looping.running, timeout=5_000)


def test_blind_mode_hides_what_is_suggested(
    qtbot: QtBot, window: MainWindow, page: ReviewPage, project: Path
) -> None:
    press(qtbot, window, KEY.Key_B)
    assert page.message.isVisible()
    assert "Blind" in page.message.title.text()
    press(qtbot, window, KEY.Key_Return)
    assert states(project) == ["suggested"] * CLIPS
    press(qtbot, window, KEY.Key_B)
    assert page.view.isVisible()


def test_decided_clips_that_are_clicked_go_back_to_the_queue(
    qtbot: QtBot, window: MainWindow, page: ReviewPage, project: Path
) -> None:
    reviewing = window.workbench.reviewing
    with qtbot.waitSignal(reviewing.saved, timeout=10_000):
        press(qtbot, window, KEY.Key_Return)
    qtbot.waitUntil(lambda: window.workbench.session.counts.decided == CLIPS, timeout=10_000)
    press(qtbot, window, KEY.Key_D)
    assert reviewing.mode is Mode.DECIDED
    painted(qtbot, window)
    clicked = reviewing.rows[0].clip_id
    press(qtbot, window, KEY.Key_Space)
    with qtbot.waitSignal(reviewing.saved, timeout=10_000):
        press(qtbot, window, KEY.Key_Return)
    assert [number for number, state in enumerate(states(project), 1) if state == "skipped"] == [clicked]


def test_least_confidence_and_tile_size_by_key(qtbot: QtBot, window: MainWindow, page: ReviewPage) -> None:
    reviewing = window.workbench.reviewing
    for _ in range(4):
        press(qtbot, window, KEY.Key_Period)
    assert reviewing.least == pytest.approx(0.7)
    painted(qtbot, window, 5)
    press(qtbot, window, KEY.Key_Minus)
    assert page.view.across == 6
    for _ in range(6):
        press(qtbot, window, KEY.Key_Minus)
    assert page.view.across == 2
    qtbot.waitUntil(lambda: len(reviewing.rows) < 5, timeout=5_000)
    press(qtbot, window, KEY.Key_PageDown)
    qtbot.waitUntil(lambda: reviewing.place > 0, timeout=5_000)


def test_a_double_click_opens_the_clip_on_the_labelling_page_and_says_nothing_of_it(
    qtbot: QtBot, window: MainWindow, page: ReviewPage
) -> None:
    spot = page.view.visualRect(page.view.tile_model.index(3)).center()
    viewport = page.view.viewport()
    QTest.mouseClick(viewport, Qt.MouseButton.LeftButton, pos=spot)
    QTest.mouseDClick(viewport, Qt.MouseButton.LeftButton, pos=spot)
    assert window.places.place == "label"
    qtbot.waitUntil(lambda: window.workbench.library.current_id == 4, timeout=10_000)


def test_an_unreadable_clip_is_not_accepted_with_the_others(qtbot: QtBot, waves: Path, project: Path) -> None:
    with ProjectStore.open(project) as store:
        row = store.clip_row(2)
    assert row is not None
    Path(row.path).write_text("no video")
    window = show_window(qtbot, waves)
    try:
        window.workbench.settings.review_least = 0.5
        qtbot.waitUntil(lambda: window.workbench.session.is_open, timeout=10_000)
        press(qtbot, window, KEY.Key_2, CONTROL)
        painted(qtbot, window)
        reviewing = window.workbench.reviewing
        qtbot.waitUntil(lambda: reviewing.open == CLIPS - 1, timeout=10_000)
        with qtbot.waitSignal(reviewing.saved, timeout=10_000):
            press(qtbot, window, KEY.Key_Return)
    finally:
        close_window(qtbot, window)
    assert states(project)[1] != ClipState.ACCEPTED.value
    assert states(project).count("accepted") == CLIPS - 1


def test_every_control_of_the_page_has_a_name(page: ReviewPage) -> None:
    assert nameless(page) == []
