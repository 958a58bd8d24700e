"""Facts of good files, plain reasons for bad ones."""

from __future__ import annotations

import hashlib
import os
import resource
from pathlib import Path

import numpy as np
import pytest

from tests.helpers import clips as make
from vidlabel.core.fingerprint import fingerprint
from vidlabel.core.words import FileEntry, ProbeResult
from vidlabel.media.encode import VideoOptions, write_video
from vidlabel.media.frame_index import FrameIndex
from vidlabel.media.probe import probe, probe_many
from vidlabel.media.reader import FrameReader


def _probe(path: Path, *, whole: bool = False) -> ProbeResult:
    status = path.lstat()
    return probe(path.parent, FileEntry(path.name, status.st_size, status.st_mtime_ns), whole=whole)


def test_facts_of_a_plain_clip(tmp_path: Path) -> None:
    clip = make.numbered_clip(tmp_path / "a.mp4", 50, sound=make.tone(2.0))
    result = _probe(clip, whole=True)
    assert result.reason is None
    facts = result.facts
    assert facts is not None
    assert (facts.frames, facts.fps, facts.duration_us, facts.variable_rate) == (50, 25.0, 2_000_000, False)
    assert (facts.width, facts.height, facts.rotation, facts.codec) == (160, 96, 0, "h264")
    assert (facts.audio, facts.start_us) == (True, 0)
    assert result.content_hash == hashlib.sha256(clip.read_bytes()).hexdigest()
    assert result.fingerprint == fingerprint(clip)


def test_variable_rate_times_are_the_file_s_own(tmp_path: Path) -> None:
    clip = make.variable_rate_clip(tmp_path / "v.mp4", 30)
    assert FrameIndex.build(clip).times_us.tolist() == make.variable_times(30)
    facts = _probe(clip).facts
    assert facts is not None
    assert facts.variable_rate


def test_time_zero_is_the_first_frame_and_the_own_start_is_kept(tmp_path: Path) -> None:
    clip = make.offset_clip(tmp_path / "o.mkv", 25, start_us=3_200_000)
    facts = _probe(clip).facts
    assert facts is not None
    assert (facts.start_us, facts.duration_us) == (3_200_000, 1_000_000)
    index = FrameIndex.build(clip)
    assert index.times_us[0] == 0
    assert index.range(40_000, 120_000) == (1, 3)
    assert [index.frame_at(us) for us in (-5, 0, 39_999, 40_000, 10**9)] == [0, 0, 0, 1, 24]


def test_rotation_is_in_the_size(tmp_path: Path) -> None:
    facts = _probe(make.rotated_clip(tmp_path / "r.mp4", 90)).facts
    assert facts is not None
    assert (facts.width, facts.height, facts.rotation) == (160, 96, 90)


@pytest.mark.parametrize("suffix", ["avi", "mp4", "mkv", "webm", "mpg", "wmv", "ts", "gif"])
def test_one_frame(suffix: str, tmp_path: Path) -> None:
    facts = _probe(make.one_frame_clip(tmp_path / f"one.{suffix}")).facts
    assert facts is not None
    assert (facts.frames, facts.duration_us, facts.fps) == (1, 40_000, 25.0)


def test_zero_frames_a_second_in_the_header(tmp_path: Path) -> None:
    facts = _probe(make.zero_fps_clip(tmp_path / "zero.avi")).facts
    assert facts is not None
    assert (facts.frames, facts.fps) == (20, 25.0)


@pytest.mark.parametrize("suffix", ["avi", "mp4", "mov", "mkv", "webm", "mpg", "wmv", "ts", "gif"])
def test_of_a_truncated_file_the_readable_part_is_used(suffix: str, tmp_path: Path) -> None:
    clip = make.truncated_clip(tmp_path / f"cut.{suffix}")
    facts = _probe(clip).facts
    assert facts is not None
    assert 4 <= facts.frames < 55
    with FrameReader(clip) as reader:
        numbers = [make.read_number(picture) for _, picture in reader.frames(0, len(reader))]
    assert len(numbers) == facts.frames
    assert numbers[:-1] == list(range(facts.frames - 1))
    assert numbers[-1] >= facts.frames - 1


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("empty.mp4", b"", "empty file"),
        ("text.mp4", b"Dear diary, not a video.\n" * 50, "not a video"),
        ("list.mp4", b"#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\n/etc/passwd\n", "not a video"),
        ("noise.avi", np.random.default_rng(0).bytes(5000), "not a video"),
        ("header.avi", b"RIFF\x00\x10\x00\x00AVI LIST", "damaged"),
        ("noise.mkv", b"\x1aE\xdf\xa3" + bytes(400), "damaged"),
    ],
)
def test_what_is_no_video_has_a_plain_reason(name: str, content: bytes, reason: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    result = _probe(tmp_path / name)
    assert result.facts is None
    assert result.reason is not None
    assert reason in result.reason


def test_sound_alone_is_no_picture(tmp_path: Path) -> None:
    for suffix in ("mp4", "mkv", "avi"):
        assert _probe(make.audio_only(tmp_path / f"a.{suffix}")).reason == "no picture in it (audio only)"


def test_an_mp4_cut_off_before_its_index_says_so(tmp_path: Path) -> None:
    clip = make.numbered_clip(tmp_path / "cut.mp4", 60)
    clip.write_bytes(clip.read_bytes()[:-2500])
    result = _probe(clip)
    assert result.reason is not None
    assert "index is missing" in result.reason


def test_a_file_without_permission_or_gone(tmp_path: Path) -> None:
    assert "not there" in str(probe(tmp_path, FileEntry("gone.mp4", 5, 5)).reason)
    clip = make.numbered_clip(tmp_path / "locked.mp4", 3)
    clip.chmod(0)
    if os.access(clip, os.R_OK):
        pytest.skip("this user reads everything")
    assert _probe(clip).reason == "no permission to read it"


def test_8k_is_probed_without_decoding_it_all(tmp_path: Path) -> None:
    frame = np.zeros((4320, 7680, 3), dtype=np.uint8)
    write_video(
        tmp_path / "8k.mp4", (frame for _ in range(4)), options=VideoOptions(extra={"preset": "ultrafast"})
    )
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    facts = _probe(tmp_path / "8k.mp4").facts
    assert facts is not None
    assert (facts.width, facts.height, facts.frames) == (7680, 4320, 4)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 1_000_000


def test_names_of_every_kind(tmp_path: Path) -> None:
    source = make.numbered_clip(tmp_path / "a.mp4", 3).read_bytes()
    for name in ("ünï çødé 影片.mp4", "a:b%03d#&!(1);.mp4", "x" * 251 + ".mp4", os.fsdecode(b"caf\xe9.mp4")):
        (tmp_path / name).write_bytes(source)
        assert _probe(tmp_path / name).facts is not None, name


def test_many_files_are_probed_and_a_stop_is_heeded(tmp_path: Path) -> None:
    source = make.numbered_clip(tmp_path / "a.mp4", 3).read_bytes()
    entries = [FileEntry(f"{number}.mp4", len(source), 0) for number in range(20)]
    for entry in entries:
        (tmp_path / entry.relative).write_bytes(source)
    results = list(probe_many(tmp_path, entries, workers=2, whole=lambda entry: entry.relative == "3.mp4"))
    assert {result.entry for result in results} == set(entries)
    assert [result.entry.relative for result in results if result.content_hash] == ["3.mp4"]
    assert list(probe_many(tmp_path, entries, should_stop=lambda: True)) == []


def test_nothing_is_written_to_the_terminal(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    _probe(make.truncated_clip(tmp_path / "cut.mp4"))
    _probe(make.text_file(tmp_path / "text.avi"))
    with FrameReader(make.truncated_clip(tmp_path / "cut.avi")) as reader:
        reader.read(len(reader) - 1)
    assert capfd.readouterr() == ("", "")


@pytest.mark.footage
def test_real_footage_has_facts(footage: list[Path]) -> None:
    for clip in footage[::9]:
        facts = _probe(clip).facts
        assert facts is not None, clip.name
        assert 320 <= facts.width <= 720, clip.name
        assert 20 <= facts.fps <= 31, clip.name
