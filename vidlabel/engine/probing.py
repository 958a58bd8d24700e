"""Probes files for the window.

Two at a time, answers in small batches; or, after a crash, one by one and wholly.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from time import monotonic

from vidlabel.core import messages as m
from vidlabel.core.arena import Arena
from vidlabel.core.errors import MediaError
from vidlabel.core.words import FileEntry, ProbeResult
from vidlabel.engine.jobs import JobQueue, Rate
from vidlabel.engine.outbox import Send
from vidlabel.engine.scanner import probe_in_pool
from vidlabel.media.probe import probe
from vidlabel.media.reader import FrameReader

log = logging.getLogger(__name__)

WORKERS = 2
LANES = (3, 4)
FLUSH_S = 0.05
FLUSH_FILES = 64
_SMALL = (64, 64)


class Prober(JobQueue[m.ProbeFiles]):
    """Answers ProbeFiles with FilesProbed, at the latest every 50 ms or 64 files."""

    def __init__(self, arena: Arena, send: Send) -> None:
        super().__init__("probing", self._probe, send)
        self._arena = arena

    def _probe(self, request: m.ProbeFiles, should_stop: Callable[[], bool]) -> None:
        progress = Rate(request.request, len(request.files), self._send)
        root = Path(request.root)
        ready: list[m.ProbedFile] = []
        flushed = monotonic()
        for done, result in enumerate(self._results(request, root, should_stop), start=1):
            ready.append(_on_wire(result))
            now = monotonic()
            if len(ready) >= FLUSH_FILES or now - flushed >= FLUSH_S or done == 1:
                self._tell(request, ready)
                ready, flushed = [], now
            progress.tell(done)
        self._tell(request, ready)

    def _results(
        self, request: m.ProbeFiles, root: Path, should_stop: Callable[[], bool]
    ) -> Iterator[ProbeResult]:
        wanted = [(FileEntry(file.relative, file.size, file.mtime_ns), file.whole) for file in request.files]
        if request.one_by_one:
            for entry, whole in wanted:
                if should_stop():
                    return
                with self._arena.working_on(LANES[0], str(root / entry.relative)):
                    result = probe(root, entry, whole=whole)
                    if result.facts is not None:
                        _decode_wholly(root / entry.relative, should_stop)
                yield result
            return
        yield from probe_in_pool(
            root, wanted, workers=WORKERS, probe_one=self._noted_probe, should_stop=should_stop
        )

    def _noted_probe(self, worker: int, root: Path, entry: FileEntry, whole: bool) -> ProbeResult:
        with self._arena.working_on(LANES[worker], str(root / entry.relative)):
            return probe(root, entry, whole=whole)

    def _tell(self, request: m.ProbeFiles, files: list[m.ProbedFile]) -> None:
        if files:
            self._send(m.FilesProbed(request=request.request, root=request.root, files=tuple(files)))


def _decode_wholly(path: Path, should_stop: Callable[[], bool]) -> None:
    """Goes through every frame, for a file under suspicion: if it brings a decoder down, then here."""
    try:
        with FrameReader(path) as reader:
            for _ in reader.frames(0, len(reader), size=_SMALL):
                if should_stop():
                    return
    except MediaError as error:
        log.info("under suspicion: %s", error)


def _on_wire(result: ProbeResult) -> m.ProbedFile:
    entry = result.entry
    return m.ProbedFile(
        relative=entry.relative, size=entry.size, mtime_ns=entry.mtime_ns, fingerprint=result.fingerprint,
        content_hash=result.content_hash, facts=asdict(result.facts) if result.facts else None,
        reason=result.reason,
    )  # fmt: skip
