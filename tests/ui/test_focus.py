"""Who gets a key: the control with the focus where it has a use for it, the page otherwise."""

from __future__ import annotations

from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from vidlabel.ui.main_window import MainWindow

KEY = Qt.Key


def test_a_click_on_a_button_leaves_the_focus_at_the_player(qtbot: QtBot, at_work: MainWindow) -> None:
    qtbot.mouseClick(at_work.player.transport.play, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: not at_work.workbench.player.playing, timeout=2_000)
    assert at_work.player.view.hasFocus()


def test_a_click_on_a_clip_leaves_the_focus_at_the_player(qtbot: QtBot, at_work: MainWindow) -> None:
    view = at_work.library.view
    place = view.visualRect(view.model().index(3, 0)).center()
    qtbot.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=place)
    library = at_work.workbench.library
    qtbot.waitUntil(lambda: library.current_id == library.ids[3], timeout=5_000)
    assert at_work.player.view.hasFocus()


def test_a_control_reached_by_tab_takes_space_and_enter(qtbot: QtBot, at_work: MainWindow) -> None:
    bench = at_work.workbench
    clip, button = bench.library.current_id, at_work.player.transport.play
    button.setFocus(Qt.FocusReason.TabFocusReason)
    for key, playing in ((KEY.Key_Return, False), (KEY.Key_Space, True), (KEY.Key_Enter, False)):
        qtbot.keyClick(button, key)
        qtbot.waitUntil(lambda playing=playing: bench.player.playing is playing, timeout=2_000)
    assert bench.library.current_id == clip
    assert bench.session.counts.decided == 0
    qtbot.keyClick(button, KEY.Key_Escape)
    assert at_work.player.view.hasFocus()


def test_enter_on_a_suggestion_takes_that_one(qtbot: QtBot, at_work: MainWindow) -> None:
    bench = at_work.workbench
    clip, second = bench.library.current_id, at_work.decide.suggestions.rows[1]
    assert clip is not None and second.score is not None
    wanted = second.score.label
    second.setFocus(Qt.FocusReason.TabFocusReason)
    qtbot.keyClick(second, KEY.Key_Return)
    qtbot.waitUntil(lambda: bench.session.counts.decided == 1, timeout=5_000)
    row = bench.library.row_of(clip)
    assert row is not None and row.label == wanted


def test_the_filter_field_takes_every_printable_key(qtbot: QtBot, at_work: MainWindow) -> None:
    bench = at_work.workbench
    clip = bench.library.current_id
    qtbot.keyClick(at_work.player.view, KEY.Key_F, Qt.KeyboardModifier.ControlModifier)
    field = at_work.library.filters.field
    assert field.hasFocus()
    for character in "s1ux/b ,.[]?a":
        qtbot.keyClick(field, character)
    assert field.text() == "s1ux/b ,.[]?a"
    qtbot.keyClick(field, KEY.Key_Backspace)
    assert field.text() == "s1ux/b ,.[]?"
    assert bench.library.current_id == clip
    assert bench.session.counts.decided == 0
    assert not bench.deciding.blind
    field.clear()
    qtbot.keyClick(field, KEY.Key_Escape)
    assert at_work.player.view.hasFocus()


def test_tab_goes_through_the_window_and_comes_back(qtbot: QtBot, at_work: MainWindow) -> None:
    seen: list[QWidget] = []
    for _ in range(80):
        focused = QApplication.focusWidget()
        assert focused is not None
        if seen and focused is seen[0]:
            break
        seen.append(focused)
        qtbot.keyClick(focused, KEY.Key_Tab)
    assert QApplication.focusWidget() is seen[0]
    for wanted in (
        at_work.library.filters.field,
        at_work.library.view,
        at_work.player.timeline,
        at_work.decide.accept,
        at_work.decide.picker,
    ):
        assert wanted in seen


def test_columns_can_be_resized_by_key(qtbot: QtBot, at_work: MainWindow) -> None:
    handle = at_work.columns.handle(1)
    before = at_work.columns.sizes()[0]
    handle.setFocus(Qt.FocusReason.TabFocusReason)
    qtbot.keyClick(handle, KEY.Key_Right)
    assert at_work.columns.sizes()[0] > before
    assert not at_work.workbench.player.info or at_work.workbench.session.counts.decided == 0


def test_dragging_over_the_timeline_seeks(qtbot: QtBot, at_work: MainWindow) -> None:
    timeline, player = at_work.player.timeline, at_work.workbench.player
    player.pause()
    qtbot.mouseClick(timeline, Qt.MouseButton.LeftButton, pos=QPoint(timeline.width() // 2, 20))
    qtbot.waitUntil(lambda: player.info is not None and 27 <= player.info.frame <= 32, timeout=5_000)
    assert at_work.player.view.hasFocus()
