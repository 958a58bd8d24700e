"""The engine dies of a file, in the whole program: the window lives, the file is marked, the rest goes on."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from time import monotonic

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from tests.helpers.clips import numbered_clip
from tests.helpers.deadly import DeadlyFiles
from vidlabel.app import Program, build
from vidlabel.core.words import ClipRow, ClipState
from vidlabel.services.crash_guard import REASON
from vidlabel.services.engine_client import EngineClient
from vidlabel.services.workbench import Workbench

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")


@pytest.fixture
def deadly(tmp_path: Path) -> DeadlyFiles:
    return DeadlyFiles(tmp_path / "deadly.txt")


@pytest.fixture
def program(folder: Path, deadly: DeadlyFiles, qtbot: QtBot) -> Iterator[Program]:
    """On a folder of eight clips; its engine dies of those that are called deadly."""
    engine = EngineClient(command=deadly.command)
    program = build(folder, engine=engine)
    program.workbench.settings.suggest_by_itself = False
    with qtbot.waitSignal(program.startup.painted, timeout=20_000):
        program.window.show()
        program.window.activateWindow()
    yield program
    with qtbot.waitSignal(program.workbench.closed, timeout=15_000):
        program.window.close()
    for item in (program.window, program.workbench, engine):
        item.deleteLater()


def states(bench: Workbench) -> dict[ClipState, int]:
    return {state: number for state, number in bench.session.counts.by_state.items() if number}


def rows_of(bench: Workbench, qtbot: QtBot) -> tuple[ClipRow, ...]:
    rows: list[ClipRow] = []
    bench.library.fetch(list(bench.library.ids), rows.extend)
    qtbot.waitUntil(lambda: bool(rows), timeout=5000)
    return tuple(rows)


def test_a_deadly_file_costs_that_file_and_nothing_else(
    folder: Path, deadly: DeadlyFiles, model: str, qtbot: QtBot, request: pytest.FixtureRequest
) -> None:
    bad = numbered_clip(folder / "clip_3 deadly.mp4", 20)
    deadly.add(bad.name)
    program: Program = request.getfixturevalue("program")
    bench = program.workbench
    crashes: list[str] = []
    bench.engine.crashed.connect(lambda words, _suspects: crashes.append(words))
    bench.session.opened.connect(lambda _facts: bench.suggesting.start(model))
    qtbot.waitUntil(lambda: bench.deciding.can_act, timeout=20_000)
    qtbot.keyClick(program.window.player.view, Qt.Key.Key_U)
    wanted = {ClipState.SUGGESTED: 7, ClipState.UNSURE: 1, ClipState.UNREADABLE: 1}
    qtbot.waitUntil(lambda: states(bench) == wanted, timeout=60_000)
    assert any("SIGABRT" in words for words in crashes)
    marked = [row for row in rows_of(bench, qtbot) if row.state is ClipState.UNREADABLE]
    assert [(row.name, row.reason) for row in marked] == [(bad.name, REASON)]
    died = len(crashes)
    for row in rows_of(bench, qtbot):
        if row.state is ClipState.SUGGESTED:
            bench.show_clip(row.clip_id)
            qtbot.waitUntil(lambda row=row: bench.library.current_id == row.clip_id, timeout=5000)
            qtbot.waitUntil(lambda: bench.deciding.can_act, timeout=10_000)
    assert len(crashes) == died


def test_a_file_that_becomes_deadly_on_screen_is_marked_and_the_queue_goes_on(
    program: Program, deadly: DeadlyFiles, model: str, qtbot: QtBot
) -> None:
    bench = program.workbench
    qtbot.waitUntil(lambda: states(bench) == {ClipState.UNDECIDED: 8}, timeout=20_000)
    qtbot.waitUntil(lambda: bench.deciding.can_act and not bench.scanner.running, timeout=20_000)
    qtbot.waitUntil(lambda: not bench.background.jobs and len(bench.library) == 8, timeout=20_000)
    last = rows_of(bench, qtbot)[-1]
    deadly.add(last.name)
    bench.suggesting.start(model)
    with qtbot.waitSignal(bench.player.failed, timeout=30_000):
        bench.show_clip(last.clip_id)
    wanted = {ClipState.SUGGESTED: 7, ClipState.UNREADABLE: 1}
    qtbot.waitUntil(lambda: states(bench) == wanted, timeout=60_000)
    qtbot.keyClick(program.window.player.view, Qt.Key.Key_S)
    qtbot.waitUntil(lambda: bench.library.current_id != last.clip_id, timeout=5000)
    qtbot.waitUntil(lambda: bench.deciding.can_act, timeout=10_000)


def test_playback_is_back_within_two_seconds_and_a_kill_from_outside_marks_nothing(
    program: Program, model: str, qtbot: QtBot
) -> None:
    bench = program.workbench
    qtbot.waitUntil(lambda: bench.deciding.can_act, timeout=20_000)
    qtbot.waitUntil(lambda: states(bench) == {ClipState.UNDECIDED: 8}, timeout=20_000)
    bench.suggesting.start(model)
    qtbot.waitUntil(lambda: bench.suggesting.state == "running", timeout=60_000)
    assert bench.engine.pid > 0
    with qtbot.waitSignal(bench.engine.crashed, timeout=5000):
        os.kill(bench.engine.pid, signal.SIGKILL)
    began = monotonic()
    with qtbot.waitSignal(bench.player.frame_shown, timeout=5000):
        pass
    assert monotonic() - began < 2
    qtbot.waitUntil(lambda: states(bench) == {ClipState.SUGGESTED: 8}, timeout=60_000)
    qtbot.waitUntil(lambda: not bench.guard.busy and bench.suggesting.state == "idle", timeout=20_000)
    assert states(bench) == {ClipState.SUGGESTED: 8}
    # A model that was paused when the engine died is loaded again when it is wanted again.
    bench.suggesting.pause()
    with qtbot.waitSignal(bench.engine.crashed, timeout=5000):
        os.kill(bench.engine.pid, signal.SIGKILL)
    assert bench.suggesting.state == "paused"
    bench.suggesting.resume()
    qtbot.waitUntil(lambda: bench.suggesting.state == "idle", timeout=60_000)
    assert bench.suggesting.model_hash is not None
