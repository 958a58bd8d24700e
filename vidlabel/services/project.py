"""The open project: the one place of the window that uses the store, always off the GUI thread."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, QTimer, Signal, Slot

from vidlabel.core.errors import NotAProjectError, VidlabelError
from vidlabel.core.paths import is_project_file, project_of_folder
from vidlabel.core.words import Changes, ClipQuery, Counts, Label, Root
from vidlabel.services.settings import Settings
from vidlabel.services.store_gate import open_store
from vidlabel.services.tasks import Lane, Rank, TaskRunner

if TYPE_CHECKING:
    from vidlabel.store.project_store import ProjectStore

RECENT_LABELS = 12
_SEED = "queue.seed"
_BACKUP_AFTER_MS = 60_000


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectFacts:
    """What the window needs to know of a project that was just opened.

    ``folder`` is the media folder it was opened by, if it was; ``words`` say why it is read-only, '' where it
    is not.
    """

    path: Path
    name: str
    folder: Path | None
    read_only: bool
    words: str
    roots: tuple[Root, ...]
    labels: tuple[Label, ...]
    recent_labels: tuple[str, ...]
    counts: Counts
    model: tuple[str, str] | None
    """(hash, name) of the active model."""
    seed: int
    """For the random queue order, kept in the project."""
    undo: str | None
    redo: str | None


@dataclass(frozen=True, slots=True)
class _Opened:
    store: ProjectStore
    facts: ProjectFacts


@dataclass(frozen=True, slots=True)
class _Aftermath:
    """What may be another after any write."""

    counts: Counts
    undo: str | None
    redo: str | None
    recent_labels: tuple[str, ...]
    labels: tuple[Label, ...]
    roots: tuple[Root, ...]


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
        self._after: _Aftermath | None = None
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
        self._run_open(partial(_open, path), self._generation)

    def create(self, path: Path, folder: Path) -> None:
        """Makes a project file for a media folder and opens it."""
        self.close()
        self._generation += 1
        self._run_open(partial(_open_file, path, folder, create=True), self._generation)

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
            self._tasks.run(partial(_close, store), lane=Lane.DATABASE, rank=Rank.LAST)
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
        self.write(partial(_add_root, folder), on_done)

    def relink_root(self, old: Path, new: Path) -> None:
        """A root lies elsewhere now."""
        self.write(partial(_relink_root, old, new))

    def add_label(self, name: str) -> None:
        self.write(partial(_label_change, "add_label", (name,)))

    def rename_label(self, label_id: int, name: str) -> None:
        self.write(partial(_label_change, "rename_label", (label_id, name)))

    def retire_label(self, label_id: int) -> None:
        """Takes a label out of use; decisions that have it keep it."""
        self.write(partial(_label_change, "retire_label", (label_id,)))

    def reorder_labels(self, label_ids: tuple[int, ...]) -> None:
        self.write(partial(_label_change, "reorder_labels", (label_ids,)))

    def history(self, clip_id: int, on_done: Callable[[Any], None]) -> None:
        """``on_done`` gets the clip's decisions, tuple[Decision, ...], newest first."""
        self.read(partial(_history, clip_id), on_done)

    def views(self, on_done: Callable[[Any], None]) -> None:
        """``on_done`` gets what the store's ``saved_views`` answers."""
        self.read(_views, on_done)

    def save_view(self, name: str, query: ClipQuery) -> None:
        self.write(partial(_save_view, name, query))

    def delete_view(self, name: str) -> None:
        self.write(partial(_delete_view, name))

    def _run_open(self, fn: Callable[[], _Opened], generation: int) -> None:
        done = partial(self._on_opened, generation)
        self._tasks.run(fn, done, self._on_open_failed, lane=Lane.DATABASE, rank=Rank.LAST)

    def _on_opened(self, generation: int, opened: _Opened) -> None:
        if generation != self._generation:
            self._tasks.run(partial(_close, opened.store), lane=Lane.DATABASE, rank=Rank.LAST)
            return
        facts = opened.facts
        self._failure = ""
        self._store = opened.store
        self._facts = facts
        self._after = _Aftermath(
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
        if generation == self._generation:
            callback(value)

    def _written(
        self, generation: int, on_done: Callable[[Any], None] | None, changes: Changes | None
    ) -> None:
        if generation != self._generation:
            return
        if on_done is not None:
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
        self.read(_aftermath, self._on_aftermath, self._on_aftermath_failed)

    def _on_aftermath(self, after: _Aftermath) -> None:
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


# --- off the GUI thread --------------------------------------------------------------------------
def _open(path: Path) -> _Opened:
    path = path.expanduser().absolute()
    if is_project_file(path):
        if not path.exists():
            raise NotAProjectError(
                path, "it is not there. It may have been moved, or its disk is not connected."
            )
        return _open_file(path, None, create=False)
    if not path.is_dir():
        why = (
            "is no project and no folder."
            if path.exists()
            else "is not there. Its disk may not be connected."
        )
        raise VidlabelError(f"{path} {why}")
    folder = path.resolve()
    project = project_of_folder(folder)
    return _open_file(project, folder, create=not project.exists())


def _open_file(path: Path, folder: Path | None, *, create: bool) -> _Opened:
    store, words = open_store(path, create=create)
    try:
        if folder is not None and not store.read_only:
            store.add_root(folder)
        after = _aftermath(store)
        facts = ProjectFacts(
            path=path,
            name=folder.name if folder else path.stem,
            folder=folder,
            read_only=store.read_only,
            words=words,
            roots=after.roots,
            labels=after.labels,
            recent_labels=after.recent_labels,
            counts=after.counts,
            model=store.active_model(),
            seed=_seed(store),
            undo=after.undo,
            redo=after.redo,
        )
    except BaseException:
        store.close()
        raise
    return _Opened(store, facts)


def _seed(store: ProjectStore) -> int:
    kept = store.setting(_SEED)
    if isinstance(kept, int):
        return kept
    seed = random.randrange(1, 2**31)
    if not store.read_only:
        store.set_setting(_SEED, seed)
    return seed


def _aftermath(store: ProjectStore) -> _Aftermath:
    return _Aftermath(
        store.counts(),
        store.can_undo(),
        store.can_redo(),
        tuple(
            label if isinstance(label, str) else label.name for label in store.recent_labels(RECENT_LABELS)
        ),
        store.labels(),
        store.roots(),
    )


def _close(store: ProjectStore) -> None:
    store.close()


def _add_root(folder: Path, store: ProjectStore) -> Changes:
    store.add_root(folder)
    return Changes(library=True, words=f"Added {folder}")


def _relink_root(old: Path, new: Path, store: ProjectStore) -> Changes:
    store.relink_root(old, new)
    return Changes(library=True, words=f"{old} is now {new}")


def _label_change(method: str, arguments: tuple[Any, ...], store: ProjectStore) -> Changes:
    answer = getattr(store, method)(*arguments)
    return answer if isinstance(answer, Changes) else Changes(labels=True)


def _history(clip_id: int, store: ProjectStore) -> Any:
    return store.history(clip_id)


def _views(store: ProjectStore) -> Any:
    return store.saved_views()


def _save_view(name: str, query: ClipQuery, store: ProjectStore) -> None:
    store.save_view(name, query)


def _delete_view(name: str, store: ProjectStore) -> None:
    store.delete_view(name)
