"""The label set can be edited, and the picker follows."""

from __future__ import annotations

from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from vidlabel.ui.labels_dialog import LabelsDialog
from vidlabel.ui.main_window import MainWindow


def test_adding_moving_renaming_and_retiring(qtbot: QtBot, at_work: MainWindow) -> None:
    session = at_work.workbench.session
    dialog = LabelsDialog(session, at_work)
    qtbot.addWidget(dialog)
    dialog.show()
    dialog.activateWindow()
    dialog.name.setFocus()
    qtbot.waitUntil(dialog.name.hasFocus, timeout=5_000)

    def names() -> list[str]:
        return [label.name for label in session.labels]

    qtbot.keyClicks(dialog.name, "juggle")
    qtbot.keyClick(dialog.name, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: "juggle" in names(), timeout=5_000)
    assert names()[-1] == "juggle"
    dialog.list.setCurrentRow(dialog.list.count() - 1)
    dialog.up.click()
    qtbot.waitUntil(lambda: names()[-2] == "juggle", timeout=5_000)
    assert dialog.list.currentItem().text() == "juggle"
    dialog.list.currentItem().setText("juggle balls")
    qtbot.waitUntil(lambda: "juggle balls" in names(), timeout=5_000)
    dialog.retire.click()
    qtbot.waitUntil(lambda: "juggle balls" not in names(), timeout=5_000)
    assert dialog.list.count() == 51


def test_a_new_label_can_be_picked_at_once(qtbot: QtBot, at_work: MainWindow) -> None:
    bench = at_work.workbench
    bench.session.add_label("juggle")
    qtbot.waitUntil(lambda: len(bench.session.labels) == 52, timeout=5_000)
    qtbot.keyClick(at_work.player.view, Qt.Key.Key_Slash)
    qtbot.keyClicks(at_work.decide.picker, "jug")
    clip = bench.library.current_id
    qtbot.keyClick(at_work.decide.picker, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: bench.session.counts.decided == 1, timeout=5_000)
    row = bench.library.row_of(clip or 0)
    assert row is not None and row.label == "juggle"


def test_a_long_label_does_not_push_the_column_out_of_the_window(qtbot: QtBot, at_work: MainWindow) -> None:
    bench, decide = at_work.workbench, at_work.decide
    long = "reaching for the pellet with the left forepaw & looking away, third_trial_without_any_break_" * 2
    bench.session.add_label(long)
    qtbot.waitUntil(lambda: len(bench.session.labels) == 52, timeout=5_000)
    bench.deciding.give(long.strip())
    qtbot.waitUntil(lambda: decide.recent.labels == (long.strip(),), timeout=5_000)
    bench.library.set_current(bench.library.ids[0])
    assert decide.recent.chip(long.strip()).toolTip() == long.strip()
    for part in (decide.suggestions, decide.accept, decide.recent, decide.history):
        qtbot.waitUntil(lambda part=part: part.width() <= decide.width(), timeout=2_000)
        assert part.mapTo(decide, part.rect().topRight()).x() < decide.width()
