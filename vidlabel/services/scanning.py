"""Finds the videos of a project's roots: lists first, probes what is new or changed, hashes in spare time."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, QTimer, Signal, Slot

from vidlabel.core import messages as m
from vidlabel.core.words import FileEntry, ProbeResult, Root
from vidlabel.services import scan_jobs
from vidlabel.services.background import Background
from vidlabel.services.crash_guard import REASON, CrashGuard
from vidlabel.services.engine_client import EngineClient
from vidlabel.services.hashing import Hashing
from vidlabel.services.project import ProjectSession
from vidlabel.services.tasks import Rank

KEY = "scan"
PROBES_AT_ONCE = 2
FILES_PER_REQUEST = 64
SAVE_EVERY_MS = 400
SAVE_AT = 256


@dataclass(slots=True)
class _RootScan:
    root: Root
    listing: int
    listed: bool = False
    listing_lost: bool = False
    """The engine died meanwhile: the walk is done again."""
    failed: bool = False
    seen: set[str] = field(default_factory=set)
    comparing: int = 0
    to_probe: deque[m.WantedFile] = field(default_factory=deque)
    in_flight: dict[int, dict[str, m.WantedFile]] = field(default_factory=dict)
    held: dict[str, m.WantedFile] = field(default_factory=dict)
    """By path: the engine died over them, and the verdict is not yet there."""
    refused: list[m.WantedFile] = field(default_factory=list)
    found: list[ProbeResult] = field(default_factory=list)
    probed: int = 0


class Scanner(QObject):
    """Scans root after root. Rows appear while it goes on; stopping keeps what was found."""

    started = Signal()
    finished = Signal(str)
    problem = Signal(str)
    """A folder that could not be read, in words."""

    def __init__(
        self,
        engine: EngineClient,
        session: ProjectSession,
        background: Background,
        *,
        guard: CrashGuard,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._engine = engine
        self._session = session
        self._background = background
        self._guard = guard
        self._hashing = Hashing(engine, session, background, self)
        self._roots: deque[Root] = deque()
        self._scan: _RootScan | None = None
        self._again = False
        self._new = 0
        self._seen = 0
        self._save_timer = QTimer(self)
        self._save_timer.setSingleShot(True)
        self._save_timer.setInterval(SAVE_EVERY_MS)
        self._save_timer.timeout.connect(self._save)
        engine.message_received.connect(self._on_message)
        engine.ready.connect(self._on_engine_ready)
        guard.freed.connect(self._on_verdict)
        guard.found_guilty.connect(self._on_verdict)
        session.closed.connect(self._on_closed)

    @property
    def running(self) -> bool:
        return self._scan is not None

    def start(self) -> None:
        """Scans all roots of the open project. While a scan runs, another follows it."""
        if not self._session.is_open or self._session.read_only:
            return
        if self._scan is not None:
            self._again = True
            return
        self._roots = deque(self._session.roots)
        if not self._roots:
            return
        self._new = self._seen = 0
        self._hashing.stop()
        self._background.begin(KEY, "Scanning", self.stop)
        self.started.emit()
        self._next_root()

    def stop(self) -> None:
        """Stops listing and probing; files not met in this scan are not taken for missing."""
        self._roots.clear()
        self._again = False
        if self._scan is not None:
            self._cancel()
            self._save()
            self._end("Scanning was stopped. What was found is kept.")

    def _next_root(self) -> None:
        if not self._roots:
            self._scan = None
            self._end(f"{self._seen:,} files seen, {self._new:,} new or changed")
            if self._again:
                self._again = False
                self.start()
            else:
                self._hashing.start()
            return
        root = self._roots.popleft()
        self._scan = _RootScan(root, self._engine.request_id())
        self._engine.send(m.ListFiles(request=self._scan.listing, root=root.path))

    def _end(self, words: str) -> None:
        self._scan = None
        self._save_timer.stop()
        self._background.end(KEY)
        self.finished.emit(words)

    # --- answers ---------------------------------------------------------------------------------
    @Slot(object)
    def _on_message(self, message: m.Message) -> None:
        scan = self._scan
        if scan is None:
            return
        if isinstance(message, m.FilesListed) and message.request == scan.listing:
            self._on_listed(scan, message)
        elif isinstance(message, m.FilesProbed) and message.request in scan.in_flight:
            self._on_probed(scan, message)
        elif isinstance(message, m.JobDone | m.JobFailed):
            if message.request == scan.listing:
                self._on_listing_ended(scan, message)
            elif message.request in scan.in_flight:
                self._on_request_ended(scan, message)

    def _on_listing_ended(self, scan: _RootScan, message: m.JobDone | m.JobFailed) -> None:
        if isinstance(message, m.JobFailed) and not self._engine_is_up:
            scan.listing_lost = True
            return
        scan.listed = True
        if isinstance(message, m.JobFailed):
            scan.failed = True
            self.problem.emit(message.reason)
        self._go_on(scan)

    def _on_listed(self, scan: _RootScan, message: m.FilesListed) -> None:
        for problem in message.problems:
            # What lies in a folder that cannot be read is not gone.
            scan.failed = True
            self.problem.emit(problem)
        # After the engine died the walk begins anew: what was met before is on its way already.
        entries = tuple(FileEntry(*entry) for entry in message.entries if entry[0] not in scan.seen)
        scan.seen.update(entry.relative for entry in entries)
        self._seen += len(entries)
        scan.comparing += 1
        self._session.write(
            partial(scan_jobs.compare, scan.root.id, entries, partial(self._hand_over, scan)),
            partial(self._on_compared, scan),
            partial(self._on_compare_failed, scan),
            rank=Rank.ENGINE,
        )

    def _hand_over(self, scan: _RootScan, wanted: list[m.WantedFile]) -> None:
        """On the writing thread, before ``_on_compared`` on ours: a deque takes items from any thread."""
        scan.to_probe.extend(wanted)

    def _on_compared(self, scan: _RootScan, _changes: object) -> None:
        scan.comparing -= 1
        self._go_on(scan)

    def _on_compare_failed(self, scan: _RootScan, words: str) -> None:
        scan.comparing -= 1
        scan.failed = True
        self.problem.emit(words)
        self._go_on(scan)

    def _on_probed(self, scan: _RootScan, message: m.FilesProbed) -> None:
        waiting = scan.in_flight[message.request]
        for file in message.files:
            if waiting.pop(file.relative, None) is not None:
                scan.found.append(scan_jobs.result_of(file))
                scan.probed += 1
        self._tell_progress(scan)
        self._save_soon(scan)

    def _save_soon(self, scan: _RootScan) -> None:
        if len(scan.found) >= SAVE_AT:
            self._save()
        elif not self._save_timer.isActive():
            # The first rows shall be there soon.
            self._save_timer.start(SAVE_EVERY_MS if self._new else 0)

    def _on_request_ended(self, scan: _RootScan, message: m.JobDone | m.JobFailed) -> None:
        left = scan.in_flight.pop(message.request)
        if isinstance(message, m.JobFailed) and left:
            if self._engine_is_up:
                scan.failed = True
                self.problem.emit(f"{scan.root.path}: {message.reason}")
            else:
                scan.to_probe.extendleft(left.values())
        self._go_on(scan)

    @property
    def _engine_is_up(self) -> bool:
        return self._engine.pid != 0

    def _tell_progress(self, scan: _RootScan) -> int:
        """To the status bar; answers how many files wait to be asked for."""
        waiting = len(scan.to_probe) + len(scan.held)
        total = scan.probed + waiting + sum(len(files) for files in scan.in_flight.values())
        self._background.update(KEY, scan.probed if total else self._seen, total if scan.listed else 0)
        return waiting

    def _go_on(self, scan: _RootScan) -> None:
        """Asks for more probes, or closes the root when all is done."""
        if scan is not self._scan:
            return
        while self._engine_is_up and scan.to_probe and len(scan.in_flight) < PROBES_AT_ONCE:
            self._ask(scan)
        waiting = self._tell_progress(scan)
        if scan.listed and not scan.comparing and not waiting and not scan.in_flight and self._engine_is_up:
            self._save()
            if scan.failed:
                self._next_root()
            else:
                self._session.write(
                    partial(scan_jobs.finish, scan.root.id, frozenset(scan.seen)),
                    partial(self._on_finished_root, scan),
                    partial(self._on_finish_failed, scan),
                    rank=Rank.ENGINE,
                )

    def _ask(self, scan: _RootScan) -> None:
        """Sends a portion. Files over which the engine may have died wait for the verdict instead."""
        files: dict[str, m.WantedFile] = {}
        while scan.to_probe and len(files) < FILES_PER_REQUEST:
            file = scan.to_probe.popleft()
            path = str(Path(scan.root.path) / file.relative)
            self._guard.look_again(path, size=file.size, mtime_ns=file.mtime_ns)
            if self._guard.is_guilty(path):
                scan.refused.append(file)
                scan.probed += 1
                self._save_soon(scan)
            elif self._guard.is_suspect(path):
                scan.held[path] = file
            else:
                files[file.relative] = file
        if files:
            request = self._engine.request_id()
            scan.in_flight[request] = files
            self._engine.send(m.ProbeFiles(request=request, root=scan.root.path, files=tuple(files.values())))

    @Slot(str)
    def _on_verdict(self, path: str) -> None:
        scan = self._scan
        if scan is not None and path in scan.held:
            scan.to_probe.append(scan.held.pop(path))
            self._go_on(scan)

    @Slot()
    def _save(self) -> None:
        self._save_timer.stop()
        scan = self._scan
        if scan is None:
            return
        results, scan.found = tuple(scan.found), []
        refused, scan.refused = tuple(scan.refused), []
        self._new += len(results) + len(refused)
        if results:
            self._session.write(partial(scan_jobs.save, scan.root.id, results), rank=Rank.ENGINE)
        if refused:
            self._session.write(partial(scan_jobs.refuse, scan.root, refused, REASON), rank=Rank.ENGINE)

    def _on_finished_root(self, scan: _RootScan, _changes: object) -> None:
        if scan is self._scan:
            self._next_root()

    def _on_finish_failed(self, scan: _RootScan, words: str) -> None:
        self.problem.emit(words)
        self._on_finished_root(scan, None)

    # --- trouble ---------------------------------------------------------------------------------
    @Slot()
    def _on_engine_ready(self) -> None:
        """For the first time, or again after it died: asks for what was lost."""
        scan = self._scan
        if scan is None:
            return
        if scan.listing_lost:
            scan.listing_lost = False
            scan.listing = self._engine.request_id()
            self._engine.send(m.ListFiles(request=scan.listing, root=scan.root.path))
        self._go_on(scan)

    def _cancel(self) -> None:
        scan = self._scan
        if scan is not None:
            for request in (scan.listing, *scan.in_flight):
                self._engine.send(m.Cancel(request=request))

    @Slot()
    def _on_closed(self) -> None:
        self._roots.clear()
        self._hashing.stop()
        if self._scan is not None:
            self._cancel()
            self._scan = None
            self._save_timer.stop()
            self._background.end(KEY)
