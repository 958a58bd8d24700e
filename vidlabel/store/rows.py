"""How a clip's row in the database becomes the :class:`ClipRow` that the rest of the program sees."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, TypeVar

from sqlalchemy import Connection, Row, select

from vidlabel.core.words import ClipRow, ClipState
from vidlabel.store.schema import clips, models, roots, videos
from vidlabel.store.text import absolute

Item = TypeVar("Item")

AnyRow = Row[*tuple[Any, ...]]
"""A result row whose columns the caller knows."""

CHUNK = 900
"""How many values one statement names at most; older SQLite allows 999."""

_COLUMNS = (
    *(clips.c[name] for name in (
        "id", "video_id", "relative", "start_us", "end_us", "start_frame", "end_frame", "whole", "state",
        "label", "annotator", "decided_at_us", "suggested", "probability", "margin", "trouble",
        "shown", "note", "flagged",
    )),
    roots.c.path.label("root"),
    models.c.hash.label("model"),
    *(videos.c[name] for name in ("fingerprint", "fps", "frames", "width", "height", "audio")),
    videos.c.reason,
    videos.c.missing_reason,
)  # fmt: skip

ROWS = select(*_COLUMNS).select_from(
    clips.join(videos, videos.c.id == clips.c.video_id)
    .join(roots, roots.c.id == clips.c.root_id)
    .outerjoin(models, models.c.id == clips.c.model_id)
)
"""The statement behind every :class:`ClipRow`; callers add conditions."""


def clip_row(row: AnyRow) -> ClipRow:
    """One result row of :data:`ROWS`."""
    reason = row.missing_reason if row.trouble == ClipState.MISSING else row.reason
    return ClipRow(
        clip_id=row.id,
        video_id=row.video_id,
        path=absolute(row.root, row.relative),
        relative=row.relative,
        start_us=row.start_us,
        end_us=row.end_us,
        start_frame=row.start_frame,
        end_frame=row.end_frame,
        whole=row.whole,
        state=ClipState(row.state),
        label=row.label,
        annotator=row.annotator,
        decided_at_us=row.decided_at_us,
        suggested=row.suggested,
        probability=row.probability,
        margin=row.margin,
        model=row.model,
        fingerprint=row.fingerprint,
        fps=row.fps or 0.0,
        frames=row.frames or 0,
        width=row.width or 0,
        height=row.height or 0,
        audio=bool(row.audio),
        reason=reason if row.trouble else None,
        calibrated=row.shown,
        note=row.note,
        flagged=row.flagged,
    )


def chunks(values: Iterable[Item], size: int = CHUNK) -> Iterator[list[Item]]:
    """The values in lists of at most ``size``."""
    iterator = iter(values)
    while chunk := list(islice(iterator, size)):
        yield chunk


def rows_of(connection: Connection, ids: Sequence[int]) -> tuple[ClipRow, ...]:
    """The rows of these clips in the order asked; ids that do not exist (any more) are left out."""
    found: dict[int, ClipRow] = {}
    for chunk in chunks(dict.fromkeys(ids)):
        for row in connection.execute(ROWS.where(clips.c.id.in_(chunk))):
            found[row.id] = clip_row(row)
    return tuple(found[clip_id] for clip_id in ids if clip_id in found)
