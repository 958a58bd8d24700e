"""Rows of runs: what the project remembers of each, whatever becomes of its folder."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Select, insert, select, update

from vidlabel.core.errors import ProjectError
from vidlabel.core.runs import RunState
from vidlabel.core.time import now_us
from vidlabel.store.engine import Database
from vidlabel.store.rows import AnyRow
from vidlabel.store.schema import models, runs, snapshots
from vidlabel.store.suggestions import model_id_of

_BASE, _MADE = models.alias("base"), models.alias("made")


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRow:
    """One run as the project remembers it.

    Attributes:
        name: ``run-1``, ``run-2``, ... and the name of its folder.
        state: as it was last known; only who looks into its folder knows what it is now.
        base: hash of the model it started from, where the project knows that model.
        model: hash of the model it made.
        snapshot: hash of what it learns from.
        started_at_us, finished_at_us: microseconds since 1970.
        details: JSON values: settings, figures, words.
    """

    name: str
    state: RunState
    base: str | None = None
    model: str | None = None
    snapshot: str | None = None
    started_at_us: int = 0
    finished_at_us: int | None = None
    details: Mapping[str, Any] = field(default_factory=dict)


class Runs:
    """What the project keeps of runs; :attr:`ProjectStore.runs`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self) -> tuple[RunRow, ...]:
        """Every run, oldest first."""
        with self._database.read() as connection:
            return tuple(_row(row) for row in connection.execute(_runs().order_by(runs.c.id)))

    def find(self, name: str) -> RunRow | None:
        """The run of this name."""
        with self._database.read() as connection:
            row = connection.execute(_runs().where(runs.c.name == name)).first()
        return None if row is None else _row(row)

    def add(
        self, name: str, *, snapshot: str, base: str | None = None, details: Mapping[str, Any] | None = None
    ) -> RunRow:
        """A run that is being prepared.

        Args:
            name: none has it yet.
            snapshot: hash of one that is kept.
            base: hash of the model it starts from; one the project does not know is left out.
            details: JSON values.

        Raises:
            ProjectError: there is a run of that name already; nothing was written.
        """
        with self._database.write_durably() as connection:
            if connection.execute(select(runs.c.id).where(runs.c.name == name)).first() is not None:
                raise ProjectError(self._database.path, f"there is a run '{name}' already.")
            snapshot_id = connection.execute(
                select(snapshots.c.id).where(snapshots.c.hash == snapshot)
            ).scalar()
            connection.execute(
                insert(runs).values(
                    name=name, state=RunState.PREPARING.value, snapshot_id=snapshot_id,
                    base_model_id=None if base is None else model_id_of(connection, base),
                    started_at_us=now_us(), details=json.dumps(dict(details or {})),
                )
            )  # fmt: skip
            return _found(connection, name)

    def change(
        self,
        name: str,
        *,
        state: RunState | None = None,
        model: str | None = None,
        finished_at_us: int | None = None,
        details: Mapping[str, Any] | None = None,
    ) -> RunRow | None:
        """Brings a row up to date; None stays as it is, and ``details`` are added to those there.

        ``model`` is the hash of a registered model. Answers the row, or None if there is no such run.
        """
        with self._database.write_durably() as connection:
            row = connection.execute(_runs().where(runs.c.name == name)).first()
            if row is None:
                return None
            values: dict[str, Any] = {}
            if state is not None:
                values["state"] = state.value
            if model is not None:
                values["model_id"] = model_id_of(connection, model)
            if finished_at_us is not None:
                values["finished_at_us"] = finished_at_us
            if details:
                values["details"] = json.dumps({**json.loads(row.details), **details})
            if values:
                connection.execute(update(runs).where(runs.c.name == name).values(**values))
            return _found(connection, name)


def _runs() -> Select[Any]:
    return select(
        runs.c.id, runs.c.name, runs.c.state, runs.c.started_at_us, runs.c.finished_at_us, runs.c.details,
        _BASE.c.hash.label("base"), _MADE.c.hash.label("made"), snapshots.c.hash.label("snapshot"),
    ).select_from(
        runs.outerjoin(_BASE, _BASE.c.id == runs.c.base_model_id)
        .outerjoin(_MADE, _MADE.c.id == runs.c.model_id)
        .outerjoin(snapshots, snapshots.c.id == runs.c.snapshot_id)
    )  # fmt: skip


def _found(connection: Connection, name: str) -> RunRow:
    return _row(connection.execute(_runs().where(runs.c.name == name)).one())


def _row(row: AnyRow) -> RunRow:
    return RunRow(
        name=row.name,
        state=RunState(row.state),
        base=row.base,
        model=row.made,
        snapshot=row.snapshot,
        started_at_us=row.started_at_us,
        finished_at_us=row.finished_at_us,
        details=json.loads(row.details),
    )
