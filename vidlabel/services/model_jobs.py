"""Installing, importing, exporting and removing models: each in a process of its own, told in lines of JSON."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Signal, Slot

from vidlabel.core.worker import worker_command
from vidlabel.services.background import Background, left_words
from vidlabel.services.model_facts import bytes_words
from vidlabel.services.worker_process import WorkerProcess


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
        self._workers: dict[int, WorkerProcess] = {}
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
        worker = WorkerProcess(job.id, program, arguments, parent=self)
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
