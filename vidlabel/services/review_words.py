"""The values of a review: what is looked at, what a click says, what a screenful becomes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication

from vidlabel.core.words import (
    DECIDED_STATES,
    Changes,
    ClipQuery,
    ClipRow,
    ClipState,
    DecisionKind,
    NewDecision,
)
from vidlabel.services.decision_making import kind_of

if TYPE_CHECKING:
    from array import array

    from vidlabel.store.project_store import ProjectStore


class Mode(StrEnum):
    """Which clips of a label are looked at."""

    SUGGESTED = "suggested"
    """Undecided ones for which it is suggested: all but the clicked ones are accepted."""
    DECIDED = "decided"
    """Those that have it: the clicked ones lose it."""


@dataclass(frozen=True, slots=True)
class Choice:
    """A label that can be reviewed, and of how many clips."""

    label: str
    clips: int


@dataclass(frozen=True, slots=True)
class Asked:
    """What is under review."""

    mode: Mode
    label: str
    least: float


@dataclass(frozen=True, slots=True)
class Mark:
    """A click: the clip does not show the label under review, but ``label`` where that was said."""

    label: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Screenful:
    """One that was left, to come back to: where it began, what was clicked, and what was written about it."""

    asked: Asked
    of: array[int]
    """All clips of that review."""
    ids: tuple[int, ...]
    marks: Mapping[int, Mark]
    written: frozenset[int]


def find(asked: Asked, store: ProjectStore) -> array[int]:
    """On the reading thread: the clips under review, in order.

    Suggested ones surest first. Decided ones where the model says something else first, surest of that first: there
    the mistakes are; then the others, newest decision first.
    """
    if asked.mode is Mode.SUGGESTED:
        return store.clip_ids(
            ClipQuery(
                states=frozenset({ClipState.SUGGESTED}),
                suggested=frozenset({asked.label}),
                min_probability=asked.least or None,
                sort="probability",
                descending=True,
            )
        )
    label = frozenset({asked.label})
    ids = store.clip_ids(
        ClipQuery(states=DECIDED_STATES, labels=label, disagrees=True, sort="probability", descending=True)
    )
    first = set(ids)
    rest = store.clip_ids(ClipQuery(states=DECIDED_STATES, labels=label, sort="decided", descending=True))
    ids.extend(clip_id for clip_id in rest if clip_id not in first)
    return ids


def is_open(row: ClipRow, asked: Asked) -> bool:
    """Whether the clip still is what the review is about, and can be decided here."""
    if asked.mode is Mode.SUGGESTED:
        return row.state is ClipState.SUGGESTED
    return row.state in DECIDED_STATES and row.label == asked.label


def decisions_of(
    rows: Sequence[ClipRow], marks: Mapping[int, Mark], asked: Asked, *, clicked: str, blind: bool
) -> tuple[NewDecision, ...]:
    """What Enter says of a screenful; ``clicked`` is what becomes of clicks without another label.

    Of a review of decided clips only the clicked ones are decided about: 'leave' puts them back into the queue too,
    for nothing else takes the label from them.
    """
    found = []
    for row in rows:
        mark = marks.get(row.clip_id)
        label = asked.label if mark is None else mark.label
        if mark is None and asked.mode is Mode.DECIDED:
            continue
        if label is None and clicked == "leave" and asked.mode is Mode.SUGGESTED:
            continue
        suggested = None if blind else row.suggested
        kind = kind_of(label, suggested)
        if label is None:
            kind = DecisionKind.UNSURE if clicked == "unsure" else DecisionKind.SKIPPED
        found.append(
            NewDecision(
                clip_id=row.clip_id,
                kind=kind,
                label=label,
                model=row.model if suggested is not None else None,
                suggested=suggested,
                probability=row.probability if suggested is not None else None,
            )
        )
    return tuple(found)


def write_screenful(
    decisions: Sequence[NewDecision], seen: Mapping[int, int | None], annotator: str, store: ProjectStore
) -> Changes | None:
    """On the writing thread: one transaction, one undo step.

    A clip that somebody has decided about since it came on the screen (``seen``: when it was decided then) is left
    out: what was looked at is no longer so.
    """
    now = {row.clip_id: row.decided_at_us for row in store.clip_rows([one.clip_id for one in decisions])}
    still = [one for one in decisions if one.clip_id in now and now[one.clip_id] == seen.get(one.clip_id)]
    return store.decide(still, annotator=annotator) if still else None


def saved_words(changes: Changes, asked: Asked) -> str:
    """What was saved, for the status bar."""
    total = len(changes.decisions)
    given = sum(decision.label == asked.label for decision in changes.decisions)
    translate = QCoreApplication.translate
    if given == total:
        return translate("Review", "Saved: {label} on {clips}").format(label=asked.label, clips=_clips(total))
    return translate("Review", "Saved: {label} on {given}, something else on {others}").format(
        label=asked.label, given=_clips(given), others=_clips(total - given)
    ) if given else translate("Review", "Saved: {clips} no longer {label}").format(
        clips=_clips(total), label=asked.label
    )  # fmt: skip


def _clips(number: int) -> str:
    if number == 1:
        return QCoreApplication.translate("Review", "1 clip")
    return QCoreApplication.translate("Review", "{number} clips").format(number=f"{number:,}")
