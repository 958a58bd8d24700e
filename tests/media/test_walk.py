"""The walk finds every video, once, in order, and gets stuck nowhere."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from vidlabel.media import walk as walking
from vidlabel.media.walk import walk


def _touch(root: Path, *names: str) -> None:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")


def _found(root: Path) -> list[str]:
    return [entry.relative for batch in walk(root) for entry in batch.entries]


def test_known_suffixes_in_any_case_sorted_with_size_and_time(tmp_path: Path) -> None:
    _touch(
        tmp_path,
        "b/2.MP4",
        "b/10.mp4",
        "a/x.Gif",
        "z.ts",
        "a.txt",
        "mp4",
        ".mp4",
        "b/clip.mp4.part",
        "é 影.webm",
    )
    assert _found(tmp_path) == ["z.ts", "é 影.webm", "a/x.Gif", "b/10.mp4", "b/2.MP4"]
    entry = next(iter(walk(tmp_path))).entries[0]
    status = (tmp_path / "z.ts").stat()
    assert (entry.size, entry.mtime_ns) == (status.st_size, status.st_mtime_ns)


def test_hidden_things_and_backups_are_left_out(tmp_path: Path) -> None:
    _touch(tmp_path, ".hidden/a.mp4", ".a.mp4", "p.vidlabel.backups/a.mp4", "seen/a.mp4")
    assert _found(tmp_path) == ["seen/a.mp4"]


def test_links_are_followed_and_loops_are_cut(tmp_path: Path) -> None:
    _touch(tmp_path, "root/a/1.mp4", "elsewhere/2.mp4")
    (tmp_path / "root/a/up").symlink_to(tmp_path / "root")
    (tmp_path / "root/b").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "root/a/self").symlink_to(tmp_path / "root/a/self")
    (tmp_path / "root/dangling.mp4").symlink_to(tmp_path / "nowhere.mp4")
    assert _found(tmp_path / "root") == ["a/1.mp4", "b/2.mp4"]


def test_an_unreadable_folder_is_a_problem_in_words(tmp_path: Path) -> None:
    _touch(tmp_path, "open/1.mp4", "locked/2.mp4")
    locked = tmp_path / "locked"
    locked.chmod(0)
    try:
        if os.access(locked, os.R_OK):
            pytest.skip("this user reads everything")
        batches = list(walk(tmp_path))
    finally:
        locked.chmod(0o755)
    assert [entry.relative for batch in batches for entry in batch.entries] == ["open/1.mp4"]
    assert [problem for batch in batches for problem in batch.problems] == [
        f"{locked}: no permission to read it"
    ]


def test_a_missing_root_is_a_problem_and_not_an_error(tmp_path: Path) -> None:
    (batch,) = walk(tmp_path / "nowhere")
    assert batch.entries == []
    assert batch.problems == [f"{tmp_path / 'nowhere'}: it is not there"]


def test_an_empty_root_yields_an_empty_batch(tmp_path: Path) -> None:
    (batch,) = walk(tmp_path)
    assert (batch.entries, batch.problems) == ([], [])


def test_batches_and_stopping(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(walking, "BATCH", 3)
    _touch(tmp_path, *(f"{folder}/{number}.mp4" for folder in "abcd" for number in range(3)))
    assert [len(batch.entries) for batch in walk(tmp_path)] == [3, 3, 3, 3, 0]
    asked: list[int] = []
    stopped = walk(tmp_path, should_stop=lambda: len(asked) > 1 or asked.append(1) is not None)
    assert sum(len(batch.entries) for batch in stopped) == 3


def test_a_name_that_is_no_utf8_is_listed(tmp_path: Path) -> None:
    (tmp_path / os.fsdecode(b"caf\xe9.mp4")).write_bytes(b"x")
    (relative,) = _found(tmp_path)
    assert (tmp_path / relative).read_bytes() == b"x"


def test_a_video_that_is_only_a_dangling_link_is_a_problem(tmp_path: Path) -> None:
    """Its disk may only be away: nobody may take what it points to for gone."""
    _touch(tmp_path, "a.mp4", "folder.mp4/b.mp4")
    (tmp_path / "away.mp4").symlink_to(tmp_path / "nowhere")
    (batch,) = walk(tmp_path)
    assert [entry.relative for entry in batch.entries] == ["a.mp4", "folder.mp4/b.mp4"]
    assert batch.problems == [f"{tmp_path / 'away.mp4'}: it is not there"]
