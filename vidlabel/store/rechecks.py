"""Blind second looks at clips that are decided, and how often they agree with the first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlalchemy import Integer, cast, exists, func, literal, select

from vidlabel.core.words import DECIDED_STATES
from vidlabel.store.decisions import NAME_NOW, WITH_LABELS
from vidlabel.store.engine import Database
from vidlabel.store.schema import clips, decisions, labels, steps

_DECIDED = sorted(state.value for state in DECIDED_STATES)
_SPREAD = 2_654_435_761
"""Knuth's multiplier: neighbouring decisions get numbers far apart, always the same ones."""
_WHOLE = 1 << 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """How often blind second looks said what had been decided."""

    checked: int = 0
    agreed: int = 0
    by_annotator: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    """Checked and agreed, by who looked again."""

    @property
    def share(self) -> float | None:
        """0..1; None while nothing was checked."""
        return self.agreed / self.checked if self.checked else None


class Rechecks:
    """Second looks in the project; :attr:`ProjectStore.rechecks`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def due(
        self, share: float, *, limit: int = 100, annotator: str | None = None, before_us: int | None = None
    ) -> tuple[int, ...]:
        """Decided clips that were drawn for a second look and have not had it, the oldest decision first.

        Args:
            share: 0..1 of all decisions. It draws by the decision's number: the same clips each time, and
                those of a smaller share are among those of a larger one.
            limit: so many at most.
            annotator: only what this person decided.
            before_us: only what was decided before this moment.

        Imported decisions are not drawn, and neither are second looks themselves.
        """
        if share <= 0:
            return ()
        again = decisions.alias("again")
        drawn = (decisions.c.id * _SPREAD).op("%")(literal(_WHOLE, Integer)) < share * _WHOLE
        wanted = (
            select(clips.c.id)
            .join(decisions, decisions.c.id == clips.c.decision_id)
            .where(
                ~clips.c.removed,
                clips.c.state.in_(_DECIDED),
                ~decisions.c.imported,
                decisions.c.rechecks.is_(None),
                drawn,
                ~exists().where(again.c.clip_id == clips.c.id, again.c.rechecks == decisions.c.id),
            )
            .order_by(decisions.c.id)
            .limit(limit)
        )
        if annotator is not None:
            wanted = wanted.where(clips.c.annotator == annotator)
        if before_us is not None:
            wanted = wanted.where(clips.c.decided_at_us < before_us)
        with self._database.read() as connection:
            return tuple(connection.execute(wanted).scalars())

    def decision_of(self, clip_id: int) -> int | None:
        """The decision in force for a clip: what a second look at it is compared with."""
        with self._database.read() as connection:
            return connection.execute(select(clips.c.decision_id).where(clips.c.id == clip_id)).scalar()

    def agreement(self) -> Agreement:
        """Over all second looks that stand (an undone one does not count)."""
        first = decisions.alias("first")
        name, other = labels.alias("first_label"), labels.alias("first_other")
        same = (decisions.c.kind == first.c.kind) & decisions.c.label_id.is_(None)
        same |= func.coalesce(other.c.name, name.c.name) == NAME_NOW
        wanted = (
            select(
                decisions.c.annotator,
                func.count().label("checked"),
                func.sum(cast(func.coalesce(same, 0), Integer)).label("agreed"),
            )
            .select_from(
                WITH_LABELS.join(steps, steps.c.id == decisions.c.step_id)
                .join(first, first.c.id == decisions.c.rechecks)
                .outerjoin(name, name.c.id == first.c.label_id)
                .outerjoin(other, other.c.id == name.c.merged_into)
            )
            .where(decisions.c.rechecks.is_not(None), steps.c.state == "done")
            .group_by(decisions.c.annotator)
            .order_by(decisions.c.annotator)
        )
        with self._database.read() as connection:
            found = {row.annotator: (row.checked, row.agreed) for row in connection.execute(wanted)}
        return Agreement(
            checked=sum(checked for checked, _ in found.values()),
            agreed=sum(agreed for _, agreed in found.values()),
            by_annotator=found,
        )
