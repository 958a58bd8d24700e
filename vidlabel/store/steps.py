"""Undo and redo, kept in the project. Taking back a decision is itself a decision that names the other."""

from __future__ import annotations

import json
from enum import Enum

from sqlalchemy import Connection, bindparam, select, update

from vidlabel.core.time import now_us
from vidlabel.core.words import Changes, Decision, DecisionKind
from vidlabel.store import label_rows, remarks
from vidlabel.store.decisions import clean, insert_decisions, label_ids_of, read_decisions, show, stored
from vidlabel.store.label_state import Difference
from vidlabel.store.rows import AnyRow
from vidlabel.store.schema import step_clips, steps


class Direction(Enum):
    """Which way to go along the steps: (words, state of the step looked for, state it gets)."""

    UNDO = ("Undid", "done", "undone")
    REDO = ("Redid", "undone", "done")


def next_step(connection: Connection, direction: Direction) -> AnyRow | None:
    """The step that would be taken back or done again."""
    _, state, _ = direction.value
    order = steps.c.id.desc() if direction is Direction.UNDO else steps.c.id
    wanted = select(steps).where(steps.c.state == state).order_by(order).limit(1)
    return connection.execute(wanted).first()


def go(connection: Connection, direction: Direction, annotator: str) -> Changes | None:
    """Takes the newest step back, or does again the one undone last; None if there is none.

    Clips then show exactly what they showed before: also who decided and when, as it was then.
    """
    step = next_step(connection, direction)
    if step is None:
        return None
    done, _, state = direction.value
    words = f"{done}: {step.words}"
    changes = Changes(words=words)
    if step.kind == "remark":
        changes = _remark(connection, step, direction, annotator)
    elif step.kind == "labels":
        changes = _label_set(connection, step, direction)
    decided = _decisions(connection, step.id, direction, annotator)
    connection.execute(update(steps).where(steps.c.id == step.id).values(state=state))
    return Changes(
        clips=changes.clips | decided.clips,
        library=changes.library or len(changes.clips | decided.clips) > 1,
        labels=changes.labels,
        decisions=decided.decisions,
        words=words,
    )


def _remark(connection: Connection, step: AnyRow, direction: Direction, annotator: str) -> Changes:
    details = {int(clip_id): pair for clip_id, pair in json.loads(step.details).items()}
    place = 0 if direction is Direction.UNDO else 1
    wanted = {clip_id: remarks.Content(*pair[place]) for clip_id, pair in details.items()}
    remarks.write(connection, wanted, annotator=clean(annotator), moment=now_us(), step_id=step.id)
    return Changes(clips=frozenset(wanted))


def _label_set(connection: Connection, step: AnyRow, direction: Direction) -> Changes:
    change = Difference.from_json(json.loads(step.details))
    label_rows.carry_out(connection, change.backwards() if direction is Direction.UNDO else change)
    return Changes(labels=True, library=True)


def _decisions(connection: Connection, step_id: int, direction: Direction, annotator: str) -> Changes:
    parts = connection.execute(select(step_clips).where(step_clips.c.step_id == step_id)).all()
    if not parts:
        return Changes()
    targets = {
        part.clip_id: part.before_id if direction is Direction.UNDO else part.after_id for part in parts
    }
    known = read_decisions(connection, [target for target in targets.values() if target is not None])
    in_force = {clip_id: known[target] if target is not None else None for clip_id, target in targets.items()}
    written = _append(connection, {part.clip_id: part.last_id for part in parts}, in_force,
                      annotator=clean(annotator), step_id=step_id)  # fmt: skip
    show(connection, in_force)
    return Changes(clips=frozenset(targets), decisions=tuple(written))


def _append(
    connection: Connection,
    taken_back: dict[int, int],
    in_force: dict[int, Decision | None],
    *,
    annotator: str,
    step_id: int,
) -> list[Decision]:
    labels_of = {clip_id: decision.label if decision else None for clip_id, decision in in_force.items()}
    given = label_ids_of(connection, [decision.id for decision in in_force.values() if decision])
    moment = now_us()
    rows = []
    for clip_id, undoes in taken_back.items():
        decision = in_force[clip_id]
        rows.append({
            "clip_id": clip_id,
            "kind": (decision.kind if decision else DecisionKind.WITHDRAWN).value,
            "label_id": given[decision.id] if decision else None,
            "annotator": annotator,
            "decided_at_us": moment,
            "model": decision.model if decision else None,
            "suggested": decision.suggested if decision else None,
            "probability": decision.probability if decision else None,
            "took_us": None,
            "imported": False,
            "undoes": undoes,
            "step_id": step_id,
            "blind": decision.blind if decision else False,
            "rechecks": None,
        })  # fmt: skip
    ids = insert_decisions(connection, rows)
    connection.execute(
        update(step_clips)
        .where(step_clips.c.step_id == bindparam("of_step"), step_clips.c.clip_id == bindparam("of_clip"))
        .values(last_id=bindparam("newest")),
        [
            {"of_step": step_id, "of_clip": clip_id, "newest": key}
            for clip_id, key in zip(taken_back, ids, strict=True)
        ],
    )
    return [
        stored(row, key, label=labels_of[clip_id])
        for row, key, clip_id in zip(rows, ids, taken_back, strict=True)
    ]
