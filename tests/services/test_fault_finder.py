"""Finding the file that brought the engine down, with real engines."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from tests.helpers.clips import numbered_clip
from vidlabel.core.worker import worker_folder
from vidlabel.services.engine_client import EngineClient
from vidlabel.services.fault_finder import FaultFinder

DEADLY = """
import os, signal, sys
sys.path.insert(0, {folder!r})
import vidlabel.media.probe as probing
import vidlabel.engine.probing as engine_probing
real = probing.probe
def probe(root, entry, **options):
    if entry.relative.startswith("deadly"):
        os.kill(os.getpid(), signal.SIGSEGV)
    return real(root, entry, **options)
engine_probing.probe = probe
from vidlabel.engine.main import run_engine
run_engine()
"""


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VIDLABEL_HOME", str(tmp_path / "home"))


@pytest.fixture
def engine(qtbot: QtBot) -> EngineClient:
    """Only its crashes matter here."""
    return EngineClient(arena_bytes=1024 * 1024)


@pytest.fixture
def finder(qtbot: QtBot, engine: EngineClient) -> Iterator[FaultFinder]:
    """Trials run in a real engine whose decoder dies of every file called deadly*."""
    command = [sys.executable, "-c", DEADLY.format(folder=str(worker_folder()))]
    finder = FaultFinder(
        engine,
        make_engine=lambda parent: EngineClient(
            parent, command=command, restarts=False, arena_bytes=1024 * 1024
        ),
    )
    yield finder
    finder.stop()
    qtbot.waitUntil(lambda: not finder.is_busy(), timeout=5000)


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_the_guilty_one_is_found_and_the_innocent_cleared(
    qtbot: QtBot, engine: EngineClient, finder: FaultFinder, tmp_path: Path
) -> None:
    innocent = [str(numbered_clip(tmp_path / f"{name}.mp4", 5)) for name in ("a", "z")]
    deadly = str(numbered_clip(tmp_path / "deadly.mp4", 5))
    found: list[tuple[str, str]] = []
    cleared: list[str] = []
    finder.file_at_fault.connect(lambda path, reason: found.append((path, reason)))
    finder.file_cleared.connect(cleared.append)
    engine.crashed.emit("it died", (innocent[0], deadly, innocent[1]))
    qtbot.waitUntil(lambda: len(found) + len(cleared) == 3, timeout=10_000)
    assert found == [(deadly, "it makes the video decoder crash")]
    assert cleared == innocent


def test_three_times_a_suspect_is_enough(
    qtbot: QtBot, engine: EngineClient, finder: FaultFinder, tmp_path: Path
) -> None:
    path = str(numbered_clip(tmp_path / "a.mp4", 5))
    found: list[str] = []
    finder.file_at_fault.connect(lambda path, reason: found.append(path))
    for _ in range(3):
        assert found == []
        engine.crashed.emit("it died", (path,))
    assert found == [path]


def test_a_file_that_has_gone_is_cleared(engine: EngineClient, finder: FaultFinder, tmp_path: Path) -> None:
    cleared: list[str] = []
    finder.file_cleared.connect(cleared.append)
    engine.crashed.emit("it died", (str(tmp_path / "gone.mp4"),))
    assert cleared == [str(tmp_path / "gone.mp4")]
