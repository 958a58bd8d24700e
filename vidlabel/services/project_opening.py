"""Opening a project, off the GUI thread, and what the window is told of it."""

from __future__ import annotations

import random
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from vidlabel.core.errors import NotAProjectError, VidlabelError
from vidlabel.core.paths import is_project_file, project_of_folder
from vidlabel.core.words import Counts, Label, Root
from vidlabel.services.store_gate import open_store

if TYPE_CHECKING:
    from vidlabel.store.project_store import ProjectStore

RECENT_LABELS = 12
_SEED = "queue.seed"


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
class Opened:
    """A project that is open: it is closed by who has this."""

    store: ProjectStore
    facts: ProjectFacts


@dataclass(frozen=True, slots=True)
class Aftermath:
    """What may be another after any write."""

    counts: Counts
    undo: str | None
    redo: str | None
    recent_labels: tuple[str, ...]
    labels: tuple[Label, ...]
    roots: tuple[Root, ...]


def open_path(path: Path) -> Opened:
    """Opens a ``*.vidlabel`` file, or the project of a media folder, which is made where there is none.

    Raises:
        VidlabelError: it cannot be opened, with the reason.
    """
    path = path.expanduser().absolute()
    if is_project_file(path):
        if not path.exists():
            raise NotAProjectError(
                path, "it is not there. It may have been moved, or its disk is not connected."
            )
        return open_file(path, None, create=False)
    if not path.is_dir():
        why = (
            "is no project and no folder."
            if path.exists()
            else "is not there. Its disk may not be connected."
        )
        raise VidlabelError(f"{path} {why}")
    folder = path.resolve()
    project = project_of_folder(folder)
    return open_file(project, folder, create=not project.exists())


def open_file(path: Path, folder: Path | None, *, create: bool) -> Opened:
    """Opens or makes a project file; ``folder``, if given, becomes one of its roots.

    Raises:
        VidlabelError: it cannot be opened, with the reason.
    """
    store, words = open_store(path, create=create)
    try:
        if folder is not None and not store.read_only:
            store.add_root(folder)
        after = aftermath(store)
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
    return Opened(store, facts)


def _seed(store: ProjectStore) -> int:
    kept = store.setting(_SEED)
    if isinstance(kept, int):
        return kept
    seed = random.randrange(1, 2**31)
    if not store.read_only:
        store.set_setting(_SEED, seed)
    return seed


def aftermath(store: ProjectStore) -> Aftermath:
    """Asks for all of it; on the reading thread."""
    return Aftermath(
        store.counts(),
        store.can_undo(),
        store.can_redo(),
        tuple(
            label if isinstance(label, str) else label.name for label in store.recent_labels(RECENT_LABELS)
        ),
        store.labels(),
        store.roots(),
    )
