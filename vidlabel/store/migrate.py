"""New project files, and old ones brought up to date.

A new file is made straight from the schema and stamped with the newest revision, which is quick; Alembic,
slow to import, is only loaded where an older file really has to be changed.
"""

from __future__ import annotations

import json
import os
import uuid
from contextlib import suppress
from pathlib import Path

from sqlalchemy import Connection, insert, text

from vidlabel.core.errors import ProjectError, ReadOnlyProjectError
from vidlabel.core.resources import resource_path
from vidlabel.core.time import now_us
from vidlabel.store.backup import copy_database
from vidlabel.store.engine import make_engine
from vidlabel.store.header import damaged
from vidlabel.store.places import backups_of
from vidlabel.store.schema import (
    APPLICATION_ID,
    REVISION,
    TRIGGERS,
    VERSION,
    alembic_version,
    label_sets,
    labels,
    metadata,
    project,
)
from vidlabel.store.sqlite import in_words

DEFAULT_LABEL_SET = "label_sets/hmdb51.json"


def create_project(path: Path) -> None:
    """Makes a new project file; nobody ever sees half of it.

    Where another process makes the same file at the same moment, one of the two stays.
    """
    unfinished = path.with_name(f".{path.name}.{uuid.uuid4().hex}.new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished.touch(mode=0o600)
    except OSError as error:
        raise ReadOnlyProjectError(
            path, f"no project can be made here ({error.strerror}). Choose a folder you may write to."
        ) from error
    try:
        _fill(unfinished, path)
        _put_in_place(unfinished, path)
    finally:
        with suppress(OSError):
            unfinished.unlink(missing_ok=True)


def _fill(unfinished: Path, path: Path) -> None:
    engine = make_engine(
        unfinished, "rw", pragmas=("journal_mode=MEMORY", "synchronous=OFF"), begin="BEGIN", pool_size=1
    )
    try:
        with in_words(path), engine.begin() as connection:
            metadata.create_all(connection, checkfirst=False)
            for trigger in TRIGGERS:
                connection.execute(text(trigger))
            connection.execute(insert(alembic_version).values(version_num=REVISION))
            _seed(connection)
            _mark(connection)
    finally:
        engine.dispose()
    with unfinished.open("rb+") as file:
        os.fsync(file.fileno())


def _put_in_place(unfinished: Path, path: Path) -> None:
    try:
        path.hardlink_to(unfinished)
    except FileExistsError:
        return
    except OSError:  # a file system without hard links
        if not path.exists():
            unfinished.replace(path)
    if hasattr(os, "O_DIRECTORY"):
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _seed(connection: Connection) -> None:
    label_set = json.loads(resource_path(DEFAULT_LABEL_SET).read_text("utf-8"))
    connection.execute(insert(label_sets).values(id=1, name=label_set["name"]))
    connection.execute(
        insert(labels),
        [
            {"label_set_id": 1, "name": name, "position": position, "description": "", "retired": False}
            for position, name in enumerate(label_set["labels"])
        ],
    )
    connection.execute(
        insert(project).values(id=1, uuid=uuid.uuid4().hex, created_at_us=now_us(), label_set_id=1)
    )


def _mark(connection: Connection) -> None:
    connection.execute(text(f"PRAGMA application_id={APPLICATION_ID}"))
    connection.execute(text(f"PRAGMA user_version={VERSION}"))


def upgrade_project(path: Path, version: int) -> Path:
    """Brings an older file up to date and answers with the copy that was made of it before.

    Raises:
        ProjectError: the change did not keep the references whole; the file is as it was.
    """
    from vidlabel.store.migrations import upgrade  # Alembic is slow to import and rarely needed

    before = copy_database(path, backups_of(path) / f"{path.stem}-before-{VERSION:04d}{path.suffix}")
    # Foreign keys stay off while tables are rebuilt: dropping a table would empty those that refer to it.
    engine = make_engine(path, "rw", pragmas=("foreign_keys=OFF",), begin="BEGIN IMMEDIATE", pool_size=1)
    try:
        with in_words(path), engine.begin() as connection:
            kept = _precious_rows(connection)
            upgrade(connection, REVISION)
            if version == 0:
                _seed(connection)
            _mark(connection)
            if connection.execute(text("PRAGMA foreign_key_check")).first() is not None:
                raise damaged(path, "references inside it are broken; it was not changed")
            if any(count < kept.get(table, 0) for table, count in _precious_rows(connection).items()):
                raise ProjectError(
                    path, f"updating it would lose decisions; it was not changed. A copy is {before}."
                )
    finally:
        engine.dispose()
    return before


def _precious_rows(connection: Connection) -> dict[str, int]:
    found = {}
    for table in ("decisions", "labels", "clips", "steps"):
        query = text("SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = :table")
        if connection.execute(query, {"table": table}).scalar_one():
            found[table] = int(connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one())
    return found
