"""Installing, importing, exporting and removing models: each in a process of its own, told in lines of JSON."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, QProcess, QTimer, Signal, Slot

from vidlabel.core.worker import worker_command, worker_folder
from vidlabel.services.background import Background, left_words
from vidlabel.services.model_facts import bytes_words

log = logging.getLogger(__name__)

PROTOCOL = 1
STOP = b"stop\n"
_PATIENCE_MS = 5_000
"""A worker that was asked to stop and is still there after this is ended; what it fetched stays."""
_LONGEST_LINE = 1_000_000


class JobKind(StrEnum):
    """What a job does; the worker's own word for it."""

    INSTALL = "install"
    IMPORT = "import"
    EXPORT = "export"
    REMOVE = "remove"


_DOING = {
    JobKind.INSTALL: "Installing",
    JobKind.IMPORT: "Importing",
    JobKind.EXPORT: "Exporting",
    JobKind.REMOVE: "Removing",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelJob:
    """One job as it stands. ``done``, ``total`` and ``rate`` count bytes; ``total`` None: not known yet.

    ``subject`` is what the job is about: the name of a published model, the hash of an installed one, or the
    path of a file; ``shown`` is what a person calls it.
    """

    id: int
    kind: JobKind
    subject: str
    shown: str
    arguments: tuple[str, ...]
    running: bool = False
    stopping: bool = False
    done: int = 0
    total: int | None = None
    rate: float = 0.0
    step: str = ""

    @property
    def share(self) -> float | None:
        """How much of it is done, 0..1; None while that is not known."""
        return min(1.0, self.done / self.total) if self.total else None

    @property
    def left_s(self) -> float | None:
        """Seconds left at the present rate; None while that is not known."""
        return (self.total - self.done) / self.rate if self.total and self.rate > 0 else None


@dataclass(frozen=True, slots=True, kw_only=True)
class JobResult:
    """What a finished job made."""

    model: str = ""
    hash: str = ""
    path: Path | None = None


class ModelJobs(QObject):
    """Downloads run one after another, everything else beside them, at most one of each.

    Args:
        background: the status bar's list, in which each running job has its line and its stop.
        command: makes the program and arguments of a worker from its arguments; None: the usual one.
        parent: owner.
    """

    changed = Signal(object)
    """:class:`ModelJob`, as it is now: it waits, runs, or has come further"""
    finished = Signal(object, object)
    """(ModelJob, JobResult)"""
    failed = Signal(object, str, str)
    """(ModelJob, kind, words): kind is ``network``, ``offline``, ``hash``, ``disk``, ``model`` or ``usage``"""
    stopped = Signal(object)
    """ModelJob that the person stopped; a download goes on from there the next time"""
    ended = Signal()
    """After :meth:`close`: no worker is left."""

    def __init__(
        self,
        background: Background,
        parent: QObject | None = None,
        *,
        command: Callable[..., list[str]] | None = None,
    ) -> None:
        super().__init__(parent)
        self._background = background
        self._command = command or partial(worker_command, "models")
        self._ids = count(1)
        self._jobs: dict[int, ModelJob] = {}
        self._workers: dict[int, _Worker] = {}
        self._closing = False

    @property
    def jobs(self) -> tuple[ModelJob, ...]:
        """Running and waiting ones, in the order they were asked for."""
        return tuple(self._jobs.values())

    @property
    def busy(self) -> bool:
        """Whether a worker is running."""
        return bool(self._workers)

    def job_of(self, subject: str) -> ModelJob | None:
        """The job that is about this model, if there is one."""
        return next((job for job in self._jobs.values() if job.subject == subject), None)

    def install(self, name: str) -> None:
        """Fetches a published model, or goes on with it; what is asked for twice is done once."""
        self._add(JobKind.INSTALL, name, shown=name, arguments=(name,))

    def import_file(self, path: Path) -> None:
        """Makes a model of a file from elsewhere."""
        self._add(JobKind.IMPORT, str(path), shown=path.name, arguments=(str(path),))

    def export(self, model_hash: str, out: Path, *, kind: str, shown: str) -> None:
        """Writes a model to a file as ``safetensors``, ``state-dict`` or ``onnx``."""
        arguments = (model_hash, str(out), "--kind", kind)
        self._add(JobKind.EXPORT, model_hash, shown=shown, arguments=arguments)

    def remove(self, model_hash: str, *, shown: str) -> None:
        """Takes an installed model off this computer."""
        self._add(JobKind.REMOVE, model_hash, shown=shown, arguments=(model_hash,))

    def stop(self, job_id: int) -> None:
        """Stops a running job, or takes back one that waits."""
        job, worker = self._jobs.get(job_id), self._workers.get(job_id)
        if job is None or job.stopping:
            return
        if worker is None:
            del self._jobs[job_id]
            self._show_running()
            self.stopped.emit(job)
        else:
            self._change(replace(job, stopping=True))
            worker.stop()

    def close(self) -> None:
        """Stops everything and begins nothing more; ``ended`` follows, soon."""
        self._closing = True
        for job_id in [job_id for job_id in self._jobs if job_id not in self._workers]:
            del self._jobs[job_id]
        for job_id in tuple(self._workers):
            self.stop(job_id)
        if not self._workers:
            self.ended.emit()

    # --- the queue -------------------------------------------------------------------------------
    def _add(self, kind: JobKind, subject: str, *, shown: str, arguments: tuple[str, ...]) -> None:
        known = self.job_of(subject)
        if self._closing or (known is not None and known.kind is kind):
            return
        job = ModelJob(id=next(self._ids), kind=kind, subject=subject, shown=shown, arguments=arguments)
        self._jobs[job.id] = job
        self.changed.emit(job)
        self._start_next()
        self._show_running()

    def _start_next(self) -> None:
        if self._closing:
            return
        for fetching in (True, False):
            lane = [job for job in self._jobs.values() if (job.kind is JobKind.INSTALL) is fetching]
            if lane and not any(job.running for job in lane):
                self._start(lane[0])

    def _start(self, job: ModelJob) -> None:
        program, *arguments = self._command(job.kind.value, *job.arguments)
        worker = _Worker(job.id, program, arguments, parent=self)
        worker.told.connect(self._on_told)
        worker.gone.connect(self._on_gone)
        self._workers[job.id] = worker
        self._change(replace(job, running=True))
        self._show_running()
        worker.start()

    def _change(self, job: ModelJob) -> None:
        self._jobs[job.id] = job
        self.changed.emit(job)

    def _show_running(self) -> None:
        """In the status bar."""
        for job in self._jobs.values():
            if job.running:
                self._background.begin(self._key(job), self._words(job), partial(self.stop, job.id))

    @staticmethod
    def _key(job: ModelJob) -> str:
        return f"model-{job.id}"

    def _words(self, job: ModelJob) -> str:
        """``Installing mc3_18 43 % · 8.4 MB/s · 9 s left · 2 waiting``: bytes would be too many figures here."""
        waiting = sum(not other.running for other in self._jobs.values() if other.kind is JobKind.INSTALL)
        share = "" if job.share is None else f" {job.share * 100:.0f} %"
        parts = [f"{_DOING[job.kind]} {job.shown}{share}", job.step]
        if job.rate > 0 and not job.step:
            parts.append(f"{bytes_words(job.rate)}/s")
        if job.left_s is not None and not job.step:
            parts.append(f"{left_words(job.left_s)} left")
        if waiting and job.kind is JobKind.INSTALL:
            parts.append(f"{waiting} waiting")
        return " · ".join(part for part in parts if part)

    # --- what a worker says ----------------------------------------------------------------------
    @Slot(int, object)
    def _on_told(self, job_id: int, event: dict[str, Any]) -> None:
        job = self._jobs.get(job_id)
        if job is None:
            return
        match event.get("event"):
            case "started":
                total = event.get("bytes")
                self._change(replace(job, total=total if isinstance(total, int) else job.total))
            case "progress":
                total = event.get("total")
                self._change(
                    replace(
                        job, done=int(event.get("done") or 0), step="",
                        total=total if isinstance(total, int) else job.total,
                        rate=float(event.get("rate") or 0.0),
                    )
                )  # fmt: skip
            case "step":
                self._change(replace(job, step=str(event.get("words", ""))))
        self._show_running()

    @Slot(int, object, str)
    def _on_gone(self, job_id: int, last: dict[str, Any], trouble: str) -> None:
        job, worker = self._jobs.pop(job_id), self._workers.pop(job_id)
        worker.deleteLater()
        self._background.end(self._key(job))
        kind = last.get("event")
        if kind == "finished":
            path = last.get("path")
            made = JobResult(
                model=str(last.get("model") or ""), hash=str(last.get("hash") or ""),
                path=Path(str(path)) if path else None,
            )  # fmt: skip
            self.finished.emit(job, made)
        elif kind == "failed":
            words = str(last.get("words") or "It failed without saying why.")
            self.failed.emit(job, str(last.get("kind") or "model"), words)
        elif kind == "stopped" or job.stopping:
            self.stopped.emit(job)
        else:
            doing = f"{_DOING[job.kind]} {job.shown}"
            self.failed.emit(job, "model", f"{doing} ended unexpectedly{trouble}. Try again.")
        self._start_next()
        if self._closing and not self._workers:
            self.ended.emit()


class _Worker(QObject):
    """One worker process. It ends with ``gone``, whatever becomes of it."""

    told = Signal(int, object)
    """(job, the line as a dict)"""
    gone = Signal(int, object, str)
    """(job, its last word as a dict or {}, what is known of an end without one)"""

    def __init__(self, job_id: int, program: str, arguments: list[str], *, parent: QObject) -> None:
        super().__init__(parent)
        self._job_id = job_id
        self._last: dict[str, Any] = {}
        self._buffer = b""
        self._complaint = b""
        self._stopping = False
        self._told_gone = False
        self._process = QProcess(self)
        self._process.setProgram(program)
        self._process.setArguments(arguments)
        self._process.setWorkingDirectory(str(worker_folder()))
        self._process.readyReadStandardOutput.connect(self._read)
        self._process.readyReadStandardError.connect(self._read_complaint)
        self._process.started.connect(self._on_started)
        self._process.finished.connect(self._on_finished)
        self._process.errorOccurred.connect(self._on_error)
        self._limit = QTimer(self)
        self._limit.setSingleShot(True)
        self._limit.setInterval(_PATIENCE_MS)
        self._limit.timeout.connect(self._process.kill)

    def start(self) -> None:
        self._process.start()

    def stop(self) -> None:
        """Asks it to stop; it has a few seconds."""
        self._stopping = True
        self._limit.start()
        if self._process.state() == QProcess.ProcessState.Running:
            self._process.write(STOP)

    @Slot()
    def _on_started(self) -> None:
        if self._stopping:
            self._process.write(STOP)

    @Slot()
    def _read(self) -> None:
        self._buffer += bytes(self._process.readAllStandardOutput().data())
        *lines, self._buffer = self._buffer.split(b"\n")
        self._buffer = self._buffer[-_LONGEST_LINE:]
        for line in lines:
            self._hear(line)

    def _hear(self, line: bytes) -> None:
        try:
            event = json.loads(line)
        except ValueError:
            # A library that prints; it is none of the protocol's.
            log.info("model worker: %s", line.decode(errors="replace"))
            return
        if not isinstance(event, dict) or event.get("v") != PROTOCOL:
            return
        if event.get("event") in ("finished", "failed", "stopped"):
            self._last = event
        else:
            self.told.emit(self._job_id, event)

    @Slot()
    def _read_complaint(self) -> None:
        fresh = bytes(self._process.readAllStandardError().data())
        log.info("model worker: %s", fresh.decode(errors="replace").rstrip())
        self._complaint = (self._complaint + fresh)[-4000:]

    @Slot()
    def _on_finished(self) -> None:
        self._read()
        self._read_complaint()
        self._tell_gone(_why(self._complaint, self._process.exitCode()))

    @Slot(QProcess.ProcessError)
    def _on_error(self, error: QProcess.ProcessError) -> None:
        if error is QProcess.ProcessError.FailedToStart:
            self._tell_gone(f": {self._process.errorString()}")

    def _tell_gone(self, trouble: str) -> None:
        self._limit.stop()
        if not self._told_gone:
            self._told_gone = True
            self.gone.emit(self._job_id, self._last, trouble)


def _why(complaint: bytes, code: int) -> str:
    """``: its last line``, or the exit code where it said nothing."""
    lines = complaint.decode(errors="replace").strip().splitlines()
    return f": {lines[-1].strip()}" if lines else f" (exit code {code})"
