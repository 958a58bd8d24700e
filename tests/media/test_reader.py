"""Every frame is the right frame, in every format, from every direction."""

from __future__ import annotations

import random
import zlib
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.helpers import clips as make
from vidlabel.core.errors import MissingVideoError, UnreadableVideoError
from vidlabel.media.encode import VideoOptions
from vidlabel.media.frame_index import FrameIndex
from vidlabel.media.reader import FrameReader

COUNT = 40


def _b_frames(path: Path) -> Path:
    return make.b_frame_clip(path, COUNT, gop=15)


def _plain(path: Path) -> Path:
    return make.numbered_clip(path, COUNT, options=VideoOptions(gop=15))


def _variable(path: Path) -> Path:
    return make.variable_rate_clip(path, COUNT)


def _offset(path: Path) -> Path:
    return make.offset_clip(path, COUNT)


def _with_sound(path: Path) -> Path:
    return make.numbered_clip(path, COUNT, sound=make.tone(COUNT / 25))


def _coded(codec: str, **extra: str) -> Callable[[Path], Path]:
    return lambda path: make.numbered_clip(
        path, COUNT, options=VideoOptions(codec=codec, gop=12, extra=extra)
    )


# AVI and MPEG cannot hold a variable rate or a start of one's own choosing, WebM and GIF no H.264.
SHAPES = [
    *((suffix, _plain) for suffix in ("avi", "mp4", "mov", "mkv", "webm", "mpg", "wmv", "m4v", "ts", "gif")),
    *((suffix, _variable) for suffix in ("mp4", "mov", "mkv", "webm", "wmv", "ts", "gif")),
    *((suffix, _offset) for suffix in ("mp4", "mov", "mkv", "webm", "wmv", "ts")),
    *((suffix, _b_frames) for suffix in ("avi", "mp4", "mkv", "ts", "wmv", "mpg")),
    *((suffix, _with_sound) for suffix in ("avi", "mp4", "mkv", "webm", "mpg", "wmv", "ts")),
    ("mp4", _coded("libx265")),
    ("mkv", _coded("libsvtav1", crf="12")),
    ("webm", _coded("libvpx", **{"auto-alt-ref": "1", "lag-in-frames": "12", "deadline": "good"})),
    ("webm", _coded("libvpx-vp9", **{"lag-in-frames": "12", "deadline": "good"})),
    ("mpg", lambda path: make.numbered_clip(path, COUNT, options=VideoOptions(gop=12, b_frames=2))),
    ("avi", lambda path: make.numbered_clip(path, COUNT, options=VideoOptions(gop=12, b_frames=2))),
    ("avi", _coded("mjpeg")),
    ("mkv", lambda path: make.numbered_clip(path, COUNT, fps=24000 / 1001)),
]


@pytest.mark.parametrize(("suffix", "make_clip"), SHAPES)
def test_forward_random_and_backward_give_the_same_right_frames(
    suffix: str, make_clip: Callable[[Path], Path], tmp_path: Path
) -> None:
    clip = make_clip(tmp_path / f"clip.{suffix}")
    with FrameReader(clip) as reader:
        assert len(reader) == COUNT
        forward = [(number, make.read_number(picture)) for number, picture in reader.frames(0, COUNT)]
        assert forward == [(number, number) for number in range(COUNT)]
        for order in (random.Random(7).choices(range(COUNT), k=30), range(COUNT - 1, -1, -1)):
            assert [make.read_number(reader.read(number)) for number in order] == list(order)
        wanted = [3, 3, 17, 18, COUNT - 1]
        assert [make.read_number(picture) for picture in reader.read_many(wanted, size=(80, 48))] == wanted


@pytest.fixture(scope="module")
def long_group(clips: Path) -> Path:
    return make.b_frame_clip(clips / "long-group.mp4", 120, gop=250)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(order=st.lists(st.integers(0, 119), min_size=1, max_size=12))
def test_any_order_of_reads_is_exact(long_group: Path, order: list[int]) -> None:
    with FrameReader(long_group) as reader:
        assert [make.read_number(reader.read(number)) for number in order] == order


def test_stepping_back_decodes_the_group_once_and_not_once_a_step(long_group: Path) -> None:
    with FrameReader(long_group) as reader:
        reader.read(119)
        reader.close()
        assert make.read_number(reader.read(118)) == 118
        seeks = _count_seeks(reader)
        assert [make.read_number(reader.read(number)) for number in range(117, 97, -1)] == list(
            range(117, 97, -1)
        )
        assert len(seeks) <= 1


def test_reading_on_does_not_seek(long_group: Path) -> None:
    with FrameReader(long_group) as reader:
        reader.read(0)
        seeks = _count_seeks(reader)
        for number in range(1, 40):
            reader.read(number)
        assert seeks == []


def _count_seeks(reader: FrameReader) -> list[int]:
    """The seeks that a reader's cursor makes from now on."""
    seeks: list[int] = []
    seek = reader._cursor._seek

    def counting(key: int) -> None:
        seeks.append(key)
        seek(key)

    reader._cursor._seek = counting  # type: ignore[method-assign]
    return seeks


@pytest.mark.parametrize("rotation", [90, 180, 270])
@pytest.mark.parametrize("suffix", ["mp4", "mov", "mkv"])
def test_rotated_video_is_shown_upright(rotation: int, suffix: str, tmp_path: Path) -> None:
    with FrameReader(make.rotated_clip(tmp_path / f"turned.{suffix}", rotation, 4)) as reader:
        assert (reader.shape.width, reader.shape.height, reader.shape.rotation) == (160, 96, rotation)
        assert make.read_number(reader.read(3)) == 3
        assert reader.read(2, size=(80, 48), fmt="bgra").shape == (48, 80, 4)


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "avi", "gif", "mpg", "ts", "webm"])
def test_odd_sizes(suffix: str, tmp_path: Path) -> None:
    with FrameReader(make.numbered_clip(tmp_path / f"odd.{suffix}", 5, size=(163, 97))) as reader:
        picture = reader.read(4)
        assert picture.shape == (97, 163, 3)
        assert picture.flags.c_contiguous
        assert picture.flags.owndata
        assert make.read_number(picture) == 4


def test_colours_keep_their_channels(tmp_path: Path) -> None:
    red = np.zeros((64, 64, 3), dtype=np.uint8)
    red[..., 0] = 220
    make.write_video(tmp_path / "red.mp4", [red])
    with FrameReader(tmp_path / "red.mp4") as reader:
        assert reader.read(0)[32, 32].argmax() == 0
        assert reader.read(0, fmt="bgra")[32, 32, :3].argmax() == 2


def test_a_file_that_goes_away_says_so(tmp_path: Path) -> None:
    clip = make.numbered_clip(tmp_path / "gone.mp4", 20)
    index = FrameIndex.build(clip)
    clip.unlink()
    with pytest.raises(MissingVideoError, match="not there"):
        FrameReader(clip, index).read(0)
    with pytest.raises(MissingVideoError):
        FrameReader(clip)


def test_a_hole_in_the_file_costs_only_the_frames_in_it(tmp_path: Path) -> None:
    clip = make.numbered_clip(
        tmp_path / "hole.mp4", 60, options=VideoOptions(gop=10, muxer={"movflags": "faststart"})
    )
    content = bytearray(clip.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 150] = bytes(150)
    clip.write_bytes(content)
    with FrameReader(clip) as reader:
        assert make.read_number(reader.read(2)) == 2
        assert make.read_number(reader.read(len(reader) - 1)) == 59
        good = sum(make.read_number(picture) == number for number, picture in reader.frames(0, len(reader)))
        assert good >= 40
        assert len(reader.read_many(range(len(reader)))) == len(reader)


def test_a_frame_that_is_not_there_is_an_index_error(tmp_path: Path) -> None:
    with FrameReader(make.numbered_clip(tmp_path / "short.mp4", 3)) as reader:
        for number in (-1, 3):
            with pytest.raises(IndexError, match="frames 0 to 2"):
                reader.read(number)


def test_a_text_is_no_video(tmp_path: Path) -> None:
    with pytest.raises(UnreadableVideoError, match="not a video"):
        FrameReader(make.text_file(tmp_path / "text.mp4"))


@pytest.mark.footage
def test_real_footage_is_read_alike_forwards_and_at_random(footage: list[Path]) -> None:
    rng = random.Random(5)
    for clip in rng.sample(footage, min(25, len(footage))):
        with FrameReader(clip) as reader:
            forward = {n: zlib.crc32(p.tobytes()) for n, p in reader.frames(0, len(reader), size=(64, 48))}
            assert len(forward) == len(reader), clip.name
            reader.close()
            for number in rng.choices(range(len(reader)), k=6):
                assert zlib.crc32(reader.read(number, size=(64, 48)).tobytes()) == forward[number], clip.name


def _spoil(path: Path, number: int) -> None:
    """Makes one packet undecodable, leaving the container as it is."""
    with av.open(str(path)) as container:
        packets = [(packet.pos, packet.size) for packet in container.demux(container.streams.video[0])]
    content = bytearray(path.read_bytes())
    place, size = packets[number]
    assert place is not None
    content[place : place + size] = bytes(size)
    path.write_bytes(content)


@pytest.mark.parametrize("threads", [None, 1, 3])
@pytest.mark.parametrize(
    ("name", "options"), [("a.mp4", VideoOptions(gop=1)), ("a.avi", VideoOptions(codec="mjpeg"))]
)
def test_only_the_damaged_frame_is_left_out(
    tmp_path: Path, name: str, options: VideoOptions, threads: int | None
) -> None:
    path = make.numbered_clip(tmp_path / name, COUNT, options=options)
    _spoil(path, 20)
    whole = [number for number in range(COUNT) if number != 20]
    with FrameReader(path, threads=threads) as reader:
        shown = {number: make.read_number(picture) for number, picture in reader.frames(0, COUNT)}
        assert shown == {number: number for number in whole}
    with FrameReader(path, threads=threads) as reader:
        assert [number for number, _ in reader.frames(18, 24)] == [18, 19, 21, 22, 23]
        assert [make.read_number(picture) for picture in reader.read_many([19, 20, 21, 22])] == [
            19,
            19,
            21,
            22,
        ]
        with pytest.raises(UnreadableVideoError):
            reader.read(20)
