"""In the window: long videos are swept when suggestions are done, by a real engine with the bundled model."""

from __future__ import annotations

import os
import shutil
import signal
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from tests.helpers.clips import numbered_clip
from vidlabel.core.resources import resources_root
from vidlabel.core.sweeps import ProposalSettings
from vidlabel.services.sweep_jobs import StripData
from vidlabel.services.workbench import Workbench

pytestmark = pytest.mark.skipif(
    not (resources_root() / "models" / "bundled.safetensors").exists(), reason="without the bundled model"
)
LOW = ProposalSettings(start_sure=0.02, end_sure=0.02, join_gaps_s=0, shortest_s=0.5, smooth_s=0)
"""The model has no idea of numbered frames; with this it proposes what it holds likeliest."""


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """12 s: long enough where 10 s is long."""
    return numbered_clip(tmp_path_factory.mktemp("made") / "long.mp4", 120, fps=10)


@pytest.fixture
def folder(tmp_path: Path, made: Path) -> Path:
    folder = tmp_path / "footage"
    folder.mkdir()
    shutil.copyfile(made, folder / "long.mp4")
    return folder


@pytest.fixture
def bench(workbench: Workbench) -> Workbench:
    workbench.settings.suggest_by_itself = True
    workbench.settings.scan_by_itself = True
    workbench.settings.sweep_from_s = 10
    return workbench


def test_a_long_video_is_swept_and_its_clips_are_in_the_queue(
    bench: Workbench, folder: Path, qtbot: QtBot
) -> None:
    strips: list[StripData | None] = []
    notices: list[str] = []
    bench.sweeping.strip_changed.connect(strips.append)
    bench.sweeping.told.connect(notices.append)
    bench.open_project(folder)
    qtbot.waitUntil(lambda: bench.sweeping.state == "idle", timeout=90_000)
    assert notices
    qtbot.waitUntil(lambda: bool(strips) and strips[-1] is not None and strips[-1].finished, timeout=20_000)
    data = strips[-1]
    assert data is not None
    assert data.duration_us == data.looked_us == 12_000_000
    assert data.curves and not data.unread
    assert not bench.background.jobs

    bench.sweeping.set_settings(LOW)
    qtbot.waitUntil(lambda: len(bench.library) > 1, timeout=20_000)
    rows = [bench.library.row_of(clip_id) for clip_id in bench.library.ids]
    qtbot.waitUntil(
        lambda: all(bench.library.row_of(i) is not None for i in bench.library.ids), timeout=10_000
    )
    rows = [row for clip_id in bench.library.ids if (row := bench.library.row_of(clip_id)) and not row.whole]
    assert rows
    assert all(row.suggested is not None and 0 <= row.start_us < row.end_us <= 12_000_000 for row in rows)
    kept: list[ProposalSettings] = []
    bench.sweeping.ask_settings(kept.append)
    qtbot.waitUntil(lambda: bool(kept), timeout=5_000)
    assert kept == [LOW]


def test_it_is_off_where_the_person_wants_none_and_stops_at_once(
    bench: Workbench, folder: Path, qtbot: QtBot
) -> None:
    bench.settings.sweep_by_itself = False
    assert bench.sweeping.state == "off"
    bench.open_project(folder)
    qtbot.waitUntil(lambda: bench.suggesting.state == "idle", timeout=90_000)
    assert bench.sweeping.state == "off"
    bench.sweeping.toggle()
    assert bench.settings.sweep_by_itself
    qtbot.waitUntil(lambda: bench.sweeping.state == "running", timeout=20_000)
    bench.sweeping.stop()
    assert bench.sweeping.state == "off"
    assert not [job for job in bench.background.jobs if job.key == "sweep"]
    # Stopped for now, and not for good.
    assert bench.settings.sweep_by_itself


def test_an_engine_that_dies_costs_no_part(bench: Workbench, folder: Path, qtbot: QtBot) -> None:
    bench.open_project(folder)
    qtbot.waitUntil(lambda: bench.sweeping.state == "running", timeout=90_000)
    pid = bench.engine.pid
    assert pid

    os.kill(pid, signal.SIGKILL)
    qtbot.waitUntil(lambda: bench.sweeping.state == "idle", timeout=120_000)
    strips: list[StripData | None] = []
    bench.sweeping.strip_changed.connect(strips.append)
    bench.sweeping.set_settings(ProposalSettings())
    qtbot.waitUntil(lambda: bool(strips) and strips[-1] is not None, timeout=10_000)
    assert strips[-1] is not None and strips[-1].finished
