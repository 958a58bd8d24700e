"""The kept totals."""

from __future__ import annotations

from sqlalchemy import Connection, select

from vidlabel.core.words import ClipState, Counts
from vidlabel.store.schema import clip_counts


def read_counts(connection: Connection) -> Counts:
    """Clips by state (each state named), and clips by label, also while their file is missing."""
    by_state = dict.fromkeys(ClipState, 0)
    by_label: dict[str, int] = {}
    for what, name, number in connection.execute(select(clip_counts)):
        if what == "state":
            by_state[ClipState(name)] = number
        elif number:
            by_label[name] = number
    return Counts(by_state=by_state, by_label=by_label)
