"""Follows a run by what it writes: its process may have been started by another window, or by the command line."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QObject, QTimer, Signal, Slot

from vidlabel.core.runs import RunFolder
from vidlabel.services.run_story import RunStory, read_on
from vidlabel.services.tasks import TaskRunner

LOOK_EVERY_MS = 400


class RunFollower(QObject):
    """Reads on in ``events.jsonl``, in the pool; one look at a time."""

    told = Signal(str, object)
    """(run, :class:`RunStory`), whenever there is something new, and once where there is nothing yet"""

    def __init__(self, folder: RunFolder, tasks: TaskRunner, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.folder = folder
        self._tasks = tasks
        self._story = RunStory()
        self._reading = self._told_once = self._stopped = self._expected = False
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(LOOK_EVERY_MS)
        self._timer.timeout.connect(self.look)

    @property
    def story(self) -> RunStory:
        """As far as it is read."""
        return self._story

    @property
    def known(self) -> bool:
        """Whether the file was looked at."""
        return self._told_once

    def start(self, *, live: bool) -> None:
        """Looks now, and again and again while the run is live, or its last word leaves it at work.

        Args:
            live: whether its process is known to be at work: one that was resumed may not have said so yet.
        """
        self._stopped = False
        self._expected = live
        if not self._timer.isActive():
            self.look()

    def stop(self) -> None:
        """Looks no more; what is on its way is not told."""
        self._stopped = True
        self._timer.stop()

    @Slot()
    def look(self) -> None:
        """Reads what has come since."""
        self._timer.stop()
        if self._reading or self._stopped:
            return
        self._reading = True
        self._tasks.run(partial(read_on, self._story, self.folder.events), self._on_read, self._on_unread)

    def _on_read(self, story: RunStory) -> None:
        self._reading = False
        if self._stopped:
            return
        before, self._story = self._story, story
        if story is not before or not self._told_once:
            self._told_once = True
            self.told.emit(self.folder.name, story)
        if story.offset != before.offset and story.offset:
            # There may be more than one look reads.
            self._timer.start(0 if story.offset - before.offset > 250_000 else LOOK_EVERY_MS)
        elif story.live or self._expected:
            self._timer.start(LOOK_EVERY_MS)

    def _on_unread(self, _words: str) -> None:
        """The folder is away for the moment: the next look may find it."""
        self._reading = False
        if not self._stopped:
            self._timer.start(LOOK_EVERY_MS)
