"""The keys do what the key table says, in a real window."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from vidlabel.core.words import ClipState
from vidlabel.ui.main_window import MainWindow

KEY = Qt.Key


def press(qtbot: QtBot, window: MainWindow, key: Qt.Key, held: Qt.KeyboardModifier | None = None) -> None:
    """A key as the person presses it: to whatever has the focus."""
    qtbot.keyClick(window.focusWidget() or window, key, held or Qt.KeyboardModifier.NoModifier)


def decided(window: MainWindow) -> int:
    return window.workbench.session.counts.decided


def wait_for_next(qtbot: QtBot, window: MainWindow, before: int | None) -> None:
    bench = window.workbench
    qtbot.waitUntil(lambda: bench.library.current_id != before and bench.deciding.can_act, timeout=10_000)


def test_the_player_has_the_focus_at_once(at_work: MainWindow) -> None:
    assert at_work.player.view.hasFocus()
    assert not at_work.player.shows_message


@pytest.mark.parametrize("key", [KEY.Key_Return, KEY.Key_Enter])
def test_enter_accepts_the_first_suggestion_and_goes_on(
    qtbot: QtBot, at_work: MainWindow, key: Qt.Key
) -> None:
    bench = at_work.workbench
    clip = bench.library.current_id
    assert clip is not None and bench.deciding.suggestion is not None
    first = bench.deciding.suggestion.scores[0].label
    press(qtbot, at_work, key)
    wait_for_next(qtbot, at_work, clip)
    row = bench.library.row_of(clip)
    assert row is not None
    assert (row.state, row.label) == (ClipState.ACCEPTED, first)
    assert at_work.status.saved.text() == "Saved"


def test_a_digit_takes_that_suggestion(qtbot: QtBot, at_work: MainWindow) -> None:
    bench = at_work.workbench
    clip = bench.library.current_id
    assert clip is not None and bench.deciding.suggestion is not None
    third = bench.deciding.suggestion.scores[2].label
    press(qtbot, at_work, KEY.Key_3)
    wait_for_next(qtbot, at_work, clip)
    row = bench.library.row_of(clip)
    assert row is not None
    assert (row.state, row.label) == (ClipState.CORRECTED, third)


@pytest.mark.parametrize(
    ("key", "state"),
    [(KEY.Key_S, ClipState.SKIPPED), (KEY.Key_U, ClipState.UNSURE), (KEY.Key_X, ClipState.UNUSABLE)],
)
def test_verdict_keys(qtbot: QtBot, at_work: MainWindow, key: Qt.Key, state: ClipState) -> None:
    clip = at_work.workbench.library.current_id
    assert clip is not None
    press(qtbot, at_work, key)
    wait_for_next(qtbot, at_work, clip)
    row = at_work.workbench.library.row_of(clip)
    assert row is not None
    assert row.state is state


def test_auto_repeat_never_decides(qtbot: QtBot, at_work: MainWindow) -> None:
    clip = at_work.workbench.library.current_id
    for _ in range(5):
        for kind in (QEvent.Type.ShortcutOverride, QEvent.Type.KeyPress):
            event = QKeyEvent(kind, KEY.Key_Return, Qt.KeyboardModifier.NoModifier, "\r", True)
            QApplication.sendEvent(at_work.player.view, event)
    qtbot.wait(50)
    assert at_work.workbench.library.current_id == clip
    assert decided(at_work) == 0


def test_a_held_key_decides_once_where_qt_misses_that_it_repeats(qtbot: QtBot, at_work: MainWindow) -> None:
    """As on X11: pairs of release and press with one time stamp, none of them marked as a repeat."""
    bench = at_work.workbench
    press(qtbot, at_work, KEY.Key_Return)
    qtbot.waitUntil(lambda: decided(at_work) == 1 and bench.deciding.can_act, timeout=10_000)
    clip = bench.library.current_id
    for stamp in (5_000, 5_040, 5_080):
        for kind in (QEvent.Type.KeyRelease, QEvent.Type.ShortcutOverride, QEvent.Type.KeyPress):
            event = QKeyEvent(kind, KEY.Key_Return, Qt.KeyboardModifier.NoModifier, "\r", False)
            event.setTimestamp(stamp)
            event.ignore()
            QApplication.sendEvent(at_work.player.view, event)
            # Qt asks the shortcuts only after nobody claimed the key.
            assert kind != QEvent.Type.ShortcutOverride or event.isAccepted()
    qtbot.wait(50)
    assert bench.library.current_id == clip
    assert decided(at_work) == 1


def test_undo_and_redo(qtbot: QtBot, at_work: MainWindow) -> None:
    bench = at_work.workbench
    clip = bench.library.current_id
    press(qtbot, at_work, KEY.Key_Return)
    wait_for_next(qtbot, at_work, clip)
    control = Qt.KeyboardModifier.ControlModifier
    press(qtbot, at_work, KEY.Key_Z, control)
    qtbot.waitUntil(lambda: decided(at_work) == 0 and bench.library.current_id == clip, timeout=5_000)
    press(qtbot, at_work, KEY.Key_Z, control | Qt.KeyboardModifier.ShiftModifier)
    qtbot.waitUntil(lambda: decided(at_work) == 1, timeout=5_000)


def test_several_clips_get_their_own_suggestions_in_one_step_and_stay_where_they_are(
    qtbot: QtBot, at_work: MainWindow
) -> None:
    bench, view = at_work.workbench, at_work.library.view
    before = list(bench.library.ids)
    current = bench.library.index_of(bench.library.current_id or 0)
    assert current is not None
    rows = [bench.library.row(index) for index in range(current, current + 3)]
    wanted = {row.clip_id: row.suggested for row in rows if row is not None}
    place = view.visualRect(view.model().index(current + 2, 0)).center()
    qtbot.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, Qt.KeyboardModifier.ShiftModifier, place)
    qtbot.waitUntil(lambda: len(bench.library.selection) == 3 and bench.deciding.can_act, timeout=5_000)
    assert at_work.decide.accept.words == "Accept on 3 clips"
    assert "each its own" in at_work.decide.note.text()
    press(qtbot, at_work, KEY.Key_Return)
    qtbot.waitUntil(lambda: decided(at_work) == 3, timeout=5_000)
    qtbot.wait(700)
    assert list(bench.library.ids) == before
    given = {clip_id: row.label for clip_id in wanted if (row := bench.library.row_of(clip_id))}
    assert given == wanted
    press(qtbot, at_work, KEY.Key_Z, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: decided(at_work) == 0, timeout=5_000)


def test_moving_between_clips(qtbot: QtBot, at_work: MainWindow) -> None:
    library, view = at_work.workbench.library, at_work.library.view
    place = library.index_of(library.current_id or 0)
    assert place is not None
    for key, wanted in (
        (KEY.Key_End, len(library) - 1),
        (KEY.Key_Up, len(library) - 2),
        (KEY.Key_Home, 0),
        (KEY.Key_Down, 1),
        (KEY.Key_PageUp, 0),
        (KEY.Key_PageDown, min(len(library) - 1, at_work.library.view.rows_in_sight())),
    ):
        press(qtbot, at_work, key)
        qtbot.waitUntil(lambda wanted=wanted: library.current_id == library.ids[wanted], timeout=5_000)
        qtbot.waitUntil(lambda wanted=wanted: view.currentIndex().row() == wanted, timeout=2_000)


def test_space_pauses_and_comma_and_full_stop_step(qtbot: QtBot, at_work: MainWindow) -> None:
    player = at_work.workbench.player
    press(qtbot, at_work, KEY.Key_Space)
    qtbot.waitUntil(lambda: not player.playing, timeout=2_000)
    assert at_work.player.transport.play.accessibleName() == "Play"
    player.seek_frame(10)
    qtbot.waitUntil(lambda: player.info is not None and player.info.frame == 10, timeout=5_000)
    press(qtbot, at_work, KEY.Key_Period)
    qtbot.waitUntil(lambda: player.info is not None and player.info.frame == 11, timeout=5_000)
    press(qtbot, at_work, KEY.Key_Comma)
    press(qtbot, at_work, KEY.Key_Comma)
    qtbot.waitUntil(lambda: player.info is not None and player.info.frame == 9, timeout=5_000)
    assert "frame 10 of 60" in at_work.player.transport.readout.words
    assert at_work.player.timeline.value() == 9


def test_speed_keys(qtbot: QtBot, at_work: MainWindow) -> None:
    player, shown = at_work.workbench.player, at_work.player.transport.speed
    press(qtbot, at_work, KEY.Key_BracketRight)
    assert player.speed > 1
    press(qtbot, at_work, KEY.Key_Backspace)
    assert player.speed == 1
    assert shown.words == "1.0x"
    press(qtbot, at_work, KEY.Key_BracketLeft)
    assert player.speed < 1
    assert shown.words != "1.0x"


def test_blind_mode_hides_the_suggestions_and_says_so(qtbot: QtBot, at_work: MainWindow) -> None:
    clip = at_work.workbench.library.current_id
    press(qtbot, at_work, KEY.Key_B)
    assert all(row.score is None for row in at_work.decide.suggestions.rows)
    assert "Blind mode" in at_work.decide.note.text()
    assert "%" not in at_work.decide.why.text()
    with qtbot.waitSignal(at_work.workbench.deciding.refused, timeout=2_000):
        press(qtbot, at_work, KEY.Key_Return)
    assert at_work.workbench.library.current_id == clip
    assert "Blind mode" in at_work.status.notice.full
    press(qtbot, at_work, KEY.Key_B)
    assert at_work.decide.suggestions.rows[0].score is not None


def test_grid_and_list(qtbot: QtBot, at_work: MainWindow) -> None:
    press(qtbot, at_work, KEY.Key_G)
    assert at_work.library.view.grid
    assert at_work.workbench.settings.grid
    press(qtbot, at_work, KEY.Key_G)
    assert not at_work.library.view.grid


def test_full_screen_keeps_what_decisions_need(qtbot: QtBot, at_work: MainWindow) -> None:
    press(qtbot, at_work, KEY.Key_F)
    assert not at_work.library.isVisible()
    assert at_work.decide.isVisible()
    press(qtbot, at_work, KEY.Key_Escape)
    assert at_work.library.isVisible()
    assert not at_work.isFullScreen()


def test_a_remapped_key_acts_and_shows(qtbot: QtBot, at_work: MainWindow) -> None:
    bench = at_work.workbench
    assert bench.keys.remap("decide.skip", ["K"]) == []
    clip = bench.library.current_id
    assert "K" in at_work.actions_table["decide.skip"].toolTip()
    press(qtbot, at_work, KEY.Key_S)
    qtbot.wait(30)
    assert bench.library.current_id == clip
    press(qtbot, at_work, KEY.Key_K)
    wait_for_next(qtbot, at_work, clip)


@pytest.mark.parametrize("place", ["label", "review", "models"])
def test_no_two_actions_share_a_key_on_a_page(window: MainWindow, place: str) -> None:
    window.actions_table.set_page_active(True)
    window.actions_table.set_place(place)
    owners: dict[str, str] = {}
    for action in window.actions_table.all():
        for sequence in action.shortcuts() if action.isEnabled() else ():
            key = sequence.toString()
            assert key not in owners, f"{key}: {owners.get(key)} and {action.objectName()}"
            owners[key] = action.objectName()
