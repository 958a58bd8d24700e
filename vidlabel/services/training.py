"""The runs of the open project: what they are doing, and what can be done with them."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal, Slot

from vidlabel.core.runs import RunFolder, RunState
from vidlabel.core.words import Changes
from vidlabel.services import run_jobs, run_planning
from vidlabel.services.background import Background
from vidlabel.services.project import ProjectSession
from vidlabel.services.run_follower import RunFollower
from vidlabel.services.run_jobs import InUse, ProofFound, RunEntry, RunFacts
from vidlabel.services.run_planner import RunPlanner
from vidlabel.services.run_planning import Plan, Wanted
from vidlabel.services.run_process import start_run
from vidlabel.services.run_story import RunStory
from vidlabel.services.run_words import background_words
from vidlabel.services.suggesting import Suggesting
from vidlabel.services.tasks import Rank, TaskRunner

if TYPE_CHECKING:
    from vidlabel.store.project_store import ProjectStore

LOOK_EVERY_MS = 3_000
"""While a run lives: whether its process does."""
PLAN_KEY = "plan-run"


class Training(QObject):
    """Follows runs by their folders, whoever started them; starts their processes, which outlive the window."""

    changed = Signal()
    """``runs`` are others, or their states are."""
    story_told = Signal(str, object)
    """(run, :class:`RunStory`)"""
    facts_told = Signal(object)
    """:class:`RunFacts` of the run that was chosen"""
    proof_told = Signal(object)
    """:class:`ProofFound` of the run that was chosen"""
    planned = Signal(object)
    """:class:`Plan`"""
    plan_failed = Signal(str)
    begun = Signal(str)
    """name of a run that was just started"""
    in_use_changed = Signal(object)
    """:class:`InUse`"""
    failed = Signal(str)
    told = Signal(str)

    def __init__(
        self,
        session: ProjectSession,
        suggesting: Suggesting,
        *,
        tasks: TaskRunner,
        background: Background,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._session = session
        self._suggesting = suggesting
        self._tasks = tasks
        self._background = background
        self._runs: tuple[RunEntry, ...] = ()
        self._known = self._looking = self._look_again = self._starting = False
        self._followers: dict[str, RunFollower] = {}
        self._told_last: dict[str, RunState] = {}
        self._chosen = self._begun = ""
        self._in_use = InUse()
        self._planner = RunPlanner(self)
        self._official = False
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(LOOK_EVERY_MS)
        self._timer.timeout.connect(self.look)
        self._planner.planned.connect(self._on_plan)
        self._planner.plan_failed.connect(self._on_no_plan)
        self._planner.progressed.connect(self._on_planning)
        self._planner.begun.connect(self._on_begun)
        self._planner.not_begun.connect(self._on_not_begun)
        session.opened.connect(self._on_opened)
        session.closed.connect(self._on_closed)
        session.changed.connect(self._on_changed)
        if session.is_open:
            self._on_opened()

    # --- what there is ---------------------------------------------------------------------------
    @property
    def runs(self) -> tuple[RunEntry, ...]:
        """Newest first."""
        return self._runs

    @property
    def known(self) -> bool:
        """Whether it is known which runs there are."""
        return self._known

    @property
    def live(self) -> tuple[RunEntry, ...]:
        """Those at work."""
        return tuple(run for run in self._runs if run.live)

    @property
    def in_use(self) -> InUse:
        """The project's active model, and those before it."""
        return self._in_use

    @property
    def official(self) -> bool:
        """Whether the project knows an official split."""
        return self._official

    @property
    def why_not(self) -> str:
        """Why no run can be begun or changed here, '' if it can."""
        if not self._session.is_open:
            return "No project is open."
        return "The project is open for reading only." if self._session.read_only else ""

    @property
    def starting(self) -> bool:
        """Whether a run is being begun."""
        return self._starting

    def run(self, name: str) -> RunEntry | None:
        return next((run for run in self._runs if run.name == name), None)

    def story(self, name: str) -> RunStory | None:
        """What a run that is followed has told; None until its file was looked at."""
        follower = self._followers.get(name)
        return follower.story if follower is not None and follower.known else None

    @Slot()
    def look(self) -> None:
        """Looks again which runs there are and whether their processes live; ``changed`` follows."""
        self._timer.stop()
        if self._looking:
            self._look_again = True
        elif self._session.is_open:
            self._looking = True
            if self._session.read_only:
                self._session.read(run_jobs.known_runs, self._on_runs, self._on_no_runs)
            else:
                self._ask_runs()

    def _ask_runs(self) -> None:
        # What it finds, it writes: on the writing thread, but after what the person did.
        found: list[tuple[RunEntry, ...]] = []
        self._session.write(
            partial(_reconcile, found),
            partial(self._on_reconciled, found),
            self._on_no_runs,
            rank=Rank.ENGINE,
        )

    def choose(self, name: str) -> None:
        """Follows a run and tells its facts and proof; '' for none."""
        before, self._chosen = self._chosen, name
        self._drop(before)
        run = self.run(name)
        if run is not None:
            self._follow(run)
            self._ask_about(run)

    # --- a new run -------------------------------------------------------------------------------
    def plan(self, wanted: Wanted) -> None:
        """Finds out what a run would learn from; ``planned`` or ``plan_failed`` follows for the last one asked."""
        facts = self._session.facts
        self._stop_planning()
        if facts is not None and not self.why_not:
            self._planner.plan(facts.path, wanted)

    def start(self, plan: Plan) -> None:
        """Begins a run; ``begun`` or ``failed`` follows."""
        facts = self._session.facts
        if facts is None or self._starting or plan.why_not or self.why_not:
            return
        self._starting = True
        self.changed.emit()
        self._planner.begin(facts.path, plan)

    def go_on(self, name: str) -> None:
        """Takes up a stopped, failed or interrupted run from its checkpoint."""
        facts = self._session.facts
        if facts is not None and not self._starting and not self.why_not:
            self._starting = True
            self.changed.emit()
            self._planner.go_on(facts.path, name)

    def wish(self, name: str, word: str) -> None:
        """``stop``, ``keep`` (stop and make a model of the best so far), ``pause`` or ``resume``."""
        run = self.run(name)
        if run is not None:
            self._tasks.run(partial(run_jobs.send_wish, run.folder, word), None, self.failed.emit)

    # --- the model it made -----------------------------------------------------------------------
    def promote(self, name: str) -> None:
        """Makes a run's model the active one, and has it suggest for what is undecided."""
        run = self.run(name)
        if run is None or self.why_not:
            return
        if run.model:
            then = partial(self._on_promoted, run.model)
            self._session.write(partial(run_jobs.promote, run.model), then, self.failed.emit)
        else:  # its proof may be there a moment before the project knows of the model
            self.failed.emit(f"The model of {name} is still being taken in. Promote it again in a moment.")

    @Slot()
    def roll_back(self) -> None:
        """Makes the model before it the active one again."""
        if not self.why_not:
            self._session.write(run_jobs.roll_back, self._on_rolled_back, self.failed.emit)

    def close(self) -> None:
        """Follows nothing any more; runs go on."""
        self._timer.stop()
        self._stop_planning()
        self._planner.close()
        for name in tuple(self._followers):
            self._forget(name)

    # --- answers ---------------------------------------------------------------------------------
    @Slot()
    def _on_opened(self) -> None:
        self._session.read(run_planning.has_official, self._on_official)
        self._session.read(run_jobs.in_use, self._on_in_use)
        self.look()

    @Slot()
    def _on_closed(self) -> None:
        self.close()
        self._runs = ()
        self._known = self._looking = self._look_again = self._starting = False
        self._chosen = ""
        self._in_use = InUse()
        self._told_last.clear()
        self._suggesting.hold(False)
        self.changed.emit()

    @Slot(object)
    def _on_changed(self, changes: Changes) -> None:
        if changes.models:
            self._session.read(run_jobs.in_use, self._on_in_use)

    def _on_official(self, official: bool) -> None:
        self._official = official
        self.changed.emit()

    def _on_in_use(self, found: InUse) -> None:
        self._in_use = found
        self.in_use_changed.emit(found)

    def _on_reconciled(self, found: list[tuple[RunEntry, ...]], _changes: object) -> None:
        self._on_runs(found[0])

    def _on_runs(self, runs: tuple[RunEntry, ...]) -> None:
        self._looking = False
        before, self._runs = {run.name: run for run in self._runs}, runs
        fresh = not self._known or tuple(before.values()) != runs
        self._known = True
        for run in runs:
            if run.live or run.name == self._chosen:
                self._follow(run)
                known = before.get(run.name)
                if run.name == self._chosen and known != run:
                    self._ask_about(run)
            else:
                self._forget(run.name)
        self._show_background()
        if fresh:
            # A finished one has brought a model.
            self._session.read(run_jobs.in_use, self._on_in_use)
            self.changed.emit()
        if self._begun and self.run(self._begun) is not None:
            begun, self._begun = self._begun, ""
            self.begun.emit(begun)
        if self._look_again:
            self._look_again = False
            self.look()
        elif self.live:
            self._timer.start()

    def _on_no_runs(self, words: str) -> None:
        self._looking = False
        self.failed.emit(words)

    @Slot(int, int)
    def _on_planning(self, done: int, total: int) -> None:
        self._background.begin(PLAN_KEY, "Comparing contents", self._stop_planning)
        self._background.update(PLAN_KEY, done, total)

    def _stop_planning(self) -> None:
        self._planner.forget()
        self._background.end(PLAN_KEY)

    @Slot(object)
    def _on_plan(self, plan: Plan) -> None:
        self._background.end(PLAN_KEY)
        self.planned.emit(plan)

    @Slot(str)
    def _on_no_plan(self, words: str) -> None:
        self._background.end(PLAN_KEY)
        self.plan_failed.emit(words)

    @Slot(object)
    def _on_begun(self, folder: RunFolder) -> None:
        self._starting = False
        trouble = start_run(folder)
        if trouble:
            self.failed.emit(trouble)
        else:
            self._begun = folder.name
        self.look()

    @Slot(str)
    def _on_not_begun(self, words: str) -> None:
        self._starting = False
        self.failed.emit(words)
        self.changed.emit()

    def _on_promoted(self, model: str, _changes: object) -> None:
        self.told.emit("The run's model is active now; it suggests for what is undecided")
        self._use(model)

    def _on_rolled_back(self, _changes: object) -> None:
        self._session.read(run_jobs.in_use, self._on_back)

    def _on_back(self, found: InUse) -> None:
        self._on_in_use(found)
        self.told.emit(f"{found.active_name} is active again")
        self._use(found.active)

    def _use(self, model: str) -> None:
        self._suggesting.stop()
        self._suggesting.start(model)

    # --- following -------------------------------------------------------------------------------
    def _follow(self, run: RunEntry) -> None:
        follower = self._followers.get(run.name)
        if follower is None:
            follower = RunFollower(run.folder, self._tasks, self)
            follower.told.connect(self._on_told)
            self._followers[run.name] = follower
        follower.start(live=run.live)

    def _drop(self, name: str) -> None:
        run = self.run(name)
        if run is None or not run.live:
            self._forget(name)

    def _forget(self, name: str) -> None:
        follower = self._followers.pop(name, None)
        if follower is not None:
            follower.stop()
            follower.deleteLater()

    def _ask_about(self, run: RunEntry) -> None:
        self._tasks.run(partial(run_jobs.facts_of, run.folder), self._on_facts, self.failed.emit)
        self._tasks.run(partial(run_jobs.proof_of, run), self._on_proof, self.failed.emit)

    def _on_facts(self, facts: RunFacts) -> None:
        if facts.name == self._chosen:
            self.facts_told.emit(facts)

    def _on_proof(self, found: ProofFound) -> None:
        if found.name == self._chosen:
            self.proof_told.emit(found)

    @Slot(str, object)
    def _on_told(self, name: str, story: RunStory) -> None:
        self.story_told.emit(name, story)
        self._show_background()
        before, self._told_last[name] = self._told_last.get(name), story.state
        run = self.run(name)
        if run is not None and before is not story.state and run.state is not story.state:
            self.look()

    def _show_background(self) -> None:
        """In the status bar; and nothing else keeps the device busy meanwhile."""
        working = False
        shown = set()
        for run in self.live:
            story = self.story(run.name)
            working = working or story is None or story.state is not RunState.PAUSED
            shown.add(f"run-{run.name}")
            words = background_words(run.name, story)
            self._background.begin(f"run-{run.name}", words, partial(self.wish, run.name, "stop"))
        for job in self._background.jobs:
            if job.key.startswith("run-") and job.key not in shown:
                self._background.end(job.key)
        self._suggesting.hold(working)


def _reconcile(found: list[tuple[RunEntry, ...]], store: ProjectStore) -> None:
    """On the writing thread, whose answers are changes; what was found goes beside."""
    found.append(run_jobs.runs_of(store))
