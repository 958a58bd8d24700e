"""The open project: the one place of the window that uses the store, always off the GUI thread."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, QTimer, Signal, Slot

from vidlabel.core.words import Changes, ClipQuery, Counts, Label, Root
from vidlabel.services import project_jobs
from vidlabel.services.project_opening import Aftermath, Opened, ProjectFacts, aftermath, open_file, open_path
from vidlabel.services.settings import Settings
from vidlabel.services.tasks import Lane, Rank, TaskRunner, hears

if TYPE_CHECKING:
    from vidlabel.store.project_store import ProjectStore

__all__ = ["ProjectFacts", "ProjectSession"]

_BACKUP_AFTER_MS = 60_000


class ProjectSession(QObject):
    """Holds the store and tells what changed. What it is given runs off the GUI thread."""

    opened = Signal(object)
    """:class:`ProjectFacts`"""
    open_failed = Signal(str)
    closed = Signal()
    changed = Signal(object)
    """:class:`~vidlabel.core.words.Changes`, after they are on disk"""
    counts_changed = Signal(object)
    labels_changed = Signal(object)
    """tuple[Label, ...] in use, in order"""
    recent_labels_changed = Signal(object)
    """tuple[str, ...], newest first"""
    roots_changed = Signal(object)
    undo_changed = Signal(object, object)
    """words (str or None) of what would be undone and redone"""
    write_failed = Signal(str)

    def __init__(self, tasks: TaskRunner, settings: Settings, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._tasks = tasks
        self._settings = settings
        self._store: ProjectStore | None = None
        self._facts: ProjectFacts | None = None
        self._failure = ""
        self._generation = 0
        self._after: Aftermath | None = None
        self._asking = False
        self._ask_again = False
        self._untold: list[Changes] = []
        self._tell_timer = QTimer(self)
        self._tell_timer.setSingleShot(True)
        # Qt paints before it looks at timers: the next clip is on screen before the lists follow.
        self._tell_timer.setInterval(0)
        self._tell_timer.timeout.connect(self._tell)
        self._backup_timer = QTimer(self)
        self._backup_timer.setSingleShot(True)
        self._backup_timer.setInterval(_BACKUP_AFTER_MS)
        self._backup_timer.timeout.connect(self._back_up)

    @property
    def facts(self) -> ProjectFacts | None:
        """As of opening; None while no project is open."""
        return self._facts

    @property
    def is_open(self) -> bool:
        return self._facts is not None

    @property
    def failure(self) -> str:
        """Why the project that was asked for last could not be opened; '' if it could."""
        return self._failure

    @property
    def read_only(self) -> bool:
        return self._facts is not None and self._facts.read_only

    @property
    def counts(self) -> Counts:
        return self._after.counts if self._after else Counts()

    @property
    def labels(self) -> tuple[Label, ...]:
        """The labels in use, in order, without retired ones."""
        return tuple(label for label in self._after.labels if not label.retired) if self._after else ()

    @property
    def recent_labels(self) -> tuple[str, ...]:
        return self._after.recent_labels if self._after else ()

    @property
    def roots(self) -> tuple[Root, ...]:
        return self._after.roots if self._after else ()

    @property
    def undo_words(self) -> str | None:
        return self._after.undo if self._after else None

    @property
    def redo_words(self) -> str | None:
        return self._after.redo if self._after else None

    @property
    def annotator(self) -> str:
        return self._settings.annotator

    def open(self, path: Path) -> None:
        """Opens a ``*.vidlabel`` file, or the project of a media folder, which is made where there is none.

        ``opened`` or ``open_failed`` follows. An open project is closed first.
        """
        self.close()
        self._generation += 1
        self._run_open(partial(open_path, path), self._generation)

    def create(self, path: Path, folder: Path) -> None:
        """Makes a project file for a media folder and opens it."""
        self.close()
        self._generation += 1
        self._run_open(partial(open_file, path, folder, create=True), self._generation)

    def close(self) -> None:
        """Closes the project after everything that was asked of it is written."""
        store, self._store = self._store, None
        self._facts = None
        self._after = None
        self._asking = False
        self._generation += 1
        self._backup_timer.stop()
        self._tell_timer.stop()
        self._untold.clear()
        if store is not None:
            self._tasks.run(partial(project_jobs.close, store), lane=Lane.DATABASE, rank=Rank.LAST)
            self.closed.emit()

    def read(
        self,
        fn: Callable[[ProjectStore], Any],
        on_done: Callable[[Any], None],
        on_failed: Callable[[str], None] | None = None,
    ) -> None:
        """Runs ``fn(store)`` on the reading thread; ``on_done`` gets the value, unless it is closed."""
        if self._store is None:
            return
        done = partial(self._if_same, self._generation, on_done)
        failed = partial(self._if_same, self._generation, on_failed or self.write_failed.emit)
        self._tasks.run(partial(fn, self._store), done, failed, lane=Lane.READING)

    def write(
        self,
        fn: Callable[[ProjectStore], Changes | None],
        on_done: Callable[[Any], None] | None = None,
        on_failed: Callable[[str], None] | None = None,
        *,
        rank: Rank = Rank.PERSON,
    ) -> None:
        """Runs ``fn(store)`` on the writing thread; ``on_done`` gets its Changes, then all do."""
        if self._store is None:
            return
        done = partial(self._written, self._generation, on_done)
        failed = partial(self._if_same, self._generation, on_failed or self.write_failed.emit)
        self._tasks.run(partial(fn, self._store), done, failed, lane=Lane.DATABASE, rank=rank)

    def add_root(self, folder: Path, on_done: Callable[[Any], None] | None = None) -> None:
        """Watches one more folder; ``changed`` follows."""
        self.write(partial(project_jobs.add_root, folder), on_done)

    def relink_root(self, old: Path, new: Path) -> None:
        """A root lies elsewhere now."""
        self.write(partial(project_jobs.relink_root, old, new))

    def add_label(self, name: str) -> None:
        self.write(partial(project_jobs.label_change, "add_label", (name,)))

    def rename_label(self, label_id: int, name: str) -> None:
        self.write(partial(project_jobs.label_change, "rename_label", (label_id, name)))

    def retire_label(self, label_id: int) -> None:
        """Takes a label out of use; decisions that have it keep it."""
        self.write(partial(project_jobs.label_change, "retire_label", (label_id,)))

    def reorder_labels(self, label_ids: tuple[int, ...]) -> None:
        self.write(partial(project_jobs.label_change, "reorder_labels", (label_ids,)))

    def history(self, clip_id: int, on_done: Callable[[Any], None]) -> None:
        """``on_done`` gets the clip's decisions, tuple[Decision, ...], newest first."""
        self.read(partial(project_jobs.history, clip_id), on_done)

    def views(self, on_done: Callable[[Any], None]) -> None:
        """``on_done`` gets what the store's ``saved_views`` answers."""
        self.read(project_jobs.views, on_done)

    def save_view(self, name: str, query: ClipQuery) -> None:
        self.write(partial(project_jobs.save_view, name, query))

    def delete_view(self, name: str) -> None:
        self.write(partial(project_jobs.delete_view, name))

    def _run_open(self, fn: Callable[[], Opened], generation: int) -> None:
        done = partial(self._on_opened, generation)
        failed = partial(self._if_same, generation, self._on_open_failed)
        self._tasks.run(fn, done, failed, lane=Lane.DATABASE, rank=Rank.LAST)

    def _on_opened(self, generation: int, opened: Opened) -> None:
        if generation != self._generation:
            # Another one was asked for meanwhile, or the window is closing.
            self._tasks.run(partial(project_jobs.close, opened.store), lane=Lane.DATABASE, rank=Rank.LAST)
            return
        facts = opened.facts
        self._failure = ""
        self._store = opened.store
        self._facts = facts
        self._after = Aftermath(
            facts.counts, facts.undo, facts.redo, facts.recent_labels, facts.labels, facts.roots
        )
        self._settings.remember_project(facts.folder or facts.path)
        if not facts.read_only:
            self._backup_timer.start()
        self.opened.emit(facts)

    def _on_open_failed(self, words: str) -> None:
        self._failure = words
        self.open_failed.emit(words)

    def _if_same(self, generation: int, callback: Callable[[Any], None], value: Any) -> None:
        if generation == self._generation and hears(callback):
            callback(value)

    def _written(
        self, generation: int, on_done: Callable[[Any], None] | None, changes: Changes | None
    ) -> None:
        if generation != self._generation:
            return
        if on_done is not None and hears(on_done):
            on_done(changes)
        if changes is not None:
            self._untold.append(changes)
            self._tell_timer.start()

    @Slot()
    def _tell(self) -> None:
        untold, self._untold = self._untold, []
        for changes in untold:
            self.changed.emit(changes)
        self._ask_aftermath()

    def _ask_aftermath(self) -> None:
        """One question is on its way at most; what changes meanwhile is asked for afterwards."""
        if self._asking:
            self._ask_again = True
            return
        self._asking = True
        self._ask_again = False
        self.read(aftermath, self._on_aftermath, self._on_aftermath_failed)

    def _on_aftermath(self, after: Aftermath) -> None:
        before, self._after = self._after, after
        self._asking = False
        if before is None or after.counts != before.counts:
            self.counts_changed.emit(after.counts)
        if before is None or after.labels != before.labels:
            self.labels_changed.emit(self.labels)
        if before is None or after.recent_labels != before.recent_labels:
            self.recent_labels_changed.emit(after.recent_labels)
        if before is None or after.roots != before.roots:
            self.roots_changed.emit(after.roots)
        if before is None or (after.undo, after.redo) != (before.undo, before.redo):
            self.undo_changed.emit(after.undo, after.redo)
        if self._ask_again:
            self._ask_aftermath()

    def _on_aftermath_failed(self, words: str) -> None:
        self._asking = False
        self.write_failed.emit(words)

    @Slot()
    def _back_up(self) -> None:
        """Once a day, a while after opening, when the person has settled in."""
        if self._tasks.writing:
            self._backup_timer.start()
        elif self._store is not None:
            self._tasks.run(self._store.backup_if_due, None, self.write_failed.emit, lane=Lane.READING)
