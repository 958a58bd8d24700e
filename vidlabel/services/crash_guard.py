"""Finds the file that kills the decoder, so that it is marked and not tried again."""

from __future__ import annotations

from collections import Counter
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal, Slot

from vidlabel.core.errors import VidlabelError
from vidlabel.core.words import Changes
from vidlabel.services.engine_client import EngineClient
from vidlabel.services.project import ProjectSession

if TYPE_CHECKING:
    from vidlabel.store.project_store import ProjectStore

REASON = "the decoder crashed on this file"
_ALONE = 2
_IN_COMPANY = 3


class CrashGuard(QObject):
    """One crash proves nothing: the engine may have been killed from outside, or for another file.

    A file is guilty when it was worked on in two crashes, in one of them alone, or in three in any company.
    """

    found_guilty = Signal(object)
    """tuple[str, ...] of paths"""
    told = Signal(str)
    """what happened, for the person"""

    def __init__(self, engine: EngineClient, session: ProjectSession, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._suspected: Counter[str] = Counter()
        self._guilty: set[str] = set()
        engine.crashed.connect(self._on_crashed)

    def is_guilty(self, path: str) -> bool:
        """Whether the file is not to be tried again."""
        return path in self._guilty

    def is_suspect(self, path: str) -> bool:
        """Whether it was worked on when the engine died."""
        return path in self._suspected

    def cleared(self, path: str) -> None:
        """It was decoded wholly and nothing happened."""
        self._suspected.pop(path, None)

    @Slot(str, object)
    def _on_crashed(self, words: str, suspects: tuple[str, ...]) -> None:
        self._suspected.update(suspects)
        enough = _ALONE if len(suspects) == 1 else _IN_COMPANY
        guilty = tuple(
            path for path in suspects if self._suspected[path] >= enough and path not in self._guilty
        )
        if not guilty:
            self.told.emit(words)
            return
        self._guilty.update(guilty)
        self.found_guilty.emit(guilty)
        self.told.emit(f"{words} {', '.join(guilty)}: {REASON}; it is marked unreadable and not tried again.")
        for path in guilty:
            self._session.write(partial(_mark, path))


def _mark(path: str, store: ProjectStore) -> Changes | None:
    try:
        return store.mark_trouble(Path(path), REASON, missing=False)
    except VidlabelError:
        # Not a video of the project yet: the scan, which met it, keeps it with the reason.
        return None
