"""Sound that fits the picture, thumbnails, and frames for the network."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest

from tests.helpers import clips as make
from vidlabel.core.errors import UnreadableVideoError
from vidlabel.core.fingerprint import fingerprint
from vidlabel.media.picture import fit_size
from vidlabel.media.reader import FrameReader
from vidlabel.media.sampler import read_positions
from vidlabel.media.sound import RATE, SoundReader
from vidlabel.media.thumbnail import make_thumbnail


def _with_burst(path: Path, *, start_us: int = 0) -> Path:
    """A clip of 3 s that is silent but for a tone from 1 s to 2 s."""
    sound = np.zeros((3 * RATE, 2), dtype=np.int16)
    sound[RATE : 2 * RATE] = make.tone(1.0)
    times = [number * 40_000 + start_us for number in range(75)]
    timed = None if path.suffix in (".avi", ".mpg") else times
    make.write_video(path, make.numbered_frames(75), times_us=timed, sound=sound, sound_start_us=start_us)
    return path


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "webm", "avi", "mpg", "ts", "wmv"])
@pytest.mark.parametrize("start_us", [0, 2_000_000])
def test_sound_stands_where_the_picture_is(suffix: str, start_us: int, tmp_path: Path) -> None:
    if start_us and suffix in ("avi", "mpg"):
        pytest.skip("this format has no start of its own")
    with SoundReader(_with_burst(tmp_path / f"burst.{suffix}", start_us=start_us)) as reader:
        whole = reader.read(0, 3_000_000)
        assert whole.shape == (3 * RATE, 2)
        loud = np.flatnonzero(np.abs(whole[:, 0].astype(int)) > 3000) / RATE
        assert loud[0] == pytest.approx(1.0, abs=0.05)
        assert loud[-1] == pytest.approx(2.0, abs=0.05)
        part = reader.read(1_200_000, 1_300_000)
        assert part.shape == (RATE // 10, 2)
        assert np.abs(part.astype(int)).max() > 9000
        assert np.abs(reader.read(200_000, 300_000).astype(int)).max() < 500
        assert not reader.read(9_000_000, 9_100_000).any()


def test_pieces_join_without_a_click(tmp_path: Path) -> None:
    clip = make.numbered_clip(tmp_path / "tone.mkv", 50, sound=make.tone(2.0))
    with SoundReader(clip) as reader:
        whole = reader.read(500_000, 1_500_000).astype(int)
    with SoundReader(clip) as reader:
        ends = [500_000, 533_333, 700_001, 1_100_000, 1_500_000]
        parts = [reader.read(a, b) for a, b in itertools.pairwise(ends)]
    assert np.abs(np.concatenate(parts).astype(int) - whole).max() <= 2


def test_a_video_without_sound_says_so(tmp_path: Path) -> None:
    with pytest.raises(UnreadableVideoError, match="no sound"):
        SoundReader(make.numbered_clip(tmp_path / "mute.mp4", 3))


def test_thumbnail_is_the_frame_at_that_time_and_fits(tmp_path: Path) -> None:
    out = tmp_path / "t.jpg"
    clip = make.numbered_clip(tmp_path / "a.mp4", 30, size=(640, 480))
    assert make_thumbnail(clip, 480_000, out) == (240, 180)
    assert out.read_bytes().startswith(b"\xff\xd8\xff")
    with FrameReader(_as_video(out)) as reader:
        assert make.read_number(reader.read(0)) == 12
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []
    tall = make.rotated_clip(tmp_path / "r.mp4", 90, 3)
    assert make_thumbnail(tall, 0, out) == (160, 96)


def _as_video(picture: Path) -> Path:
    """A JPEG as the single frame of an MJPEG film, so that the reader under test reads it back."""
    import cv2

    pixels = cv2.cvtColor(cv2.imread(str(picture)), cv2.COLOR_BGR2RGB)
    make.write_video(picture.with_suffix(".mkv"), [np.asarray(pixels, dtype=np.uint8)])
    return picture.with_suffix(".mkv")


def test_fit_size_keeps_the_shape_and_never_enlarges() -> None:
    assert fit_size(1920, 1080, (320, 180)) == (320, 180)
    assert fit_size(1080, 1920, (320, 180)) == (101, 180)
    assert fit_size(100, 50, (320, 180)) == (100, 50)
    assert fit_size(8000, 2, (320, 180)) == (320, 1)


@pytest.mark.parametrize("suffix", ["mp4", "avi", "mpg"])
def test_the_network_gets_exactly_the_frames_it_asks_for(suffix: str, tmp_path: Path) -> None:
    clip = make.numbered_clip(tmp_path / f"a.{suffix}", 60)
    seen: list[tuple[int, float]] = []

    def positions(count: int, fps: float) -> tuple[int, ...]:
        seen.append((count, fps))
        return (0, 5, 5, count - 1)

    frames = read_positions(
        clip, start_us=400_000, end_us=1_600_000, positions=positions, size=lambda w, h: (w // 2, h // 2)
    )
    assert seen == [(30, 25.0)]
    assert frames.shape == (4, 48, 80, 3)
    assert [make.read_number(frame) for frame in frames] == [10, 15, 15, 39]


def test_fingerprint_sees_head_tail_and_size(tmp_path: Path) -> None:
    path = tmp_path / "f"
    content = bytes(300_000)
    keys = set()
    for changed in (content, b"x" + content[1:], content[:-1] + b"x", content + b"\0"):
        path.write_bytes(changed)
        keys.add(fingerprint(path))
    assert len(keys) == 4
