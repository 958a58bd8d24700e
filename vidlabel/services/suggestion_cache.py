"""The suggestions of the clip on screen and of those to come, read before they are needed."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal, Slot

from vidlabel.core.words import Changes, Suggestion
from vidlabel.services.project import ProjectSession

if TYPE_CHECKING:
    from vidlabel.store.project_store import ProjectStore


class SuggestionCache(QObject):
    """Holds what :meth:`keep` names, of the project's active model."""

    arrived = Signal(int)
    """clip id"""

    def __init__(self, session: ProjectSession, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._known: dict[int, Suggestion | None] = {}
        self._asked: set[int] = set()
        session.changed.connect(self._on_changed)

    def get(self, clip_id: int) -> Suggestion | None:
        """The suggestion if it is known; ``arrived`` follows if it was not and there is one."""
        if clip_id not in self._known:
            self._ask([clip_id])
        return self._known.get(clip_id)

    def keep(self, clip_ids: Sequence[int]) -> None:
        """These will be wanted; others are forgotten."""
        self._known = {clip_id: self._known[clip_id] for clip_id in clip_ids if clip_id in self._known}
        self._ask([clip_id for clip_id in clip_ids if clip_id not in self._known])

    def clear(self) -> None:
        self._known.clear()
        self._asked.clear()

    def _ask(self, clip_ids: Sequence[int]) -> None:
        wanted = tuple(clip_id for clip_id in clip_ids if clip_id not in self._asked)
        if wanted:
            self._asked.update(wanted)
            self._session.read(partial(_suggestions, wanted), self._on_read)

    def _on_read(self, found: dict[int, Suggestion | None]) -> None:
        for clip_id, suggestion in found.items():
            self._asked.discard(clip_id)
            self._known[clip_id] = suggestion
            if suggestion is not None:
                self.arrived.emit(clip_id)

    @Slot(object)
    def _on_changed(self, changes: Changes) -> None:
        """A model had its say on some, or another model is active."""
        decided = {decision.clip_id for decision in changes.decisions}
        again = [
            clip_id
            for clip_id, suggestion in self._known.items()
            if changes.models or (clip_id in changes.clips and clip_id not in decided and suggestion is None)
        ]
        self._ask(again)


def _suggestions(clip_ids: tuple[int, ...], store: ProjectStore) -> dict[int, Suggestion | None]:
    active = store.active_model()
    if active is None:
        return dict.fromkeys(clip_ids)
    return {clip_id: store.suggestion(clip_id, active[0]) for clip_id in clip_ids}
