"""Closing at once: the real program, told to end while its project is being opened."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from time import monotonic

import pytest
from pytestqt.qtbot import QtBot

from tests.e2e.conftest import CHECKOUT
from vidlabel.app import build
from vidlabel.core.paths import project_of_folder
from vidlabel.store.places import lock_of
from vidlabel.store.project_store import ProjectStore


def free_and_sound(folder: Path) -> bool:
    """Whether nobody holds the project and all is well in it."""
    project = project_of_folder(folder)
    assert not lock_of(project).exists()
    with ProjectStore.open(project) as store:
        store.claim_window()
        return store.check() == []


def test_the_window_closes_while_its_project_is_opening(folder: Path, qtbot: QtBot) -> None:
    program = build(folder)
    with qtbot.waitSignal(program.startup.painted, timeout=20_000):
        program.window.show()
    assert not program.workbench.session.is_open
    began = monotonic()
    with qtbot.waitSignal(program.workbench.closed, timeout=15_000):
        program.window.close()
    assert monotonic() - began < 6
    assert free_and_sound(folder)
    program.window.deleteLater()
    program.workbench.deleteLater()


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
def test_sigterm_while_opening_ends_without_a_traceback(folder: Path) -> None:
    project = project_of_folder(folder)
    with subprocess.Popen(
        [sys.executable, "-m", "vidlabel", str(folder)],
        cwd=CHECKOUT, env={**os.environ, "QT_QPA_PLATFORM": "offscreen"},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as window:  # fmt: skip
        nap = threading.Event()
        end = monotonic() + 30
        while not project.exists() and monotonic() < end:
            nap.wait(0.005)
        window.send_signal(signal.SIGTERM)
        out, err = window.communicate(timeout=20)
    assert window.returncode == 0, err
    assert "Traceback" not in err
    assert out == ""
    assert free_and_sound(folder)
