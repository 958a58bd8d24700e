"""Opening folders: rows come by themselves, bad files are kept with their reason, changes are found."""

from __future__ import annotations

import os
import shutil
import signal
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from tests.helpers.clips import audio_only, empty_file, numbered_clip, text_file
from tests.services.conftest import Screen
from vidlabel.core.words import ClipState
from vidlabel.services.workbench import Workbench


@pytest.fixture
def folder(tmp_path: Path, footage: Path) -> Path:
    return Path(shutil.copytree(footage, tmp_path / "clips"))


def scanned(workbench: Workbench, folder: Path, qtbot: QtBot) -> None:
    workbench.settings.scan_by_itself = True
    with qtbot.waitSignal(workbench.scanner.finished, timeout=20_000):
        workbench.open_project(folder)


def states(workbench: Workbench) -> dict[ClipState, int]:
    return {state: number for state, number in workbench.session.counts.by_state.items() if number}


def test_a_folder_is_scanned_and_its_first_clip_plays(
    workbench: Workbench, screen: Screen, folder: Path, qtbot: QtBot
) -> None:
    scanned(workbench, folder, qtbot)
    qtbot.waitUntil(lambda: states(workbench) == {ClipState.UNDECIDED: 5})
    qtbot.waitUntil(lambda: workbench.deciding.can_act, timeout=10_000)
    qtbot.waitUntil(lambda: len(workbench.library) == 5, timeout=10_000)
    row = workbench.library.row(0)
    assert row is not None
    assert row.frames == 20
    qtbot.waitUntil(lambda: workbench.library.thumbnail(row) is not None, timeout=10_000)
    qtbot.waitUntil(lambda: not workbench.background.jobs, timeout=20_000)


def test_files_that_cannot_be_used_are_kept_with_the_reason(
    workbench: Workbench, folder: Path, qtbot: QtBot
) -> None:
    empty_file(folder / "empty.mp4")
    text_file(folder / "text.mp4")
    audio_only(folder / "sound.mp4")
    scanned(workbench, folder, qtbot)
    qtbot.waitUntil(lambda: states(workbench) == {ClipState.UNDECIDED: 5, ClipState.UNREADABLE: 3})


def test_a_new_and_a_deleted_file_are_found_by_the_next_scan(
    workbench: Workbench, folder: Path, qtbot: QtBot
) -> None:
    scanned(workbench, folder, qtbot)
    (folder / "clip_2.mp4").unlink()
    numbered_clip(folder / "later.mp4", 12)
    with qtbot.waitSignal(workbench.scanner.finished, timeout=20_000):
        workbench.scan()
    qtbot.waitUntil(lambda: states(workbench) == {ClipState.UNDECIDED: 5, ClipState.MISSING: 1})


def test_a_scan_goes_on_where_it_was_when_the_engine_died(
    workbench: Workbench, folder: Path, footage: Path, qtbot: QtBot
) -> None:
    for number in range(150):
        shutil.copyfile(footage / "clip_0.mp4", folder / f"copy_{number:03d}.mp4")
        with (folder / f"copy_{number:03d}.mp4").open("ab") as file:
            # Another content each: copies would be one video.
            file.write(os.urandom(16))
    workbench.settings.scan_by_itself = True
    finished: list[str] = []
    workbench.scanner.finished.connect(finished.append)
    workbench.open_project(folder)
    qtbot.waitUntil(lambda: workbench.session.counts.total > 0, timeout=20_000)
    if hasattr(signal, "SIGKILL"):
        os.kill(workbench.engine.pid, signal.SIGKILL)
    qtbot.waitUntil(lambda: bool(finished), timeout=30_000)
    qtbot.waitUntil(lambda: states(workbench) == {ClipState.UNDECIDED: 155}, timeout=10_000)


def test_an_empty_folder_is_an_open_project_without_clips(
    workbench: Workbench, tmp_path: Path, qtbot: QtBot
) -> None:
    (tmp_path / "empty").mkdir()
    scanned(workbench, tmp_path / "empty", qtbot)
    assert workbench.session.is_open
    assert workbench.library.current is None


def test_what_is_not_there_is_said(workbench: Workbench, tmp_path: Path, qtbot: QtBot) -> None:
    with qtbot.waitSignal(workbench.trouble, timeout=10_000) as told:
        workbench.open_project(tmp_path / "gone")
    assert "gone" in told.args[0]
    (tmp_path / "other.vidlabel").write_text("no database")
    with qtbot.waitSignal(workbench.trouble, timeout=10_000) as told:
        workbench.open_project(tmp_path / "other.vidlabel")
    assert "other.vidlabel" in told.args[0]
    assert (tmp_path / "other.vidlabel").read_text() == "no database"


def test_the_list_and_the_progress_follow_the_scan(
    workbench: Workbench, folder: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not only when it is over: a big folder takes minutes."""
    for number in range(40):
        shutil.copyfile(folder / "clip_0.mp4", folder / f"more_{number}.mp4")
        with (folder / f"more_{number}.mp4").open("ab") as file:
            file.write(bytes([number]))
    progress: list[tuple[int, int]] = []
    # The status bar hears of it four times a second, and these small files are read in less.
    monkeypatch.setattr(workbench.background, "update", lambda _key, *told: progress.append(told))
    scanned(workbench, folder, qtbot)
    assert any(0 < done < total == 45 for done, total in progress)
    qtbot.waitUntil(lambda: len(workbench.library) == 45, timeout=1_500)
