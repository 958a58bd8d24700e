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


def why_now(row: ClipRow, order: QueueOrder) -> str:
    """The reason for one row.

    Args:
        row: its margin is the lead of the first label over the second, 0..1.
        order: how the queue is sorted.
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
    if row.suggested is None or row.probability is None:
        return "No suggestion yet: comes after those that have one"
    if order is QueueOrder.SUREST:
        return f"Among the surest: {row.suggested} {percent(row.probability)}"
    return _least_sure(row.suggested, row.probability, row.margin)


def _least_sure(label: str, probability: float, margin: float | None) -> str:
    if margin is not None and margin < CLOSE_RACE:
        return f"A close race: {label} {percent(probability)}, the next {percent(probability - margin)}"
    if probability < 0.5:
        return f"The model is unsure: {label} {percent(probability)} at best"
    return f"Less doubtful ones come later: {label} {percent(probability)}"
