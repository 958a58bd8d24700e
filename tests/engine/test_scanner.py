"""Scanning a folder of real files into a stand-in for the store."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Collection, Sequence
from pathlib import Path

import pytest

from tests.helpers.clips import empty_file, numbered_clip, text_file
from vidlabel.core.errors import MissingVideoError
from vidlabel.core.words import FileEntry, ProbeResult
from vidlabel.engine.scanner import ScanProgress, probe_in_pool, scan_root


class Shelf:
    """Remembers like the store: which files are known, and with what result."""

    def __init__(self) -> None:
        self.known: dict[str, ProbeResult] = {}
        self.seen: set[str] | None = None

    def reconcile(self, entries: Sequence[FileEntry]) -> list[FileEntry]:
        return [e for e in entries if e.relative not in self.known or self.known[e.relative].entry != e]

    def save(self, results: Sequence[ProbeResult]) -> None:
        self.known.update({result.entry.relative: result for result in results})

    def finish(self, seen: Collection[str]) -> None:
        self.seen = set(seen)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "root"
    (root / "deep").mkdir(parents=True)
    numbered_clip(root / "a.mp4", 6)
    (root / "deep" / "copy.mp4").write_bytes((root / "a.mp4").read_bytes())
    numbered_clip(root / "deep" / "b.mp4", 9)
    text_file(root / "text.mp4")
    empty_file(root / "empty.mp4")
    return root


def scan(root: Path, shelf: Shelf, **options: object) -> object:
    return scan_root(root, reconcile=shelf.reconcile, save=shelf.save, finish=shelf.finish, **options)  # type: ignore[arg-type]


def test_a_scan_knows_every_file_and_a_second_one_reads_none(root: Path) -> None:
    shelf = Shelf()
    told: list[ScanProgress] = []
    report = scan(root, shelf, on_progress=told.append)
    assert (report.listed, report.probed, report.unreadable, report.stopped) == (5, 5, 2, False)  # type: ignore[attr-defined]
    assert set(shelf.known) == shelf.seen == {"a.mp4", "deep/b.mp4", "deep/copy.mp4", "empty.mp4", "text.mp4"}
    assert shelf.known["deep/b.mp4"].facts is not None
    assert shelf.known["deep/b.mp4"].facts.frames == 9
    assert told[0].listing
    assert (told[-1].done, told[-1].total) == (5, 5)
    again = scan(root, shelf)
    assert (again.listed, again.probed) == (5, 0)  # type: ignore[attr-defined]


def test_files_of_one_size_are_hashed_wholly(root: Path) -> None:
    shelf = Shelf()
    scan(root, shelf)
    digest = hashlib.sha256((root / "a.mp4").read_bytes()).hexdigest()
    assert shelf.known["a.mp4"].content_hash == shelf.known["deep/copy.mp4"].content_hash == digest
    assert shelf.known["deep/b.mp4"].content_hash is None


def test_a_size_known_from_elsewhere_is_hashed_wholly(root: Path) -> None:
    shelf = Shelf()
    size = (root / "deep" / "b.mp4").stat().st_size
    scan(root, shelf, sizes_known=lambda sizes: {size} & set(sizes))
    assert shelf.known["deep/b.mp4"].content_hash is not None


def test_a_stopped_scan_keeps_what_it_has_and_marks_nothing_missing(root: Path) -> None:
    shelf = Shelf()
    stop = threading.Event()
    report = scan(
        root,
        shelf,
        should_stop=stop.is_set,
        on_progress=lambda progress: stop.set() if progress.total else None,
    )
    assert report.stopped  # type: ignore[attr-defined]
    assert shelf.seen is None


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(MissingVideoError, match="not there"):
        scan(tmp_path / "gone", Shelf())


def test_a_worker_s_error_reaches_the_one_who_asked_and_leaves_no_thread(tmp_path: Path) -> None:
    def broken(worker: int, root: Path, entry: FileEntry, whole: bool) -> ProbeResult:
        raise RuntimeError("broken")

    before = threading.active_count()
    with pytest.raises(RuntimeError, match="broken"):
        list(probe_in_pool(tmp_path, [(FileEntry("a", 1, 1), False)] * 9, probe_one=broken))
    assert threading.active_count() == before
