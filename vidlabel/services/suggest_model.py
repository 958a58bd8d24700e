"""Loading the model that suggests, and making it known to the project."""

from __future__ import annotations

from functools import partial
from typing import Any

from PySide6.QtCore import QObject, Signal, Slot

from vidlabel.core import messages as m
from vidlabel.core.model_key import ModelKey
from vidlabel.services import suggest_jobs
from vidlabel.services.engine_client import EngineClient
from vidlabel.services.project import ProjectSession
from vidlabel.services.settings import Settings
from vidlabel.services.tasks import TaskRunner

BUNDLED = "bundled"


class ModelLoader(QObject):
    """Has the engine load a model; it is ready once the project knows it."""

    loaded = Signal(object)
    """:class:`~vidlabel.core.messages.ModelReady`: the engine has it."""
    ready = Signal(object)
    """The same, once the project knows it."""
    failed = Signal(str)

    def __init__(
        self,
        engine: EngineClient,
        session: ProjectSession,
        settings: Settings,
        *,
        tasks: TaskRunner,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._engine = engine
        self._session = session
        self._settings = settings
        self._tasks = tasks
        self._request: int | None = None
        self.wanted = BUNDLED
        """Hash or name of the model that was asked for last."""
        self.model: m.ModelReady | None = None
        """What the engine has loaded."""
        engine.message_received.connect(self._on_message)

    def load(self, model: str) -> None:
        """``loaded`` and ``ready`` follow, or ``failed``."""
        key = ModelKey.parse(model)
        self.wanted = key.hash
        self.model = None
        self._request = self._engine.request_id()
        views = self._settings.views
        self._engine.send(
            m.LoadModel(
                request=self._request,
                model=key.hash,
                device=self._settings.device,
                views=views.clips,
                flip=views.flip,
                precision=key.precision,
            )
        )

    def give_up(self) -> None:
        """Whatever is on its way is not waited for; what is loaded stays."""
        self._request = None

    def lose(self) -> None:
        """The engine died, and the model with it."""
        self.model = None

    @Slot(object)
    def _on_message(self, message: m.Message) -> None:
        if isinstance(message, m.ModelReady) and message.request == self._request:
            self._request = None
            self.model = message
            self.loaded.emit(message)
            self._tasks.run(partial(suggest_jobs.card_of, message.hash), self._on_card, self._on_no_card)
        elif isinstance(message, m.JobFailed) and message.request == self._request and self._engine.pid:
            self._on_not_loaded(message.reason)

    def _on_not_loaded(self, words: str) -> None:
        """A newer version of the program carries another bundled model; it takes over."""
        facts = self._session.facts
        known = facts.model if facts is not None else None
        key = ModelKey.parse(known[0]) if known is not None else None
        self._request = None
        if key is None or known is None or key.hash != self.wanted:
            self.failed.emit(words)
        elif known[1] == key.name(BUNDLED):
            self.load(BUNDLED)
        else:
            self.failed.emit(words.replace(key.hash, f"{known[1]} ({key.hash[:8]})"))

    def _on_card(self, card: dict[str, Any]) -> None:
        model = self.model
        if model is not None and self._session.is_open:
            self._session.write(
                partial(suggest_jobs.register, model, card),
                partial(self._on_registered, model),
                self.failed.emit,
            )

    def _on_no_card(self, _words: str) -> None:
        self._on_card({})

    def _on_registered(self, model: m.ModelReady, _changes: object) -> None:
        if model is self.model:
            self.ready.emit(model)
