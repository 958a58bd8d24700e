"""Windows of a video are what reading each as a clip would give, for one pass over its frames."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.helpers.clips import (
    b_frame_clip,
    numbered_clip,
    one_frame_clip,
    read_number,
    rotated_clip,
    truncated_clip,
    variable_rate_clip,
)
from vidlabel.core.errors import MissingVideoError, UnreadableVideoError
from vidlabel.core.sweeps import SweepPlan, seconds_to_plan
from vidlabel.media import cursor
from vidlabel.media.encode import VideoOptions
from vidlabel.media.frame_index import FrameIndex
from vidlabel.media.sampler import read_positions
from vidlabel.media.windows import Window, read_windows

CHECKOUT = Path(__file__).resolve().parents[2]


def positions(count: int, _fps: float) -> tuple[int, ...]:
    """The middles of eight equal parts."""
    return tuple((2 * part + 1) * count // 16 for part in range(8))


def size(_width: int, _height: int) -> tuple[int, int]:
    return 80, 48


def windows(path: Path, plan: SweepPlan, *, first: int = 0, threads: int | None = None) -> list[Window]:
    return list(read_windows(path, plan, positions=positions, size=size, first=first, threads=threads))


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """How many frames came out of the decoder, one entry a packet."""
    counts: list[int] = []
    real = cursor._decode_packet

    def counting(packet: object) -> list[object]:
        frames: list[object] = real(packet)  # type: ignore[arg-type,assignment]
        counts.append(len(frames))
        return frames

    monkeypatch.setattr(cursor, "_decode_packet", counting)
    yield counts


@pytest.mark.parametrize(
    "make",
    [
        lambda folder: numbered_clip(folder / "even.mp4", 150),
        lambda folder: variable_rate_clip(folder / "variable.mp4", 120),
        lambda folder: b_frame_clip(folder / "b.mp4", 150),
        lambda folder: numbered_clip(folder / "old.avi", 110),
        lambda folder: numbered_clip(folder / "stream.ts", 110),
        lambda folder: rotated_clip(folder / "turned.mp4", 90, 80),
        lambda folder: one_frame_clip(folder / "one.mp4"),
    ],
)
def test_each_window_is_the_clip_of_its_times(
    tmp_path: Path, make: Callable[[Path], Path], decoded: list[int]
) -> None:
    path = make(tmp_path)
    index = FrameIndex.build(path)
    plan = seconds_to_plan(index.duration_us, window_s=1.0, step_s=0.3)
    decoded.clear()
    found = windows(path, plan)
    assert sum(decoded) <= len(index) + 1
    assert [window.number for window in found] == list(range(plan.windows))
    for window in found:
        start_us, end_us = plan.window(window.number)
        alone = read_positions(
            path, start_us=start_us, end_us=end_us, positions=positions, size=size, index=index
        )
        assert window.frames is not None
        assert np.array_equal(window.frames, alone), window.number


def test_it_can_begin_at_any_window(tmp_path: Path, decoded: list[int]) -> None:
    path = numbered_clip(tmp_path / "long.mp4", 400, options=VideoOptions(gop=25))
    plan = seconds_to_plan(16_000_000)
    whole = windows(path, plan)
    for first in (1, 13, plan.windows - 1):
        decoded.clear()
        part = windows(path, plan, first=first)
        assert [window.number for window in part] == list(range(first, plan.windows))
        assert all(np.array_equal(a.frames, b.frames) for a, b in zip(part, whole[first:], strict=True))
        # From the key frame before, not from the beginning.
        assert sum(decoded) <= 400 - first * 12.5 + 27
    assert windows(path, plan, first=plan.windows) == []


def test_windows_in_a_damaged_stretch_are_not_looked_at_and_the_rest_is(tmp_path: Path) -> None:
    path = numbered_clip(tmp_path / "holed.ts", 500, options=VideoOptions(gop=25))
    whole = FrameIndex.build(path)
    content = bytearray(path.read_bytes())
    middle = len(content) // 2 // 188 * 188
    length = len(content) // 5 // 188 * 188
    # Packets of nothing, as a recording has them where the reception failed.
    content[middle : middle + length] = (b"\x47\x1f\xff\x10" + bytes(184)) * (length // 188)
    path.write_bytes(content)
    plan = seconds_to_plan(whole.duration_us)
    found = list(read_windows(path, plan, positions=positions, size=size, index=whole))
    assert [window.number for window in found] == list(range(plan.windows))
    unread = [window.number for window in found if window.frames is None]
    assert unread
    assert unread[0] > 0 and unread[-1] < plan.windows - 1
    for window in (found[0], found[-1]):
        assert window.frames is not None
        first = whole.range(*plan.window(window.number))[0]
        assert read_number(window.frames[0]) >= first


def test_a_video_cut_off_since_it_was_indexed_ends_in_windows_not_looked_at(tmp_path: Path) -> None:
    path = numbered_clip(tmp_path / "copy.ts", 300, options=VideoOptions(gop=25))
    index = FrameIndex.build(path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    plan = seconds_to_plan(index.duration_us)
    found = list(read_windows(path, plan, positions=positions, size=size, index=index))
    readable = [window.frames is not None for window in found]
    assert len(found) == plan.windows
    assert readable == sorted(readable, reverse=True)
    assert readable[0] and not readable[-1]


def test_what_is_no_video_is_said_so(tmp_path: Path) -> None:
    plan = seconds_to_plan(5_000_000)
    with pytest.raises(MissingVideoError):
        windows(tmp_path / "gone.mp4", plan)
    (tmp_path / "text.mp4").write_text("no video")
    with pytest.raises(UnreadableVideoError):
        windows(tmp_path / "text.mp4", plan)
    assert windows(truncated_clip(tmp_path / "half.mkv", 100), plan)[0].frames is not None


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads the process's own memory figures")
def test_memory_does_not_grow_with_the_length(tmp_path: Path) -> None:
    """Ten times as long, and a few MB more: the index's, which is some dozen bytes a frame."""
    peaks = []
    for count in (1_000, 10_000):
        path = numbered_clip(tmp_path / f"{count}.mp4", count, size=(64, 32), options=VideoOptions(gop=50))
        script = (
            "import resource, sys\n"
            "from pathlib import Path\n"
            "from tests.media.test_windows import positions, size\n"
            "from vidlabel.core.sweeps import seconds_to_plan\n"
            "from vidlabel.media.windows import read_windows\n"
            f"plan = seconds_to_plan({count} * 40_000)\n"
            f"for window in read_windows(Path({str(path)!r}), plan, positions=positions, size=size): pass\n"
            "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)\n"
        )
        said = subprocess.run(
            [sys.executable, "-c", script], cwd=CHECKOUT, capture_output=True, text=True, check=True
        )
        peaks.append(int(said.stdout) * 1024)
    assert peaks[1] - peaks[0] < 9_000 * 400 + 4_000_000
