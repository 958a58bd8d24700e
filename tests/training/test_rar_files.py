"""Archives are read whole or refused in words; nothing is ever written outside of where it was told to."""

from __future__ import annotations

import shutil
import subprocess
import zlib

import pytest

pytest.importorskip("rarfile", reason="the extra [training] is not installed")

from training.rar_files import RarArchive
from training.rar_stored import _block, _number, rar_blocks, write_rar
from vidlabel.core.errors import FormatError

CLIPS = [("wave/a b#1_&.avi", bytes(range(256)) * 40), ("wave/é.avi", b""), ("wave/c.avi", b"c" * 3000)]


def compressed(name: str, content: bytes) -> bytes:
    """An archive whose one file says that it is compressed (its bytes are not)."""
    blocks = rar_blocks([])
    encoded = name.encode()
    head = [2, 2, len(content), 4, len(content), 0o644]
    header = b"".join(map(_number, head)) + zlib.crc32(content).to_bytes(4, "little")
    header += _number(3 << 7) + _number(1) + _number(len(encoded)) + encoded
    return b"".join([*blocks[:2], _block(header), content, blocks[-1]])


def test_an_archive_in_an_archive_comes_out_byte_for_byte(tmp_path):
    write_rar(tmp_path / "inner.rar", CLIPS)
    write_rar(tmp_path / "outer.rar", [("wave.rar", (tmp_path / "inner.rar").read_bytes())])
    with RarArchive(tmp_path / "outer.rar") as outer:
        (member,) = outer.members
        outer.extract(member, tmp_path / "out" / "wave.rar")
    with RarArchive(tmp_path / "out" / "wave.rar") as inner:
        assert sorted(CLIPS) == sorted(
            (member.name, _read(inner, member, tmp_path)) for member in inner.members
        )


def _read(archive, member, folder):
    archive.extract(member, folder / "clip")
    return (folder / "clip").read_bytes()


@pytest.mark.parametrize("program", [["lsar", "-t"], ["bsdtar", "-tf"], ["unrar", "t"], ["7zz", "t"]])
def test_other_programs_take_our_archives_for_whole_ones(tmp_path, program):
    if shutil.which(program[0]) is None:
        pytest.skip(f"{program[0]} is not installed")
    write_rar(tmp_path / "a.rar", CLIPS)
    done = subprocess.run([*program, str(tmp_path / "a.rar")], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "c.avi" in done.stdout


def test_a_cut_archive_is_refused_wherever_it_was_cut(tmp_path):
    write_rar(tmp_path / "whole.rar", CLIPS)
    content = (tmp_path / "whole.rar").read_bytes()
    for end in (0, 5, 12, 40, len(content) // 3, len(content) // 2, len(content) - 100):
        cut = tmp_path / "cut.rar"
        cut.write_bytes(content[:end])
        with pytest.raises(FormatError, match=r"(?i)fetch it again"):
            RarArchive(cut)


def test_a_damaged_file_is_noticed_and_leaves_nothing_behind(tmp_path):
    write_rar(tmp_path / "a.rar", CLIPS)
    content = bytearray((tmp_path / "a.rar").read_bytes())
    content[200] ^= 0xFF
    (tmp_path / "a.rar").write_bytes(content)
    with RarArchive(tmp_path / "a.rar") as archive:
        damaged = next(member for member in archive.members if "#1" in member.name)
        with pytest.raises(FormatError, match="damaged"):
            archive.extract(damaged, tmp_path / "out" / "clip.avi")
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.parametrize(
    "name", ["../evil.avi", "/evil.avi", "wave/../../evil.avi", "..\\evil.avi", "C:/evil.avi"]
)
def test_a_name_that_leads_outside_is_refused(tmp_path, name):
    write_rar(tmp_path / "a.rar", [("wave/good.avi", b"x"), (name, b"evil")])
    with pytest.raises(FormatError, match="outside"):
        RarArchive(tmp_path / "a.rar")


def test_without_a_program_for_compressed_files_it_says_what_to_install(tmp_path, monkeypatch):
    (tmp_path / "a.rar").write_bytes(compressed("wave/a.avi", b"not really" * 30))
    monkeypatch.setenv("PATH", str(tmp_path))
    with RarArchive(tmp_path / "a.rar") as archive, pytest.raises(FormatError, match="apt-get install unar"):
        archive.extract(archive.members[0], tmp_path / "clip.avi")
    assert not (tmp_path / "clip.avi").exists()


@pytest.mark.skipif(shutil.which("unar") is None, reason="unar is not installed")
def test_what_no_program_can_unpack_is_said_to_be_damaged(tmp_path):
    (tmp_path / "a.rar").write_bytes(compressed("wave/a.avi", b"not really" * 30))
    with RarArchive(tmp_path / "a.rar") as archive, pytest.raises(FormatError, match="cannot be unpacked"):
        archive.extract(archive.members[0], tmp_path / "clip.avi")
    assert not (tmp_path / "clip.avi").exists()


def test_what_is_no_archive_is_said_so(tmp_path):
    (tmp_path / "a.rar").write_text("<html>404</html>" * 100)
    with pytest.raises(FormatError, match="no RAR archive"):
        RarArchive(tmp_path / "a.rar")
    with pytest.raises(FileNotFoundError):
        RarArchive(tmp_path / "b.rar")
