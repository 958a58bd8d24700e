"""Which files the engine is not to touch: those on trial after a crash, and those that were found guilty."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal, Slot

from vidlabel.core.errors import UnknownVideoError
from vidlabel.core.words import Changes
from vidlabel.services.engine_client import EngineClient
from vidlabel.services.fault_finder import REASON, FaultFinder
from vidlabel.services.project import ProjectSession
from vidlabel.services.tasks import Rank

if TYPE_CHECKING:
    from vidlabel.store.project_store import ProjectStore

__all__ = ["REASON", "CrashGuard"]

_Version = tuple[int, int]
"""(size in bytes, time of change in ns)"""


class CrashGuard(QObject):
    """Keeps suspects away from the engine until their trial is over, and marks the guilty.

    Only the clip on screen is tried again before: one crash is no proof, and the person waits for it. If that
    brings the engine down a second time, it waits for the verdict, too.
    """

    found_guilty = Signal(str)
    """Path of a file that is not to be tried again."""
    freed = Signal(str)
    """Path of a file that may be tried again."""
    told = Signal(str)
    """what happened, for the person"""
    ended = Signal()
    """After :meth:`stop`: nothing runs any more."""

    def __init__(
        self,
        engine: EngineClient,
        session: ProjectSession,
        parent: QObject | None = None,
        *,
        make_engine: Callable[[QObject], EngineClient] | None = None,
    ) -> None:
        super().__init__(parent)
        self._session = session
        self._guilty: dict[str, _Version | None] = {}
        # Before the finder, which may have a verdict at once: what happened is said first.
        engine.crashed.connect(self._on_crashed)
        self._finder = FaultFinder(engine, self, make_engine=make_engine)
        self._finder.file_at_fault.connect(self._on_at_fault)
        self._finder.file_cleared.connect(self.freed)
        self._finder.ended.connect(self.ended)

    def is_guilty(self, path: str) -> bool:
        """Whether the file is not to be tried again."""
        return path in self._guilty

    def is_suspect(self, path: str) -> bool:
        """Whether it was being worked on when the engine died, and its trial is not over."""
        return self._finder.is_suspect(path)

    def may_try(self, path: str) -> bool:
        """Whether the engine may have the file for work in the background."""
        return not self.is_guilty(path) and not self.is_suspect(path)

    def may_play(self, path: str) -> bool:
        """Whether the engine may have the file because it is on screen."""
        return not self.is_guilty(path) and not (self.is_suspect(path) and self._finder.strikes(path) > 1)

    def look_again(self, path: str, *, size: int, mtime_ns: int) -> None:
        """The scan met the file: if it is another one than was judged, the verdict is not about it."""
        if path in self._guilty and self._guilty[path] != (size, mtime_ns):
            del self._guilty[path]

    @property
    def busy(self) -> bool:
        """Whether a trial or its process is still there."""
        return self._finder.is_busy()

    def stop(self) -> None:
        """Ends a trial without a verdict; ``ended`` follows if it was :attr:`busy`."""
        self._finder.stop()

    @Slot(str, object)
    def _on_crashed(self, words: str, _suspects: tuple[str, ...]) -> None:
        self.told.emit(words)

    @Slot(str, str)
    def _on_at_fault(self, path: str, reason: str) -> None:
        self._guilty[path] = _version(path)
        if not self._session.read_only:
            self._session.write(partial(_mark, path, reason), rank=Rank.ENGINE)
        self.found_guilty.emit(path)
        self.told.emit(
            f"{path}: {reason}. It is marked unreadable and left alone, all else goes on. "
            "A copy made by a converter may be readable."
        )


def _version(path: str) -> _Version | None:
    try:
        status = os.stat(path)  # noqa: PTH116 - a path may hold bytes that are no text
    except OSError:
        return None
    return status.st_size, status.st_mtime_ns


def _mark(path: str, reason: str, store: ProjectStore) -> Changes | None:
    try:
        return store.mark_trouble(Path(path), reason, missing=False)
    except UnknownVideoError:
        # Not a video of the project yet: the scan, which met it, keeps it with the reason.
        return None
