"""A model's own probabilities as confidence that means what it says: temperature scaling of what is kept of them.

A suggestion keeps its most probable labels only, rounded to six decimals. What they leave of 1 is spread evenly
over the labels not kept, and what was rounded to nothing counts as ``SMALLEST``. Raising to a power is concave
above temperature 1: an even spread is the one that gives the labels not kept most, so what is shown is rather
too modest than too bold; and since the temperature is fitted on the same reading, it makes up for it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

SMALLEST = 1e-7
"""Below half of the last decimal that is kept."""


def calibrated_scores(kept: Sequence[float], *, labels: int, temperature: float) -> list[float]:
    """The kept probabilities softened (temperature above 1) or sharpened (below); their order stays.

    Args:
        kept: some of the model's probabilities, 0..1, highest first.
        labels: of the model, as many as ``kept`` or more.
        temperature: above 0.

    Returns:
        As many, each in 0..1; together with the labels not kept they add up to 1.
    """
    if not kept:
        return []
    logits = [math.log(max(value, SMALLEST)) / temperature for value in kept]
    highest = max(logits)
    powers = [math.exp(logit - highest) for logit in logits]
    others = max(labels - len(kept), 0)
    rest = others * math.exp(math.log(rest_each(kept, others)) / temperature - highest) if others else 0.0
    whole = sum(powers) + rest
    return [power / whole for power in powers]


def rest_each(kept: Sequence[float], others: int) -> float:
    """The probability of each of the ``others`` labels not kept: an even share, never above the least kept."""
    if others < 1:
        return 0.0
    return max(SMALLEST, min((1.0 - math.fsum(kept)) / others, min(kept)))


@dataclass(frozen=True, slots=True)
class ScoredClip:
    """A decided clip with what a model had said about it.

    Attributes:
        kept: probabilities kept of the suggestion, highest first.
        right: the place of the decided label among them; None where it is none of them.
        label: the decided label.
        source: clips of one source (one video and what was cut from the same) are measured together.
    """

    kept: tuple[float, ...]
    right: int | None
    label: str
    source: str
