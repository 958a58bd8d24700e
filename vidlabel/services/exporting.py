"""Clips and labels for other programs, written in the background while labelling goes on."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Qt, Signal, Slot

from vidlabel.core.errors import VidlabelError
from vidlabel.core.words import ClipQuery
from vidlabel.services.background import Background
from vidlabel.services.project import ProjectSession
from vidlabel.services.tasks import TaskRunner

if TYPE_CHECKING:
    from vidlabel.interop.record import ClipRecord
    from vidlabel.interop.report import ExportReport

KEY = "export"
SUFFIXES = {"csv": ".csv", "jsonl": ".jsonl"}
"""Formats that are one file, and what it ends in; ``class-folders`` is a folder."""
FOLDERS = "class-folders"
_TELL_EVERY = 100
_MOST_NOTES = 3


class Exporting(QObject):
    """One export at a time. It reads the project through a connection of its own."""

    running_changed = Signal(bool)
    finished = Signal(str)
    """What was written and what the format could not hold, in lines."""
    failed = Signal(str)

    _progressed = Signal(int, int)

    def __init__(
        self,
        session: ProjectSession,
        tasks: TaskRunner,
        *,
        background: Background,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._session = session
        self._tasks = tasks
        self._background = background
        self._stopping: Event | None = None
        self._progressed.connect(self._on_progress, Qt.ConnectionType.QueuedConnection)
        session.closed.connect(self.stop)

    @property
    def running(self) -> bool:
        return self._stopping is not None

    def start(self, out: Path, kind: str, *, query: ClipQuery) -> None:
        """Writes the clips of a query to a file (``csv``, ``jsonl``) or folder (``class-folders``).

        ``finished`` or ``failed`` follows. While one export runs, no other is begun.
        """
        facts = self._session.facts
        if facts is None or self.running:
            return
        self._stopping = Event()
        self._background.begin(KEY, "Exporting", self.stop)
        self.running_changed.emit(True)
        self._tasks.run(
            partial(
                _export, facts.path, out, kind=kind, query=query,
                tell=self._progressed.emit, stopping=self._stopping,
            ),
            partial(self._on_done, out),
            self._on_failed,
        )  # fmt: skip

    @Slot()
    def stop(self) -> None:
        """Ends it; a file is then not written at all, of class folders what is there stays."""
        if self._stopping is not None:
            self._stopping.set()

    @Slot(int, int)
    def _on_progress(self, done: int, total: int) -> None:
        self._background.update(KEY, done, total)

    def _on_done(self, out: Path, report: ExportReport | None) -> None:
        self._end()
        self.finished.emit("Exporting was stopped." if report is None else report_words(report, out))

    def _on_failed(self, words: str) -> None:
        self._end()
        self.failed.emit(f"Nothing was exported. {words}")

    def _end(self) -> None:
        self._stopping = None
        self._background.end(KEY)
        self.running_changed.emit(False)


def report_words(report: ExportReport, out: Path) -> str:
    """``60 clips written to /data/labels.csv.``, then what was left out."""
    counted, *others = report.lines()
    left_out, notes = others[: len(report.not_held)], others[len(report.not_held) :]
    lines = [f"{counted.rstrip('.')} to {out}.", *left_out, *notes[:_MOST_NOTES]]
    if len(notes) > _MOST_NOTES:
        lines.append(f"And {len(notes) - _MOST_NOTES:,} more like these.")
    return "\n".join(lines)


class _StoppedError(Exception):
    """The person stopped it."""


def _export(
    project: Path,
    out: Path,
    *,
    kind: str,
    query: ClipQuery,
    tell: Callable[[int, int], None],
    stopping: Event,
) -> ExportReport | None:
    """In the pool. None: it was stopped."""
    # Loaded here: nothing of this is needed before the first export.
    store_module: Any = importlib.import_module("vidlabel.store.project_store")
    records: Any = importlib.import_module("vidlabel.interop.records")
    store = store_module.ProjectStore.open(project, read_only=True)
    try:
        total = len(store.clip_ids(query))
        clips = _told(records.records(store, query), lambda done: tell(done, total), stopping=stopping)
        roots = [Path(root.path) for root in store.roots()]
        return _write(out, kind, clips=clips, roots=roots)
    except _StoppedError:
        return None
    finally:
        store.close()


def _write(out: Path, kind: str, *, clips: Iterable[ClipRecord], roots: list[Path]) -> ExportReport:
    from vidlabel.interop import class_folders, csv_out, jsonl, targets

    if kind == "csv":
        return csv_out.write(out, clips)
    if kind == "jsonl":
        return jsonl.write(out, clips)
    reason = targets.why_not_this_folder(out, roots)
    if reason:
        raise VidlabelError(f"{reason} Choose another folder.")
    return class_folders.write(out, clips)


def _told(
    clips: Iterable[ClipRecord], tell: Callable[[int], object], *, stopping: Event
) -> Iterator[ClipRecord]:
    for done, clip in enumerate(clips):
        if stopping.is_set():
            raise _StoppedError
        if done % _TELL_EVERY == 0:
            tell(done)
        yield clip
