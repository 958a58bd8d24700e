"""The models of this computer and of the project: what there is, what it is doing, and what can be done with it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, QTimer, Signal, Slot

from vidlabel.core.paths import models_folder
from vidlabel.core.words import Changes
from vidlabel.services import model_survey
from vidlabel.services.background import Background
from vidlabel.services.model_facts import BUNDLED, ModelFacts
from vidlabel.services.model_jobs import JobKind, JobResult, ModelJob, ModelJobs
from vidlabel.services.model_survey import InProject, Survey
from vidlabel.services.project import ProjectSession
from vidlabel.services.suggesting import Suggesting
from vidlabel.services.tasks import TaskRunner

ASK_AGAIN_MS = 700
"""Suggestions come by the hundred; what the card says of the project follows this much later."""


class Presence(StrEnum):
    """Where a model is."""

    ACTIVE = "active in this project"
    LOADING = "being loaded"
    INSTALLED = "installed"
    AVAILABLE = "can be installed"
    DAMAGED = "damaged"


class Group(StrEnum):
    """Where a model stands in the list."""

    HERE = "On this computer"
    OWN = "Your own"
    PUBLISHED = "Can be installed"


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelEntry:
    """One line of the list. ``trouble``: why the file or the last try to install it is no good."""

    key: str
    group: Group
    facts: ModelFacts
    presence: Presence
    job: ModelJob | None = None
    trouble: str = ""
    fetched: int = 0
    """Bytes of it that are here from an install that was stopped."""

    @property
    def removable(self) -> bool:
        return self.presence is Presence.DAMAGED or bool(self.facts.hash and not self.facts.bundled)


class Models(QObject):
    """Joins model files, the catalogue, running jobs and the open project."""

    changed = Signal()
    """``entries`` are others, or their states are."""
    progressed = Signal(str)
    """key of the entry whose job has come further"""
    arrived = Signal(str)
    """key of a model that was just installed or imported"""
    project_told = Signal(object)
    """:class:`InProject`, for the model that :meth:`watch` named"""
    told = Signal(str)
    """Something is done, in words."""
    failed = Signal(str)
    """Something that has no line in the list went wrong, in words."""

    def __init__(
        self,
        session: ProjectSession,
        suggesting: Suggesting,
        *,
        tasks: TaskRunner,
        background: Background,
        jobs: ModelJobs | None = None,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._session = session
        self._suggesting = suggesting
        self._tasks = tasks
        self.jobs = jobs or ModelJobs(background, self)
        self._survey: Survey | None = None
        self._looking = self._look_again = False
        self._entries: tuple[ModelEntry, ...] = ()
        self._troubles: dict[str, str] = {}
        self._active = ""
        self._wanted = ""
        self._fresh = ""
        self._watched = ""
        self._ask_timer = QTimer(self)
        self._ask_timer.setSingleShot(True)
        self._ask_timer.setInterval(ASK_AGAIN_MS)
        self._ask_timer.timeout.connect(self._ask_project)
        self.jobs.changed.connect(self._on_job)
        self.jobs.finished.connect(self._on_finished)
        self.jobs.failed.connect(self._on_failed)
        self.jobs.stopped.connect(self._on_stopped)
        session.opened.connect(self._on_opened)
        session.closed.connect(self._on_closed)
        session.changed.connect(self._on_changed)
        suggesting.failed.connect(self._on_not_loaded)
        if session.is_open:
            self._on_opened()

    # --- what there is ---------------------------------------------------------------------------
    @property
    def entries(self) -> tuple[ModelEntry, ...]:
        """In the order of the list; empty until the first :meth:`look` has come back."""
        return self._entries

    @property
    def known(self) -> bool:
        """Whether it is known what there is."""
        return self._survey is not None

    @property
    def trouble(self) -> str:
        """Why the list of published models cannot be read, '' if it can."""
        return self._survey.trouble if self._survey else ""

    @property
    def offline(self) -> str:
        """The setting that forbids to use the network, '' where it may be used."""
        return self._survey.offline if self._survey else ""

    @property
    def proxy_words(self) -> str:
        """Which proxy downloads go through, '' for none."""
        return model_survey.proxy_words()

    @property
    def why_not_here(self) -> str:
        """Why no model can be put to use in the open project, '' if it can."""
        if not self._session.is_open:
            return "No project is open."
        return "The project is open for reading only." if self._session.read_only else ""

    def entry(self, key: str) -> ModelEntry | None:
        return next((entry for entry in self._entries if entry.key == key), None)

    @Slot()
    def look(self) -> None:
        """Looks again which models there are; ``changed`` follows."""
        if self._looking:
            self._look_again = True
            return
        self._looking = True
        self._tasks.run(model_survey.survey, self._on_survey, self._on_no_survey)

    def watch(self, model_hash: str) -> None:
        """Tells what the project has of this model, now and whenever that changes; '' for none."""
        self._watched = model_hash
        self._ask_project()

    # --- wishes ----------------------------------------------------------------------------------
    def use(self, key: str) -> None:
        """Makes a model the project's active one and lets it suggest."""
        entry = self.entry(key)
        if entry is not None and entry.facts.hash and not self.why_not_here:
            self._use(BUNDLED if entry.facts.bundled else entry.facts.hash, entry.facts.hash)

    def _use(self, model: str, model_hash: str) -> None:
        self._wanted = model_hash
        self._suggesting.stop()
        self._suggesting.start(model)
        self._join()

    def install(self, key: str) -> None:
        """Fetches a published model; goes on with what is there of it already."""
        entry = self.entry(key)
        if entry is not None and entry.presence is Presence.AVAILABLE:
            self._troubles.pop(entry.facts.published, None)
            self.jobs.install(entry.facts.published)

    def cancel(self, key: str) -> None:
        """Stops what is being done with a model."""
        entry = self.entry(key)
        if entry is not None and entry.job is not None:
            self.jobs.stop(entry.job.id)

    def import_file(self, path: Path) -> None:
        self.jobs.import_file(path)

    def export(self, key: str, out: Path, kind: str) -> None:
        """Writes a model to a file as ``safetensors``, ``state-dict`` or ``onnx``."""
        entry = self.entry(key)
        if entry is not None and entry.facts.hash:
            self.jobs.export(entry.facts.hash, out, kind=kind, shown=entry.facts.name)

    def remove(self, key: str) -> None:
        """Takes a model off this computer; a project in which it is active goes on with the bundled one."""
        entry = self.entry(key)
        if entry is None or not entry.removable:
            return
        subject = entry.facts.hash or str(entry.facts.path)
        self.jobs.remove(subject, shown=entry.facts.name)

    @staticmethod
    def folder() -> Path:
        """Where installed models lie; it is made where it is not there yet."""
        folder = models_folder()
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def close(self) -> None:
        """Stops what is running; ``jobs.ended`` follows."""
        self._ask_timer.stop()
        self._watched = ""
        self.jobs.close()

    # --- putting it together ---------------------------------------------------------------------
    def _on_survey(self, found: Survey) -> None:
        self._looking = False
        self._survey = found
        self._join()
        fresh, self._fresh = self._fresh, ""
        entry = next((one for one in self._entries if fresh and one.facts.hash == fresh), None)
        if entry is not None:
            self.arrived.emit(entry.key)
        self._again()

    def _on_no_survey(self, words: str) -> None:
        self._looking = False
        self.failed.emit(words)
        self._again()

    def _again(self) -> None:
        if self._look_again:
            self._look_again = False
            self.look()

    def _join(self) -> None:
        if self._survey is None:
            return
        made: dict[str, ModelEntry] = {}
        # Copies of one file are one model; the first, which may be the bundled one, stands for all.
        for facts in reversed({facts.hash: facts for facts in reversed(self._survey.here)}.values()):
            key = facts.published or facts.hash
            key = facts.hash if key in made else key
            made[key] = ModelEntry(
                key=key,
                group=Group.HERE if facts.bundled or facts.published else Group.OWN,
                facts=facts,
                presence=self._presence(facts),
                job=self.jobs.job_of(facts.hash),
            )
        for one in self._survey.damaged:
            key = str(one.path)
            made[key] = ModelEntry(
                key=key, group=Group.HERE, presence=Presence.DAMAGED, trouble=one.reason,
                facts=ModelFacts(name=one.path.stem, title=one.path.name, path=one.path),
                job=self.jobs.job_of(key),
            )  # fmt: skip
        for facts in self._survey.published:
            if facts.published not in made:
                made[facts.published] = ModelEntry(
                    key=facts.published, group=Group.PUBLISHED, facts=facts, presence=Presence.AVAILABLE,
                    job=self.jobs.job_of(facts.published), trouble=self._troubles.get(facts.published, ""),
                    fetched=self._survey.fetched.get(facts.published, 0),
                )  # fmt: skip
        order = tuple(Group)
        self._entries = tuple(sorted(made.values(), key=lambda entry: order.index(entry.group)))
        self.changed.emit()

    def _presence(self, facts: ModelFacts) -> Presence:
        if self._wanted and facts.hash == self._wanted and self._wanted != self._active:
            return Presence.LOADING
        return Presence.ACTIVE if facts.hash == self._active else Presence.INSTALLED

    # --- jobs ------------------------------------------------------------------------------------
    @Slot(object)
    def _on_job(self, job: ModelJob) -> None:
        entry = next((one for one in self._entries if job.subject in _subjects(one)), None)
        before = entry.job if entry is not None else None
        self._join()
        if entry is not None and before is not None and before.running == job.running:
            self.progressed.emit(entry.key)

    @Slot(object, object)
    def _on_finished(self, job: ModelJob, made: JobResult) -> None:
        if job.kind is JobKind.EXPORT:
            self.told.emit(f"{job.shown} was exported{f' to {made.path}' if made.path else ''}")
            self._join()
            return
        if job.kind is JobKind.REMOVE:
            self.told.emit(f"{job.shown} was removed from this computer")
            if job.subject == self._active:
                self._use(BUNDLED, "")
        else:
            self._fresh = made.hash
            word = "installed" if job.kind is JobKind.INSTALL else "imported"
            self.told.emit(f"{made.model or job.shown} is {word}")
        self.look()

    @Slot(object, str, str)
    def _on_failed(self, job: ModelJob, _kind: str, words: str) -> None:
        if job.kind is JobKind.INSTALL:
            self._troubles[job.subject] = words
        else:
            self.failed.emit(words)
        self._join()
        self.look()

    @Slot(object)
    def _on_stopped(self, job: ModelJob) -> None:
        if job.kind is JobKind.INSTALL:
            self.told.emit(f"Installing {job.shown} was stopped; the next time it goes on from there")
            self.look()
        self._join()

    # --- the project -----------------------------------------------------------------------------
    @Slot()
    def _on_opened(self) -> None:
        self._session.read(model_survey.active_model, self._on_active)

    @Slot()
    def _on_closed(self) -> None:
        self._active = self._wanted = ""
        self._ask_timer.stop()
        self._join()

    @Slot(object)
    def _on_changed(self, changes: Changes) -> None:
        if changes.models:
            self._session.read(model_survey.active_model, self._on_active)
        concerns = changes.models or changes.clips or changes.library or changes.decisions
        # Not restarted by each of them: it is asked while they come, too.
        if self._watched and concerns and not self._ask_timer.isActive():
            self._ask_timer.start()

    def _on_active(self, model_hash: str) -> None:
        if model_hash == self._wanted:
            self._wanted = ""
        self._active = model_hash
        self._join()

    @Slot(str)
    def _on_not_loaded(self, _words: str) -> None:
        self._wanted = ""
        self._join()

    @Slot()
    def _ask_project(self) -> None:
        if self._watched and self._session.is_open:
            self._session.read(partial(model_survey.in_project, self._watched), self._on_project)

    def _on_project(self, found: InProject) -> None:
        if found.model == self._watched:
            self.project_told.emit(found)


def _subjects(entry: ModelEntry) -> tuple[str, ...]:
    """By what a job may name this entry."""
    return (entry.key, entry.facts.hash, str(entry.facts.path))
