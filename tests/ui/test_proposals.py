"""The dialog of proposed clips, over a real project: what it shows, keeps and refuses."""

from __future__ import annotations

from pytestqt.qtbot import QtBot

from tests.ui.test_keys import KEY
from vidlabel.core.sweeps import ProposalSettings
from vidlabel.ui.main_window import MainWindow
from vidlabel.ui.proposals_dialog import ProposalsDialog

KEPT = ProposalSettings(start_sure=0.6, end_sure=0.25, join_gaps_s=2.5, shortest_s=3.0, smooth_s=0.5)


def open_dialog(qtbot: QtBot, window: MainWindow, shows: ProposalSettings) -> ProposalsDialog:
    """From its menu entry, once it shows what the project keeps."""
    window.actions_table["project.proposals"].trigger()
    found = window.findChildren(ProposalsDialog)
    assert len(found) == 1
    dialog = found[0]
    qtbot.waitUntil(dialog.isActiveWindow, timeout=5_000)
    start = dialog.fields["start_sure"]
    qtbot.waitUntil(lambda: start.value() == shows.start_sure * 100, timeout=5_000)
    return dialog


def kept_by(qtbot: QtBot, window: MainWindow) -> ProposalSettings:
    kept: list[ProposalSettings] = []
    window.workbench.sweeping.ask_settings(kept.append)
    qtbot.waitUntil(lambda: bool(kept), timeout=5_000)
    return kept[0]


def fill(dialog: ProposalsDialog, qtbot: QtBot, **texts: str) -> None:
    """Types into fields, as a person would."""
    for name, text in texts.items():
        field = dialog.fields[name]
        field.setFocus()
        field.selectAll()
        qtbot.keyClicks(field, text)


def test_what_is_typed_is_kept_with_the_project_and_shown_again(qtbot: QtBot, at_work: MainWindow) -> None:
    dialog = open_dialog(qtbot, at_work, ProposalSettings())
    assert dialog.fields["end_sure"].text() == "30 % sure"
    fill(dialog, qtbot, start_sure="60", end_sure="25", join_gaps_s="2.5", shortest_s="3", smooth_s="0.5")
    with qtbot.waitSignal(dialog.accepted, timeout=5_000):
        qtbot.keyClick(dialog.fields["smooth_s"], KEY.Key_Return)
    qtbot.waitUntil(lambda: kept_by(qtbot, at_work) == KEPT, timeout=10_000)
    qtbot.waitUntil(lambda: not at_work.findChildren(ProposalsDialog), timeout=5_000)
    assert at_work.focusWidget() is at_work.player.view

    again = open_dialog(qtbot, at_work, KEPT)
    assert again.fields["join_gaps_s"].value() == 2.5
    qtbot.keyClick(again, KEY.Key_Escape)


def test_a_clip_that_would_end_above_its_start_is_refused_in_words(qtbot: QtBot, at_work: MainWindow) -> None:
    dialog = open_dialog(qtbot, at_work, ProposalSettings())
    fill(dialog, qtbot, end_sure="90")
    dialog.go.click()
    assert dialog.isVisible() and dialog.trouble.isVisible()
    assert "second value" in dialog.trouble.text()
    qtbot.keyClick(dialog, KEY.Key_Escape)
    qtbot.waitUntil(lambda: not at_work.findChildren(ProposalsDialog), timeout=5_000)
    assert kept_by(qtbot, at_work) == ProposalSettings()


def test_every_field_shows_its_number_and_has_a_name(qtbot: QtBot, at_work: MainWindow) -> None:
    dialog = open_dialog(qtbot, at_work, ProposalSettings())
    for field in dialog.fields.values():
        line = field.lineEdit()
        room = line.width() - line.textMargins().left() - line.textMargins().right()
        assert room > line.fontMetrics().horizontalAdvance(field.text())
        assert field.accessibleName()
    qtbot.keyClick(dialog, KEY.Key_Escape)
