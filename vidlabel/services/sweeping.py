"""Lets the model look through long videos when it has nothing else to do, and proposes clips in them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from PySide6.QtCore import QObject, QTimer, Signal, Slot

from vidlabel.core import messages as m
from vidlabel.core.sweeps import LongVideo, ProposalSettings, SweepPlan, seconds_to_plan
from vidlabel.core.time import us_from_seconds
from vidlabel.core.words import Changes, ClipRow
from vidlabel.services import sweep_jobs
from vidlabel.services.background import Background
from vidlabel.services.crash_guard import CrashGuard
from vidlabel.services.engine_client import EngineClient
from vidlabel.services.project import ProjectSession
from vidlabel.services.proposing import Proposing
from vidlabel.services.settings import Settings
from vidlabel.services.suggesting import Suggesting
from vidlabel.services.sweep_jobs import StripData, ToSweep
from vidlabel.services.sweep_strip import SweepStrip
from vidlabel.services.tasks import Rank

__all__ = ["StripData", "Sweeping"]

KEY = "sweep"
LOOK_AGAIN_MS = 2000


@dataclass(slots=True)
class _Running:
    """The sweep under way; ``kept`` windows are on the disk."""

    wish: ToSweep
    kept: int
    answered: bool = False
    """The engine has given its last part."""


class Sweeping(QObject):
    """One video after the other; each part is kept as it comes, and gone on with from there."""

    state_changed = Signal(str)
    """``off`` (the person wants none), ``waiting`` (for suggestions, or a project), ``running`` or ``idle``"""
    strip_changed = Signal(object)
    """:class:`StripData` of the video on screen, or None where no model has looked through it."""
    told = Signal(str)
    """What came of a sweep, for the status bar."""
    failed = Signal(str)
    """What went wrong: which file, what to do."""

    def __init__(
        self,
        engine: EngineClient,
        session: ProjectSession,
        settings: Settings,
        *,
        suggesting: Suggesting,
        background: Background,
        guard: CrashGuard,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._engine = engine
        self._session = session
        self._settings = settings
        self._suggesting = suggesting
        self._background = background
        self._guard = guard
        self._state = "waiting" if settings.sweep_by_itself else "off"
        self._asking = False
        self._passed_over: set[int] = set()
        self._running: dict[int, _Running] = {}
        self._strip = SweepStrip(session, self)
        self._proposing = Proposing(engine, session, on_screen=lambda: self._strip.row, parent=self)
        self._look_timer = QTimer(self)
        self._look_timer.setSingleShot(True)
        self._look_timer.setInterval(LOOK_AGAIN_MS)
        self._look_timer.timeout.connect(self._go_on)
        self._strip.changed.connect(self.strip_changed)
        self._proposing.proposed.connect(self._on_proposed)
        self._proposing.failed.connect(self._on_trouble)
        engine.message_received.connect(self._on_message)
        engine.crashed.connect(self._on_crashed)
        guard.freed.connect(self._on_verdict)
        suggesting.state_changed.connect(self._on_suggesting)
        session.closed.connect(self._on_closed)
        session.changed.connect(self._on_changed)
        settings.changed.connect(self._on_setting)

    @property
    def state(self) -> str:
        return self._state

    @property
    def wanted(self) -> bool:
        """Whether long videos are swept at all."""
        return self._state != "off"

    def start(self) -> None:
        """From now on, whenever suggestions are done."""
        self._passed_over.clear()
        if self._state == "off":
            self._set_state("waiting")
        self._go_on()

    @Slot()
    def stop(self) -> None:
        """No more until it is started again or another project is opened; it goes on there then."""
        self._cancel()
        self._set_state("off")

    @Slot()
    def toggle(self) -> None:
        """On or off for good: remembered for other projects, too."""
        wanted = not self.wanted
        self._settings.sweep_by_itself = wanted
        if wanted and not self.wanted:
            # It was only stopped for now.
            self.start()
        elif not wanted and self.wanted:
            self.stop()

    @Slot(str)
    def _on_setting(self, name: str) -> None:
        if name == "sweep_by_itself" and self._settings.sweep_by_itself != self.wanted:
            if self.wanted:
                self.stop()
            else:
                self.start()
        elif name == "sweep_from_s":
            self._go_on()

    # --- settings --------------------------------------------------------------------------------
    def ask_settings(self, on_done: Callable[[ProposalSettings], None]) -> None:
        """``on_done`` gets the project's settings for proposals."""
        self._session.read(sweep_jobs.read_settings, on_done)

    def set_settings(self, settings: ProposalSettings) -> None:
        """Keeps the settings with the project, and proposes anew for the video on screen."""
        self._session.write(partial(sweep_jobs.write_settings, settings), self._on_settings_kept)

    def _on_settings_kept(self, _changes: object) -> None:
        self._strip.ask()
        if self._strip.row is not None:
            self._session.read(partial(sweep_jobs.finished_sweep, self._strip.row), self._on_sweep_to_propose)

    def _on_sweep_to_propose(self, wish: ToSweep | None) -> None:
        if wish is not None:
            self._propose(wish)

    # --- which video -----------------------------------------------------------------------------
    @Slot(str)
    def _on_suggesting(self, state: str) -> None:
        if state == "idle":
            self._go_on()
        elif state in {"off", "failed", "loading", "paused", "held"}:
            self._cancel()
            if self.wanted:
                self._set_state("waiting")

    @Slot()
    def _go_on(self) -> None:
        """Asks for the next video, unless something is under way."""
        model = self._suggesting.model_hash
        busy = self._asking or self._running or self._proposing.busy
        if (
            not self.wanted
            or busy
            or model is None
            or self._suggesting.state != "idle"
            or self._session.read_only
        ):
            return
        self._asking = True
        at_least_us = us_from_seconds(self._settings.sweep_from_s)
        job = partial(sweep_jobs.next_video, model, at_least_us, frozenset(self._passed_over))
        self._session.read(job, self._on_found, self._on_trouble)

    def _on_found(self, video: LongVideo | None) -> None:
        self._asking = False
        model = self._suggesting.model_hash
        if not self.wanted or model is None or self._suggesting.state != "idle":
            return
        if video is None:
            self._set_state("idle")
        elif not self._guard.may_try(video.clip.path):
            # A verdict or a change brings it back.
            self._passed_over.add(video.clip.video_id)
            self._go_on()
        elif video.sweep is not None and video.sweep.finished:
            self._propose(ToSweep(clip=video.clip, sweep=video.sweep, model=model))
        else:
            self._begin(model, video)

    def _begin(self, model: str, video: LongVideo) -> None:
        self._asking = True
        self._set_state("running")
        plan = self._plan(video)
        self._session.write(
            partial(sweep_jobs.begin, model, video.clip, plan),
            partial(self._on_begun, model, video.clip),
            self._on_trouble,
            rank=Rank.ENGINE,
        )

    @staticmethod
    def _plan(video: LongVideo) -> SweepPlan:
        """One that was begun keeps its windows, whoever chose them."""
        duration_us = video.clip.end_us
        return video.sweep.plan(duration_us) if video.sweep is not None else seconds_to_plan(duration_us)

    def _on_begun(self, model: str, clip: ClipRow, _changes: object) -> None:
        self._session.read(partial(sweep_jobs.begun, model, clip), self._on_ready_to_sweep, self._on_trouble)

    def _on_ready_to_sweep(self, wish: ToSweep | None) -> None:
        self._asking = False
        usable = self.wanted and self._suggesting.state in {"idle", "running"}
        if wish is None or not usable or self._suggesting.model_hash != wish.model:
            self._set_state("waiting" if self.wanted else "off")
            return
        request = self._engine.request_id()
        self._running[request] = _Running(wish, wish.sweep.done)
        self._background.begin(KEY, f"Sweeping {wish.clip.name}", self.stop)
        self._background.update(KEY, wish.sweep.done, wish.sweep.windows)
        self._engine.send(
            m.SweepVideo(
                request=request,
                model_hash=wish.model,
                path=wish.clip.path,
                window_us=wish.sweep.window_us,
                step_us=wish.sweep.step_us,
                first=wish.sweep.done,
            )
        )

    def _cancel(self) -> None:
        for request in self._running:
            self._engine.send(m.Cancel(request=request))
        self._running.clear()
        self._asking = False
        self._background.end(KEY)

    # --- answers ---------------------------------------------------------------------------------
    @Slot(object)
    def _on_message(self, message: m.Message) -> None:
        if isinstance(message, m.SweepPart):
            self._on_part(message)
        elif isinstance(message, m.Progress) and message.request in self._running:
            self._background.update(KEY, message.done, message.total)
        elif isinstance(message, m.JobDone) and message.request in self._running:
            if message.stopped:
                self._pass_over(message.request)
                return
            self._running[message.request].answered = True
            self._end_if_kept(message.request)
        elif isinstance(message, m.JobFailed):
            self._on_job_failed(message)

    def _on_part(self, part: m.SweepPart) -> None:
        running = self._running.get(part.request)
        if running is None:
            return
        sweep = running.wish.sweep
        if part.total != sweep.windows:
            # The file is another than when it was scanned; the next scan notices.
            self._pass_over(part.request)
            return
        done = partial(self._on_part_kept, part.request, part.first + part.windows)
        self._session.write(
            partial(sweep_jobs.keep_part, sweep, part), done, self._on_trouble, rank=Rank.ENGINE
        )

    def _on_part_kept(self, request: int, kept: int, _changes: object) -> None:
        running = self._running.get(request)
        if running is None:
            return
        running.kept = kept
        self._background.update(KEY, kept, running.wish.sweep.windows)
        row = self._strip.row
        if row is not None and row.video_id == running.wish.clip.video_id:
            self._strip.ask()
        self._end_if_kept(request)

    def _end_if_kept(self, request: int) -> None:
        """Its last part is written and the engine is done with it: now come the proposals."""
        running = self._running[request]
        if not running.answered or running.kept < running.wish.sweep.windows:
            return
        del self._running[request]
        self._background.end(KEY)
        self._propose(running.wish)

    def _on_job_failed(self, message: m.JobFailed) -> None:
        running = self._running.get(message.request)
        if running is not None and self._engine.pid:
            self.failed.emit(f"{running.wish.clip.path} could not be swept: {message.reason}")
            self._pass_over(message.request)

    def _pass_over(self, request: int) -> None:
        running = self._running.pop(request)
        self._engine.send(m.Cancel(request=request))
        self._passed_over.add(running.wish.clip.video_id)
        self._background.end(KEY)
        self._look_timer.start()

    # --- proposing and showing -------------------------------------------------------------------
    def _propose(self, wish: ToSweep) -> None:
        self._passed_over.add(wish.clip.video_id)
        self._proposing.propose(wish)

    @Slot(str, int)
    def _on_proposed(self, name: str, count: int) -> None:
        clips = "no clip" if count == 0 else "1 clip" if count == 1 else f"{count:,} clips"
        self.told.emit(f"Proposed {clips} in {name}")
        self._strip.ask()
        self._go_on()

    @Slot(str)
    def _on_trouble(self, words: str) -> None:
        self._asking = False
        self.failed.emit(words)

    @Slot(object)
    def show_row(self, row: ClipRow | None) -> None:
        """The clip on screen is another one; ``strip_changed`` follows."""
        self._strip.show_row(row)

    @Slot(object)
    def _on_changed(self, changes: Changes) -> None:
        """A new video may be a long one."""
        if changes.library and self._state in {"idle", "waiting"} and not self._look_timer.isActive():
            self._look_timer.start()

    # --- trouble ---------------------------------------------------------------------------------
    @Slot(str, object)
    def _on_crashed(self, _words: str, _suspects: tuple[str, ...]) -> None:
        """Suggestions load the model again and tell when they are done; the sweep goes on then."""
        self._running.clear()
        self._asking = False
        self._background.end(KEY)

    @Slot(str)
    def _on_verdict(self, _path: str) -> None:
        self._passed_over.clear()
        self._go_on()

    @Slot()
    def _on_closed(self) -> None:
        self._cancel()
        self._passed_over.clear()
        self._proposing.forget()
        self._look_timer.stop()
        self._strip.forget()
        self._set_state("waiting" if self._settings.sweep_by_itself else "off")

    def _set_state(self, state: str) -> None:
        if state != self._state:
            self._state = state
            self.state_changed.emit(state)
