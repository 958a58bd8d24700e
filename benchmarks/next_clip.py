"""From a key press to the next clip's first frame painted, with the decision on disk.

The real window, composed as the program composes it, works through a project of 10,000 undecided clips (with stored
suggestions): once of 320x240 clips, once of 1080p H.264 with a 250-frame GOP. Enter is pressed at a person's pace; time
runs from the key event to the end of the paint that shows the next clip's first frame, and every decision must be in
the database afterwards. Scanning and suggesting are off, so that the figure is that of the path itself. The files are
a few real ones under 10,000 names. Beside it: what one committed row costs on this disk.
"""

from __future__ import annotations

import os
import sqlite3
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from statistics import median, quantiles
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.report import Report, run

CLIPS = 10_000
PACE_MS = 250
"""Between two decisions: quicker than people are over a longer time."""
GOALS = {"median_ms_small": {"at_most": 16.7}, "median_ms_1080p": {"at_most": 16.7}}
_GIVE_UP_MS = 20_000


def _moving_pattern(width: int, height: int, count: int) -> Iterator[NDArray[np.uint8]]:
    """Frames that cost about what footage costs: soft shapes that move everywhere, and a camera's grain."""
    chance = np.random.default_rng(1)
    coarse = chance.integers(0, 255, (height // 60, width // 60, 3), dtype=np.uint8)
    picture = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    grain = chance.normal(0, 2, (height, width, 1)).astype(np.int16)
    for number in range(count):
        moved = np.roll(picture, (number * 3, number * 5), axis=(0, 1))
        grained = moved + np.roll(grain, number * 97, axis=1)
        yield np.clip(grained, 0, 255).astype(np.uint8)


def _make_media(media: Path, width: int, height: int) -> None:
    """10,000 names for three real files of 2 s (a first GOP that would go on to frame 250)."""
    from tests.helpers.projects import relative_of
    from vidlabel.media.encode import VideoOptions, write_video

    options = VideoOptions(codec="libx264", gop=250, extra={"preset": "veryfast", "sc_threshold": "0"})
    originals = []
    for number in range(3):
        original = media / f".original_{number}.mp4"
        write_video(original, _moving_pattern(width, height, 60), fps=30, options=options)
        originals.append(original)
    for number in range(1, CLIPS + 1):
        path = media / relative_of(number)
        path.parent.mkdir(exist_ok=True)
        os.link(originals[number % len(originals)], path)


def _commit_ms(folder: Path) -> float:
    """Median time of one row in a committed transaction with a full sync, on this disk."""
    took = []
    with closing(sqlite3.connect(folder / "commit.db", isolation_level=None)) as raw:
        raw.execute("PRAGMA journal_mode=WAL")
        raw.execute("PRAGMA synchronous=FULL")
        raw.execute("CREATE TABLE rows (value TEXT)")
        for _ in range(50):
            began = time.perf_counter()
            raw.execute("BEGIN IMMEDIATE")
            raw.execute("INSERT INTO rows VALUES ('a decision')")
            raw.execute("COMMIT")
            took.append((time.perf_counter() - began) * 1000)
    return median(took)


def _session(project: Path, decisions: int) -> list[float]:
    """Presses Enter so many times; answers each time in ms until the next clip was painted."""
    from PySide6.QtCore import QEventLoop, Qt, QTimer
    from PySide6.QtTest import QTest

    from vidlabel import app

    program = app.build(project)
    bench, window = program.workbench, program.window
    bench.settings.scan_by_itself = False
    bench.settings.suggest_by_itself = False
    painted: list[tuple[int, float]] = []
    loop = QEventLoop()

    def on_painted(row: Any) -> None:
        painted.append((row.clip_id, time.perf_counter()))
        loop.quit()

    def wait(milliseconds: int) -> None:
        QTimer.singleShot(milliseconds, loop.quit)
        loop.exec()

    def wait_for_paint() -> None:
        """Until a paint of a first frame, or giving up."""
        before = len(painted)
        guard = QTimer()
        guard.setSingleShot(True)
        guard.timeout.connect(loop.quit)
        guard.start(_GIVE_UP_MS)
        if len(painted) == before:
            loop.exec()
        guard.stop()
        if len(painted) == before:
            raise RuntimeError("the next clip did not appear")

    bench.player.first_frame_painted.connect(on_painted)
    window.resize(1280, 720)
    window.show()
    wait_for_paint()
    took = []
    for number in range(decisions + 3):
        wait(PACE_MS if number else 1500)
        if bench.deciding.suggestion is None:
            raise RuntimeError("no suggestion is on screen")
        pressed = time.perf_counter()
        QTest.keyClick(window.focusWidget() or window, Qt.Key.Key_Return)
        wait_for_paint()
        if number >= 3:  # the first ones load what is loaded lazily
            took.append((painted[-1][1] - pressed) * 1000)
    ended = QEventLoop()
    bench.closed.connect(ended.quit)
    window.close()
    bench.close()
    QTimer.singleShot(10_000, ended.quit)
    ended.exec()
    bench.engine.stop_and_wait()
    with closing(sqlite3.connect(project)) as raw:
        (written,) = raw.execute("SELECT count(*) FROM decisions").fetchone()
    if written != decisions + 3:
        raise RuntimeError(f"{decisions + 3} decisions were made, {written} are in the database")
    return took


def _measured(scratch: Path, size: tuple[int, int], decisions: int) -> list[float]:
    from tests.helpers.projects import write_project

    media = scratch / f"media_{size[1]}"
    media.mkdir()
    _make_media(media, *size)
    project = scratch / f"project_{size[1]}.vidlabel"
    write_project(project, media, clips=CLIPS)
    return _session(project, decisions)


def _p95(values: list[float]) -> float:
    return quantiles(values, n=20)[-1]


def measure(quick: bool) -> Report:
    """Works through both projects."""
    decisions = 40 if quick else 300
    if not any(name in os.environ for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")):
        os.environ["QT_QPA_PLATFORM"] = "offscreen"
    with tempfile.TemporaryDirectory(prefix="vidlabel-bench-") as folder:
        scratch = Path(folder)
        os.environ["VIDLABEL_HOME"] = str(scratch / "home")
        small = _measured(scratch, (320, 240), decisions)
        large = _measured(scratch, (1920, 1080), decisions)
        commit_ms = _commit_ms(scratch)
    return Report(
        name="next_clip",
        figures={
            "median_ms_small": median(small),
            "p95_ms_small": _p95(small),
            "median_ms_1080p": median(large),
            "p95_ms_1080p": _p95(large),
            "decisions_each": decisions,
            "clips": CLIPS,
        },
        baselines={"commit_ms": commit_ms, "one_frame_at_60_hz_ms": 1000 / 60},
        goals=GOALS,
    )


if __name__ == "__main__":
    sys.exit(run(measure, "Key press to next clip painted and decision committed."))
