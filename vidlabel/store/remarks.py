"""Notes and flags: what a person remarks about a clip beside its label. Rows are only ever added."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass

from sqlalchemy import Connection, bindparam, insert, select, update

from vidlabel.core.errors import UnknownVideoError
from vidlabel.core.time import now_us
from vidlabel.core.words import Changes
from vidlabel.store.decisions import clean, new_step
from vidlabel.store.engine import Database
from vidlabel.store.rows import chunks
from vidlabel.store.schema import clips, remarks

_SHOW = update(clips).where(clips.c.id == bindparam("of_clip"))


@dataclass(frozen=True, slots=True)
class Content:
    """Note and flag of one clip."""

    note: str | None
    flagged: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Remark:
    """Note and flag as somebody left them."""

    clip_id: int
    annotator: str
    made_at_us: int
    note: str | None
    flagged: bool


class Remarks:
    """Notes and flags of the project; :attr:`ProjectStore.remarks`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def set_note(self, clip_ids: Sequence[int], text: str, *, annotator: str) -> Changes:
        """The same note for these clips, as one step; an empty text takes notes away.

        Raises:
            UnknownVideoError: there is no such clip; nothing was written.
        """
        note = clean(text).strip() or None
        return self._change(clip_ids, "note" if note else "note removed", annotator, note=note)

    def set_flag(self, clip_ids: Sequence[int], on: bool, *, annotator: str) -> Changes:
        """Flags these clips, or takes their flags away, as one step.

        Raises:
            UnknownVideoError: there is no such clip; nothing was written.
        """
        return self._change(clip_ids, "flag" if on else "flag removed", annotator, flagged=on)

    def of(self, clip_id: int) -> tuple[Remark, ...]:
        """Every remark about a clip, newest first."""
        wanted = select(remarks).where(remarks.c.clip_id == clip_id).order_by(remarks.c.id.desc())
        with self._database.read() as connection:
            return tuple(
                Remark(
                    clip_id=row.clip_id,
                    annotator=row.annotator,
                    made_at_us=row.made_at_us,
                    note=row.note,
                    flagged=row.flagged,
                )
                for row in connection.execute(wanted)
            )

    def _change(
        self, clip_ids: Sequence[int], what: str, annotator: str, **values: str | bool | None
    ) -> Changes:
        with self._database.write_durably() as connection:
            found = _now(connection, clip_ids)
            changed: dict[int, tuple[Content, Content]] = {}
            name = ""
            for clip_id, (clip_name, before) in found.items():
                after = Content(
                    note=values.get("note", before.note),  # type: ignore[arg-type]
                    flagged=bool(values.get("flagged", before.flagged)),
                )
                if after != before:
                    changed[clip_id] = (before, after)
                    name = clip_name
            if not changed:
                return Changes()
            where = name if len(changed) == 1 else f"{len(changed):,} clips"
            words, moment = f"{what} on {where}", now_us()
            details = json.dumps({clip: [astuple(one) for one in pair] for clip, pair in changed.items()})
            step_id = new_step(
                connection, words, annotator=annotator, moment=moment, kind="remark", details=details
            )
            write(
                connection,
                {clip_id: after for clip_id, (_, after) in changed.items()},
                annotator=clean(annotator),
                moment=moment,
                step_id=step_id,
            )
        return Changes(clips=frozenset(changed), library=len(changed) > 1, words=f"Saved: {words}")


def _now(connection: Connection, clip_ids: Sequence[int]) -> dict[int, tuple[str, Content]]:
    found: dict[int, tuple[str, Content]] = {}
    for chunk in chunks(dict.fromkeys(clip_ids)):
        columns = (clips.c.id, clips.c.name, clips.c.note, clips.c.flagged)
        for row in connection.execute(select(*columns).where(clips.c.id.in_(chunk))):
            found[row.id] = (row.name, Content(row.note, row.flagged))
    for clip_id in clip_ids:
        if clip_id not in found:
            raise UnknownVideoError(f"clip {clip_id}")
    return found


def write(
    connection: Connection, contents: Mapping[int, Content], *, annotator: str, moment: int, step_id: int
) -> None:
    """Adds remarks of a step and lets their clips show them."""
    if not contents:
        return
    connection.execute(
        insert(remarks),
        [
            {"clip_id": clip_id, "annotator": annotator, "made_at_us": moment, "note": content.note,
             "flagged": content.flagged, "step_id": step_id}
            for clip_id, content in contents.items()
        ],
    )  # fmt: skip
    connection.execute(
        _SHOW,
        [
            {"of_clip": clip_id, "note": content.note, "flagged": content.flagged}
            for clip_id, content in contents.items()
        ],
    )
