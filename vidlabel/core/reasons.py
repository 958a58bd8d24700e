"""Why a clip has its place in the queue, in words short enough to stand beside it."""

from __future__ import annotations

from vidlabel.core.words import DECIDED_STATES, ClipRow, ClipState, QueueOrder

CLOSE_RACE = 0.10
"""Below this lead of the first label over the second, the two are said to be close."""


def percent(share: float) -> str:
    """A share of 0..1 in whole percent that never claims certainty it does not have."""
    if 0.995 <= share < 1:
        return "over 99 %"
    if 0 < share < 0.005:
        return "under 1 %"
    return f"{round(share * 100)} %"


def why_now(row: ClipRow, order: QueueOrder, *, blind: bool = False) -> str:
    """The reason for one row.

    Args:
        row: its margin is the model's own lead of the first label over the second, 0..1.
        order: how the queue is sorted.
        blind: whether the person wants to know nothing of the suggestion.
    """
    if row.state in DECIDED_STATES:
        return f"Decided: {row.label}" if row.label else "Decided"
    if row.state in {ClipState.UNSURE, ClipState.UNUSABLE, ClipState.MISSING, ClipState.UNREADABLE}:
        return f"Not in the queue: {row.state.value}"
    if row.state is ClipState.SKIPPED:
        return "Skipped before: back at the end of the queue"
    if order is QueueOrder.PATH:
        return "Next by path"
    if order is QueueOrder.RANDOM:
        return "Next in random order"
    if row.suggested is None or row.shown is None:
        return "No suggestion yet: comes after those that have one"
    if blind:
        return "By how sure the model is; blind mode hides of what"
    if order is QueueOrder.SUREST:
        return f"Among the surest: {row.suggested} {percent(row.shown)}"
    return _least_sure(row.suggested, row.shown, row.margin)


def _least_sure(label: str, shown: float, margin: float | None) -> str:
    """In the figures on screen: the second label's calibrated one is not known here, so it is not named."""
    if margin is not None and margin < CLOSE_RACE:
        return f"A close race: {label} {percent(shown)}, the next close behind"
    if shown < 0.5:
        return f"The model is unsure: {label} {percent(shown)} at best"
    return f"Less doubtful ones come later: {label} {percent(shown)}"
