"""Work off the GUI thread: order, answers on the right thread, and an end that waits for writes."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from functools import partial

import pytest
from PySide6.QtCore import QObject
from pytestqt.qtbot import QtBot

from vidlabel.core.errors import VidlabelError
from vidlabel.services.tasks import Lane, Rank, TaskRunner


class Listener(QObject):
    def __init__(self) -> None:
        super().__init__()
        self.heard: list[object] = []
        self.threads: set[int] = set()

    def hear(self, value: object) -> None:
        self.heard.append(value)
        self.threads.add(threading.get_ident())

    def hear_nothing(self) -> None:
        self.hear(None)


@pytest.fixture
def runner(qtbot: QtBot) -> Iterator[TaskRunner]:
    tasks = TaskRunner()
    closed = Listener()
    tasks.closed.connect(closed.hear_nothing)
    yield tasks
    tasks.close()
    qtbot.waitUntil(lambda: bool(closed.heard))


def test_answers_come_on_the_gui_thread(runner: TaskRunner, qtbot: QtBot) -> None:
    listener = Listener()
    for lane in Lane:
        runner.run(threading.get_ident, listener.hear, lane=lane)
    qtbot.waitUntil(lambda: len(listener.heard) == 3)
    assert listener.threads == {threading.get_ident()}
    assert threading.get_ident() not in listener.heard


def test_writes_are_in_order_and_the_person_goes_first(runner: TaskRunner, qtbot: QtBot) -> None:
    held = threading.Event()
    done: list[str] = []
    runner.run(held.wait, lane=Lane.DATABASE)
    runner.run(partial(done.append, "last"), lane=Lane.DATABASE, rank=Rank.LAST)
    runner.run(partial(done.append, "engine 1"), lane=Lane.DATABASE, rank=Rank.ENGINE)
    runner.run(partial(done.append, "engine 2"), lane=Lane.DATABASE, rank=Rank.ENGINE)
    runner.run(partial(done.append, "person 1"), lane=Lane.DATABASE)
    runner.run(partial(done.append, "person 2"), lane=Lane.DATABASE)
    held.set()
    qtbot.waitUntil(lambda: not runner.writing)
    assert done == ["person 1", "person 2", "engine 1", "engine 2", "last"]


def _fail() -> None:
    raise VidlabelError("clip.mp4: the disk is full. Make room.")


def test_failures_come_in_words(runner: TaskRunner, qtbot: QtBot) -> None:
    listener = Listener()
    runner.run(_fail, None, listener.hear)
    qtbot.waitUntil(lambda: bool(listener.heard))
    assert listener.heard == ["clip.mp4: the disk is full. Make room."]
    with qtbot.waitSignal(runner.failed) as told:
        runner.run(_fail)
    assert told.args == listener.heard


def test_closing_waits_for_every_write_and_takes_no_more(runner: TaskRunner, qtbot: QtBot) -> None:
    listener = Listener()
    pause = threading.Event()
    for number in range(20):
        runner.run(partial(_slowly, pause, number), listener.hear, lane=Lane.DATABASE)
    with qtbot.waitSignal(runner.closed, timeout=5000):
        runner.close()
        runner.run(partial(_slowly, pause, 99), listener.hear, lane=Lane.DATABASE)
    assert listener.heard == list(range(20))


def _slowly(pause: threading.Event, number: int) -> int:
    pause.wait(0.005)
    return number


def test_an_answer_for_something_closed_meanwhile_is_dropped(runner: TaskRunner, qtbot: QtBot) -> None:
    gate = threading.Event()
    closed, open_still = Listener(), Listener()
    runner.run(gate.wait, closed.hear)
    runner.run(gate.wait, partial(closed.hear))
    runner.run(_fail, None, closed.hear)
    closed.destroyed.connect(open_still.hear_nothing)
    closed.deleteLater()
    qtbot.waitUntil(lambda: bool(open_still.heard))
    gate.set()
    runner.run(gate.wait, open_still.hear)
    qtbot.waitUntil(lambda: True in open_still.heard)
    assert closed.heard == []
