"""What happens when the engine really dies: the file at fault is found and marked, everything else goes on."""

from __future__ import annotations

import os
import shutil
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from time import monotonic

import pytest
from pytestqt.qtbot import QtBot

from tests.helpers.clips import numbered_clip
from tests.helpers.deadly import DeadlyFiles
from tests.services.conftest import Screen
from vidlabel.core.words import ClipState
from vidlabel.services.crash_guard import REASON
from vidlabel.services.engine_client import EngineClient
from vidlabel.services.workbench import Workbench

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")


@pytest.fixture
def deadly(tmp_path: Path) -> DeadlyFiles:
    return DeadlyFiles(tmp_path / "deadly.txt")


@pytest.fixture
def workbench(qtbot: QtBot, deadly: DeadlyFiles) -> Iterator[Workbench]:
    """Like the ordinary one, with an engine that can die of a file."""
    bench = Workbench(engine=EngineClient(command=deadly.command))
    bench.settings.suggest_by_itself = False
    bench.settings.scan_by_itself = False
    closed: list[None] = []
    bench.closed.connect(lambda: closed.append(None))
    yield bench
    bench.close()
    qtbot.waitUntil(lambda: bool(closed), timeout=15_000)
    bench.engine.deleteLater()
    bench.deleteLater()


@pytest.fixture
def told(workbench: Workbench) -> list[str]:
    words: list[str] = []
    workbench.trouble.connect(words.append)
    return words


@pytest.fixture
def crashes(workbench: Workbench) -> list[tuple[str, ...]]:
    """The suspects of each."""
    found: list[tuple[str, ...]] = []
    workbench.engine.crashed.connect(lambda _words, suspects: found.append(suspects))
    return found


def states(workbench: Workbench) -> dict[ClipState, int]:
    return {state: number for state, number in workbench.session.counts.by_state.items() if number}


def kill(workbench: Workbench) -> None:
    # 0 would mean this test and all beside it.
    assert workbench.engine.pid > 0
    os.kill(workbench.engine.pid, signal.SIGKILL)


def test_a_file_that_kills_while_it_is_scanned_is_kept_with_the_reason_and_left_alone(
    workbench: Workbench,
    deadly: DeadlyFiles,
    told: list[str],
    crashes: list[tuple[str, ...]],
    tmp_path: Path,
    footage: Path,
    qtbot: QtBot,
) -> None:
    folder = Path(shutil.copytree(footage, tmp_path / "clips"))
    bad = numbered_clip(folder / "clip_2b.mp4", 9)
    deadly.add(bad.name)
    workbench.settings.scan_by_itself = True
    with qtbot.waitSignal(workbench.scanner.finished, timeout=30_000):
        workbench.open_project(folder)
    qtbot.waitUntil(lambda: states(workbench) == {ClipState.UNDECIDED: 5, ClipState.UNREADABLE: 1})
    assert any(str(bad) in words and REASON in words for words in told)
    before = len(crashes)
    with qtbot.waitSignal(workbench.scanner.finished, timeout=20_000):
        workbench.scan()
    assert len(crashes) == before
    # Another content at the same path is another matter.
    shutil.copyfile(footage / "clip_1.mp4", bad)
    with bad.open("ab") as file:
        file.write(b"changed")
    Path(tmp_path / "deadly.txt").unlink()
    with qtbot.waitSignal(workbench.scanner.finished, timeout=20_000):
        workbench.scan()
    qtbot.waitUntil(lambda: states(workbench) == {ClipState.UNDECIDED: 6})


def test_the_next_start_leaves_a_marked_file_alone(
    workbench: Workbench,
    deadly: DeadlyFiles,
    crashes: list[tuple[str, ...]],
    tmp_path: Path,
    footage: Path,
    qtbot: QtBot,
) -> None:
    folder = Path(shutil.copytree(footage, tmp_path / "clips"))
    deadly.add("clip_3.mp4")
    workbench.settings.scan_by_itself = True
    with qtbot.waitSignal(workbench.scanner.finished, timeout=30_000):
        workbench.open_project(folder)
    qtbot.waitUntil(lambda: states(workbench) == {ClipState.UNDECIDED: 4, ClipState.UNREADABLE: 1})
    died = len(crashes)
    assert died >= 1
    # What a new window does not know any more: the verdicts of this one.
    workbench.guard._guilty.clear()
    with qtbot.waitSignal(workbench.scanner.finished, timeout=20_000):
        workbench.open_project(folder)
    qtbot.waitUntil(lambda: states(workbench) == {ClipState.UNDECIDED: 4, ClipState.UNREADABLE: 1})
    assert len(crashes) == died


def test_a_clip_that_kills_when_it_is_shown_is_given_up_and_the_others_play(
    at_work: Workbench, screen: Screen, deadly: DeadlyFiles, told: list[str], qtbot: QtBot
) -> None:
    index = len(at_work.library) - 1
    qtbot.waitUntil(lambda: at_work.library.row(index) is not None)
    row = at_work.library.row(index)
    assert row is not None
    deadly.add(row.name)
    with qtbot.waitSignal(at_work.player.failed, timeout=20_000) as failed:
        at_work.show_clip(row.clip_id)
    assert failed.args[0].clip_id == row.clip_id
    assert failed.args[1:] == [REASON, False]
    assert any(row.name in words and REASON in words for words in told)
    qtbot.waitUntil(lambda: states(at_work).get(ClipState.UNREADABLE) == 1, timeout=5000)
    at_work.deciding.skip()
    qtbot.waitUntil(lambda: at_work.library.current_id != row.clip_id, timeout=5000)
    qtbot.waitUntil(lambda: at_work.deciding.can_act, timeout=10_000)
    screen.shown.clear()
    with qtbot.waitSignal(at_work.player.failed):
        at_work.show_clip(row.clip_id)
    assert screen.shown == []


def test_killed_from_outside_marks_nothing_however_often(
    at_work: Workbench, screen: Screen, told: list[str], crashes: list[tuple[str, ...]], qtbot: QtBot
) -> None:
    row = at_work.library.current
    assert row is not None
    for number in range(3):
        # So that it dies over a file.
        at_work.player.set_speed(8)
        qtbot.waitUntil(lambda: bool(at_work.engine.pid), timeout=10_000)
        screen.shown.clear()
        qtbot.waitUntil(lambda: bool(screen.shown), timeout=10_000)
        kill(at_work)
        began = monotonic()
        qtbot.waitUntil(lambda number=number: len(crashes) > number)
        screen.shown.clear()
        qtbot.waitUntil(lambda: bool(screen.shown), timeout=10_000)
        assert monotonic() - began < 2
    qtbot.waitUntil(lambda: not at_work.guard.busy, timeout=20_000)
    assert len(told) == 3
    assert all("SIGKILL" in words for words in told)
    assert states(at_work) == {ClipState.SUGGESTED: 6}
    assert all(at_work.guard.may_try(path) for suspects in crashes for path in suspects)


def test_a_suspect_waits_for_its_trial_while_the_clip_on_screen_is_tried_again(
    at_work: Workbench, screen: Screen, qtbot: QtBot
) -> None:
    row = at_work.library.current
    assert row is not None
    following = at_work.library.upcoming(1)
    qtbot.waitUntil(lambda: at_work.library.row_of(following[0]) is not None)
    other = at_work.library.row_of(following[0])
    assert other is not None
    at_work.engine.crashed.emit("It crashed.", (row.path, other.path))
    assert not at_work.guard.may_try(other.path)
    assert not at_work.guard.may_try(row.path)
    assert at_work.guard.may_play(row.path)
    at_work.engine.crashed.emit("It crashed.", (row.path,))
    assert not at_work.guard.may_play(row.path)
    qtbot.waitUntil(lambda: at_work.guard.may_try(row.path), timeout=20_000)
    qtbot.waitUntil(lambda: at_work.guard.may_try(other.path), timeout=20_000)
    assert states(at_work) == {ClipState.SUGGESTED: 6}


def test_closing_ends_a_trial(at_work: Workbench, qtbot: QtBot) -> None:
    row = at_work.library.current
    assert row is not None
    at_work.engine.crashed.emit("It crashed.", (row.path,))
    assert at_work.guard.busy
    began = monotonic()
    with qtbot.waitSignal(at_work.closed, timeout=15_000):
        at_work.close()
    assert monotonic() - began < 5
    assert not at_work.guard.busy
