"""Keeps suggestions coming: the clip on screen first, then those about to come, then the rest."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from PySide6.QtCore import QObject, Signal, Slot

from vidlabel.core import messages as m
from vidlabel.core.words import Changes, ClipRow, Views
from vidlabel.services import suggest_jobs
from vidlabel.services.background import Background
from vidlabel.services.crash_guard import CrashGuard
from vidlabel.services.engine_client import EngineClient
from vidlabel.services.project import ProjectSession
from vidlabel.services.settings import Settings
from vidlabel.services.suggest_feed import ClipFeed
from vidlabel.services.suggest_keeper import SuggestionKeeper
from vidlabel.services.suggest_model import BUNDLED, ModelLoader
from vidlabel.services.tasks import Rank, TaskRunner

KEY = "suggest"
MOST_CRASHES = 5
"""So many crashes with no suggestion between them: it is the model or its device, and it is not tried again."""
_AT_WORK = frozenset({"running", "idle", "held"})


class Suggesting(QObject):
    """Loads the project's model when the project opens and asks for what has no suggestion of it yet."""

    state_changed = Signal(str)
    """``off``, ``loading``, ``running``, ``paused``, ``idle`` (all have one), ``held`` (see ``hold``) or ``failed``"""
    model_ready = Signal(str, str)
    """(name of the model, device)"""
    failed = Signal(str)
    told = Signal(str)
    """Something did not work, and suggestions go on all the same."""

    def __init__(
        self,
        engine: EngineClient,
        session: ProjectSession,
        settings: Settings,
        *,
        background: Background,
        guard: CrashGuard,
        tasks: TaskRunner,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._engine = engine
        self._session = session
        self._settings = settings
        self._background = background
        self._state = "off"
        self._words = ""
        self._lost = False
        self._holding = False
        self._crashes = 0
        self._done = 0
        self._total = 0
        self._loader = ModelLoader(engine, session, settings, tasks=tasks, parent=self)
        self._feed = ClipFeed(engine, session, settings, guard=guard, parent=self)
        self._keeper = SuggestionKeeper(session, self)
        self._loader.loaded.connect(self._on_model)
        self._loader.ready.connect(self._on_registered)
        self._loader.failed.connect(self._fail)
        self._feed.asked.connect(self._on_asked)
        self._feed.exhausted.connect(self._on_exhausted)
        self._feed.failed.connect(self._fail)
        self._keeper.saved.connect(self._feed.saved)
        self._keeper.told.connect(self.told)
        engine.message_received.connect(self._on_message)
        engine.ready.connect(self._on_engine_ready)
        engine.crashed.connect(self._on_crashed)
        guard.freed.connect(self._on_verdict)
        guard.found_guilty.connect(self._on_guilty)
        session.closed.connect(self._on_closed)
        session.changed.connect(self._on_changed)
        settings.changed.connect(self._on_setting)

    @property
    def state(self) -> str:
        return self._state

    @property
    def model_words(self) -> str:
        """'bundled · cpu', or why there is none."""
        return self._words

    @property
    def model_hash(self) -> str | None:
        return self._loader.model.hash if self._loader.model is not None else None

    def start(self, model: str | None = None) -> None:
        """Loads the project's active model (or the named one); goes on until every clip has a suggestion."""
        if not self._session.is_open or self._session.read_only or self._state in {"loading", "running"}:
            return
        facts = self._session.facts
        active = facts.model[0] if facts is not None and facts.model is not None else BUNDLED
        self._crashes = 0
        self._load(model or active)

    def pause(self) -> None:
        """Asks for no more; the model stays loaded."""
        if self._state in _AT_WORK:
            self._cancel()
            self._set_state("paused")

    def resume(self) -> None:
        if self._state != "paused":
            return
        if self._loader.model is None:
            self._load(self._loader.wanted)
        else:
            self._run(self._loader.model)

    def hold(self, holding: bool) -> None:
        """While a run trains only the clip on screen and those about to come are suggested for; the rest waits."""
        if holding == self._holding:
            return
        self._holding = holding
        self._feed.only_urgent(holding)
        if self._state in _AT_WORK and self._loader.model is not None:
            self._keeper.save()
            self._background.end(KEY)
            self._run(self._loader.model)

    @Slot()
    def stop(self) -> None:
        """Until the person starts it again."""
        self._cancel()
        self._loader.give_up()
        if self._state in {"loading", *_AT_WORK}:
            self._set_state("paused" if self._loader.model is not None else "off")

    def want_first(self, rows: Sequence[ClipRow]) -> None:
        """The clip on screen and those about to come, in this order."""
        self._feed.want_first(rows)

    # --- the model -------------------------------------------------------------------------------
    def _load(self, model: str) -> None:
        self._feed.close()
        self._lost = False
        self._set_state("loading")
        self._background.begin(KEY, "Loading the model", self.stop)
        self._loader.load(model)

    @Slot(object)
    def _on_model(self, model: m.ModelReady) -> None:
        self._words = f"{model.model} · {_shown_device(model)}"
        self._background.set_device(self._words)

    def _on_moved(self, message: m.ModelMoved) -> None:
        """The device gave up, and the engine goes on on another."""
        model = self._loader.model
        if model is not None and model.hash == message.hash:
            self._words = f"{model.model} · {_shown_device(message)}"
            self._background.set_device(self._words)
            self.told.emit(message.words)

    @Slot(str)
    def _on_setting(self, name: str) -> None:
        """Another way of looking at clips is kept under a key of its own, so the model is loaded anew for it."""
        if name == "views" and self._state in {"loading", *_AT_WORK}:
            self._cancel()
            self._load(self._loader.wanted)

    @Slot(object)
    def _on_registered(self, model: m.ModelReady) -> None:
        if self._state == "loading":
            self._run(model)
            self.model_ready.emit(model.model, _shown_device(model))

    def _run(self, model: m.ModelReady) -> None:
        """Counts what there is to do, for the status bar; then on."""
        self._feed.open(model)
        if self._holding:
            self._background.end(KEY)
            self._set_state("held")
            self._feed.ask_urgent()
            return
        self._set_state("running")
        self._session.read(partial(suggest_jobs.how_many, model.hash), self._on_counted)

    def _on_counted(self, total: int) -> None:
        self._done = 0
        self._total = total
        if total and self._state == "running":
            self._background.begin(KEY, "Suggesting", self.stop)
            self._background.update(KEY, 0, total)
        self._feed.ask_urgent()
        self._feed.go_on()

    @Slot(str)
    def _fail(self, words: str) -> None:
        self._loader.give_up()
        self._words = words
        self._background.end(KEY)
        self._set_state("failed")
        self.failed.emit(words)

    def _cancel(self) -> None:
        self._feed.close()
        self._keeper.save()
        self._background.end(KEY)

    # --- answers ---------------------------------------------------------------------------------
    @Slot()
    def _on_asked(self) -> None:
        self._set_state("running")

    @Slot()
    def _on_exhausted(self) -> None:
        self._background.end(KEY)
        self._set_state("idle")

    @Slot(object)
    def _on_message(self, message: m.Message) -> None:
        if isinstance(message, m.ModelMoved):
            self._on_moved(message)
        elif isinstance(message, m.ViewsMeasured):
            views = Views(clips=message.views, flip=message.flip)
            self._settings.remember_views_cost(views, message.times)
        elif isinstance(message, m.Suggested) and self._feed.owns(message.request):
            self._on_suggested(message)
        elif isinstance(message, m.JobDone | m.JobFailed) and self._feed.owns(message.request):
            self._feed.ended(message.request)
            if not self._engine.pid:
                return
            if isinstance(message, m.JobFailed):
                self._cancel()
                self._fail(message.reason)
            else:
                self._feed.go_on()

    def _on_suggested(self, message: m.Suggested) -> None:
        model = self._loader.model
        if model is None or message.model_hash != model.hash:
            return
        self._crashes = 0
        answered = {scores.clip_id for scores in message.clips}
        self._feed.answered(answered)
        self._keeper.take(message, model.trunk)
        for trouble in message.unreadable:
            self._feed.unreadable(trouble.clip_id)
            self._session.write(partial(suggest_jobs.mark, trouble), rank=Rank.ENGINE)
        self._done += len(message.clips) + len(message.unreadable)
        self._background.update(KEY, self._done, max(self._total, self._done))
        if self._feed.on_screen in answered:
            self._keeper.save()

    @Slot(object)
    def _on_changed(self, changes: Changes) -> None:
        """Clips may have come."""
        if changes.library and self._state in _AT_WORK and self._feed.look_again_soon():
            self._total = max(self._total, self._session.counts.total)

    # --- trouble ---------------------------------------------------------------------------------
    @Slot(str, object)
    def _on_crashed(self, _words: str, _suspects: tuple[str, ...]) -> None:
        self._loader.lose()
        self._feed.forget()
        if self._state not in {"loading", *_AT_WORK}:
            return
        self._lost = True
        self._crashes += 1
        self._set_state("loading")
        if self._crashes >= MOST_CRASHES:
            self._lost = False
            self._fail(
                f"The media engine died {self._crashes} times in a row with the model {self._loader.wanted} "
                f"(device: {self._settings.device}). Suggestions are off. Choose another device in the "
                "settings, then start suggesting again."
            )

    @Slot()
    def _on_engine_ready(self) -> None:
        """The model died with the engine: load it again, then go on."""
        if self._lost:
            self._load(self._loader.wanted)

    @Slot(str)
    def _on_guilty(self, path: str) -> None:
        self._crashes = 0
        self._on_verdict(path)

    @Slot(str)
    def _on_verdict(self, _path: str) -> None:
        """A file that was on trial may be tried again, or never again."""
        self._feed.ask_urgent()
        self._feed.go_on()

    @Slot()
    def _on_closed(self) -> None:
        self._keeper.forget()
        self._feed.want_first(())
        self._cancel()
        self._loader.give_up()
        self._set_state("off")

    def _set_state(self, state: str) -> None:
        if state != self._state:
            self._state = state
            self.state_changed.emit(state)


def _shown_device(model: m.ModelReady | m.ModelMoved) -> str:
    """What computes, as a person says it: the name of a graphics card, else just 'CPU'."""
    return "CPU" if model.device == "cpu" else model.device_name or model.device.upper()
