"""The left column: what rows say, where it is painted, and what the filter does."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtCore import QRect, Qt
from PySide6.QtGui import QFontMetricsF
from pytestqt.qtbot import QtBot

from vidlabel.core.reasons import why_now
from vidlabel.core.words import ClipRow, ClipState, Counts, QueueOrder
from vidlabel.ui import tokens
from vidlabel.ui.library.counts import counts_words
from vidlabel.ui.library.texts import row_line, second_line, spoken
from vidlabel.ui.main_window import MainWindow
from vidlabel.ui.parts.basics import Chip

ROW = ClipRow(
    clip_id=1, video_id=1, path="/footage/a/clip.mp4", relative="a/clip.mp4", start_us=0, end_us=2_000_000,
    start_frame=0, end_frame=60, whole=True, state=ClipState.SUGGESTED, label=None, annotator=None,
    decided_at_us=None, suggested="throw", probability=0.71, margin=0.5, model="m", fingerprint="f", fps=30.0,
    frames=60, width=320, height=240, audio=False,
)  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "throw · suggested 71 %"),
        ({"probability": 0.999}, "throw · suggested > 99 %"),
        ({"probability": 0.001}, "throw · suggested < 1 %"),
        ({"state": ClipState.ACCEPTED, "label": "throw"}, "throw · accepted"),
        ({"state": ClipState.CORRECTED, "label": "punch"}, "punch · corrected · was throw"),
        ({"state": ClipState.UNDECIDED, "suggested": None}, "undecided"),
        ({"state": ClipState.UNREADABLE, "reason": "empty file"}, "unreadable · empty file"),
    ],
)
def test_the_second_line(changes: dict[str, object], words: str) -> None:
    assert second_line(replace(ROW, **changes)) == words


def test_blind_mode_keeps_the_suggestion_out_of_sight_and_hearing() -> None:
    assert "throw" not in second_line(ROW, blind=True)
    assert "throw" not in spoken(ROW, blind=True)


def test_a_part_of_a_video_is_told_from_the_whole() -> None:
    part = replace(ROW, whole=False, start_us=61_000_000, end_us=65_000_000)
    assert "part from 1:01 to 1:05" in spoken(part)
    assert row_line(part) == "1:01–1:05 · throw 71 %"
    assert "throw" not in row_line(part, blind=True)
    assert row_line(ROW) == second_line(ROW)


@pytest.mark.parametrize("margin", [0.02, 0.5])
@pytest.mark.parametrize("order", [QueueOrder.LEAST_SURE, QueueOrder.SUREST])
def test_the_reason_speaks_in_the_figures_on_screen_and_not_in_blind_mode(
    margin: float, order: QueueOrder
) -> None:
    row = replace(ROW, margin=margin, calibrated=0.44)
    assert "throw 44 %" in why_now(row, order)
    assert "throw" not in why_now(row, order, blind=True)


def test_counts_in_words() -> None:
    counts = Counts(by_state={ClipState.ACCEPTED: 3, ClipState.SUGGESTED: 1997, ClipState.UNREADABLE: 12})
    assert counts_words(counts) == "3 of 2,012 decided · 12 unreadable"
    assert counts_words(Counts()) == "No clips yet"


@pytest.mark.parametrize("width", [240, 332, 372, 700])
@pytest.mark.parametrize("duration_us", [2_000_000, 3_723_000_000])
def test_nothing_in_a_row_overlaps(at_work: MainWindow, width: int, duration_us: int) -> None:
    delegate = at_work.library.view.itemDelegate()
    row = replace(ROW, relative="a/" + "very_long_name_" * 8 + "0912.mp4", end_us=duration_us)
    rect = QRect(0, 0, width, tokens.ROW)
    name, time, second = delegate.name_box(rect, row), delegate.time_box(rect, row), delegate.second_box(rect)
    assert name.right() < time.left()
    assert time.right() < width - 20
    assert name.bottom() <= second.top() + 2
    assert second.bottom() < tokens.ROW
    assert name.left() > tokens.THUMBNAIL[0]
    cut = delegate.elided_name(row, name.width())
    assert QFontMetricsF(tokens.font()).horizontalAdvance(cut) <= name.width()
    assert "…" in cut or width == 700
    assert cut.endswith("4") or width < 300


def test_the_filter_narrows_the_list_and_its_clear_button_brings_all_back(
    qtbot: QtBot, at_work: MainWindow
) -> None:
    library, panel = at_work.workbench.library, at_work.library
    panel.filters.field.setText("clip_0000003")
    qtbot.waitUntil(lambda: len(library) == 1, timeout=5_000)
    assert panel.view.model().rowCount() == 1
    panel.filters.field.setText("no such clip")
    qtbot.waitUntil(lambda: len(library) == 0, timeout=5_000)
    qtbot.waitUntil(panel.clear_filter.isVisible, timeout=2_000)
    panel.clear_filter.click()
    qtbot.waitUntil(lambda: len(library) == 6, timeout=5_000)


def test_a_wrong_filter_says_why_and_changes_nothing(qtbot: QtBot, at_work: MainWindow) -> None:
    panel = at_work.library
    panel.filters.field.setText("state:nonsense")
    qtbot.waitUntil(panel.filters.trouble.isVisible, timeout=2_000)
    assert "nonsense" in panel.filters.trouble.text()
    assert len(at_work.workbench.library) == 6


def test_the_order_is_kept(qtbot: QtBot, at_work: MainWindow) -> None:
    library = at_work.workbench.library
    before = list(library.ids)
    at_work.actions_table["order.path"].trigger()
    qtbot.waitUntil(lambda: list(library.ids) == sorted(before), timeout=5_000)
    assert at_work.workbench.settings.queue_order == "path"
    assert at_work.actions_table["order.path"].isChecked()


def test_several_selected_clips_are_decided_together(qtbot: QtBot, at_work: MainWindow) -> None:
    bench, view = at_work.workbench, at_work.library.view
    for row, held in ((1, Qt.KeyboardModifier.NoModifier), (3, Qt.KeyboardModifier.ShiftModifier)):
        place = view.visualRect(view.model().index(row, 0)).center()
        qtbot.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, held, place)
    qtbot.waitUntil(lambda: len(bench.library.selection) == 3 and bench.deciding.can_act, timeout=5_000)
    qtbot.keyClick(at_work.player.view, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: bench.session.counts.decided == 3, timeout=5_000)
    qtbot.keyClick(at_work.player.view, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: bench.session.counts.decided == 0, timeout=5_000)


def _chips(window: MainWindow) -> dict[str, Chip]:
    found = window.library.filters.findChildren(Chip)
    return {chip.accessibleName(): chip for chip in found if chip.isVisible()}


def test_given_clips_are_shown_in_their_order_until_their_chip_is_clicked(
    qtbot: QtBot, at_work: MainWindow
) -> None:
    bench = at_work.workbench
    at_work.places.turn_to("models")
    at_work.library.filters.field.setText("clip")
    at_work.show_clips((5, 2, 4), "lost by the candidate")
    assert at_work.places.place == "label"
    qtbot.waitUntil(lambda: list(bench.library.ids) == [5, 2, 4], timeout=5_000)
    qtbot.waitUntil(lambda: bench.deciding.can_act and bench.library.current_id == 5, timeout=5_000)
    assert not at_work.library.filters.field.text()
    assert "Order of the queue: as listed" in _chips(at_work)
    qtbot.keyClick(at_work.player.view, Qt.Key.Key_S)
    qtbot.waitUntil(lambda: bench.deciding.can_act and bench.library.current_id == 2, timeout=5_000)
    at_work.actions_table["order.path"].trigger()
    qtbot.waitUntil(lambda: list(bench.library.ids) == [2, 4, 5], timeout=5_000)
    qtbot.mouseClick(_chips(at_work)["Remove the filter: 3 lost by the candidate"], Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: len(bench.library) == 6, timeout=5_000)
    assert not bench.library.filtered


def test_going_through_given_clips_ends_after_the_last_also_where_all_are_decided(
    qtbot: QtBot, at_work: MainWindow
) -> None:
    bench = at_work.workbench
    at_work.show_clips((3, 1), "suggested otherwise")
    for clip in (3, 1):
        qtbot.waitUntil(lambda: bench.library.current_id == clip and bench.deciding.can_act, timeout=5_000)  # noqa: B023
        qtbot.keyClick(at_work.player.view, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: at_work.player.message.isVisible(), timeout=5_000)
    assert at_work.player.message.title.text() == "The last clip suggested otherwise"
    at_work.show_clips((1, 3), "suggested otherwise")
    qtbot.waitUntil(lambda: bench.library.current_id == 1 and bench.deciding.can_act, timeout=5_000)
    qtbot.keyClick(at_work.player.view, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: bench.library.current_id == 3, timeout=5_000)
