"""Writing a changed label set, and letting clips show what follows from it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, replace

from sqlalchemy import ColumnElement, Connection, delete, func, insert, select, update

from vidlabel.store import suggestions as said
from vidlabel.store.label_state import Difference, LabelFacts, LabelState, read_state
from vidlabel.store.rows import chunks
from vidlabel.store.schema import clips, decisions, label_aliases, labels, models, project, suggestions

_ANY = (False, True)
"""Both values of ``removed``: clips taken off the list show the right label when they come back."""


def carry_out(connection: Connection, change: Difference) -> int:
    """Makes the change and answers how many clips show another label since.

    A label that is to be gone but has decisions is retired instead, for they refer to it.
    """
    before = read_state(connection)
    _write_labels(connection, change)
    for name, (_, label_id) in change.aliases.items():
        connection.execute(delete(label_aliases).where(label_aliases.c.name == name))
        if label_id is not None:
            connection.execute(insert(label_aliases).values(name=name, label_id=label_id))
    after = read_state(connection)
    _show_suggested(connection, before.present_names(), after.present_names())
    return _show_labels(connection, before, after)


def _write_labels(connection: Connection, change: Difference) -> None:
    for label_id in change.labels:
        # Names may be exchanged: none may stand in the other's way meanwhile.
        connection.execute(update(labels).where(labels.c.id == label_id).values(name=f"\x1f{label_id}"))
    for label_id, (before, after) in change.labels.items():
        if after is not None:
            _put(connection, label_id, after)
        elif before is not None and _is_used(connection, label_id):
            _put(connection, label_id, replace(before, retired=True))
        else:
            connection.execute(delete(label_aliases).where(label_aliases.c.label_id == label_id))
            connection.execute(delete(labels).where(labels.c.id == label_id))


def _put(connection: Connection, label_id: int, facts: LabelFacts) -> None:
    values = asdict(facts)
    if connection.execute(update(labels).where(labels.c.id == label_id).values(**values)).rowcount == 0:
        label_set = select(project.c.label_set_id).scalar_subquery()
        connection.execute(insert(labels).values(id=label_id, label_set_id=label_set, **values))


def _is_used(connection: Connection, label_id: int) -> bool:
    decided = select(decisions.c.id).where(decisions.c.label_id == label_id).limit(1)
    merged = select(labels.c.id).where(labels.c.merged_into == label_id).limit(1)
    return any(connection.execute(one).first() is not None for one in (decided, merged))


def _show_labels(connection: Connection, before: LabelState, after: LabelState) -> int:
    """Clips show the present name of the label that was decided."""
    changed = 0
    for label_id in before.labels.keys() & after.labels.keys():
        old, new = before.shown(label_id), after.shown(label_id)
        if old == new:
            continue
        # Several labels may show one name, so the decision says which clips are meant.
        decided = select(decisions.c.label_id).where(decisions.c.id == clips.c.decision_id).scalar_subquery()
        changed += connection.execute(
            update(clips)
            .where(clips.c.removed.in_(_ANY), clips.c.label == old, decided == label_id)
            .values(label=new)
        ).rowcount
    return changed


def clips_changed(connection: Connection, before: LabelState, after: LabelState) -> int:
    """How many listed clips would show another label."""
    changed = 0
    for label_id in before.labels.keys() & after.labels.keys():
        old = before.shown(label_id)
        if old != after.shown(label_id):
            decided = (
                select(decisions.c.label_id).where(decisions.c.id == clips.c.decision_id).scalar_subquery()
            )
            wanted = select(func.count()).where(~clips.c.removed, clips.c.label == old, decided == label_id)
            changed += connection.execute(wanted).scalar_one()
    return changed


def _show_suggested(connection: Connection, before: Mapping[str, str], after: Mapping[str, str]) -> None:
    """What the active model says, under the labels' present names."""
    active = connection.execute(
        select(models).join(project, project.c.active_model_id == models.c.id)
    ).first()
    if active is None:
        return
    told = set(json.loads(active.labels))
    for name in before.keys() | after.keys():
        old, new = before.get(name, name), after.get(name, name)
        if old == new or (told and name not in told):
            continue
        together = [
            sum(names.get(one, one) == now for one in told) for names, now in ((before, old), (after, new))
        ]
        if max(together) <= 1:
            connection.execute(
                update(clips)
                .where(clips.c.removed.in_(_ANY), clips.c.suggested == old, clips.c.model_id == active.id)
                .values(suggested=new)
            )
        else:
            _show_again(connection, active.id, active.hash, _mentions(name))


def _mentions(name: str) -> ColumnElement[bool]:
    return func.instr(suggestions.c.scores, f"[{json.dumps(name)},") > 0


def _show_again(connection: Connection, model_id: int, model_hash: str, which: ColumnElement[bool]) -> None:
    """Labels that are one now, or no longer, change sums and so perhaps the order."""
    ids = connection.execute(
        select(suggestions.c.clip_id).where(suggestions.c.model_id == model_id, which)
    ).scalars()
    for chunk in chunks(list(ids)):
        said.show_again(connection, model_id, model_hash, chunk)
