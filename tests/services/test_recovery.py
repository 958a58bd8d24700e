"""What was asked of the engine when it died is asked again: hashes, thumbnails, and the model after a pause."""

from __future__ import annotations

import os
import shutil
import signal
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from vidlabel.core import messages as m
from vidlabel.services.background import Background
from vidlabel.services.suggesting import MOST_CRASHES
from vidlabel.services.workbench import Workbench

pytestmark = pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="POSIX signals")


def kill(workbench: Workbench) -> None:
    # 0 would mean this test and all beside it.
    assert workbench.engine.pid > 0
    os.kill(workbench.engine.pid, signal.SIGKILL)


def test_thumbnails_on_their_way_come_after_the_engine_died(at_work: Workbench, qtbot: QtBot) -> None:
    qtbot.waitUntil(lambda: all(at_work.library.row(index) is not None for index in range(6)), timeout=5000)
    rows = [at_work.library.row(index) for index in range(6)]
    for row in rows:
        assert row is not None
        assert at_work.thumbnails.get(row, position=0.9) is None
    kill(at_work)
    for row in rows:
        qtbot.waitUntil(lambda row=row: at_work.thumbnails.get(row, position=0.9) is not None, timeout=20_000)


def test_hashing_goes_on_after_the_engine_died(
    workbench: Workbench, tmp_path: Path, footage: Path, qtbot: QtBot
) -> None:
    folder = tmp_path / "clips"
    folder.mkdir()
    for number in range(40):
        shutil.copyfile(footage / "clip_0.mp4", folder / f"clip_{number:02d}.mp4")
        with (folder / f"clip_{number:02d}.mp4").open("ab") as file:
            # Big enough that its head and tail are not the whole of it, and another content each.
            file.write(os.urandom(300_000 + number))
    workbench.settings.scan_by_itself = True
    hashed: list[m.Message] = []
    workbench.engine.message_received.connect(
        lambda message: hashed.append(message) if isinstance(message, m.FileHashed) else None
    )
    workbench.open_project(folder)
    qtbot.waitUntil(lambda: bool(hashed), timeout=30_000)
    kill(workbench)
    left: list[object] = []

    def all_hashed() -> bool:
        workbench.session.read(lambda store: store.videos_without_hash(100), left.append)
        return bool(left) and left[-1] == []

    qtbot.waitUntil(all_hashed, timeout=30_000)
    qtbot.waitUntil(lambda: _idle(workbench.background), timeout=10_000)


def test_a_model_that_kills_the_engine_is_given_up_in_words(at_work: Workbench, qtbot: QtBot) -> None:
    at_work.suggesting.start("bundled")
    with qtbot.waitSignal(at_work.suggesting.failed, timeout=5000) as told:
        for _ in range(MOST_CRASHES):
            at_work.engine.crashed.emit("It crashed.", ())
    assert "bundled" in told.args[0]
    assert at_work.suggesting.state == "failed"
    assert not at_work.background.jobs


def _idle(background: Background) -> bool:
    return not background.jobs
