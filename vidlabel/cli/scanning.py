"""Brings a project up to date with its roots: what ``scan`` does, and what other commands do first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from os import cpu_count
from pathlib import Path

from vidlabel.cli.output import Output
from vidlabel.cli.progress import progress
from vidlabel.core.errors import MediaError
from vidlabel.core.fingerprint import content_hash
from vidlabel.core.words import ProbeResult, Root
from vidlabel.engine.scanner import ScanProgress, scan_root
from vidlabel.store.project_store import ProjectStore

_HASHES_A_PAGE = 200


@dataclass
class Scanned:
    """What a scan of all roots did. ``problems``: folders that could not be read, with the reason."""

    listed: int = 0
    probed: int = 0
    problems: list[str] = field(default_factory=list)


def scan_roots(store: ProjectStore, output: Output) -> Scanned:
    """Lists all roots and probes what is new or changed. A root that is not there is a problem only."""
    scanned = Scanned()
    for root in store.roots():
        try:
            _scan(store, root, scanned)
        except MediaError as error:
            scanned.problems.append(str(error))
    for problem in scanned.problems:
        output.log(f"vidlabel: {problem}")
    return scanned


def _scan(store: ProjectStore, root: Root, scanned: Scanned) -> None:
    with progress(f"Scanning {Path(root.path).name}", unit=" files") as bar:

        def tell(state: ScanProgress) -> None:
            if state.listing:
                bar.at(state.listed, None)
            else:
                bar.at(state.done, state.total)

        report = scan_root(
            Path(root.path),
            reconcile=partial(store.reconcile, root.id),
            save=partial(_save, store, root.id),
            finish=partial(store.finish_scan, root.id),
            sizes_known=store.sizes_known,
            on_progress=tell,
            workers=max(2, cpu_count() or 2),
        )
    scanned.listed += report.listed
    scanned.probed += report.probed
    scanned.problems += report.problems


def _save(store: ProjectStore, root_id: int, results: Sequence[ProbeResult]) -> None:
    """In the order of paths, not of who was ready first: of identical files the first path is shown."""
    store.save_probes(root_id, sorted(results, key=lambda result: result.entry.relative))


def hash_videos(store: ProjectStore) -> int:
    """Reads every video not hashed yet, whole, and answers how many were. Each hash is kept at once."""
    hashed = 0
    tried: set[int] = set()
    with progress("Hashing", unit=" videos") as bar:
        while True:
            page = [
                (key, path)
                for key, path in store.videos_without_hash(_HASHES_A_PAGE + len(tried))
                if key not in tried
            ]
            if not page:
                return hashed
            for video_id, path in page:
                tried.add(video_id)
                try:
                    digest = content_hash(path, lambda: False)
                except (MediaError, OSError):
                    continue  # Gone since the scan: the next scan says so.
                store.save_hash(video_id, digest)
                hashed += 1
                bar.advance()
