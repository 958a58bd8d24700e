"""What a scan asks of the store, on the writing thread, and its answers in the words of the core."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from vidlabel.core import messages as m
from vidlabel.core.fingerprint import fingerprint
from vidlabel.core.words import Changes, FileEntry, ProbeResult, Root, VideoFacts

if TYPE_CHECKING:
    from vidlabel.store.project_store import ProjectStore


def compare(
    root_id: int,
    entries: Sequence[FileEntry],
    hand_over: Callable[[list[m.WantedFile]], None],
    store: ProjectStore,
) -> None:
    """Hands over the files of a batch that must be probed.

    A file whose size is known from another is hashed wholly at once: it may be the same video.
    """
    wanted = store.reconcile(root_id, entries)
    twins = store.sizes_known(entry.size for entry in wanted) if wanted else set()
    hand_over(
        [
            m.WantedFile(
                relative=entry.relative, size=entry.size, mtime_ns=entry.mtime_ns, whole=entry.size in twins
            )
            for entry in wanted
        ]
    )


def save(root_id: int, results: Sequence[ProbeResult], store: ProjectStore) -> Changes:
    """Keeps what probing told."""
    return store.save_probes(root_id, results)


def finish(root_id: int, seen: Collection[str], store: ProjectStore) -> Changes:
    """Files that were not seen are missing."""
    return store.finish_scan(root_id, seen)


def result_of(file: m.ProbedFile) -> ProbeResult:
    """A probe's answer from its wire form."""
    return ProbeResult(
        entry=FileEntry(file.relative, file.size, file.mtime_ns),
        fingerprint=file.fingerprint,
        content_hash=file.content_hash,
        facts=None if file.facts is None else VideoFacts(**file.facts),
        reason=file.reason,
    )


def refuse(root: Root, files: Sequence[m.WantedFile], reason: str, store: ProjectStore) -> Changes:
    """Keeps files that are not to be opened at all, so that the next scan leaves them alone, too."""
    results = [
        ProbeResult(
            entry=FileEntry(file.relative, file.size, file.mtime_ns),
            fingerprint=_fingerprint(Path(root.path) / file.relative),
            content_hash=None,
            facts=None,
            reason=reason,
        )
        for file in files
    ]
    return store.save_probes(root.id, results)


def _fingerprint(path: Path) -> str:
    try:
        return fingerprint(path)
    except OSError:
        return ""
