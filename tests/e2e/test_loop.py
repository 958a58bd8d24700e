"""The loop, end to end: open a folder, watch, get suggestions, accept and correct by key, undo, find it on disk."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QLineEdit
from pytestqt.qtbot import QtBot

from vidlabel.app import Program
from vidlabel.core.paths import project_of_folder
from vidlabel.core.words import ClipState


def decisions_on_disk(folder: Path) -> list[tuple[str, str, str | None, str | None]]:
    """(file, kind, label, suggested) of each decision, oldest first."""
    with closing(sqlite3.connect(project_of_folder(folder))) as raw:
        return raw.execute(
            "SELECT c.relative, d.kind, l.name, d.suggested FROM decisions d JOIN clips c ON c.id = d.clip_id "
            "LEFT JOIN labels l ON l.id = d.label_id ORDER BY d.id"
        ).fetchall()


def press(program: Program, key: Qt.Key, qtbot: QtBot, modifier: Qt.KeyboardModifier | None = None) -> None:
    qtbot.keyClick(program.window.player.view, key, modifier or Qt.KeyboardModifier.NoModifier)


def press_and_wait(program: Program, key: Qt.Key, qtbot: QtBot) -> None:
    """A decision key: waits until the next clip is painted and the keys act again."""
    with qtbot.waitSignal(program.workbench.deciding.decided, timeout=10_000):
        press(program, key, qtbot)
    qtbot.waitUntil(lambda: program.workbench.deciding.can_act, timeout=10_000)


def test_a_folder_becomes_decisions_on_disk(
    start: Callable[[Path], Program], folder: Path, model: str, qtbot: QtBot
) -> None:
    program = start(folder)
    bench = program.workbench
    qtbot.waitUntil(lambda: bench.deciding.can_act, timeout=20_000)
    qtbot.waitUntil(lambda: bench.session.counts.total == 8, timeout=20_000)
    bench.suggesting.start(model)
    qtbot.waitUntil(lambda: bench.session.counts.by_state.get(ClipState.SUGGESTED) == 8, timeout=60_000)
    qtbot.waitUntil(lambda: bench.deciding.suggestion is not None, timeout=10_000)

    first = bench.library.current
    assert first is not None
    suggested = bench.deciding.suggestion.scores[0].label
    press_and_wait(program, Qt.Key.Key_Return, qtbot)
    assert decisions_on_disk(folder) == [(first.relative, "accepted", suggested, suggested)]

    qtbot.waitUntil(lambda: bench.deciding.suggestion is not None, timeout=10_000)
    second = bench.library.current
    first_word = bench.deciding.suggestion.scores[0].label
    wanted = "cartwheel" if first_word != "cartwheel" else "golf"
    press(program, Qt.Key.Key_Slash, qtbot)
    qtbot.waitUntil(lambda: isinstance(QApplication.focusWidget(), QLineEdit), timeout=5000)
    qtbot.keyClicks(QApplication.focusWidget(), wanted)
    with qtbot.waitSignal(bench.deciding.decided, timeout=10_000):
        qtbot.keyClick(QApplication.focusWidget(), Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: bench.deciding.can_act, timeout=10_000)
    assert decisions_on_disk(folder)[1:] == [(second.relative, "corrected", wanted, first_word)]

    third = bench.library.current_id
    press_and_wait(program, Qt.Key.Key_U, qtbot)
    press(program, Qt.Key.Key_Z, qtbot, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: bench.library.current_id == third, timeout=10_000)
    assert [kind for _, kind, _, _ in decisions_on_disk(folder)] == [
        "accepted",
        "corrected",
        "unsure",
        "withdrawn",
    ]
    qtbot.waitUntil(lambda: bench.session.counts.decided == 2)


def test_what_was_decided_is_there_after_a_restart(
    start: Callable[[Path], Program], folder: Path, qtbot: QtBot
) -> None:
    program = start(folder)
    bench = program.workbench
    qtbot.waitUntil(lambda: bench.deciding.can_act, timeout=20_000)
    qtbot.waitUntil(lambda: not bench.scanner.running and len(bench.library) == 8, timeout=20_000)
    press_and_wait(program, Qt.Key.Key_X, qtbot)
    left_at = bench.library.current_id
    with qtbot.waitSignal(bench.session.opened, timeout=20_000):
        bench.open_project(project_of_folder(folder))
    qtbot.waitUntil(lambda: bench.deciding.can_act, timeout=20_000)
    assert bench.library.current_id == left_at
    assert bench.session.undo_words is not None
    press(program, Qt.Key.Key_Z, qtbot, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: bench.library.current_id != left_at, timeout=10_000)
    assert [kind for _, kind, _, _ in decisions_on_disk(folder)] == ["unusable", "withdrawn"]
