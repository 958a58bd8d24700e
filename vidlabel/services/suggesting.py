"""Keeps suggestions coming: the clip on screen first, then those about to come, then the rest."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from PySide6.QtCore import QObject, QTimer, Signal, Slot

from vidlabel.core import messages as m
from vidlabel.core.words import Changes, ClipRow, ClipState, Suggestion
from vidlabel.services import suggest_jobs
from vidlabel.services.background import Background
from vidlabel.services.crash_guard import CrashGuard
from vidlabel.services.engine_client import EngineClient
from vidlabel.services.project import ProjectSession
from vidlabel.services.settings import Settings
from vidlabel.services.tasks import Rank, TaskRunner

KEY = "suggest"
BUNDLED = "bundled"
CLIPS_PER_REQUEST = 32
REQUESTS_AT_ONCE = 2
SAVE_EVERY_MS = 500
LOOK_AGAIN_MS = 1000
MOST_CRASHES = 5
"""So many crashes with no suggestion between them: it is the model or its device, and it is not tried again."""
_TROUBLE = frozenset({ClipState.MISSING, ClipState.UNREADABLE})


class Suggesting(QObject):
    """Loads the project's model when the project opens and asks for what has no suggestion of it yet."""

    state_changed = Signal(str)
    """``off``, ``loading``, ``running``, ``paused``, ``idle`` (all have one) or ``failed``"""
    model_ready = Signal(str, str)
    """(name of the model, device)"""
    failed = Signal(str)

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
        self._guard = guard
        self._tasks = tasks
        self._state = "off"
        self._words = ""
        self._wanted_model = BUNDLED
        self._loading: int | None = None
        self._model: m.ModelReady | None = None
        self._in_flight: dict[int, set[int]] = {}
        self._tried: set[int] = set()
        self._asking = False
        self._held = 0
        self._lost = False
        self._crashes = 0
        self._urgent: tuple[ClipRow, ...] = ()
        self._fresh: list[Suggestion] = []
        self._done = 0
        self._total = 0
        self._save_timer = self._single_shot(SAVE_EVERY_MS, self._save)
        self._look_timer = self._single_shot(LOOK_AGAIN_MS, self._go_on)
        engine.message_received.connect(self._on_message)
        engine.ready.connect(self._on_engine_ready)
        engine.crashed.connect(self._on_crashed)
        guard.freed.connect(self._on_verdict)
        guard.found_guilty.connect(self._on_guilty)
        session.closed.connect(self._on_closed)
        session.changed.connect(self._on_changed)

    @property
    def state(self) -> str:
        return self._state

    @property
    def model_words(self) -> str:
        """'bundled · cpu', or why there is none."""
        return self._words

    @property
    def model_hash(self) -> str | None:
        return self._model.hash if self._model is not None else None

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
        if self._state in {"running", "idle"}:
            self._cancel()
            self._set_state("paused")

    def resume(self) -> None:
        if self._state != "paused":
            return
        if self._model is None:
            self._load(self._wanted_model)
        else:
            self._set_state("running")
            self._count()

    @Slot()
    def stop(self) -> None:
        """Until the person starts it again."""
        self._cancel()
        self._loading = None
        if self._state in {"loading", "running", "idle"}:
            self._set_state("paused" if self._model is not None else "off")

    def want_first(self, rows: Sequence[ClipRow]) -> None:
        """The clip on screen and those about to come, in this order."""
        self._urgent = tuple(rows)
        self._ask_urgent()

    # --- the model -------------------------------------------------------------------------------
    def _load(self, model: str) -> None:
        self._wanted_model = model
        self._loading = self._engine.request_id()
        self._model = None
        self._lost = False
        self._set_state("loading")
        self._background.begin(KEY, "Loading the model", self.stop)
        self._engine.send(m.LoadModel(request=self._loading, model=model, device=self._settings.device))

    def _on_model(self, message: m.ModelReady) -> None:
        self._loading = None
        self._model = message
        self._words = f"{message.model} · {_shown_device(message)}"
        self._background.set_device(self._words)
        self._tasks.run(partial(suggest_jobs.card_of, message.hash), self._on_card, self._on_no_card)

    def _on_not_loaded(self, words: str) -> None:
        """A newer version of the program carries another bundled model; it takes over."""
        facts = self._session.facts
        known = facts.model if facts is not None else None
        if known == (self._wanted_model, BUNDLED):
            self._load(BUNDLED)
        elif known is not None and known[0] == self._wanted_model:
            self._fail(words.replace(known[0], f"{known[1]} ({known[0][:8]})"))
        else:
            self._fail(words)

    def _on_card(self, card: dict[str, Any]) -> None:
        model = self._model
        if model is not None and self._session.is_open:
            self._session.write(partial(suggest_jobs.register, model, card), self._on_registered, self._fail)

    def _on_no_card(self, _words: str) -> None:
        self._on_card({})

    def _on_registered(self, _changes: object) -> None:
        model = self._model
        if model is not None and self._state == "loading":
            self._set_state("running")
            self.model_ready.emit(model.model, _shown_device(model))
            self._count()

    def _fail(self, words: str) -> None:
        self._loading = None
        self._words = words
        self._background.end(KEY)
        self._set_state("failed")
        self.failed.emit(words)

    # --- asking ----------------------------------------------------------------------------------
    def _count(self) -> None:
        """How much there is to do, for the status bar; then on."""
        if self._model is not None:
            self._session.read(partial(suggest_jobs.how_many, self._model.hash), self._on_counted)

    def _on_counted(self, total: int) -> None:
        self._done = 0
        self._total = total
        if total and self._state == "running":
            self._background.begin(KEY, "Suggesting", self.stop)
            self._background.update(KEY, 0, total)
        self._ask_urgent()
        self._go_on()

    @Slot()
    def _go_on(self) -> None:
        if self._state not in {"running", "idle"} or self._model is None or self._asking:
            return
        if len(self._in_flight) < REQUESTS_AT_ONCE:
            self._asking = True
            # What is on its way or was tried in vain is among the answers.
            limit = CLIPS_PER_REQUEST + len(self._busy()) + len(self._tried) + len(self._fresh) + self._held
            job = partial(
                suggest_jobs.without_suggestion, self._model.hash, limit, self._settings.queue_order
            )
            self._session.read(job, self._on_found, self._on_read_failed)

    def _on_found(self, rows: tuple[ClipRow, ...]) -> None:
        self._asking = False
        if self._state not in {"running", "idle"}:
            return
        busy = self._busy() | self._tried | {suggestion.clip_id for suggestion in self._fresh}
        free = [row for row in rows if row.clip_id not in busy and not self._guard.is_guilty(row.path)]
        wanted = [row for row in free if self._guard.may_try(row.path)]
        # What waits for a verdict comes again with the next question.
        self._held = len(free) - len(wanted)
        if wanted:
            self._set_state("running")
            self._ask(wanted[:CLIPS_PER_REQUEST], priority=2)
            self._go_on()
        elif not self._in_flight and not self._fresh and not self._held:
            self._background.end(KEY)
            self._set_state("idle")

    def _on_read_failed(self, words: str) -> None:
        self._asking = False
        self._fail(words)

    def _ask_urgent(self) -> None:
        if self._state not in {"running", "idle"} or self._model is None:
            return
        for place, row in enumerate(self._urgent):
            known = row.model == self._model.hash and row.suggested is not None
            usable = row.state not in _TROUBLE and self._guard.may_try(row.path)
            if usable and not known and row.clip_id not in self._tried:
                self._ask([row], priority=0 if place == 0 else 1)

    def _ask(self, rows: Sequence[ClipRow], *, priority: int) -> None:
        request = self._engine.request_id()
        self._in_flight[request] = {row.clip_id for row in rows}
        if priority < 2:
            self._tried.update(row.clip_id for row in rows)
        self._engine.send(
            m.Suggest(
                request=request,
                priority=priority,
                clips=tuple(
                    m.WantedClip(clip_id=row.clip_id, path=row.path, start_us=row.start_us, end_us=row.end_us)
                    for row in rows
                ),
            )
        )

    def _busy(self) -> set[int]:
        return set().union(*self._in_flight.values())

    def _cancel(self) -> None:
        for request in self._in_flight:
            self._engine.send(m.Cancel(request=request))
        self._in_flight.clear()
        self._tried.clear()
        self._asking = False
        self._look_timer.stop()
        self._save()
        self._background.end(KEY)

    # --- answers ---------------------------------------------------------------------------------
    @Slot(object)
    def _on_message(self, message: m.Message) -> None:
        if isinstance(message, m.ModelReady) and message.request == self._loading:
            self._on_model(message)
        elif isinstance(message, m.Suggested) and message.request in self._in_flight:
            self._on_suggested(message)
        elif isinstance(message, m.JobDone | m.JobFailed):
            if message.request == self._loading and isinstance(message, m.JobFailed):
                if self._engine.pid:
                    self._on_not_loaded(message.reason)
            elif self._in_flight.pop(message.request, None) is not None:
                if not self._engine.pid:
                    return
                if isinstance(message, m.JobFailed):
                    self._cancel()
                    self._fail(message.reason)
                else:
                    self._go_on()

    def _on_suggested(self, message: m.Suggested) -> None:
        if self._model is None or message.model_hash != self._model.hash:
            return
        self._crashes = 0
        self._fresh += [suggest_jobs.suggestion_of(scores, self._model.hash) for scores in message.clips]
        for trouble in message.unreadable:
            self._tried.add(trouble.clip_id)
            self._session.write(partial(suggest_jobs.mark, trouble), rank=Rank.ENGINE)
        self._done += len(message.clips) + len(message.unreadable)
        self._background.update(KEY, self._done, max(self._total, self._done))
        on_screen = {row.clip_id for row in self._urgent[:1]}
        if on_screen & {scores.clip_id for scores in message.clips}:
            self._save()
        elif not self._save_timer.isActive():
            self._save_timer.start()

    @Slot()
    def _save(self) -> None:
        self._save_timer.stop()
        if self._fresh:
            fresh, self._fresh = tuple(self._fresh), []
            self._tried.update(suggestion.clip_id for suggestion in fresh)
            done = partial(self._on_saved, tuple(suggestion.clip_id for suggestion in fresh))
            self._session.write(partial(suggest_jobs.save, fresh), done, rank=Rank.ENGINE)

    def _on_saved(self, clip_ids: tuple[int, ...], _changes: object) -> None:
        self._tried.difference_update(clip_ids)
        self._go_on()

    @Slot(object)
    def _on_changed(self, changes: Changes) -> None:
        """Clips may have come: look again, soon and not for each of them."""
        if changes.library and self._state in {"running", "idle"} and not self._look_timer.isActive():
            self._total = max(self._total, self._session.counts.total)
            self._look_timer.start()

    # --- trouble ---------------------------------------------------------------------------------
    @Slot(str, object)
    def _on_crashed(self, _words: str, _suspects: tuple[str, ...]) -> None:
        self._model = None
        self._in_flight.clear()
        self._tried.clear()
        self._asking = False
        if self._state not in {"loading", "running", "idle"}:
            return
        self._lost = True
        self._crashes += 1
        self._set_state("loading")
        if self._crashes >= MOST_CRASHES:
            self._lost = False
            self._fail(
                f"The media engine died {self._crashes} times in a row with the model {self._wanted_model} "
                f"(device: {self._settings.device}). Suggestions are off. Choose another device in the "
                "settings, then start suggesting again."
            )

    @Slot()
    def _on_engine_ready(self) -> None:
        """The model died with the engine: load it again, then go on."""
        if self._lost:
            self._load(self._wanted_model)

    @Slot(str)
    def _on_guilty(self, path: str) -> None:
        self._crashes = 0
        self._on_verdict(path)

    @Slot(str)
    def _on_verdict(self, _path: str) -> None:
        """A file that was on trial may be tried again, or never again."""
        self._ask_urgent()
        self._go_on()

    @Slot()
    def _on_closed(self) -> None:
        self._fresh.clear()
        self._cancel()
        self._loading = None
        self._urgent = ()
        self._set_state("off")

    def _set_state(self, state: str) -> None:
        if state != self._state:
            self._state = state
            self.state_changed.emit(state)

    def _single_shot(self, interval_ms: int, slot: object) -> QTimer:
        timer = QTimer(self)
        timer.setSingleShot(True)
        timer.setInterval(interval_ms)
        timer.timeout.connect(slot)
        return timer


def _shown_device(model: m.ModelReady) -> str:
    """What computes, as a person says it: the name of a graphics card, else just 'CPU'."""
    return "CPU" if model.device == "cpu" else model.device_name or model.device.upper()
