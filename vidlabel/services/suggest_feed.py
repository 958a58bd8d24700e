"""Which clips the engine is asked about: the one on screen first, then those about to come, then the rest."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from PySide6.QtCore import QObject, QTimer, Signal, Slot

from vidlabel.core import messages as m
from vidlabel.core.words import ClipRow, ClipState
from vidlabel.services import suggest_jobs
from vidlabel.services.crash_guard import CrashGuard
from vidlabel.services.engine_client import EngineClient
from vidlabel.services.project import ProjectSession
from vidlabel.services.settings import Settings

CLIPS_PER_REQUEST = 32
REQUESTS_AT_ONCE = 2
LOOK_AGAIN_MS = 1000
_TROUBLE = frozenset({ClipState.MISSING, ClipState.UNREADABLE})


class ClipFeed(QObject):
    """Keeps a few requests on their way while it is open, and knows what was tried in vain."""

    asked = Signal()
    """There was something to ask for."""
    exhausted = Signal()
    """Nothing is on its way and nothing is left to ask for."""
    failed = Signal(str)

    def __init__(
        self,
        engine: EngineClient,
        session: ProjectSession,
        settings: Settings,
        *,
        guard: CrashGuard,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._engine = engine
        self._session = session
        self._settings = settings
        self._guard = guard
        self._model: m.ModelReady | None = None
        self._in_flight: dict[int, set[int]] = {}
        self._tried: set[int] = set()
        self._unsaved: set[int] = set()
        self._round = 0
        self._asking = False
        self._held = 0
        self._only_urgent = False
        self._urgent: tuple[ClipRow, ...] = ()
        self._look_timer = QTimer(self)
        self._look_timer.setSingleShot(True)
        self._look_timer.setInterval(LOOK_AGAIN_MS)
        self._look_timer.timeout.connect(self.go_on)

    @property
    def on_screen(self) -> int | None:
        """The clip that the person waits for."""
        return self._urgent[0].clip_id if self._urgent else None

    def open(self, model: m.ModelReady) -> None:
        """From here on this model is asked."""
        self._model = model

    def close(self) -> None:
        """Asks for no more and calls back what is on its way."""
        for request in self._in_flight:
            self._engine.send(m.Cancel(request=request))
        self.forget()

    def forget(self) -> None:
        """The same where the engine, and all that was asked of it, is gone."""
        self._model = None
        self._round += 1
        self._in_flight.clear()
        self._tried.clear()
        self._unsaved.clear()
        self._asking = False
        self._look_timer.stop()

    def only_urgent(self, only: bool) -> None:
        """Whether only the clip on screen and those about to come are asked for; calls the rest back."""
        self._only_urgent = only
        if only:
            for request in [one for one, clips in self._in_flight.items() if not clips & self._tried]:
                self._engine.send(m.Cancel(request=request))
                del self._in_flight[request]
        else:
            self.go_on()

    def want_first(self, rows: Sequence[ClipRow]) -> None:
        """The clip on screen and those about to come, in this order."""
        self._urgent = tuple(rows)
        self.ask_urgent()

    def owns(self, request: int) -> bool:
        """Whether a request is one of these and not ended yet."""
        return request in self._in_flight

    def answered(self, clip_ids: set[int]) -> None:
        """These have a suggestion that is not in the project yet."""
        self._unsaved |= clip_ids

    def saved(self, clip_ids: frozenset[int]) -> None:
        """These have theirs in the project."""
        self._unsaved -= clip_ids
        self._tried -= clip_ids
        self.go_on()

    def unreadable(self, clip_id: int) -> None:
        """This one is not to be asked for again."""
        self._tried.add(clip_id)

    def ended(self, request: int) -> None:
        """A request has had its last answer."""
        self._in_flight.pop(request, None)

    def look_again_soon(self) -> bool:
        """Clips may have come: looks again, soon and not for each of them. Whether that was new."""
        if self._look_timer.isActive():
            return False
        self._look_timer.start()
        return True

    # --- asking ----------------------------------------------------------------------------------
    @Slot()
    def go_on(self) -> None:
        """Asks for more where fewer requests than wanted are on their way."""
        if self._model is None or self._asking or len(self._in_flight) >= REQUESTS_AT_ONCE:
            return
        if self._only_urgent:
            return
        self._asking = True
        # What is on its way or was tried in vain is among the answers.
        limit = CLIPS_PER_REQUEST + len(self._busy()) + self._held
        job = partial(suggest_jobs.without_suggestion, self._model.hash, limit, self._settings.queue_order)
        self._session.read(
            job, partial(self._on_found, self._round), partial(self._on_read_failed, self._round)
        )

    def _on_found(self, asked_in: int, rows: tuple[ClipRow, ...]) -> None:
        if asked_in != self._round:
            return
        self._asking = False
        if self._only_urgent:
            return
        busy = self._busy()
        free = [row for row in rows if row.clip_id not in busy and not self._guard.is_guilty(row.path)]
        wanted = [row for row in free if self._guard.may_try(row.path)]
        # What waits for a verdict comes again with the next question.
        self._held = len(free) - len(wanted)
        if wanted:
            self.asked.emit()
            self._ask(wanted[:CLIPS_PER_REQUEST], priority=2)
            self.go_on()
        elif not self._in_flight and not self._unsaved and not self._held:
            self.exhausted.emit()

    def _on_read_failed(self, asked_in: int, words: str) -> None:
        if asked_in == self._round:
            self._asking = False
            self.failed.emit(words)

    def ask_urgent(self) -> None:
        """Asks for the clip on screen and those to come, as far as they have no suggestion."""
        if self._model is None:
            return
        for place, row in enumerate(self._urgent):
            known = row.model == self._model.hash and row.suggested is not None
            usable = row.state not in _TROUBLE and self._guard.may_try(row.path)
            if usable and not known and row.clip_id not in self._tried:
                self._ask([row], priority=0 if place == 0 else 1)

    def _ask(self, rows: Sequence[ClipRow], *, priority: int) -> None:
        """Looks up what the model's trunk has seen of these already; then the engine is asked."""
        assert self._model is not None
        request = self._engine.request_id()
        self._in_flight[request] = {row.clip_id for row in rows}
        if priority < 2:
            self._tried.update(row.clip_id for row in rows)
        job = partial(suggest_jobs.wanted_clips, tuple(rows), self._model.trunk)
        self._session.read(
            job, partial(self._send, request, priority), partial(self._on_read_failed, self._round)
        )

    def _send(self, request: int, priority: int, clips: tuple[m.WantedClip, ...]) -> None:
        if request in self._in_flight:
            self._engine.send(m.Suggest(request=request, priority=priority, clips=clips))

    def _busy(self) -> set[int]:
        return set().union(*self._in_flight.values()) | self._tried | self._unsaved
