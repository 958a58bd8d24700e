"""Which clips were written since somebody last asked: kept by triggers of the writing connection alone."""

from __future__ import annotations

import sqlite3
import threading

MOST = 30_000
"""Of more than so many it is only said that there were too many."""

_FOLLOW = """
CREATE TEMP TABLE IF NOT EXISTS written_clips (id INTEGER NOT NULL);
CREATE TEMP TRIGGER IF NOT EXISTS follow_insert AFTER INSERT ON main.clips
    BEGIN INSERT INTO written_clips VALUES (NEW.id); END;
CREATE TEMP TRIGGER IF NOT EXISTS follow_update AFTER UPDATE ON main.clips
    BEGIN INSERT INTO written_clips VALUES (NEW.id); END;
CREATE TEMP TRIGGER IF NOT EXISTS follow_delete AFTER DELETE ON main.clips
    BEGIN INSERT INTO written_clips VALUES (OLD.id); END;
"""


class FollowedClips:
    """The clips written through one connection, and whether other processes wrote, too."""

    def __init__(self, writer: sqlite3.Connection) -> None:
        """Call it while nothing else uses the connection."""
        self._writer = writer
        self._lock = threading.Lock()
        self._written: set[int] = set()
        self._too_many = False
        writer.executescript(_FOLLOW)
        self._version = self._read_version()

    def note(self) -> None:
        """After each committed transaction, on its thread."""
        found = self._writer.execute(f"SELECT id FROM written_clips LIMIT {MOST + 1}").fetchall()
        if not found:
            return
        self._writer.execute("DELETE FROM written_clips")
        with self._lock:
            self._written.update(row[0] for row in found)
            if len(found) > MOST or len(self._written) > MOST:
                self._too_many = True
                self._written.clear()

    def look_outside(self) -> None:
        """While nothing else uses the connection: whether another process has written meanwhile."""
        version = self._read_version()
        if version != self._version:
            self._version = version
            with self._lock:
                self._too_many = True

    def take(self) -> set[int] | None:
        """The clips written since the last call; None: too many, everything may be another."""
        with self._lock:
            written, too_many = self._written, self._too_many
            self._written, self._too_many = set(), False
        return None if too_many else written

    def _read_version(self) -> int:
        return int(self._writer.execute("PRAGMA data_version").fetchone()[0])
