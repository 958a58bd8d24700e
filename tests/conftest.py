"""What all tests share: a home of their own, no display, and nothing left behind."""

from __future__ import annotations

import gc
import os
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from time import monotonic

# Before anything imports Qt, torch or a decoder.
os.environ["QT_QPA_PLATFORM"] = "offscreen"
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.pop("VIDLABEL_TRACE_STARTUP", None)

import pytest

_PATIENCE_S = 5.0


@pytest.fixture(autouse=True)
def home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The person's data folder: settings, projects, caches and logs of this test only."""
    folder = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("VIDLABEL_HOME", str(folder))
    return folder


@pytest.fixture(autouse=True)
def nothing_left_behind(request: pytest.FixtureRequest) -> Iterator[None]:
    """Threads, child processes and running timers that outlive a test fail it."""
    threads = set(threading.enumerate())
    children = _children()
    yield
    in_qt = "qapp" in request.fixturenames or "qtbot" in request.fixturenames
    left = [thread.name for thread in threading.enumerate() if thread not in threads and _outlives(thread)]
    assert not left, f"threads left behind: {left}"
    assert not _wait_for_children(children), "child processes left behind"
    if in_qt:
        assert not _running_timers(), "timers left running"


def _outlives(thread: threading.Thread) -> bool:
    # Worker threads of libraries (torch compiles with a pool of its own) are daemons without a name of ours.
    if thread.daemon and thread.name.startswith("Thread-"):
        return False
    thread.join(_PATIENCE_S)
    return thread.is_alive()


def _children() -> set[int]:
    if not sys.platform.startswith("linux"):
        return set()
    found: set[int] = set()
    for listing in Path("/proc/self/task").glob("*/children"):
        try:
            found.update(int(pid) for pid in listing.read_text().split())
        except OSError:
            continue
    return found


def _wait_for_children(known: set[int]) -> set[int]:
    end = monotonic() + _PATIENCE_S
    waiting = threading.Event()
    while (left := _children() - known) and monotonic() < end:
        waiting.wait(0.02)
    return left


def _running_timers() -> list[str]:
    qtcore = sys.modules.get("PySide6.QtCore")
    shiboken = sys.modules.get("shiboken6")
    if qtcore is None or shiboken is None:
        return []
    # What was given to deleteLater goes when an event loop is entered, which does not happen any more.
    qtcore.QCoreApplication.sendPostedEvents(None, qtcore.QEvent.Type.DeferredDelete.value)
    gc.collect()
    timers = [item for item in gc.get_objects() if type(item) is qtcore.QTimer and shiboken.isValid(item)]
    return [
        f"{timer.interval()} ms of {type(timer.parent()).__name__}" for timer in timers if timer.isActive()
    ]
