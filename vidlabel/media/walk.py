"""Listing the video files below a folder: names, sizes and times only; no file is opened."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from operator import itemgetter
from pathlib import Path

from vidlabel.core.words import FileEntry

SUFFIXES = frozenset({".avi", ".mp4", ".mov", ".mkv", ".webm", ".mpg", ".wmv", ".m4v", ".ts", ".gif"})
BATCH = 2000
_BACKUPS = ".backups"
_BY_PATH = itemgetter(0)
_ENDINGS = SUFFIXES | {suffix.upper() for suffix in SUFFIXES}
"""The usual ways to write a suffix, found without asking for its lower case."""


@dataclass(frozen=True)
class WalkBatch:
    """Some of the files, in the order of their paths, and what went wrong meanwhile, in words."""

    entries: list[FileEntry] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def walk(root: Path, *, should_stop: Callable[[], bool] | None = None) -> Iterator[WalkBatch]:
    """Lists the videos below ``root``, sorted, in batches of about 2,000.

    Known are the suffixes in ``SUFFIXES``, in any case of letters. Hidden files and folders (a leading dot)
    and ``*.backups`` folders are left out; links to folders are followed, but no folder is entered twice on
    the way down to itself. A folder that cannot be read is a problem in words, never an error.

    Args:
        root: the folder; a missing one yields one problem and no file.
        should_stop: asked once a folder; when it says True the walk ends early.

    Yields:
        At least one batch; relative paths use ``/`` and may carry surrogate escapes where a name is no UTF-8.
    """
    batch = WalkBatch()
    for found in _below(os.fspath(root), batch.problems, should_stop):
        batch.entries.extend(found)
        if len(batch.entries) >= BATCH:
            yield WalkBatch(list(batch.entries), list(batch.problems))
            batch.entries.clear()
            batch.problems.clear()
    yield batch


def _below(
    root: str, problems: list[str], should_stop: Callable[[], bool] | None
) -> Iterator[list[FileEntry]]:
    """The files of each folder, depth first, in the order of names."""
    # A folder waits with the (device, inode) of itself and of those above it: a link back up closes a loop,
    # while two links to one place are two places, as the person sees them.
    waiting: list[tuple[str, str, frozenset[tuple[int, int]]]] = [(root, "", frozenset())]
    while waiting:
        if should_stop is not None and should_stop():
            return
        folder, prefix, above = waiting.pop()
        try:
            files, folders = _list(folder, prefix, problems)
            if folders:
                status = os.stat(folder)  # noqa: PTH116 - one call for a name that is already a string
                here = above | {(status.st_dev, status.st_ino)}
        except OSError as error:
            problems.append(_words(folder, error))
            continue
        for name, path, is_link in reversed(folders):
            if is_link and _is_above(path, here):
                continue
            waiting.append((path, f"{prefix}{name}/", here))
        yield files


def _list(
    folder: str, prefix: str, problems: list[str]
) -> tuple[list[FileEntry], list[tuple[str, str, bool]]]:
    """One folder's videos, and its folders as (name, path, is a link), each sorted by name."""
    files: list[FileEntry] = []
    folders: list[tuple[str, str, bool]] = []
    # Every file of every scan comes by here: names that are local, values made without their constructor.
    endings, suffixes, new, kind = _ENDINGS, SUFFIXES, tuple.__new__, FileEntry
    with os.scandir(folder) as entries:
        for entry in entries:
            name = entry.name
            if name[0] == ".":
                continue
            ending = name[name.rfind(".") :]
            known = ending in endings or ending.lower() in suffixes
            try:
                if known:
                    status = entry.stat()
                    if entry.is_file():
                        files.append(new(kind, (prefix + name, status.st_size, status.st_mtime_ns)))
                        continue
                if entry.is_dir() and not name.endswith(_BACKUPS):
                    folders.append((name, entry.path, entry.is_symlink()))
            except OSError as error:
                if known:
                    problems.append(_words(entry.path, error))
    files.sort(key=_BY_PATH)
    folders.sort()
    return files, folders


def _is_above(link: str, above: frozenset[tuple[int, int]]) -> bool:
    try:
        status = os.stat(link)  # noqa: PTH116
    except OSError:
        return True
    return (status.st_dev, status.st_ino) in above


def _words(path: str, error: OSError) -> str:
    if isinstance(error, PermissionError):
        why = "no permission to read it"
    elif isinstance(error, FileNotFoundError):
        why = "it is not there"
    else:
        why = error.strerror or "it cannot be read"
    return f"{path}: {why}"
