"""Measuring a model on decided clips: one evaluation at a time, in a process of its own; the last one is kept."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, QTimer, Signal, Slot

from vidlabel.core.kept_evaluation import KeptFacts
from vidlabel.core.words import Changes, Decision
from vidlabel.core.worker import worker_command
from vidlabel.services import evaluation_jobs, evaluation_results
from vidlabel.services.background import Background
from vidlabel.services.evaluation_jobs import Asked, Choices, Job, Subject
from vidlabel.services.evaluation_results import Result
from vidlabel.services.project import ProjectSession
from vidlabel.services.tasks import TaskRunner
from vidlabel.services.worker_process import WorkerProcess

KEY = "evaluate"
ASK_AGAIN_MS = 700


class Evaluating(QObject):
    """Starts the worker, follows it, and keeps what it found; the last few stay beside the project."""

    state_changed = Signal()
    """``running``, ``stopping``, ``done`` or ``total`` is another."""
    finished = Signal(object)
    """:class:`Result`, also None where a project was closed: there is nothing to show any more"""
    failed = Signal(str)
    stopped = Signal()
    noted = Signal(str)
    """Something a person should know, in words."""
    exported = Signal(str)
    choices_changed = Signal(object)
    """:class:`Choices`"""
    kept_changed = Signal(object)
    """tuple[KeptFacts, ...], newest first"""
    outdated_changed = Signal(int)
    """How many of the result's clips have another label now, or none."""
    ended = Signal()
    """After :meth:`close`: no worker is left."""

    def __init__(
        self,
        session: ProjectSession,
        *,
        tasks: TaskRunner,
        background: Background,
        parent: QObject | None = None,
        command: Callable[..., list[str]] | None = None,
    ) -> None:
        super().__init__(parent)
        self._session = session
        self._tasks = tasks
        self._background = background
        self._command = command or partial(worker_command, "evaluate")
        self._worker: WorkerProcess | None = None
        self._job: Job | None = None
        self._asked = Asked(model="", name="", labels=(), subject=Subject())
        self._path: Path | None = None
        self._trouble = ""
        self._result: Result | None = None
        self._otherwise: set[int] = set()
        self._looked_for_kept = False
        self._generation = 0
        self._closing = False
        self.running = self.stopping = False
        self.done = self.total = 0
        self._ask = QTimer(self)
        self._ask.setSingleShot(True)
        self._ask.setInterval(ASK_AGAIN_MS)
        self._ask.timeout.connect(self.look)
        session.closed.connect(self._on_closed)
        session.changed.connect(self._on_changed)

    # --- what there is ---------------------------------------------------------------------------
    @property
    def result(self) -> Result | None:
        """The last evaluation of this project."""
        return self._result

    @property
    def outdated(self) -> int:
        """How many of the result's clips have another label now than they were measured under, or none."""
        return len(self._otherwise)

    @property
    def busy(self) -> bool:
        return self._worker is not None

    @Slot()
    def look(self) -> None:
        """Asks what can be evaluated on; ``choices_changed`` follows."""
        if self._session.is_open:
            self._session.read(evaluation_jobs.choices, self._on_choices)
            if not self._looked_for_kept:
                self._looked_for_kept = True
                self._session.read(evaluation_results.kept, partial(self._on_kept, self._generation))

    def _on_choices(self, choices: Choices) -> None:
        self.choices_changed.emit(choices)

    def show(self, path: Path) -> None:
        """Shows an evaluation that is kept; ``finished`` or ``failed`` follows."""
        if self._session.is_open and not self.running:
            self._generation += 1
            self._session.read(
                partial(evaluation_results.read_kept, path),
                partial(self._on_read_kept, self._generation),
                partial(self._on_no_kept, self._generation),
            )

    def _on_kept(self, generation: int, kept: tuple[KeptFacts, ...]) -> None:
        if not self._session.is_open:
            return
        self.kept_changed.emit(kept)
        if kept and self._result is None and generation == self._generation:
            self.show(kept[0].path)

    def _on_read_kept(self, generation: int, result: Result) -> None:
        if generation == self._generation:
            self._take(result)

    def _on_no_kept(self, generation: int, words: str) -> None:
        if generation == self._generation:
            self.failed.emit(words)

    # --- wishes ----------------------------------------------------------------------------------
    def start(self, asked: Asked) -> None:
        """Measures a model on clips; ``finished``, ``failed`` or ``stopped`` follows. One at a time."""
        if self.running or self._closing or not self._session.is_open:
            return
        self.running, self.stopping = True, False
        self.done = self.total = 0
        self._generation += 1
        self._asked = asked
        self._path, self._trouble = None, ""
        self._background.begin(KEY, f"Evaluating {asked.name}", self.stop)
        self._session.read(
            partial(evaluation_jobs.write_job, asked),
            partial(self._on_job, self._generation),
            partial(self._on_no_job, self._generation),
        )
        self.state_changed.emit()

    @Slot()
    def stop(self) -> None:
        """Ends the evaluation; nothing of it is kept."""
        if not self.running or self.stopping:
            return
        self.stopping = True
        if self._worker is not None:
            self._worker.stop()
        self.state_changed.emit()

    def export(self, out: Path, kind: str) -> None:
        """Writes the last evaluation as ``csv``, ``json`` or a ``folder`` with the figures."""
        if self._result is not None:
            self._tasks.run(
                partial(evaluation_results.write_export, self._result, out, kind),
                self._on_exported,
                self.failed.emit,
            )

    def close(self) -> None:
        """Stops what runs; ``ended`` follows."""
        self._closing = True
        self._ask.stop()
        self.stop()
        if self._worker is None:
            self.ended.emit()

    # --- the worker ------------------------------------------------------------------------------
    def _on_job(self, generation: int, job: Job) -> None:
        if generation != self._generation or self.stopping or self._closing:
            self._tasks.run(partial(evaluation_jobs.remove_job, job))
            if generation == self._generation:
                self._end()
                self.stopped.emit()
            return
        self._job = job
        self.total = len(job.names)
        self._background.update(KEY, 0, self.total)
        program, *arguments = self._command(str(job.file))
        self._worker = WorkerProcess(generation, program, arguments, parent=self)
        self._worker.told.connect(self._on_told)
        self._worker.gone.connect(self._on_gone)
        self._worker.start()
        self.state_changed.emit()

    def _on_no_job(self, generation: int, words: str) -> None:
        if generation == self._generation:
            self._end()
            self.failed.emit(words)

    @Slot(int, object)
    def _on_told(self, _generation: int, event: dict[str, Any]) -> None:
        match event.get("event"):
            case "progress":
                self.done = int(event.get("done") or 0)
                self._background.update(KEY, self.done, self.total)
                self.state_changed.emit()
            case "note":
                self.noted.emit(str(event.get("words", "")))
            case "result":
                self._path = Path(str(event.get("path", "")))
            case "failed_model":
                self._trouble = str(event.get("words", ""))

    @Slot(int, object, str)
    def _on_gone(self, generation: int, last: dict[str, Any], trouble: str) -> None:
        worker, self._worker = self._worker, None
        job, self._job = self._job, None
        if worker is not None:
            worker.deleteLater()
        if self._closing:
            if job is not None:
                evaluation_jobs.remove_job(job)
            self._end()
            self.ended.emit()
            return
        assert job is not None
        if self._path is not None and not self.stopping and generation == self._generation:
            self._tasks.run(
                partial(evaluation_results.read_result, job, self._path, self._asked),
                partial(self._on_result, generation),
                partial(self._on_no_job, generation),
            )
            return
        self._tasks.run(partial(evaluation_jobs.remove_job, job))
        stopping = self.stopping
        self._end()
        if stopping or last.get("event") == "stopped":
            self.stopped.emit()
        else:
            words = self._trouble or str(last.get("words") or "")
            self.failed.emit(
                words or f"Evaluating {self._asked.name} ended unexpectedly{trouble}. Try again."
            )

    def _on_result(self, generation: int, read: tuple[Result, str]) -> None:
        if generation != self._generation:
            return
        result, trouble = read
        self._end()
        self._take(result)
        if trouble:
            self.noted.emit(trouble)
        self._session.read(evaluation_results.kept, partial(self._on_kept, generation))

    def _take(self, result: Result) -> None:
        self._result = result
        self._otherwise = set(result.otherwise)
        self.finished.emit(result)

    def _end(self) -> None:
        self.running = self.stopping = False
        self._background.end(KEY)
        self.state_changed.emit()

    def _on_exported(self, out: Path) -> None:
        self.exported.emit(f"The evaluation was exported to {out}")

    # --- the project -----------------------------------------------------------------------------
    @Slot()
    def _on_closed(self) -> None:
        self._generation += 1
        self._ask.stop()
        self._result = None
        self._looked_for_kept = False
        self._otherwise.clear()
        self.kept_changed.emit(())
        if self._worker is not None:
            self.stop()
        elif self.running:
            self._end()
        self.finished.emit(None)

    @Slot(object)
    def _on_changed(self, changes: Changes) -> None:
        if self._result is not None:
            before = len(self._otherwise)
            for one in changes.decisions:
                self._compare(one, self._result.labels)
            if len(self._otherwise) != before:
                self.outdated_changed.emit(len(self._otherwise))
        if (changes.decisions or changes.library) and not self._ask.isActive():
            self._ask.start()

    def _compare(self, decision: Decision, measured: Mapping[int, str]) -> None:
        """An undone decision is none: a clip that has its label again counts as before."""
        label = measured.get(decision.clip_id)
        if label is None:
            return
        if decision.label == label:
            self._otherwise.discard(decision.clip_id)
        else:
            self._otherwise.add(decision.clip_id)
