"""Frames on screen: the right one, at its time, whatever the person does."""

from __future__ import annotations

import itertools
import os
import signal
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtGui import QImage
from pytestqt.qtbot import QtBot

from tests.helpers.clips import read_number, variable_rate_clip, variable_times
from tests.services.conftest import CLIPS, FRAMES, Screen
from vidlabel.core.words import ClipState
from vidlabel.services.workbench import Workbench


def number_on(image: QImage) -> int:
    """The number that the picture on screen carries."""
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
    return read_number(rows[:, : image.width() * 4].reshape(image.height(), image.width(), 4)[..., :3])


def test_it_plays_every_frame_in_order_and_loops(at_work: Workbench, screen: Screen, qtbot: QtBot) -> None:
    numbers: list[tuple[int, int]] = []
    screen.player.frame_shown.connect(lambda image, info: numbers.append((number_on(image), info.frame)))
    qtbot.waitUntil(lambda: len(numbers) > FRAMES + 10, timeout=10_000)
    assert all(carried == frame for carried, frame in numbers)
    steps = [(after[1] - before[1]) % FRAMES for before, after in itertools.pairwise(numbers)]
    # A busy machine may leave a few out; none comes twice or out of order.
    assert 0 not in steps
    assert sum(steps) <= len(steps) * 1.5


def test_steps_are_exact_both_ways(at_work: Workbench, screen: Screen, qtbot: QtBot) -> None:
    player = at_work.player
    player.pause()
    player.seek_frame(30)
    qtbot.waitUntil(lambda: player.info is not None and player.info.frame == 30)
    for step, expected in ((1, 31), (1, 32), (-1, 31), (-1, 30), (-1, 29), (1, 30)):
        player.step(step)
        qtbot.waitUntil(lambda expected=expected: player.info.frame == expected)
        assert number_on(screen.image) == expected
    player.seek_frame(FRAMES - 1)
    qtbot.waitUntil(lambda: player.info.frame == FRAMES - 1)
    player.step(1)
    assert player.info is not None
    assert player.info.frame == FRAMES - 1


def test_quick_steps_back_add_up(at_work: Workbench, screen: Screen, qtbot: QtBot) -> None:
    player = at_work.player
    player.pause()
    player.seek_frame(40)
    qtbot.waitUntil(lambda: player.info is not None and player.info.frame == 40)
    for _ in range(10):
        player.step(-1)
    qtbot.waitUntil(lambda: player.info.frame == 30)
    assert number_on(screen.image) == 30


def test_a_b_loop_stays_inside(at_work: Workbench, screen: Screen, qtbot: QtBot) -> None:
    player = at_work.player
    player.pause()
    player.seek_frame(10)
    qtbot.waitUntil(lambda: player.info is not None and player.info.frame == 10)
    player.cycle_loop()
    player.seek_frame(15)
    qtbot.waitUntil(lambda: player.info.frame == 15)
    with qtbot.waitSignal(player.loop_changed) as loop:
        player.cycle_loop()
    assert loop.args == [player.times()[10], player.times()[16]]
    qtbot.waitUntil(lambda: player.info.frame == 10)
    screen.shown.clear()
    player.play()
    qtbot.waitUntil(lambda: len(screen.shown) > 15, timeout=5000)
    assert {info.frame for info in screen.shown} <= set(range(10, 16))
    player.cycle_loop()
    qtbot.waitUntil(lambda: player.info.frame > 20, timeout=5000)


def test_speed_changes_what_is_shown_in_a_second(at_work: Workbench, screen: Screen, qtbot: QtBot) -> None:
    player = at_work.player
    player.set_speed(8)
    screen.shown.clear()
    qtbot.waitUntil(lambda: len(screen.shown) > 20, timeout=5000)
    steps = [
        (after.frame - before.frame) % FRAMES
        for before, after in zip(screen.shown[3:], screen.shown[4:], strict=False)
    ]
    assert min(steps) >= 2
    player.normal_speed()
    assert player.speed == 1.0
    player.slower()
    assert player.speed == 0.75
    player.set_speed(100)
    assert player.speed == 8.0


def test_variable_rate_is_shown_at_each_frames_own_time(
    workbench: Workbench, screen: Screen, tmp_path: Path, qtbot: QtBot
) -> None:
    folder = tmp_path / "vfr"
    folder.mkdir()
    variable_rate_clip(folder / "vfr.mp4", 30)
    workbench.settings.scan_by_itself = True
    workbench.open_project(folder)
    qtbot.waitUntil(lambda: len(screen.shown) > 10, timeout=20_000)
    assert list(workbench.player.times())[:30] == variable_times(30)
    workbench.player.pause()
    for frame in (7, 3, 20):
        workbench.player.seek_us(variable_times(30)[frame] + 1000)
        qtbot.waitUntil(lambda frame=frame: workbench.player.info.frame == frame)
        assert number_on(screen.image) == frame


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="POSIX signals")
def test_playback_is_back_at_its_place_after_the_engine_died(
    at_work: Workbench, screen: Screen, qtbot: QtBot
) -> None:
    player = at_work.player
    player.pause()
    player.seek_frame(25)
    qtbot.waitUntil(lambda: player.info is not None and player.info.frame == 25)
    screen.shown.clear()
    with qtbot.waitSignal(at_work.trouble, timeout=5000):
        os.kill(at_work.engine.pid, signal.SIGKILL)
    qtbot.waitUntil(lambda: bool(screen.shown), timeout=10_000)
    assert screen.shown[-1].frame == 25
    assert number_on(screen.image) == 25
    player.play()
    qtbot.waitUntil(lambda: len(screen.shown) > 5, timeout=5000)
    row = at_work.library.current
    assert row is not None
    assert row.state is ClipState.SUGGESTED


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="POSIX signals")
def test_the_loop_the_speed_and_what_was_decoded_ahead_are_back_after_the_engine_died(
    at_work: Workbench, screen: Screen, qtbot: QtBot
) -> None:
    player = at_work.player
    player.pause()
    for frame in (10, 20):
        player.seek_frame(frame)
        qtbot.waitUntil(lambda frame=frame: player.info is not None and player.info.frame == frame)
        player.cycle_loop()
    qtbot.waitUntil(lambda: player.info.frame == 10)
    player.set_speed(0.5)
    player.play()
    qtbot.waitUntil(lambda: player.info.frame > 12)
    loops: list[tuple[object, object]] = []
    player.loop_changed.connect(lambda start, end: loops.append((start, end)))
    with qtbot.waitSignal(at_work.engine.crashed, timeout=5000):
        os.kill(at_work.engine.pid, signal.SIGKILL)
    place = player.info.frame
    screen.shown.clear()
    qtbot.waitUntil(lambda: bool(screen.shown), timeout=2000)
    assert screen.shown[0].frame == place
    assert loops == [(player.times()[10], player.times()[21])]
    assert player.speed == 0.5
    qtbot.waitUntil(lambda: len(screen.shown) > 15, timeout=5000)
    assert {info.frame for info in screen.shown} <= set(range(10, 21))
    # The next clip is decoded ahead again: it is on screen in the turn in which it becomes current.
    following = at_work.library.upcoming(1)[0]
    qtbot.waitUntil(lambda: any(s.row.clip_id == following and s.ahead for s in player._pool.streams))
    at_work.library.show(following)
    assert screen.shown[-1].clip_id == following


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="POSIX signals")
def test_what_the_person_does_while_there_is_no_engine_counts(
    at_work: Workbench, screen: Screen, qtbot: QtBot
) -> None:
    player = at_work.player
    player.pause()
    for _ in range(2):
        with qtbot.waitSignal(at_work.engine.crashed, timeout=5000):
            os.kill(at_work.engine.pid, signal.SIGKILL)
        player.seek_frame(33)
        player.step(-1)
        screen.shown.clear()
        qtbot.waitUntil(lambda: bool(screen.shown), timeout=2000)
        assert screen.shown[-1].frame == 32
    with qtbot.waitSignal(at_work.engine.crashed, timeout=5000):
        os.kill(at_work.engine.pid, signal.SIGKILL)
    following = at_work.library.upcoming(1)[0]
    at_work.library.show(following)
    qtbot.waitUntil(lambda: at_work.deciding.can_act and player.info is not None, timeout=5000)
    assert player.info.clip_id == following


def test_a_file_deleted_while_others_play_is_marked_and_the_queue_goes_round_it(
    at_work: Workbench, qtbot: QtBot
) -> None:
    rows: list[object] = []
    following = at_work.library.upcoming(3)
    at_work.library.fetch(following[2:], rows.extend)
    qtbot.waitUntil(lambda: bool(rows))
    Path(rows[0].path).unlink()
    with qtbot.waitSignal(at_work.deciding.decided, timeout=5000):
        at_work.deciding.accept()
    qtbot.waitUntil(lambda: at_work.session.counts.by_state.get(ClipState.MISSING) == 1, timeout=10_000)
    qtbot.waitUntil(lambda: following[2] not in at_work.library.upcoming(CLIPS))


def test_an_unplayable_current_clip_says_why_and_can_be_left(
    at_work: Workbench, screen: Screen, qtbot: QtBot
) -> None:
    index = len(at_work.library) - 1
    at_work.library.row(index)
    qtbot.waitUntil(lambda: at_work.library.row(index) is not None)
    row = at_work.library.row(index)
    assert row is not None
    Path(row.path).write_bytes(b"not a video any more" * 100)
    with qtbot.waitSignal(at_work.player.failed, timeout=10_000):
        at_work.library.set_current_index(index)
    with qtbot.waitSignal(at_work.deciding.refused) as refused:
        at_work.deciding.give("run")
    assert row.name in refused.args[0]
    at_work.deciding.skip()
    qtbot.waitUntil(lambda: at_work.library.current_id != row.clip_id, timeout=5000)
    qtbot.waitUntil(lambda: at_work.deciding.can_act, timeout=5000)
