"""Empty states and errors each have their own words and a way on."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from vidlabel.ui.main_window import MainWindow
from vidlabel.ui.parts.basics import Chip
from vidlabel.ui.parts.keycap import CapButton


def test_the_welcome_page_offers_three_ways_in(window: MainWindow) -> None:
    page = window.welcome
    assert window.pages.currentWidget() is page
    for button in (page.open_folder, page.open_project, page.samples):
        assert button.isVisible()
    assert page.open_folder.hasFocus()
    assert not window.actions_table["decide.accept"].isEnabled()
    assert window.actions_table["program.open"].isEnabled()


def test_a_file_that_is_no_project_is_refused_with_words(
    qtbot: QtBot, window: MainWindow, tmp_path: Path
) -> None:
    wrong = tmp_path / "wrong.vidlabel"
    wrong.write_text("not a database, but long enough to look like a file " * 40)
    with qtbot.waitSignal(window.workbench.session.open_failed, timeout=10_000):
        window.open_path(wrong)
    assert window.pages.currentWidget() is window.welcome
    assert window.welcome.trouble.isVisible()
    assert "wrong.vidlabel" in window.welcome.trouble.text()


def test_an_empty_folder_says_so_and_offers_another(qtbot: QtBot, window: MainWindow, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    window.open_path(empty)
    message = window.player.message
    qtbot.waitUntil(lambda: message.title.text() == "No clips yet", timeout=15_000)
    assert str(empty) in message.words.text()
    assert any("Add a folder" in button.words for button in message.findChildren(CapButton))
    assert not QApplication.activeModalWidget()


def test_an_unreadable_video_says_why_and_what_to_do(
    qtbot: QtBot, at_work: MainWindow, tmp_path: Path
) -> None:
    library = at_work.workbench.library
    row = library.row(5)
    assert row is not None
    Path(row.path).write_bytes(b"")
    library.set_current_index(5)
    qtbot.waitUntil(lambda: at_work.player.shows_message, timeout=10_000)
    message = at_work.player.message
    assert message.detail.text() == row.path
    assert "S goes on" in message.words.text()
    qtbot.keyClick(at_work.player.message, Qt.Key.Key_Home)
    qtbot.waitUntil(lambda: not at_work.player.shows_message, timeout=10_000)


def test_a_vanished_video_is_called_missing(qtbot: QtBot, at_work: MainWindow) -> None:
    library = at_work.workbench.library
    row = library.row(5)
    assert row is not None
    Path(row.path).unlink()
    library.set_current_index(5)
    qtbot.waitUntil(lambda: at_work.player.shows_message, timeout=10_000)
    assert "not where it was" in at_work.player.message.title.text()


def test_when_all_is_decided_the_page_says_so(qtbot: QtBot, at_work: MainWindow) -> None:
    bench = at_work.workbench
    for done in range(6):
        qtbot.waitUntil(lambda: bench.deciding.can_act, timeout=10_000)
        qtbot.keyClick(at_work.player.view, Qt.Key.Key_Return)
        qtbot.waitUntil(lambda done=done: bench.session.counts.decided == done + 1, timeout=10_000)
    qtbot.waitUntil(lambda: at_work.player.shows_message, timeout=5_000)
    assert at_work.player.message.title.text() == "Every clip is decided"
    qtbot.waitUntil(lambda: "6 of 6 decided" in at_work.player.message.words.text(), timeout=2_000)
    assert at_work.player.message.hasFocus()
    assert at_work.status.left_words.text() == "0 left"
    # Nothing is on the screen that could be decided about.
    qtbot.keyClick(at_work.player.message, Qt.Key.Key_2)
    assert "No clip is on the screen" in at_work.status.notice.full
    qtbot.keyClick(at_work.player.message, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: not at_work.player.shows_message and bench.deciding.can_act, timeout=5_000)
    assert bench.player.playing
    qtbot.waitUntil(lambda: bench.session.counts.decided == 5, timeout=2_000)


def test_a_filter_that_matches_nothing_leaves_the_clip_on_screen(qtbot: QtBot, at_work: MainWindow) -> None:
    bench = at_work.workbench
    clip = bench.library.current_id
    at_work.library.filters.field.setText("no such clip")
    qtbot.waitUntil(lambda: len(bench.library) == 0, timeout=5_000)
    assert bench.library.current_id == clip
    assert not at_work.player.shows_message
    at_work.actions_table["library.clear_filter"].trigger()
    qtbot.waitUntil(lambda: len(bench.library) == 6, timeout=5_000)


def test_percentages_say_that_they_are_not_calibrated(at_work: MainWindow) -> None:
    assert at_work.decide.suggestions.rows[0].score is not None
    assert "Not calibrated" in at_work.decide.note.text()


def test_background_work_can_be_stopped_from_the_status_bar(qtbot: QtBot, at_work: MainWindow) -> None:
    stopped: list[bool] = []
    at_work.workbench.background.begin("test", "Counting stars", lambda: stopped.append(True))
    at_work.workbench.background.update("test", 3, 10)
    line = at_work.status.findChildren(type(at_work.status.notice))
    qtbot.waitUntil(lambda: any("Counting stars 3 of 10" in words.full for words in line), timeout=2_000)
    stop = next(chip for chip in at_work.status.findChildren(Chip) if chip.text() == "Stop")
    qtbot.mouseClick(stop, Qt.MouseButton.LeftButton)
    assert stopped == [True]
    assert at_work.player.view.hasFocus()
    at_work.workbench.background.end("test")


def test_the_layout_is_remembered(qtbot: QtBot, at_work: MainWindow) -> None:
    at_work.columns.setSizes([300, 700, 280])
    sizes = at_work.columns.sizes()
    at_work._remember()
    at_work.columns.setSizes([400, 560, 320])
    at_work.columns.restoreState(at_work.workbench.settings.window_state("splitter/columns"))
    assert at_work.columns.sizes() == sizes


def test_light_and_dark(qtbot: QtBot, at_work: MainWindow) -> None:
    at_work.actions_table["theme.light"].trigger()
    assert at_work.palette().window().color().lightness() > 128
    at_work.actions_table["theme.dark"].trigger()
    assert at_work.palette().window().color().lightness() < 128


def test_the_layout_is_kept_when_the_program_is_ended_from_outside(qtbot: QtBot, at_work: MainWindow) -> None:
    at_work.columns.setSizes([300, 700, 280])
    with qtbot.waitSignal(at_work.workbench.closed, timeout=15_000):
        at_work.workbench.close()
    kept = at_work.workbench.settings.window_state("splitter/columns")
    assert kept == at_work.columns.saveState()
    assert not kept.isEmpty()
