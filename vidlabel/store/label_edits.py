"""Editing the label set: each edit is one step that one undo takes back, also after a restart."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

from sqlalchemy import Connection, func, select

from vidlabel.core.errors import ProjectError
from vidlabel.core.label_edits import (
    AddLabels,
    ApplyPreset,
    DescribeLabel,
    LabelEdit,
    LabelPreset,
    LabelPreview,
    MergeLabels,
    Others,
    RecolourLabel,
    RenameLabel,
    ReorderLabels,
    RestoreLabel,
    RetireLabel,
    SetLabelKey,
    SplitLabel,
)
from vidlabel.core.time import now_us
from vidlabel.core.words import DECIDED_STATES, Changes, ClipRow, DecisionKind
from vidlabel.store.decisions import clean, clips_before, new_step, put_in_force
from vidlabel.store.engine import Database
from vidlabel.store.label_plan import planned, step_words
from vidlabel.store.label_rows import carry_out, clips_changed
from vidlabel.store.label_state import LabelState, difference, read_state
from vidlabel.store.rows import chunks, rows_of
from vidlabel.store.schema import clips, decisions, labels, steps

_DECIDED = sorted(state.value for state in DECIDED_STATES)


class LabelEdits:
    """Changes to the label set of a project; :attr:`ProjectStore.label_edits`.

    Every method raises UnknownLabelError or ProjectError where it cannot be done; nothing was written then.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def apply(self, edit: LabelEdit, *, annotator: str) -> Changes:
        """Does it as one step. An edit that changes nothing writes nothing."""
        with self._database.write_durably() as connection:
            before = read_state(connection)
            after = self._after(connection, before, edit)
            change = difference(before, after)
            if not change:
                return Changes()
            words = step_words(before, edit)
            step_id = new_step(
                connection,
                words,
                annotator=annotator,
                moment=now_us(),
                kind="labels",
                details=json.dumps(change.to_json()),
            )
            shown = carry_out(connection, change)
            if not isinstance(edit, SplitLabel):
                return Changes(labels=True, library=shown > 0, words=f"Saved: {words}")
            split = _split(connection, edit, annotator, step_id=step_id, path_words=words)
        return Changes(
            clips=split.clips, labels=True, library=True, decisions=split.decisions, words=f"Saved: {words}"
        )

    def preview(self, edit: LabelEdit) -> LabelPreview:
        """What :meth:`apply` would change; writes nothing."""
        with self._database.read() as connection:
            before = read_state(connection)
            after = self._after(connection, before, edit)
            return _preview(connection, before, after, edit)

    def examples(self, label_id: int, *, limit: int = 12) -> tuple[ClipRow, ...]:
        """Decided clips that show what the label means: accepted ones first, the surest of them first."""
        with self._database.read() as connection:
            name = read_state(connection).shown(label_id)
            wanted = (
                select(clips.c.id)
                .where(~clips.c.removed, clips.c.label == name, clips.c.state.in_(_DECIDED))
                .order_by(
                    clips.c.state != "accepted", func.coalesce(clips.c.shown, clips.c.probability).desc()
                )
                .limit(limit)
            )
            return rows_of(connection, list(connection.execute(wanted).scalars()))

    def add(self, names: Sequence[str], *, annotator: str, description: str = "") -> Changes:
        """New labels at the end, in this order."""
        return self.apply(AddLabels(tuple(names), description), annotator=annotator)

    def rename(self, label_id: int, name: str, *, annotator: str) -> Changes:
        """Another name; models and files that know the old one are still understood."""
        return self.apply(RenameLabel(label_id, name), annotator=annotator)

    def recolour(self, label_id: int, colour: str | None, *, annotator: str) -> Changes:
        """'#rrggbb', or None for the palette's colour."""
        return self.apply(RecolourLabel(label_id, colour), annotator=annotator)

    def set_key(self, label_id: int, key: str | None, *, annotator: str) -> Changes:
        """The person's own shortcut for the label."""
        return self.apply(SetLabelKey(label_id, key), annotator=annotator)

    def describe(self, label_id: int, text: str, *, annotator: str) -> Changes:
        """What the label means."""
        return self.apply(DescribeLabel(label_id, text), annotator=annotator)

    def reorder(self, label_ids: Sequence[int], *, annotator: str) -> Changes:
        """These first, in this order."""
        return self.apply(ReorderLabels(tuple(label_ids)), annotator=annotator)

    def merge(self, label_ids: Sequence[int], into: int, *, annotator: str) -> Changes:
        """One label from now on; no decision changes."""
        return self.apply(MergeLabels(tuple(label_ids), into), annotator=annotator)

    def split(self, label_id: int, clip_ids: Sequence[int], name: str, *, annotator: str) -> Changes:
        """A new label for these clips of a label."""
        return self.apply(SplitLabel(label_id, tuple(clip_ids), name), annotator=annotator)

    def retire(self, label_id: int, *, annotator: str) -> Changes:
        """Not offered any more."""
        return self.apply(RetireLabel(label_id), annotator=annotator)

    def restore(self, label_id: int, *, annotator: str) -> Changes:
        """Offered again, and on its own again if it had been merged."""
        return self.apply(RestoreLabel(label_id), annotator=annotator)

    def apply_preset(self, preset: LabelPreset, *, annotator: str, others: Others = Others.RETIRE) -> Changes:
        """A whole label set from elsewhere."""
        return self.apply(ApplyPreset(preset, others), annotator=annotator)

    def _after(self, connection: Connection, before: LabelState, edit: LabelEdit) -> LabelState:
        highest = connection.execute(select(func.max(labels.c.id))).scalar() or 0
        after = planned(before, edit, path=self._database.path, next_id=highest + 1)
        if isinstance(edit, SplitLabel) and len(_of_label(connection, before, edit)) < len(
            set(edit.clip_ids)
        ):
            raise ProjectError(
                self._database.path,
                f"some of these clips do not have the label '{before.shown(edit.label_id)}' any more. "
                "Choose the clips again.",
            )
        return after


def _of_label(connection: Connection, state: LabelState, edit: SplitLabel) -> list[int]:
    found: list[int] = []
    for chunk in chunks(set(edit.clip_ids)):
        wanted = select(clips.c.id).where(clips.c.id.in_(chunk), clips.c.label == state.shown(edit.label_id))
        found += connection.execute(wanted).scalars()
    return found


def _split(
    connection: Connection, edit: SplitLabel, annotator: str, *, step_id: int, path_words: str
) -> Changes:
    state = read_state(connection)
    name = " ".join(edit.name.split())
    before = clips_before(connection, edit.clip_ids)
    made_at = select(steps.c.made_at_us).where(steps.c.id == step_id)
    moment = connection.execute(made_at).scalar_one()
    rows = [
        {
            "clip_id": clip_id,
            "kind": DecisionKind.LABELLED.value,
            "label_id": state.named(name),
            "annotator": clean(annotator),
            "decided_at_us": moment,
            "model": None,
            "suggested": None,
            "probability": None,
            "took_us": None,
            "imported": False,
            "undoes": None,
            "step_id": step_id,
            "blind": False,
            "rechecks": None,
        }
        for clip_id in dict.fromkeys(edit.clip_ids)
    ]
    return put_in_force(connection, rows, [name] * len(rows), before=before, words=path_words)


def _preview(connection: Connection, before: LabelState, after: LabelState, edit: LabelEdit) -> LabelPreview:
    change = difference(before, after)
    names = {key: (before.shown(key), after.shown(key)) for key in before.labels}
    offered = {key for key, facts in before.labels.items() if not facts.retired}
    then = {key for key, facts in after.labels.items() if not facts.retired}
    gone = offered - then
    split = len(set(edit.clip_ids)) if isinstance(edit, SplitLabel) else 0
    kept = {before.labels[key].name for key in gone if after.labels[key].merged_into is None}
    concerned = [key for key in change.labels if key in before.labels] if _is_about_few(edit) else gone
    return LabelPreview(
        renamed={old: new for old, new in names.values() if old != new},
        clips=clips_changed(connection, before, after) + split,
        kept=_clips_with(connection, kept),
        decisions=_decisions_with(connection, concerned),
        written=split,
        added=tuple(after.labels[key].name for key in after.in_order() if key not in before.labels),
        restored=tuple(
            after.labels[key].name
            for key in after.in_order()
            if key in then - offered and key in before.labels
        ),
        retired=tuple(before.labels[key].name for key in before.in_order() if key in gone),
    )


def _is_about_few(edit: LabelEdit) -> bool:
    return not isinstance(edit, ApplyPreset | ReorderLabels)


def _clips_with(connection: Connection, names: Iterable[str]) -> int:
    return sum(
        connection.execute(
            select(func.count()).where(~clips.c.removed, clips.c.label.in_(chunk))
        ).scalar_one()
        for chunk in chunks(names)
    )


def _decisions_with(connection: Connection, label_ids: Iterable[int]) -> int:
    given = decisions.c.undoes.is_(None)
    return sum(
        connection.execute(select(func.count()).where(decisions.c.label_id.in_(chunk), given)).scalar_one()
        for chunk in chunks(label_ids)
    )
