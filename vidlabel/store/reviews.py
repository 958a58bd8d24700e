"""What there is to review: how many undecided clips each label is suggested for."""

from __future__ import annotations

from sqlalchemy import Connection, func, select

from vidlabel.core.words import ClipState
from vidlabel.store.schema import clips
from vidlabel.store.temperature import confidence_column


def suggested_counts(connection: Connection, least: float) -> dict[str, int]:
    """Clips that wait with a suggestion of at least this shown confidence (0..1), by suggested label."""
    statement = (
        select(clips.c.suggested, func.count())
        .where(
            ~clips.c.removed,
            clips.c.state == ClipState.SUGGESTED.value,
            confidence_column(connection) >= least,
        )
        .group_by(clips.c.suggested)
    )
    return {str(label): int(number) for label, number in connection.execute(statement)}
