"""Undo and redo, kept in the project. Taking back a decision is itself a decision that names the other."""

from __future__ import annotations

from enum import Enum

from sqlalchemy import Connection, bindparam, select, update

from vidlabel.core.time import now_us
from vidlabel.core.words import Changes, Decision, DecisionKind
from vidlabel.store.decisions import clean, insert_decisions, read_decisions, show, stored
from vidlabel.store.labels import all_labels
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
    wanted = select(steps.c.id, steps.c.words).where(steps.c.state == state).order_by(order).limit(1)
    return connection.execute(wanted).first()


def go(connection: Connection, direction: Direction, annotator: str) -> Changes | None:
    """Takes the newest step back, or does again the one undone last; None if there is none.

    Clips then show exactly what they showed before: also who decided and when, as it was then.
    """
    step = next_step(connection, direction)
    if step is None:
        return None
    done, _, state = direction.value
    parts = connection.execute(select(step_clips).where(step_clips.c.step_id == step.id)).all()
    targets = {
        part.clip_id: part.before_id if direction is Direction.UNDO else part.after_id for part in parts
    }
    known = read_decisions(connection, [target for target in targets.values() if target is not None])
    in_force = {clip_id: known[target] if target is not None else None for clip_id, target in targets.items()}
    written = _append(connection, {part.clip_id: part.last_id for part in parts}, in_force,
                      annotator=clean(annotator), step_id=step.id)  # fmt: skip
    show(connection, in_force)
    connection.execute(update(steps).where(steps.c.id == step.id).values(state=state))
    return Changes(
        clips=frozenset(targets),
        library=len(targets) > 1,
        decisions=tuple(written),
        words=f"{done}: {step.words}",
    )


def _append(
    connection: Connection,
    taken_back: dict[int, int],
    in_force: dict[int, Decision | None],
    *,
    annotator: str,
    step_id: int,
) -> list[Decision]:
    labels_of = {clip_id: decision.label if decision else None for clip_id, decision in in_force.items()}
    ids_of_labels = _label_ids(connection, in_force)
    moment = now_us()
    rows = []
    for clip_id, undoes in taken_back.items():
        decision = in_force[clip_id]
        rows.append({
            "clip_id": clip_id,
            "kind": (decision.kind if decision else DecisionKind.WITHDRAWN).value,
            "label_id": ids_of_labels.get(clip_id),
            "annotator": annotator,
            "decided_at_us": moment,
            "model": decision.model if decision else None,
            "suggested": decision.suggested if decision else None,
            "probability": decision.probability if decision else None,
            "took_us": None,
            "imported": False,
            "undoes": undoes,
            "step_id": step_id,
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


def _label_ids(connection: Connection, in_force: dict[int, Decision | None]) -> dict[int, int]:
    by_name = {label.name: label.id for label in all_labels(connection)}
    return {
        clip_id: by_name[decision.label]
        for clip_id, decision in in_force.items()
        if decision is not None and decision.label is not None
    }
