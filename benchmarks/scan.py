"""How long a scan takes in which nothing has changed, against a bare walk that asks for size and time."""

from __future__ import annotations

import gc
import os
import statistics
import sys
import tempfile
from dataclasses import replace
from functools import partial
from pathlib import Path
from time import perf_counter

import numpy as np

from benchmarks.report import Report, run
from vidlabel.core.fingerprint import fingerprint
from vidlabel.core.words import FileEntry, ProbeResult
from vidlabel.engine.scanner import scan_root
from vidlabel.media.encode import write_video
from vidlabel.media.probe import probe
from vidlabel.media.walk import walk
from vidlabel.store.project_store import ProjectStore

FILES = 20_000
A_FOLDER = 100
_SAVED_AT_A_TIME = 2000


def measure(quick: bool) -> Report:
    """20,000 clips in 200 folders, known to a project; then scans and bare walks in turn."""
    pairs = 5 if quick else 11
    with tempfile.TemporaryDirectory(prefix="vidlabel-scan-") as folder:
        root = Path(folder) / "footage"
        _make_files(root)
        with ProjectStore.open(Path(folder) / "scan.vidlabel", create=True) as store:
            root_id = store.add_root(root).id
            _make_known(store, root_id, root)
            scans: list[float] = []
            walks: list[float] = []
            listings: list[float] = []
            for pair in range(pairs + 1):
                timings = _bare_walk(root), _listing(root), _scan(store, root_id, root)
                if pair:  # the first pair only warms the file system's cache
                    for kept, seconds in zip((walks, listings, scans), timings, strict=True):
                        kept.append(seconds)
    ratios = [scan / bare for scan, bare in zip(scans, walks, strict=True)]
    return Report(
        name="scan",
        figures={
            "of_walk": statistics.median(ratios),
            "scan_ms": statistics.median(scans) * 1000,
            "listing_of_walk": statistics.median(a / b for a, b in zip(listings, walks, strict=True)),
            "files": FILES,
            "pairs": pairs,
        },
        baselines={"bare_walk_ms": statistics.median(walks) * 1000},
        goals={"of_walk": {"at_most": 3}},
    )


def _make_files(root: Path) -> None:
    """Copies of one small clip that differ in their last bytes."""
    root.mkdir()
    clip = root / "first.mp4"
    write_video(clip, (np.full((48, 64, 3), 20 * shade, dtype=np.uint8) for shade in range(5)))
    content = clip.read_bytes()
    clip.unlink()
    for number in range(FILES):
        folder = root / f"day{number // A_FOLDER:03d}"
        if number % A_FOLDER == 0:
            folder.mkdir()
        (folder / f"clip{number:05d}.mp4").write_bytes(
            content + b"\0\0\0\x10free" + number.to_bytes(8, "big")
        )


def _make_known(store: ProjectStore, root_id: int, root: Path) -> None:
    """What a first scan leaves: one file is really probed, the others hold the same film."""
    entries = [entry for batch in walk(root) for entry in batch.entries]
    pattern = probe(root, entries[0])
    assert pattern.facts is not None, pattern.reason
    for start in range(0, len(entries), _SAVED_AT_A_TIME):
        some = entries[start : start + _SAVED_AT_A_TIME]
        store.reconcile(root_id, some)
        store.save_probes(root_id, [_known(pattern, root, entry) for entry in some])
    store.finish_scan(root_id, [entry.relative for entry in entries])


def _known(pattern: ProbeResult, root: Path, entry: FileEntry) -> ProbeResult:
    return replace(pattern, entry=entry, fingerprint=fingerprint(root / entry.relative))


def _bare_walk(root: Path) -> float:
    """Every folder listed, every file asked for its size and time."""
    gc.collect()
    begin = perf_counter()
    found = 0
    waiting = [os.fspath(root)]
    while waiting:
        with os.scandir(waiting.pop()) as entries:
            for entry in entries:
                if entry.is_dir():
                    waiting.append(entry.path)
                else:
                    status = entry.stat()
                    found += status.st_size > 0 and status.st_mtime_ns > 0
    seconds = perf_counter() - begin
    assert found == FILES
    return seconds


def _listing(root: Path) -> float:
    """The walk of vidlabel alone."""
    gc.collect()
    begin = perf_counter()
    found = sum(len(batch.entries) for batch in walk(root))
    seconds = perf_counter() - begin
    assert found == FILES
    return seconds


def _scan(store: ProjectStore, root_id: int, root: Path) -> float:
    """The whole scan, as the command line makes it."""
    gc.collect()
    begin = perf_counter()
    report = scan_root(
        root,
        reconcile=partial(store.reconcile, root_id),
        save=partial(store.save_probes, root_id),
        finish=partial(store.finish_scan, root_id),
        sizes_known=store.sizes_known,
    )
    seconds = perf_counter() - begin
    assert (report.listed, report.probed, report.problems) == (FILES, 0, ()), report
    return seconds


if __name__ == "__main__":
    sys.exit(run(measure, "A scan in which nothing has changed, against a bare walk."))
