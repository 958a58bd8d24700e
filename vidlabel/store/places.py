"""Where the files beside a project lie."""

from __future__ import annotations

from pathlib import Path

EMBEDDINGS = ".embeddings"


def wal_of(path: Path) -> Path:
    """SQLite's write-ahead log."""
    return path.with_name(path.name + "-wal")


def lock_of(path: Path) -> Path:
    """What a window holds locked while it writes the project."""
    return path.with_name(path.name + ".lock")


def backups_of(path: Path) -> Path:
    """The folder of backups."""
    return path.with_name(path.name + ".backups")


def embeddings_of(path: Path) -> Path:
    """The folder of embeddings: worked out from the videos, so a copy of the project without it loses nothing."""
    return path.with_name(path.name + EMBEDDINGS)


def newest_backup(path: Path) -> Path | None:
    """The backup that was written last, if there is any."""
    try:
        backups = [found for found in backups_of(path).iterdir() if found.suffix == path.suffix]
        return max(backups, key=lambda found: found.stat().st_mtime_ns, default=None)
    except OSError:
        return None
