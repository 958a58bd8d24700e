"""What most commands begin with: the project meant, opened; its roots, scanned; the videos meant, found."""

from __future__ import annotations

import getpass
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import NoReturn

from vidlabel.core.errors import DiskFullError, UnknownVideoError, UsageError, VidlabelError
from vidlabel.core.paths import is_project_file, project_of_folder
from vidlabel.core.words import ClipQuery, ClipRow
from vidlabel.interop.records import pages
from vidlabel.store.project_store import ProjectStore


@dataclass(frozen=True)
class Named:
    """What a PROJECT argument means. ``folder``: it was a folder, which is to be the project's root."""

    project: Path
    folder: Path | None


class Use(Enum):
    """What a command does with the project."""

    CREATE = "create"
    """Writes; a ``*.vidlabel`` file that is not there is made, too."""
    WRITE = "write"
    """Writes; the project of a folder is made where needed."""
    READ = "read"
    """Only reads, if the disk allows no more; the project of a folder is made where needed."""
    INSPECT = "inspect"
    """Only reads, and makes nothing."""
    REPAIR = "repair"
    """Writes, and makes nothing."""


def locate(text: str, *, use: Use) -> Named:
    """The project file that an argument means.

    Raises:
        UsageError: it names nothing that is there, or a file that cannot be a project.
    """
    path = Path(text)
    if path.is_dir():
        return Named(project_of_folder(path), path.resolve())
    if path.exists() and not is_project_file(path):
        raise UsageError(f"{path} is neither a project (*.vidlabel) nor a folder.")
    if not path.exists() and use is not Use.CREATE:
        makes = f"`vidlabel scan {path} FOLDER` makes it." if is_project_file(path) else "Check the path."
        raise UsageError(
            f"There is no {'project' if is_project_file(path) else 'project or folder'} {path}. {makes}"
        )
    if not path.exists() and not is_project_file(path):
        raise UsageError(f"There is no folder {path}. (A new project file must be called *.vidlabel.)")
    return Named(path.absolute(), None)


@contextmanager
def open_project(text: str, *, use: Use) -> Iterator[ProjectStore]:
    """Opens the project that an argument means and closes it again.

    Raises:
        UsageError: as in :func:`locate`.
        ProjectError: the project cannot be used.
    """
    named = locate(text, use=use)
    there = named.project.exists()
    if not there and use in (Use.INSPECT, Use.REPAIR):
        raise VidlabelError(f"{named.folder} has no project yet. `vidlabel scan {text}` makes it.")
    store = _opened(named.project, there=there, use=use)
    try:
        if named.folder is not None and not store.read_only:
            store.add_root(named.folder)
        yield store
    finally:
        store.close()


def _opened(project: Path, *, there: bool, use: Use) -> ProjectStore:
    try:
        return ProjectStore.open(project, create=not there, read_only=there and use is Use.INSPECT)
    except DiskFullError:
        if there and use is Use.READ:
            return ProjectStore.open(project, read_only=True)
        raise


def clips(store: ProjectStore, query: ClipQuery) -> Iterator[ClipRow]:
    """The rows of a query, in its order, read a page at a time."""
    for page in pages(store, query):
        yield from page


def clips_of(store: ProjectStore, video: str, *, beside: Path | None = None) -> tuple[ClipRow, ...]:
    """All clips of the video that a person or a file names.

    Args:
        video: an absolute path, or one relative to ``beside`` or to a root.
        beside: the current folder, or that of the file which names the video.

    Raises:
        UnknownVideoError: it is no video of the project.
        VidlabelError: several roots have a video of this name.
    """
    path = Path(video).expanduser()
    found = _known(store, path if path.is_absolute() else (beside or Path.cwd()) / path)
    if found or path.is_absolute():
        return found or _unknown(video)
    matches = [(root, rows) for root in store.roots() if (rows := _known(store, Path(root.path) / path))]
    if len({rows[0].video_id for _, rows in matches}) > 1:
        roots = " and ".join(root.path for root, _ in matches)
        raise VidlabelError(f"{video} is in {roots}. Give the absolute path of the one you mean.")
    return matches[0][1] if matches else _unknown(video)


def _known(store: ProjectStore, path: Path) -> tuple[ClipRow, ...]:
    try:
        return store.clips_of_video(path)
    except UnknownVideoError:
        return ()


def _unknown(video: str) -> NoReturn:
    raise UnknownVideoError(video)


def annotator_or_user(name: str | None) -> str:
    """Who decides: the name given, else the system's user.

    Raises:
        UsageError: the name is empty, or the system has none to tell.
    """
    if name is not None:
        if not name.strip():
            raise UsageError("--annotator needs a name.")
        return name.strip()
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        raise UsageError("The system does not tell who you are. Give --annotator NAME.") from None
