"""What was done in the project, newest first: decisions, edits of the label set, notes and flags.

An undo is not a line of its own here: what it took back says so. The history of one clip (see
:func:`vidlabel.store.decisions.history`) names every undo and who did it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, func, or_, select

from vidlabel.core.words import DecisionKind
from vidlabel.store.decisions import NAME_NOW, WITH_LABELS
from vidlabel.store.rows import AnyRow
from vidlabel.store.schema import clips, decisions, labels, remarks, step_clips, steps


@dataclass(frozen=True, slots=True)
class Shown:
    """What a clip showed: a kind of decision, and the label where it has one (by its present name)."""

    kind: DecisionKind
    label: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryEntry:
    """One line of the history.

    ``what`` is 'decision', 'labels' or 'remark'. Of a decision, ``before`` is what the clip showed until then
    (None: nothing), ``after`` what it got. ``state`` is 'done', 'undone' or 'dropped' (undone for good).
    ``given`` is the name the label had as a label of its own, where it was merged since.
    """

    step_id: int
    decision_id: int | None
    what: str
    words: str
    annotator: str
    made_at_us: int
    state: str
    clip_id: int | None = None
    relative: str = ""
    before: Shown | None = None
    after: Shown | None = None
    given: str | None = None
    imported: bool = False
    blind: bool = False
    rechecks: bool = False


def project_history(
    connection: Connection,
    before: HistoryEntry | None = None,
    *,
    limit: int,
    clip_id: int | None = None,
    annotator: str | None = None,
) -> tuple[HistoryEntry, ...]:
    """A page of the history.

    Args:
        before: the last entry of the page before; None for the newest.
        limit: so many at most; fewer mean that there are no more.
        clip_id: only what was done to this clip.
        annotator: only what this person did.
    """
    decided = _decided(connection, before, limit=limit, clip_id=clip_id, annotator=annotator)
    # Other steps down to the oldest of these decisions; beyond it they belong to the next page.
    oldest = decided[-1].step_id if len(decided) == limit else 0
    others = _others(connection, before, oldest, limit=limit, clip_id=clip_id, annotator=annotator)
    found = sorted([*decided, *others], key=_place, reverse=True)
    return tuple(found[:limit])


def _place(entry: HistoryEntry) -> tuple[int, int]:
    return (entry.step_id, entry.decision_id or 0)


def _decided(
    connection: Connection,
    before: HistoryEntry | None,
    *,
    limit: int,
    clip_id: int | None,
    annotator: str | None,
) -> list[HistoryEntry]:
    wanted = select(decisions.c.id).where(decisions.c.undoes.is_(None))
    if before is not None:
        # Steps and the decisions that were not undos grow together, so the order of one is that of the other.
        place = (
            decisions.c.id < before.decision_id
            if before.decision_id is not None
            else decisions.c.step_id < before.step_id
        )
        wanted = wanted.where(place)
    if clip_id is not None:
        wanted = wanted.where(decisions.c.clip_id == clip_id)
    if annotator is not None:
        wanted = wanted.where(decisions.c.annotator == annotator)
    ids = list(connection.execute(wanted.order_by(decisions.c.id.desc()).limit(limit)).scalars())
    rows = connection.execute(_page(ids)).all() if ids else []
    return [_decision(row) for row in rows]


def _page(ids: list[int]) -> Select[Any]:
    earlier = decisions.alias("earlier")
    name, other = labels.alias("earlier_label"), labels.alias("earlier_other")
    return (
        select(
            decisions,
            NAME_NOW.label("label"),
            labels.c.name.label("given"),
            steps.c.words,
            steps.c.state,
            steps.c.kind.label("step_kind"),
            clips.c.relative,
            earlier.c.kind.label("earlier_kind"),
            func.coalesce(other.c.name, name.c.name).label("earlier_name"),
        )
        .select_from(
            WITH_LABELS.join(steps, steps.c.id == decisions.c.step_id)
            .join(clips, clips.c.id == decisions.c.clip_id)
            .outerjoin(
                step_clips,
                and_(
                    step_clips.c.step_id == decisions.c.step_id, step_clips.c.clip_id == decisions.c.clip_id
                ),
            )
            .outerjoin(earlier, earlier.c.id == step_clips.c.before_id)
            .outerjoin(name, name.c.id == earlier.c.label_id)
            .outerjoin(other, other.c.id == name.c.merged_into)
        )
        .where(decisions.c.id.in_(ids))
        .order_by(decisions.c.id.desc())
    )


def _decision(row: AnyRow) -> HistoryEntry:
    showed_nothing = row.earlier_kind in (None, DecisionKind.WITHDRAWN.value)
    return HistoryEntry(
        step_id=row.step_id,
        decision_id=row.id,
        what="decision",
        words=row.words,
        annotator=row.annotator,
        made_at_us=row.decided_at_us,
        state=row.state,
        clip_id=row.clip_id,
        relative=row.relative,
        before=None if showed_nothing else Shown(DecisionKind(row.earlier_kind), row.earlier_name),
        after=Shown(DecisionKind(row.kind), row.label),
        given=row.given if row.given != row.label else None,
        imported=row.imported,
        blind=row.blind,
        rechecks=row.rechecks is not None,
    )


def _others(
    connection: Connection,
    before: HistoryEntry | None,
    oldest: int,
    *,
    limit: int,
    clip_id: int | None,
    annotator: str | None,
) -> list[HistoryEntry]:
    kinds: list[ColumnElement[bool]] = [steps.c.kind == "remark"]
    if clip_id is None:
        kinds.append(steps.c.kind == "labels")
    wanted = select(steps).where(or_(*kinds), steps.c.id > oldest)
    if before is not None:
        wanted = wanted.where(steps.c.id < before.step_id)
    if annotator is not None:
        wanted = wanted.where(steps.c.annotator == annotator)
    if clip_id is not None:
        of_clip = select(remarks.c.step_id).where(remarks.c.clip_id == clip_id)
        wanted = wanted.where(steps.c.id.in_(of_clip))
    rows = connection.execute(wanted.order_by(steps.c.id.desc()).limit(limit)).all()
    about = _single_clips(connection, [row.id for row in rows if row.kind == "remark"])
    return [
        HistoryEntry(
            step_id=row.id,
            decision_id=None,
            what=row.kind,
            words=row.words,
            annotator=row.annotator,
            made_at_us=row.made_at_us,
            state=row.state,
            clip_id=about.get(row.id, (None, ""))[0],
            relative=about.get(row.id, (None, ""))[1],
        )
        for row in rows
    ]


def _single_clips(connection: Connection, step_ids: list[int]) -> dict[int, tuple[int | None, str]]:
    """The clip of each step of remarks that is about a single one."""
    if not step_ids:
        return {}
    rows = connection.execute(
        select(
            remarks.c.step_id,
            func.min(remarks.c.clip_id).label("clip_id"),
            func.max(remarks.c.clip_id).label("last"),
            func.min(clips.c.relative).label("relative"),
        )
        .join(clips, clips.c.id == remarks.c.clip_id)
        .where(remarks.c.step_id.in_(step_ids))
        .group_by(remarks.c.step_id)
    )
    return {row.step_id: (row.clip_id, row.relative) for row in rows if row.clip_id == row.last}


def annotators(connection: Connection) -> dict[str, int]:
    """Who decided how often, the busiest first."""
    number = func.count()
    rows = connection.execute(
        select(decisions.c.annotator, number.label("number"))
        .where(decisions.c.undoes.is_(None))
        .group_by(decisions.c.annotator)
        .order_by(number.desc(), decisions.c.annotator)
    )
    return {row.annotator: row.number for row in rows}
