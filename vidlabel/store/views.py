"""Filters that were saved under a name, and settings that belong to the project."""

from __future__ import annotations

import json
from dataclasses import asdict, fields
from enum import Enum
from typing import Any

from sqlalchemy import Connection, delete, insert, select

from vidlabel.core.words import ChosenClips, ClipQuery, ClipState, QueueOrder
from vidlabel.store.schema import saved_views, settings

_SETS = (
    ("states", ClipState), ("labels", str), ("suggested", str), ("annotators", str), ("parts", str),
)  # fmt: skip


def read_setting(connection: Connection, name: str) -> Any:
    """The value, or None if it was never set."""
    value = connection.execute(select(settings.c.value).where(settings.c.name == name)).scalar()
    return None if value is None else json.loads(value)


def write_setting(connection: Connection, name: str, value: object) -> None:
    """Anything that JSON can say."""
    connection.execute(delete(settings).where(settings.c.name == name))
    connection.execute(insert(settings).values(name=name, value=json.dumps(value)))


def read_views(connection: Connection) -> dict[str, ClipQuery]:
    """The saved views by name, in the order of the names."""
    rows = connection.execute(select(saved_views).order_by(saved_views.c.name))
    return {row.name: _from_json(row.query) for row in rows}


def write_view(connection: Connection, name: str, query: ClipQuery) -> None:
    """Keeps a view; one of the same name is replaced."""
    remove_view(connection, name)
    connection.execute(insert(saved_views).values(name=name, query=_to_json(query)))


def remove_view(connection: Connection, name: str) -> None:
    """Forgets a view."""
    connection.execute(delete(saved_views).where(saved_views.c.name == name))


def _to_json(query: ClipQuery) -> str:
    def plain(value: object) -> object:
        if isinstance(value, frozenset):
            return sorted(str(plain(item)) for item in value)
        if isinstance(value, ChosenClips):
            return asdict(value)
        return value.value if isinstance(value, Enum) else value

    return json.dumps({field.name: plain(getattr(query, field.name)) for field in fields(query)})


def _from_json(text: str) -> ClipQuery:
    values = json.loads(text)
    known = {field.name for field in fields(ClipQuery)}
    values = {name: value for name, value in values.items() if name in known}
    for name, kind in _SETS:
        values[name] = frozenset(kind(item) for item in values.get(name, ()))
    chosen = values.get("chosen")
    values["chosen"] = ChosenClips(words=chosen["words"], ids=tuple(chosen["ids"])) if chosen else None
    values["order"] = QueueOrder(values.get("order", QueueOrder.LEAST_SURE))
    return ClipQuery(**values)
