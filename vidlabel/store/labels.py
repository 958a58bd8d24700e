"""The project's label set: ordered, editable, and nothing that was decided is lost by editing it."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, delete, func, insert, select, update

from vidlabel.core.errors import ProjectError, UnknownLabelError
from vidlabel.core.words import Label
from vidlabel.store.rows import AnyRow, chunks
from vidlabel.store.schema import clips, decisions, label_aliases, labels, project

_RECENT_DECISIONS = 2000
_GIVEN = select(labels.c.id, labels.c.name).where(~labels.c.retired)


def all_labels(connection: Connection) -> tuple[Label, ...]:
    """Every label in order, retired ones among them."""
    return tuple(
        _label(row) for row in connection.execute(select(labels).order_by(labels.c.position, labels.c.id))
    )


def _label(row: AnyRow) -> Label:
    return Label(
        id=row.id, name=row.name, position=row.position, description=row.description, retired=row.retired
    )


@dataclass(frozen=True, slots=True)
class KnownLabel:
    """A label that may be given."""

    id: int
    name: str


def resolve(connection: Connection, names: Iterable[str]) -> dict[str, KnownLabel]:
    """The labels of these names; names from before a renaming are understood.

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
    every = {label.id: label.name for label in all_labels(connection) if not label.retired}
    for name, label_id in connection.execute(select(label_aliases.c.name, label_aliases.c.label_id)):
        if name in wanted and name not in found and label_id in every:
            found[name] = KnownLabel(label_id, every[label_id])
    for name in sorted(wanted - found.keys()):
        raise UnknownLabelError(name, tuple(difflib.get_close_matches(name, every.values(), n=2)))
    return found


def recent(connection: Connection, limit: int) -> tuple[Label, ...]:
    """The labels given most recently by hand, newest first."""
    newest = (
        select(decisions.c.id, decisions.c.label_id, decisions.c.undoes, decisions.c.imported)
        .order_by(decisions.c.id.desc())
        .limit(_RECENT_DECISIONS)
        .subquery()
    )
    last = func.max(newest.c.id)
    rows = connection.execute(
        select(labels)
        .join(newest, newest.c.label_id == labels.c.id)
        .where(newest.c.undoes.is_(None), ~newest.c.imported, ~labels.c.retired)
        .group_by(labels.c.id)
        .order_by(last.desc())
        .limit(limit)
    )
    return tuple(_label(row) for row in rows)


def clean_name(name: str) -> str:
    """A label's name as it is kept: without spaces around it or doubled; empty if it cannot be one."""
    cleaned = " ".join(name.split())
    return cleaned if cleaned.isprintable() else ""


def find(connection: Connection, name: str) -> Label | None:
    """The label of this name, retired ones too, or else the one that was called so before a renaming."""
    name = clean_name(name)
    row = connection.execute(select(labels).where(labels.c.name == name)).first()
    if row is None:
        renamed = select(label_aliases.c.label_id).where(label_aliases.c.name == name)
        row = connection.execute(select(labels).where(labels.c.id.in_(renamed))).first()
    return None if row is None else _label(row)


class LabelSet:
    """Changes to the label set, in the caller's transaction."""

    def __init__(self, connection: Connection, path: Path) -> None:
        self._connection = connection
        self._path = path

    def add(self, name: str, *, description: str = "") -> Label:
        """A new label at the end; a retired one of that name comes back."""
        name = self._clean(name)
        known = self._named(name)
        if known is not None and not known.retired:
            raise ProjectError(self._path, f"the label '{name}' is there already.")
        if known is not None:
            self._change(known.id, retired=False)
        else:
            last = self._connection.execute(select(func.max(labels.c.position))).scalar()
            self._connection.execute(
                insert(labels).values(
                    label_set_id=select(project.c.label_set_id).scalar_subquery(),
                    name=name,
                    position=0 if last is None else last + 1,
                    description=description,
                    retired=False,
                )
            )
        self._connection.execute(delete(label_aliases).where(label_aliases.c.name == name))
        added = self._named(name)
        assert added is not None
        return added

    def rename(self, label_id: int, name: str) -> None:
        """Another name for the same label, on every clip that has it and in the history."""
        name = self._clean(name)
        old = self._get(label_id)
        if name == old.name:
            return
        if self._named(name) is not None:
            raise ProjectError(self._path, f"there is a label '{name}' already. Choose another name.")
        self._change(label_id, name=name)
        self._connection.execute(delete(label_aliases).where(label_aliases.c.name.in_([name, old.name])))
        self._connection.execute(insert(label_aliases).values(name=old.name, label_id=label_id))
        self._connection.execute(update(clips).where(clips.c.label == old.name).values(label=name))

    def retire(self, label_id: int) -> None:
        """The label is not offered any more; clips that have it keep it."""
        self._get(label_id)
        self._change(label_id, retired=True)

    def reorder(self, label_ids: Sequence[int]) -> None:
        """These first, in this order, then the others as they were."""
        known = [label.id for label in all_labels(self._connection)]
        wanted = [label_id for label_id in dict.fromkeys(label_ids) if label_id in set(known)]
        rest = [label_id for label_id in known if label_id not in set(wanted)]
        for position, label_id in enumerate(wanted + rest):
            self._change(label_id, position=position)

    def _clean(self, name: str) -> str:
        cleaned = clean_name(name)
        if not cleaned:
            raise ProjectError(self._path, "a label needs a name of printable characters.")
        return cleaned

    def _named(self, name: str) -> Label | None:
        row = self._connection.execute(select(labels).where(labels.c.name == name)).first()
        return None if row is None else _label(row)

    def _get(self, label_id: int) -> Label:
        row = self._connection.execute(select(labels).where(labels.c.id == label_id)).first()
        if row is None:
            raise UnknownLabelError(f"label {label_id}")
        return _label(row)

    def _change(self, label_id: int, **values: object) -> None:
        self._connection.execute(update(labels).where(labels.c.id == label_id).values(**values))
