"""The engine client against a real engine process and real clips."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from time import monotonic

import numpy as np
import pytest
from PySide6.QtCore import QObject, Slot
from PySide6.QtGui import QImage
from pytestqt.qtbot import QtBot

from tests.helpers.clips import numbered_clip, read_number, text_file
from vidlabel.core import messages as m
from vidlabel.services.engine_client import EngineClient, EngineState

LONG_US = 10**12
FRAMES = 30


def number_in(image: QImage) -> int:
    """The number that a frame of a numbered clip carries."""
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
    return read_number(rows[:, : image.width() * 4].reshape(image.height(), image.width(), 4))


class Window(QObject):
    """Stands for the window: keeps all that arrives, and takes frames at once."""

    def __init__(self, client: EngineClient) -> None:
        super().__init__()
        self.client = client
        self.messages: list[m.Message] = []
        self.shown: list[tuple[int, int, int]] = []
        """(stream, frame as told, number in the picture)"""
        self.generations: list[int] = []
        self.crashes: list[tuple[str, tuple[str, ...]]] = []
        self.readies = 0
        client.message_received.connect(self._got)
        client.crashed.connect(self._crashed)
        client.ready.connect(self._ready)

    def of(self, kind: type[m.Message]) -> list[m.Message]:
        return [message for message in self.messages if isinstance(message, kind)]

    @Slot(object)
    def _got(self, message: m.Message) -> None:
        self.messages.append(message)
        if isinstance(message, m.FrameReady):
            self.generations.append(message.generation)
            self.shown.append((message.stream, message.frame, number_in(self.client.take_frame(message))))

    @Slot(str, object)
    def _crashed(self, words: str, suspects: tuple[str, ...]) -> None:
        self.crashes.append((words, suspects))

    @Slot()
    def _ready(self) -> None:
        self.readies += 1


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VIDLABEL_HOME", str(tmp_path / "home"))


@pytest.fixture
def client(qtbot: QtBot) -> Iterator[EngineClient]:
    client = EngineClient(arena_bytes=32 * 1024 * 1024)
    yield client
    if client.state is not EngineState.STOPPED:
        with qtbot.waitSignal(client.stopped, timeout=5000):
            client.stop()
    client.deleteLater()


@pytest.fixture
def window(client: EngineClient) -> Window:
    return Window(client)


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return numbered_clip(tmp_path_factory.mktemp("clips") / "numbered.mp4", FRAMES)


def stream_of(
    client: EngineClient, clip: Path, *, credit: int, urgent: bool = True, end_us: int = LONG_US
) -> int:
    stream = client.request_id()
    client.send(
        m.OpenStream(
            stream=stream, path=str(clip), start_us=0, end_us=end_us, width=640, height=480,
            credit=credit, urgent=urgent,
        )
    )  # fmt: skip
    return stream


def kill(client: EngineClient, number: int) -> None:
    # 0 would mean this test and all beside it.
    assert client.pid > 0
    os.kill(client.pid, number)


def wait(qtbot: QtBot, condition: Callable[[], bool], timeout: int = 5000) -> None:
    qtbot.waitUntil(condition, timeout=timeout)


def test_frames_come_exact_in_order_and_loop(
    qtbot: QtBot, client: EngineClient, window: Window, clip: Path
) -> None:
    client.start()
    stream = stream_of(client, clip, credit=FRAMES + 5)
    wait(qtbot, lambda: len(window.shown) == FRAMES + 5)
    expected = [*range(FRAMES), *range(5)]
    assert window.shown == [(stream, frame, frame) for frame in expected]


def test_what_a_clip_is_comes_first_with_the_time_of_each_frame(
    qtbot: QtBot, client: EngineClient, window: Window, clip: Path
) -> None:
    client.start()
    stream_of(client, clip, credit=1)
    wait(qtbot, lambda: bool(window.shown))
    opened = window.messages[0]
    assert isinstance(opened, m.StreamOpened)
    assert (opened.frames, opened.first, opened.last, opened.width, opened.height) == (
        FRAMES,
        0,
        FRAMES,
        160,
        96,
    )
    assert list(client.take_times(opened)) == [frame * 40_000 for frame in range(FRAMES)]
    assert not client.take_times(opened), "taken twice"


def test_only_the_frames_of_the_clip_are_played(
    qtbot: QtBot, client: EngineClient, window: Window, clip: Path
) -> None:
    client.start()
    stream_of(client, clip, credit=7, end_us=5 * 40_000)
    wait(qtbot, lambda: len(window.shown) == 7)
    assert [frame for _, frame, _ in window.shown] == [0, 1, 2, 3, 4, 0, 1]


def test_no_more_frames_than_credit(qtbot: QtBot, client: EngineClient, window: Window, clip: Path) -> None:
    client.start()
    first = stream_of(client, clip, credit=3)
    wait(qtbot, lambda: len(window.shown) == 3)
    # Had the first stream gone on, its frames would have come before those of a stream that is not urgent.
    second = stream_of(client, clip, credit=4, urgent=False)
    wait(qtbot, lambda: sum(stream == second for stream, _, _ in window.shown) == 4)
    assert sum(stream == first for stream, _, _ in window.shown) == 3
    client.send(m.Credit(stream=first, frames=2))
    wait(qtbot, lambda: len(window.shown) == 9)
    assert [frame for stream, frame, _ in window.shown if stream == first] == [0, 1, 2, 3, 4]


def test_after_a_seek_no_older_frame_is_seen(
    qtbot: QtBot, client: EngineClient, window: Window, clip: Path
) -> None:
    client.start()
    stream = stream_of(client, clip, credit=1000)
    wait(qtbot, lambda: len(window.shown) >= 5)
    window.shown.clear()
    window.generations.clear()
    client.send(m.Seek(stream=stream, generation=1, frame=20, credit=3))
    wait(qtbot, lambda: len(window.shown) == 3)
    assert [frame for _, frame, _ in window.shown] == [20, 21, 22]
    assert set(window.generations) == {1}


def test_a_loop_and_a_stride(qtbot: QtBot, client: EngineClient, window: Window, clip: Path) -> None:
    client.start()
    stream = stream_of(client, clip, credit=0)
    client.send(m.Seek(stream=stream, generation=1, frame=10, credit=6, stride=2, loop_start=8, loop_end=14))
    wait(qtbot, lambda: len(window.shown) == 6)
    assert [number for _, _, number in window.shown] == [10, 12, 8, 10, 12, 8]


def test_a_smaller_box_makes_smaller_frames_of_the_same_shape(
    qtbot: QtBot, client: EngineClient, window: Window, clip: Path
) -> None:
    client.start()
    stream = stream_of(client, clip, credit=1)
    wait(qtbot, lambda: len(window.shown) == 1)
    client.send(m.Resize(stream=stream, width=80, height=400))
    client.send(m.Credit(stream=stream, frames=1))
    wait(qtbot, lambda: len(window.shown) == 2)
    sizes = [(frame.width, frame.height) for frame in window.of(m.FrameReady)]  # type: ignore[attr-defined]
    assert sizes == [(160, 96), (80, 48)]


def test_more_frames_than_the_memory_holds(qtbot: QtBot, tmp_path: Path) -> None:
    """Blocks given back are used again: forty frames of 160x96 through room for a dozen."""
    clip = numbered_clip(tmp_path / "long.mp4", 40)
    client = EngineClient(arena_bytes=1024 * 1024)
    window = Window(client)
    client.start()
    stream_of(client, clip, credit=40)
    wait(qtbot, lambda: len(window.shown) == 40)
    assert [number for _, _, number in window.shown] == list(range(40))
    with qtbot.waitSignal(client.stopped, timeout=5000):
        client.stop()


@pytest.mark.parametrize("kind", ["text", "gone"])
def test_a_file_that_cannot_be_played_is_told_in_words(
    qtbot: QtBot, client: EngineClient, window: Window, tmp_path: Path, *, kind: str
) -> None:
    path = tmp_path / "film.mp4"
    if kind == "text":
        text_file(path)
    client.start()
    stream = stream_of(client, path, credit=1)
    wait(qtbot, lambda: bool(window.of(m.StreamFailed)))
    failed = window.messages[0]
    assert isinstance(failed, m.StreamFailed)
    assert (failed.stream, failed.missing) == (stream, kind == "gone")
    assert failed.reason
    assert "Error" not in failed.reason


@pytest.mark.skipif(sys.platform == "win32", reason="an open file cannot be deleted there")
def test_a_file_deleted_while_it_plays_is_told_once_it_is_missed(
    qtbot: QtBot, client: EngineClient, window: Window, tmp_path: Path
) -> None:
    clip = numbered_clip(tmp_path / "short-lived.mp4", 120)
    client.start()
    stream = stream_of(client, clip, credit=100)
    wait(qtbot, lambda: len(window.shown) == 100)
    clip.unlink()
    client.send(m.Credit(stream=stream, frames=5))
    wait(qtbot, lambda: len(window.shown) == 105)
    assert window.shown[-1][2] == 104
    # Neither kept as shown (another size) nor as decoded (too long ago): the file itself is needed.
    client.send(m.Resize(stream=stream, width=80, height=80))
    client.send(m.Seek(stream=stream, generation=1, frame=0, credit=1))
    wait(qtbot, lambda: bool(window.of(m.StreamFailed)))
    (failed,) = window.of(m.StreamFailed)
    assert isinstance(failed, m.StreamFailed)
    assert failed.missing
    assert "not there" in failed.reason


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV])
def test_playback_is_back_within_two_seconds_of_a_crash(
    qtbot: QtBot, client: EngineClient, window: Window, clip: Path, *, number: int
) -> None:
    began = monotonic()
    client.start()
    stream_of(client, clip, credit=8)
    wait(qtbot, lambda: len(window.shown) > 3)
    first_start_s = monotonic() - began
    request = client.request_id()
    client.send(m.HashFiles(request=request, videos=()))
    died = monotonic()
    kill(client, number)
    wait(qtbot, lambda: bool(window.crashes))
    words, _ = window.crashes[0]
    assert signal.Signals(number).name in words
    window.shown.clear()
    wait(qtbot, lambda: window.readies == 2)
    stream_of(client, clip, credit=1)
    wait(qtbot, lambda: len(window.shown) == 1)
    # Two seconds are promised; on a machine so busy that a plain start takes as long, about that start.
    assert monotonic() - died < max(2.0, 2 * first_start_s)
    assert window.shown[0][2] == 0


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_a_crash_fails_what_was_asked_and_names_the_file_being_read(
    qtbot: QtBot, client: EngineClient, window: Window, tmp_path: Path
) -> None:
    """A pipe that nobody writes to keeps the thread inside the reading of that file."""
    stuck = tmp_path / "stuck.mp4"
    os.mkfifo(stuck)
    client.start()
    request = client.request_id()
    wanted = m.WantedFile(relative=stuck.name, size=1, mtime_ns=1)
    client.send(m.ProbeFiles(request=request, root=str(tmp_path), files=(wanted,)))
    wait(qtbot, lambda: client.pid > 0 and client.suspects() == (str(stuck),))
    kill(client, signal.SIGSEGV)
    wait(qtbot, lambda: bool(window.crashes))
    words, suspects = window.crashes[0]
    assert suspects == (str(stuck),)
    assert "stuck.mp4" in words
    failed = window.of(m.JobFailed)
    assert [answer.request for answer in failed] == [request]  # type: ignore[attr-defined]


def test_frames_of_a_dead_engine_are_not_taken(qtbot: QtBot, client: EngineClient, clip: Path) -> None:
    kept: list[m.FrameReady] = []

    class Keeper(QObject):
        @Slot(object)
        def got(self, message: m.Message) -> None:
            if isinstance(message, m.FrameReady):
                kept.append(message)

    keeper = Keeper()
    client.message_received.connect(keeper.got)
    client.start()
    stream_of(client, clip, credit=1)
    wait(qtbot, lambda: bool(kept))
    with qtbot.waitSignal(client.crashed, timeout=5000):
        kill(client, signal.SIGTERM)
    assert client.take_frame(kept[0]).isNull()


def test_an_engine_that_cannot_start_is_told_and_tried_later(qtbot: QtBot) -> None:
    client = EngineClient(command=[sys.executable, "-c", "raise SystemExit(3)"], arena_bytes=1024 * 1024)
    window = Window(client)
    client.start()
    wait(qtbot, lambda: len(window.crashes) == 4)
    assert client.state is EngineState.WAITING
    assert "exit code 3" in window.crashes[0][0]
    client.stop()
    assert client.state is EngineState.STOPPED


def test_a_program_that_is_not_there(qtbot: QtBot) -> None:
    client = EngineClient(command=["/nonexistent/engine"], arena_bytes=1024 * 1024, restarts=False)
    window = Window(client)
    client.start()
    wait(qtbot, lambda: bool(window.crashes))
    assert client.state is EngineState.STOPPED


def test_stopping_leaves_no_process_and_no_file(qtbot: QtBot, clip: Path) -> None:
    client = EngineClient(arena_bytes=4 * 1024 * 1024)
    window = Window(client)
    client.start()
    stream_of(client, clip, credit=1000)
    wait(qtbot, lambda: bool(window.shown))
    pid = client.pid
    with qtbot.waitSignal(client.stopped, timeout=5000):
        client.stop()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    assert client.state is EngineState.STOPPED
