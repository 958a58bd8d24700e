"""Connections: one writer behind a lock, any number of readers, and SQLite's errors in the person's words."""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.pool import QueuePool

from vidlabel.store.backup import copy_database
from vidlabel.store.followed import FollowedClips
from vidlabel.store.places import wal_of
from vidlabel.store.sqlite import connect, in_words, read_only_error


def make_engine(path: Path, mode: str, *, pragmas: tuple[str, ...], begin: str, pool_size: int) -> Engine:
    """An engine on the file whose transactions start with ``begin``."""

    def creator() -> sqlite3.Connection:
        connection = connect(path, mode)
        try:
            for pragma in ("foreign_keys=ON", "temp_store=MEMORY", *pragmas):
                connection.execute(f"PRAGMA {pragma}")
            connection.create_function("casefold", 1, str.casefold, deterministic=True)
        except sqlite3.Error:
            connection.close()
            raise
        return connection

    engine = create_engine(
        "sqlite://", creator=creator, poolclass=QueuePool, pool_size=pool_size, max_overflow=16
    )
    event.listen(engine, "begin", lambda connection: connection.exec_driver_sql(begin))
    return engine


class Database:
    """One project file, open. All methods may be called from any thread."""

    def __init__(self, path: Path, *, read_only: bool) -> None:
        self.path = path
        self.read_only = read_only
        self._lock = threading.RLock()
        self._source, self._mode = path, "rw"
        self._copy: tempfile.TemporaryDirectory[str] | None = None
        self._writer: Engine | None = None
        self._connection: Connection | None = None
        self._synchronous = ""
        self._followed: FollowedClips | None = None
        if read_only:
            with in_words(path):
                self._source, self._mode = self._readable_source()
            self._reader = make_engine(
                self._source, self._mode, pragmas=("query_only=ON",), begin="BEGIN", pool_size=4
            )
            return
        self._writer = make_engine(
            path,
            "rw",
            pragmas=("journal_mode=WAL", "cache_size=-16000"),
            begin="BEGIN IMMEDIATE",
            pool_size=1,
        )
        with in_words(path):
            self._connection = self._writer.connect()
        self._reader = make_engine(
            path, "rw", pragmas=("query_only=ON", "cache_size=-16000"), begin="BEGIN", pool_size=4
        )

    def _readable_source(self) -> tuple[Path, str]:
        """The file and mode with which it can be read where nothing may be written beside it."""
        try:
            with_log = connect(self.path, "ro")
            try:
                with_log.execute("SELECT count(*) FROM sqlite_master").fetchone()
            finally:
                with_log.close()
        except sqlite3.OperationalError:
            wal = wal_of(self.path)
            if not (wal.exists() and wal.stat().st_size):
                return self.path, "immutable=1"
            # The log holds decisions that the file does not have yet: read a copy of both.
            self._copy = tempfile.TemporaryDirectory(prefix="vidlabel-")
            copied = Path(self._copy.name) / "project.vidlabel"
            shutil.copyfile(self.path, copied)
            shutil.copyfile(wal, wal_of(copied))
            return copied, "rw"
        return self.path, "ro"

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A transaction that sees one state of the project and writes nothing."""
        with in_words(self.path), self._reader.connect() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction whose loss in a power cut would only cost time (facts that can be gathered again)."""
        with self._transaction("NORMAL") as connection:
            yield connection

    @contextmanager
    def write_durably(self) -> Iterator[Connection]:
        """A transaction that is on the disk when the block is left."""
        with self._transaction("FULL") as connection:
            yield connection

    @contextmanager
    def _transaction(self, synchronous: str) -> Iterator[Connection]:
        if self._connection is None:
            raise read_only_error(self.path)
        with self._lock, in_words(self.path):
            if self._synchronous != synchronous:
                self.raw_writer().execute(f"PRAGMA synchronous={synchronous}")
                self._synchronous = synchronous
            with self._connection.begin():
                yield self._connection
            if self._followed is not None:
                self._followed.note()

    def follow_clips(self) -> FollowedClips:
        """From now on it is known which clips are written; read only afterwards what that is to be told of."""
        with self._lock, in_words(self.path):
            if self._followed is None:
                self._followed = FollowedClips(self.raw_writer())
            return self._followed

    def written_clips(self) -> set[int] | None:
        """See :meth:`FollowedClips.take`; None, too, where nothing is followed."""
        if self._followed is None:
            return None
        # Who is writing just now is not waited for: another process cannot write meanwhile.
        if self._lock.acquire(blocking=False):
            try:
                with in_words(self.path):
                    self._followed.look_outside()
            finally:
                self._lock.release()
        return self._followed.take()

    def copy_to(self, out: Path) -> Path:
        """A checked copy of everything committed so far (see :func:`vidlabel.store.backup.copy_database`)."""
        return copy_database(self._source, out, mode=self._mode)

    def raw_writer(self) -> sqlite3.Connection:
        """The writer's own connection, for pragmas."""
        if self._connection is None:
            raise read_only_error(self.path)
        raw: Any = self._connection.connection.driver_connection
        assert isinstance(raw, sqlite3.Connection)
        return raw

    def close(self) -> None:
        """Lets go of the file; the log is merged into it."""
        with self._lock:
            self._reader.dispose()
            if self._connection is not None:
                self._connection.close()
                self._connection = self._followed = None
            if self._writer is not None:
                self._writer.dispose()
                self._writer = None
            if self._copy is not None:
                self._copy.cleanup()
                self._copy = None
