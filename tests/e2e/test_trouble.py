"""What must not stop the work: a dying engine, a project that cannot be written, a newer one."""

from __future__ import annotations

import os
import signal
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from vidlabel.app import Program
from vidlabel.core.words import ClipState
from vidlabel.store.project_store import ProjectStore


def made(folder: Path, path: Path) -> Path:
    with ProjectStore.open(path, create=True) as store:
        store.add_root(folder)
    return path


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="POSIX signals")
def test_suggestions_are_completed_after_the_engine_was_killed(
    start: Callable[[Path], Program], folder: Path, model: str, qtbot: QtBot
) -> None:
    bench = start(folder).workbench
    qtbot.waitUntil(lambda: bench.session.counts.total == 8, timeout=20_000)
    bench.suggesting.start(model)
    qtbot.waitUntil(lambda: bench.suggesting.state == "running", timeout=60_000)
    os.kill(bench.engine.pid, signal.SIGKILL)
    qtbot.waitUntil(lambda: bench.session.counts.by_state.get(ClipState.SUGGESTED) == 8, timeout=60_000)
    qtbot.waitUntil(lambda: bench.suggesting.state == "idle", timeout=10_000)


def test_a_read_only_project_is_shown_and_refuses_decisions_in_words(
    start: Callable[[Path], Program], folder: Path, tmp_path: Path, qtbot: QtBot
) -> None:
    (tmp_path / "projects").mkdir()
    project = made(folder, tmp_path / "projects" / "work.vidlabel")
    first = start(project).workbench
    qtbot.waitUntil(lambda: first.session.counts.total == 8, timeout=20_000)
    qtbot.waitUntil(lambda: not first.scanner.running, timeout=20_000)
    second = start(project)
    bench = second.workbench
    qtbot.waitUntil(lambda: bench.deciding.can_act, timeout=20_000)
    assert bench.session.read_only
    with qtbot.waitSignal(bench.deciding.refused, timeout=5000) as refused:
        qtbot.keyClick(second.window.player.view, Qt.Key.Key_U)
    assert "work.vidlabel" in refused.args[0] or "read-only" in refused.args[0]
    assert bench.library.current is not None
    assert bench.library.current.state is ClipState.UNDECIDED


def test_a_project_of_a_newer_version_is_refused_untouched(
    start: Callable[[Path], Program], folder: Path, tmp_path: Path, qtbot: QtBot
) -> None:
    project = made(folder, tmp_path / "newer.vidlabel")
    with closing(sqlite3.connect(project)) as raw:
        raw.execute("PRAGMA user_version = 9999")
        raw.execute("PRAGMA journal_mode = DELETE")
    before = project.read_bytes()
    program = start(project)
    qtbot.waitUntil(lambda: not program.workbench.session.is_open and _words(program) != "", timeout=20_000)
    assert "newer" in _words(program)
    assert project.read_bytes() == before


def _words(program: Program) -> str:
    return program.workbench.session.failure
