"""What a wish of the person means for one clip or for several, as values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from vidlabel.core.words import Changes, ClipRow, ClipState, DecisionKind, NewDecision, Suggestion

if TYPE_CHECKING:
    from vidlabel.store.project_store import ProjectStore

_TROUBLE = frozenset({ClipState.MISSING, ClipState.UNREADABLE})


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """A label, another kind of decision, or each clip's own first suggestion."""

    label: str | None = None
    kind: DecisionKind | None = None
    own_first: bool = False

    def decision(self, clip_id: int, suggestion: Suggestion | None, took_us: int | None) -> NewDecision:
        """The decision about a clip while this suggestion is on screen (None: none is)."""
        first = suggestion.scores[0] if suggestion is not None and suggestion.scores else None
        label = first.label if self.own_first and first is not None else self.label
        return NewDecision(
            clip_id=clip_id,
            kind=self.kind or kind_of(label, first.label if first is not None else None),
            label=label,
            model=suggestion.model if suggestion is not None else None,
            suggested=first.label if first is not None else None,
            probability=first.probability if first is not None else None,
            took_us=took_us,
        )


def kind_of(label: str | None, suggested: str | None) -> DecisionKind:
    """What giving a label is called, by what was suggested on screen."""
    if suggested is None:
        return DecisionKind.LABELLED
    return DecisionKind.ACCEPTED if label == suggested else DecisionKind.CORRECTED


def write_decisions(decisions: Sequence[NewDecision], annotator: str, store: ProjectStore) -> Changes:
    """On the writing thread: one transaction, one undo step."""
    return store.decide(decisions, annotator=annotator)


def decisions_for(
    wish: Wish,
    clip_ids: Sequence[int],
    annotator: str,
    blind: bool,
    store: ProjectStore,
) -> Changes | None:
    """On the writing thread: one wish for several clips as one undo step. Unusable files are left out.

    The first suggestion of each is what its row in the list shows.
    """
    decisions = []
    for row in store.clip_rows(clip_ids):
        if row.state in _TROUBLE or (wish.own_first and row.suggested is None):
            continue
        suggested = None if blind else row.suggested
        label = row.suggested if wish.own_first else wish.label
        decisions.append(
            NewDecision(
                clip_id=row.clip_id,
                kind=wish.kind or kind_of(label, suggested),
                label=label,
                model=row.model if suggested is not None else None,
                suggested=suggested,
                probability=row.probability if suggested is not None else None,
            )
        )
    return store.decide(decisions, annotator=annotator) if decisions else None


def saved_words(changes: Changes, row: ClipRow) -> str:
    """What was saved, for the status bar."""
    newest = changes.decisions[-1]
    what = newest.label or newest.kind.value
    if len(changes.decisions) == 1:
        return f"Saved: {what} on {row.name}"
    labels = {decision.label for decision in changes.decisions}
    what = what if len(labels) == 1 else "the first suggestion of each"
    return f"Saved: {what} on {len(changes.decisions)} clips"
