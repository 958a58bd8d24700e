"""Hashes the whole content of videos in spare time, so that identical files become one video."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Slot

from vidlabel.core import messages as m
from vidlabel.core.words import Changes
from vidlabel.services.background import Background
from vidlabel.services.engine_client import EngineClient
from vidlabel.services.project import ProjectSession
from vidlabel.services.tasks import Rank

if TYPE_CHECKING:
    from vidlabel.store.project_store import ProjectStore

KEY = "hash"
AT_ONCE = 32


class Hashing(QObject):
    """Runs after a scan, a portion at a time, until every readable video has its hash."""

    def __init__(
        self,
        engine: EngineClient,
        session: ProjectSession,
        background: Background,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._engine = engine
        self._session = session
        self._background = background
        self._request: int | None = None
        self._running = False
        self._done = 0
        self._tried: set[int] = set()
        self._in_flight: set[int] = set()
        self._lost = False
        engine.message_received.connect(self._on_message)
        engine.ready.connect(self._on_engine_ready)

    @property
    def running(self) -> bool:
        return self._running

    def start(self) -> None:
        """Goes on with what has no hash yet."""
        if not self._running and self._session.is_open and not self._session.read_only:
            self._running = True
            self._done = 0
            self._lost = False
            self._tried.clear()
            self._ask()

    @Slot()
    def stop(self) -> None:
        if self._request is not None:
            self._engine.send(m.Cancel(request=self._request))
        self._end()

    def _ask(self) -> None:
        # What cannot be hashed comes again with every question: asked for on top of a portion.
        self._session.read(partial(_without_hash, AT_ONCE + len(self._tried)), self._on_found)

    def _on_found(self, found: list[tuple[int, Path]]) -> None:
        if not self._running:
            return
        videos = tuple((video, str(path)) for video, path in found if video not in self._tried)[:AT_ONCE]
        if not videos:
            self._end()
            return
        if not self._done:
            self._background.begin(KEY, "Comparing contents", self.stop)
        self._in_flight = {video for video, _ in videos}
        self._tried |= self._in_flight
        self._request = self._engine.request_id()
        self._engine.send(m.HashFiles(request=self._request, videos=videos))

    @Slot(object)
    def _on_message(self, message: m.Message) -> None:
        if self._request is None or getattr(message, "request", None) != self._request:
            return
        if isinstance(message, m.FileHashed):
            self._done += 1
            self._in_flight.discard(message.video_id)
            self._background.update(KEY, self._done)
            if message.content_hash:
                self._tried.discard(message.video_id)
                self._session.write(partial(_save, message.video_id, message.content_hash), rank=Rank.ENGINE)
        elif isinstance(message, m.JobDone):
            self._request = None
            # Behind the writes of this portion, so that they are not found again.
            self._session.write(_nothing, self._on_saved, rank=Rank.ENGINE)
        elif isinstance(message, m.JobFailed):
            if self._engine.pid:
                self._end()
            else:
                self._request = None
                self._lost = True

    @Slot()
    def _on_engine_ready(self) -> None:
        """The engine died meanwhile: what it did not come to is asked for again."""
        if self._lost and self._running:
            self._lost = False
            self._tried -= self._in_flight
            self._ask()

    def _on_saved(self, _changes: object) -> None:
        if self._running:
            self._ask()

    def _end(self) -> None:
        self._request = None
        if self._running:
            self._running = False
            self._background.end(KEY)


def _without_hash(limit: int, store: ProjectStore) -> list[tuple[int, Path]]:
    return store.videos_without_hash(limit)


def _save(video_id: int, content_hash: str, store: ProjectStore) -> Changes:
    return store.save_hash(video_id, content_hash)


def _nothing(_store: ProjectStore) -> None:
    return None
