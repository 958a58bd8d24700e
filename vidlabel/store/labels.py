"""Reading the project's label set, by whatever name somebody knows a label."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from vidlabel.core.errors import UnknownLabelError
from vidlabel.core.words import Label
from vidlabel.store.label_plan import clean_name
from vidlabel.store.label_state import read_state
from vidlabel.store.rows import AnyRow, chunks
from vidlabel.store.schema import decisions, labels

_RECENT_DECISIONS = 2000
_GIVEN = select(labels.c.id, labels.c.name).where(~labels.c.retired)


def all_labels(connection: Connection) -> tuple[Label, ...]:
    """Every label in order, retired ones among them."""
    return tuple(
        _label(row) for row in connection.execute(select(labels).order_by(labels.c.position, labels.c.id))
    )


def _label(row: AnyRow) -> Label:
    return Label(
        id=row.id,
        name=row.name,
        position=row.position,
        description=row.description,
        retired=row.retired,
        colour=row.colour,
        key=row.key,
        merged_into=row.merged_into,
    )


@dataclass(frozen=True, slots=True)
class KnownLabel:
    """A label that may be given."""

    id: int
    name: str


def resolve(connection: Connection, names: Iterable[str]) -> dict[str, KnownLabel]:
    """The labels of these names; names from before a renaming or a merge are understood.

    Raises:
        UnknownLabelError: a name is not in the label set, or retired.
    """
    wanted = set(names)
    if not wanted:
        return {}
    found: dict[str, KnownLabel] = {}
    for chunk in chunks(wanted):
        for label_id, name in connection.execute(_GIVEN.where(labels.c.name.in_(chunk))):
            found[name] = KnownLabel(label_id, name)
    if len(found) == len(wanted):
        return found
    given = {label.name: label for label in all_labels(connection) if not label.retired}
    for name, now in read_state(connection).present_names().items():
        if name in wanted and name not in found and now in given:
            found[name] = KnownLabel(given[now].id, now)
    for name in sorted(wanted - found.keys()):
        raise UnknownLabelError(name, tuple(difflib.get_close_matches(name, given, n=2)))
    return found


def recent(connection: Connection, limit: int) -> tuple[Label, ...]:
    """The labels given most recently by hand, newest first."""
    newest = (
        select(decisions.c.id, decisions.c.label_id, decisions.c.undoes, decisions.c.imported)
        .order_by(decisions.c.id.desc())
        .limit(_RECENT_DECISIONS)
        .subquery()
    )
    last, given = func.max(newest.c.id), labels.alias("given")
    rows = connection.execute(
        select(labels)
        .join(given, labels.c.id == func.coalesce(given.c.merged_into, given.c.id))
        .join(newest, newest.c.label_id == given.c.id)
        .where(newest.c.undoes.is_(None), ~newest.c.imported, ~labels.c.retired)
        .group_by(labels.c.id)
        .order_by(last.desc())
        .limit(limit)
    )
    return tuple(_label(row) for row in rows)


def find(connection: Connection, name: str) -> Label | None:
    """The label of this name, retired ones too, or else the one that has its clips since a renaming or merge."""
    name = clean_name(name)
    now = read_state(connection).present_names().get(name, name)
    row = connection.execute(select(labels).where(labels.c.name == now)).first()
    return None if row is None else _label(row)
