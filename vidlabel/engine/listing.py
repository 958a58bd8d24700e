"""Walks roots for the window."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from vidlabel.core import messages as m
from vidlabel.core.errors import MissingVideoError
from vidlabel.engine.jobs import JobQueue
from vidlabel.engine.outbox import Send
from vidlabel.media.walk import walk

BATCH = 500


class Lister(JobQueue[m.ListFiles]):
    """Answers ListFiles with FilesListed in batches of about ``BATCH``."""

    def __init__(self, send: Send) -> None:
        super().__init__("listing", self._list, send)

    def _list(self, request: m.ListFiles, should_stop: Callable[[], bool]) -> None:
        root = Path(request.root)
        if not root.is_dir():
            raise MissingVideoError(root, "the folder is not there. Connect its disk, or relink the root.")
        entries: list[tuple[str, int, int]] = []
        problems: list[str] = []
        for batch in walk(root, should_stop=should_stop):
            entries += [(entry.relative, entry.size, entry.mtime_ns) for entry in batch.entries]
            problems += batch.problems
            # The first batch goes out however small, so that the person soon sees that something happens.
            while len(entries) >= BATCH:
                self._tell(request, entries[:BATCH], problems)
                entries, problems = entries[BATCH:], []
        if entries or problems:
            self._tell(request, entries, problems)

    def _tell(self, request: m.ListFiles, entries: list[tuple[str, int, int]], problems: list[str]) -> None:
        self._send(
            m.FilesListed(
                request=request.request, root=request.root, entries=tuple(entries), problems=tuple(problems)
            )
        )
