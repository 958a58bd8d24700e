"""Writing what a person did to clips, and reading it back. Rows are only ever added."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, bindparam, func, insert, select, update

from vidlabel.core.errors import UnknownVideoError
from vidlabel.core.time import now_us
from vidlabel.core.words import Changes, Decision, DecisionKind, NewDecision
from vidlabel.store.labels import resolve
from vidlabel.store.rows import AnyRow, chunks
from vidlabel.store.schema import clips, decisions, labels, step_clips, steps

_WITH_LABEL = frozenset({DecisionKind.ACCEPTED, DecisionKind.CORRECTED, DecisionKind.LABELLED})
_OTHER = labels.alias("other")
NAME_NOW = func.coalesce(_OTHER.c.name, labels.c.name)
"""What the label of a decision is called today; in statements on :data:`WITH_LABELS`."""
WITH_LABELS = decisions.outerjoin(labels, labels.c.id == decisions.c.label_id).outerjoin(
    _OTHER, _OTHER.c.id == labels.c.merged_into
)
"""Decisions with their labels, and the labels that those were merged into."""
_DECISIONS = select(decisions, NAME_NOW.label("label")).select_from(WITH_LABELS)


# Built once: a decision stands between two clips, and building a statement takes as long as running it.
_DROP_REDO = update(steps).where(steps.c.state == "undone").values(state="dropped")
_NEW_STEP = insert(steps)
_NEW_STEP_CLIP = insert(step_clips)
_NEW_DECISION = insert(decisions).returning(decisions.c.id, sort_by_parameter_order=True)
_SHOW = update(clips).where(clips.c.id == bindparam("of_clip"))


@dataclass(frozen=True, slots=True)
class ClipBefore:
    """What a clip showed before a decision."""

    name: str
    decision_id: int | None


def clean(text: str) -> str:
    """A text from outside without what no database takes."""
    return text.encode("utf-8", "replace").decode()


def decide(connection: Connection, new: Sequence[NewDecision], annotator: str) -> Changes:
    """One step: all of these decisions or none. What had been undone before can no longer be redone.

    Raises:
        UnknownLabelError: a label is not in the label set.
        UnknownVideoError: there is no such clip.
        ValueError: a kind and a label that do not go together.
    """
    if not new:
        return Changes()
    for decision in new:
        if (decision.label is not None) != (decision.kind in _WITH_LABEL):
            raise ValueError(f"a decision '{decision.kind}' with the label {decision.label!r}")
    known = resolve(connection, {decision.label for decision in new if decision.label is not None})
    before = clips_before(connection, [decision.clip_id for decision in new])
    names = [known[decision.label].name if decision.label is not None else None for decision in new]
    words = _words(new, names, before[new[0].clip_id].name)
    moment = now_us()
    step_id = new_step(connection, words, annotator=annotator, moment=moment)
    rows = [
        {
            "clip_id": decision.clip_id,
            "kind": decision.kind.value,
            "label_id": known[decision.label].id if decision.label is not None else None,
            "annotator": clean(decision.annotator or annotator),
            "decided_at_us": moment if decision.decided_at_us is None else decision.decided_at_us,
            "model": decision.model,
            "suggested": decision.suggested,
            "probability": decision.probability,
            "took_us": decision.took_us,
            "imported": decision.imported,
            "undoes": None,
            "step_id": step_id,
            "blind": decision.blind,
            "rechecks": decision.rechecks,
        }
        for decision in new
    ]
    return put_in_force(connection, rows, names, before=before, words=f"Saved: {words}")


def put_in_force(
    connection: Connection,
    rows: Sequence[Mapping[str, Any]],
    names: Sequence[str | None],
    *,
    before: Mapping[int, ClipBefore],
    words: str,
) -> Changes:
    """Writes new decisions of a step, notes what they replace, and lets their clips show them."""
    written = [
        stored(row, key, label=name)
        for row, key, name in zip(rows, insert_decisions(connection, rows), names, strict=True)
    ]
    newest = {decision.clip_id: decision for decision in written}
    connection.execute(
        _NEW_STEP_CLIP,
        [
            {"step_id": decision.step_id, "clip_id": clip_id, "before_id": before[clip_id].decision_id,
             "after_id": decision.id, "last_id": decision.id}
            for clip_id, decision in newest.items()
        ],
    )  # fmt: skip
    show(connection, newest)
    return Changes(clips=frozenset(newest), library=len(newest) > 1, decisions=tuple(written), words=words)


def clips_before(connection: Connection, clip_ids: Sequence[int]) -> dict[int, ClipBefore]:
    """What these clips show now.

    Raises:
        UnknownVideoError: there is no such clip.
    """
    found: dict[int, ClipBefore] = {}
    for chunk in chunks(dict.fromkeys(clip_ids)):
        wanted = select(clips.c.id, clips.c.name, clips.c.decision_id).where(clips.c.id.in_(chunk))
        for row in connection.execute(wanted):
            found[row.id] = ClipBefore(row.name, row.decision_id)
    for clip_id in clip_ids:
        if clip_id not in found:
            raise UnknownVideoError(f"clip {clip_id}")
    return found


def new_step(
    connection: Connection,
    words: str,
    *,
    annotator: str,
    moment: int,
    kind: str = "decisions",
    details: str = "{}",
) -> int:
    """One more thing to undo; what had been undone before can no longer be redone."""
    connection.execute(_DROP_REDO)
    key = connection.execute(
        _NEW_STEP,
        {"state": "done", "words": words, "annotator": clean(annotator), "made_at_us": moment,
         "kind": kind, "details": details},
    ).inserted_primary_key  # fmt: skip
    return int(key[0]) if key else 0


def _words(new: Sequence[NewDecision], names: Sequence[str | None], clip_name: str) -> str:
    kinds = {decision.kind for decision in new}
    count = len({decision.clip_id for decision in new})
    where = clip_name if count == 1 else f"{count:,} clips"
    if any(decision.imported for decision in new):
        return f"import to {where}"
    if len(kinds | set(names)) > 2 or len(set(names)) > 1:
        return f"decisions on {where}"
    name = names[0]
    if name is not None:
        return f"{name} on {where}"
    return f"{'withdrawal' if DecisionKind.WITHDRAWN in kinds else new[0].kind.value} on {where}"


def insert_decisions(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> list[int]:
    """Adds rows and answers their ids, in order."""
    return list(connection.execute(_NEW_DECISION, list(rows)).scalars())


def stored(row: Mapping[str, Any], decision_id: int, *, label: str | None) -> Decision:
    """The value for a row that was just written."""
    fields = {name: value for name, value in row.items() if name not in ("label_id", "kind")}
    return Decision(id=decision_id, kind=DecisionKind(row["kind"]), label=label, **fields)


def show(connection: Connection, in_force: Mapping[int, Decision | None]) -> None:
    """Lets clips show the decision now in force for them; None: none."""
    parameters = []
    for clip_id, decision in in_force.items():
        nothing = decision is None or decision.kind is DecisionKind.WITHDRAWN
        parameters.append({
            "of_clip": clip_id,
            "decision_id": None if decision is None else decision.id,
            "decision_kind": None if nothing or decision is None else decision.kind.value,
            "label": None if nothing or decision is None else decision.label,
            "annotator": None if nothing or decision is None else decision.annotator,
            "decided_at_us": None if nothing or decision is None else decision.decided_at_us,
        })  # fmt: skip
    if parameters:
        connection.execute(_SHOW, parameters)


def from_row(row: AnyRow) -> Decision:
    """The value for a row that was read."""
    return Decision(
        id=row.id,
        clip_id=row.clip_id,
        kind=DecisionKind(row.kind),
        label=row.label,
        annotator=row.annotator,
        decided_at_us=row.decided_at_us,
        model=row.model,
        suggested=row.suggested,
        probability=row.probability,
        took_us=row.took_us,
        imported=row.imported,
        undoes=row.undoes,
        step_id=row.step_id,
        blind=row.blind,
        rechecks=row.rechecks,
    )


def read_decisions(connection: Connection, ids: Sequence[int]) -> dict[int, Decision]:
    """Decisions by their ids."""
    found: dict[int, Decision] = {}
    for chunk in chunks(ids):
        for row in connection.execute(_DECISIONS.where(decisions.c.id.in_(chunk))):
            found[row.id] = from_row(row)
    return found


def restore(connection: Connection, decision_id: int, annotator: str) -> Changes:
    """An earlier decision is in force again: one more decision that says the same, and one step.

    A label that was retired since comes back on this clip; it is not offered again for that.

    Raises:
        UnknownVideoError: there is no such decision.
    """
    row = connection.execute(_DECISIONS.where(decisions.c.id == decision_id)).first()
    if row is None:
        raise UnknownVideoError(f"decision {decision_id}")
    before = clips_before(connection, [row.clip_id])
    moment = now_us()
    words = f"{row.label or ('no label' if row.kind == DecisionKind.WITHDRAWN else row.kind)} again"
    words = f"{words} on {before[row.clip_id].name}"
    step_id = new_step(connection, words, annotator=annotator, moment=moment)
    again = {
        "clip_id": row.clip_id,
        "kind": row.kind,
        "label_id": row.label_id,
        "annotator": clean(annotator),
        "decided_at_us": moment,
        "model": row.model,
        "suggested": row.suggested,
        "probability": row.probability,
        "took_us": None,
        "imported": False,
        "undoes": None,
        "step_id": step_id,
        "blind": row.blind,
        "rechecks": None,
    }
    return put_in_force(connection, [again], [row.label], before=before, words=f"Restored: {words}")


def label_ids_of(connection: Connection, ids: Sequence[int]) -> dict[int, int | None]:
    """The labels as they were given, by decision."""
    found: dict[int, int | None] = {}
    for chunk in chunks(ids):
        wanted = select(decisions.c.id, decisions.c.label_id).where(decisions.c.id.in_(chunk))
        found |= {row.id: row.label_id for row in connection.execute(wanted)}
    return found


def history(connection: Connection, clip_id: int) -> tuple[Decision, ...]:
    """All that was ever decided about a clip, newest first."""
    return histories(connection, [clip_id]).get(clip_id, ())


def histories(connection: Connection, clip_ids: Iterable[int]) -> dict[int, tuple[Decision, ...]]:
    """The same for several clips; those never decided about are left out."""
    found: dict[int, list[Decision]] = {}
    for chunk in chunks(clip_ids):
        wanted = _DECISIONS.where(decisions.c.clip_id.in_(chunk)).order_by(decisions.c.id.desc())
        for row in connection.execute(wanted):
            found.setdefault(row.clip_id, []).append(from_row(row))
    return {clip_id: tuple(decided) for clip_id, decided in found.items()}
