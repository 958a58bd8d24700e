"""Scanning a root.

List first, probe after, hand over in batches. The command line runs it whole, the engine its pool.
"""

from __future__ import annotations

import queue
import threading
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from operator import attrgetter
from pathlib import Path
from time import monotonic

from vidlabel.core.errors import MissingVideoError
from vidlabel.core.words import FileEntry, ProbeResult
from vidlabel.media.probe import probe
from vidlabel.media.walk import walk

SAVE_FILES = 256
SAVE_S = 0.5
_QUEUE_AHEAD = 16
_PATH: Callable[[FileEntry], str] = attrgetter("relative")

ProbeOne = Callable[[int, Path, FileEntry, bool], ProbeResult]
"""(number of the worker, root, file, whether its whole content is hashed)"""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanProgress:
    """How far a scan is: ``total`` files are to be probed once ``listing`` is over."""

    listing: bool
    listed: int
    done: int
    total: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanReport:
    """What a scan did. ``stopped``: it was ended early; what was saved stays, nothing was marked missing."""

    listed: int
    probed: int
    unreadable: int
    problems: tuple[str, ...]
    stopped: bool


def scan_root(
    root: Path,
    *,
    reconcile: Callable[[Sequence[FileEntry]], Sequence[FileEntry]],
    save: Callable[[Sequence[ProbeResult]], object],
    finish: Callable[[Collection[str]], object],
    sizes_known: Callable[[Iterable[int]], Collection[int]] = lambda sizes: (),
    should_stop: Callable[[], bool] = lambda: False,
    on_progress: Callable[[ScanProgress], None] = lambda progress: None,
    workers: int = 2,
) -> ScanReport:
    """Brings what is known about a folder up to date.

    Args:
        root: the folder.
        reconcile: takes files as listed and answers those that are new or changed.
        save: takes results in batches, at least every half second.
        finish: takes the relative path of every file seen, after a scan that went to its end.
        sizes_known: of these sizes, those that other known files have; such files are hashed wholly, so that
            copies are recognised.
        should_stop: asked often; ends the scan early.
        on_progress: told at every batch.
        workers: files probed at a time.

    Raises:
        MissingVideoError: the folder is not there.
    """
    if not root.is_dir():
        raise MissingVideoError(root, "the folder is not there. Connect its disk, or check the path.")
    seen: list[str] = []
    fresh: list[FileEntry] = []
    problems: list[str] = []
    for batch in walk(root, should_stop=should_stop):
        seen.extend(map(_PATH, batch.entries))
        problems += batch.problems
        fresh += reconcile(batch.entries)
        on_progress(ScanProgress(listing=True, listed=len(seen), done=0, total=len(fresh)))
    stopped = should_stop()
    probed = unreadable = 0
    if not stopped:
        wanted = with_copies_marked(fresh, sizes_known)
        for results in _batches(probe_in_pool(root, wanted, workers=workers, should_stop=should_stop)):
            save(results)
            probed += len(results)
            unreadable += sum(result.facts is None for result in results)
            on_progress(ScanProgress(listing=False, listed=len(seen), done=probed, total=len(fresh)))
        stopped = should_stop()
    if not stopped:
        finish(seen)
    return ScanReport(
        listed=len(seen), probed=probed, unreadable=unreadable, problems=tuple(problems), stopped=stopped
    )


def with_copies_marked(
    entries: Sequence[FileEntry], sizes_known: Callable[[Iterable[int]], Collection[int]]
) -> list[tuple[FileEntry, bool]]:
    """Each file with whether its whole content is to be hashed: only where another file has the same size."""
    sizes = Counter(entry.size for entry in entries)
    known = sizes_known(sizes.keys())
    return [(entry, entry.size > 0 and (sizes[entry.size] > 1 or entry.size in known)) for entry in entries]


def probe_in_pool(
    root: Path,
    wanted: Sequence[tuple[FileEntry, bool]],
    *,
    workers: int = 2,
    probe_one: ProbeOne = lambda worker, root, entry, whole: probe(root, entry, whole=whole),
    should_stop: Callable[[], bool] = lambda: False,
) -> Iterator[ProbeResult]:
    """Probes files on several threads and yields each result as it is ready, in no particular order.

    An unexpected error of a worker is raised here. Leaving the iteration early ends the workers.
    """
    work = iter(wanted)
    lock = threading.Lock()
    results: queue.Queue[ProbeResult | BaseException | None] = queue.Queue(_QUEUE_AHEAD * workers)
    left = threading.Event()

    def put(item: ProbeResult | BaseException | None) -> None:
        while not left.is_set():
            try:
                results.put(item, timeout=0.1)
                return
            except queue.Full:
                continue

    def serve(worker: int) -> None:
        try:
            while not left.is_set() and not should_stop():
                with lock:
                    entry, whole = next(work, (None, False))
                if entry is None:
                    break
                put(probe_one(worker, root, entry, whole))
        except Exception as error:  # noqa: BLE001 - raised again in the thread that asked
            put(error)
        finally:
            put(None)

    threads = [
        threading.Thread(target=serve, args=(n,), name=f"probe {n}", daemon=True) for n in range(workers)
    ]
    for thread in threads:
        thread.start()
    running = workers
    try:
        while running:
            item = results.get()
            if item is None:
                running -= 1
            elif isinstance(item, BaseException):
                raise item
            else:
                yield item
    finally:
        left.set()
        for thread in threads:
            thread.join()


def _batches(results: Iterator[ProbeResult]) -> Iterator[list[ProbeResult]]:
    """Groups results, so that each transaction is worth its cost and nothing waits long."""
    batch: list[ProbeResult] = []
    began = monotonic()
    for result in results:
        batch.append(result)
        if len(batch) >= SAVE_FILES or monotonic() - began >= SAVE_S:
            yield batch
            batch, began = [], monotonic()
    if batch:
        yield batch
