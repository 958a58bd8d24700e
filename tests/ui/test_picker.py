"""The label picker: what fits, in which order, and which key gives it."""

from __future__ import annotations

from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from vidlabel.core.words import ClipState
from vidlabel.ui.decide.matching import match
from vidlabel.ui.main_window import MainWindow

KEY = Qt.Key
LABELS = ("brush_hair", "cartwheel", "catch", "climb", "climb_stairs", "clap", "shoot_ball", "stand", "throw")


def test_an_empty_search_shows_recent_labels_first() -> None:
    assert match("", LABELS, ("throw", "clap", "no longer there"))[:3] == ["throw", "clap", "brush_hair"]
    assert len(match("", LABELS, ("throw",))) == len(LABELS)


def test_beginnings_beat_words_beat_parts() -> None:
    assert match("cl", LABELS) == ["climb", "climb_stairs", "clap"]
    assert match("st", LABELS) == ["stand", "climb_stairs"]
    assert match("climb", LABELS)[0] == "climb"
    assert match("shoot b", LABELS)[0] == "shoot_ball"


def test_among_equals_the_recent_one_goes_first() -> None:
    assert match("c", LABELS, ("clap",))[0] == "clap"


def test_typing_errors_are_forgiven_and_nonsense_is_not() -> None:
    assert match("cartwhel", LABELS)[0] == "cartwheel"
    assert match("thorw", LABELS)[0] == "throw"
    assert match("zzzzqq", LABELS) == []


def test_enter_gives_the_first_match(qtbot: QtBot, at_work: MainWindow) -> None:
    bench, picker = at_work.workbench, at_work.decide.picker
    clip = bench.library.current_id
    assert clip is not None
    qtbot.keyClick(at_work.player.view, KEY.Key_Slash)
    assert picker.hasFocus()
    assert picker.matches.isVisible()
    qtbot.keyClicks(picker, "cartw")
    assert picker.matches.labels[0] == "cartwheel"
    qtbot.keyClick(picker, KEY.Key_Return)
    qtbot.waitUntil(lambda: bench.session.counts.decided == 1, timeout=5_000)
    row = bench.library.row_of(clip)
    assert row is not None and row.label == "cartwheel"
    assert at_work.player.view.hasFocus()
    assert not picker.matches.isVisible()
    assert picker.text() == ""


def test_alt_and_a_digit_gives_another(qtbot: QtBot, at_work: MainWindow) -> None:
    bench, picker = at_work.workbench, at_work.decide.picker
    clip = bench.library.current_id
    assert clip is not None
    qtbot.keyClick(at_work.player.view, KEY.Key_Slash)
    qtbot.keyClicks(picker, "cl")
    second = picker.matches.labels[1]
    qtbot.keyClick(picker, KEY.Key_2, Qt.KeyboardModifier.AltModifier)
    qtbot.waitUntil(lambda: bench.session.counts.decided == 1, timeout=5_000)
    row = bench.library.row_of(clip)
    assert row is not None and row.label == second


def test_shift_with_a_letter_opens_it_with_the_letter(qtbot: QtBot, at_work: MainWindow) -> None:
    qtbot.keyClick(at_work.player.view, KEY.Key_W, Qt.KeyboardModifier.ShiftModifier)
    picker = at_work.decide.picker
    assert picker.hasFocus()
    assert picker.text() == "w"
    assert all(label.startswith("w") for label in picker.matches.labels[:2])
    qtbot.keyClicks(picker, "al")
    assert picker.text() == "wal"
    assert picker.matches.labels[0] == "walk"


def test_escape_leaves_without_deciding(qtbot: QtBot, at_work: MainWindow) -> None:
    qtbot.keyClick(at_work.player.view, KEY.Key_Slash)
    qtbot.keyClicks(at_work.decide.picker, "run")
    qtbot.keyClick(at_work.decide.picker, KEY.Key_Escape)
    assert at_work.player.view.hasFocus()
    assert not at_work.decide.picker.matches.isVisible()
    assert at_work.workbench.session.counts.decided == 0


def test_arrows_choose_and_enter_takes_the_chosen(qtbot: QtBot, at_work: MainWindow) -> None:
    bench, picker = at_work.workbench, at_work.decide.picker
    clip = bench.library.current_id
    assert clip is not None
    qtbot.keyClick(at_work.player.view, KEY.Key_Slash)
    qtbot.keyClicks(picker, "s")
    wanted = picker.matches.labels[2]
    qtbot.keyClick(picker, KEY.Key_Down)
    qtbot.keyClick(picker, KEY.Key_Down)
    assert bench.library.current_id == clip
    qtbot.keyClick(picker, KEY.Key_Enter)
    qtbot.waitUntil(lambda: bench.session.counts.decided == 1, timeout=5_000)
    row = bench.library.row_of(clip)
    assert row is not None and row.label == wanted


def test_recent_labels_become_chips_that_give_them(qtbot: QtBot, at_work: MainWindow) -> None:
    bench = at_work.workbench
    qtbot.keyClick(at_work.player.view, KEY.Key_Slash)
    qtbot.keyClicks(at_work.decide.picker, "wave")
    qtbot.keyClick(at_work.decide.picker, KEY.Key_Return)
    qtbot.waitUntil(lambda: at_work.decide.recent.labels == ("wave",), timeout=5_000)
    qtbot.waitUntil(lambda: bench.deciding.can_act, timeout=5_000)
    clip = bench.library.current_id
    assert clip is not None
    at_work.decide.recent.chip("wave").click()
    qtbot.waitUntil(lambda: bench.session.counts.decided == 2, timeout=5_000)
    row = bench.library.row_of(clip)
    assert row is not None
    assert row.label == "wave"
    assert row.state in (ClipState.CORRECTED, ClipState.ACCEPTED)
