"""Decided clips that may carry a wrong label: those on which a model is sure of another one.

A model is sure of a label where it gives it as much as it gives that label, on the mean, to the clips that
were decided to have it: what is high for one label may be little for another. Below one half it is sure of
nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

from vidlabel.core.evaluation import ClipAnswer

LEAST = 0.5
"""What a model must give a label at least to count as sure of it."""


def label_errors(answers: Sequence[ClipAnswer]) -> tuple[ClipAnswer, ...]:
    """The clips worth a second look, those first on which the model contradicts the decision most.

    Args:
        answers: of one model, on decided clips.
    """
    bars = sure_from(answers)
    doubtful = [
        one
        for one in answers
        if one.suggested and one.suggested != one.label and one.probability >= bars.get(one.suggested, LEAST)
    ]
    return tuple(sorted(doubtful, key=lambda one: (one.own - one.probability, one.clip_id)))


def sure_from(answers: Sequence[ClipAnswer]) -> dict[str, float]:
    """From which probability on the model is sure of a label, for each label that a clip has."""
    sums: dict[str, float] = {}
    clips: dict[str, int] = {}
    for one in answers:
        sums[one.label] = sums.get(one.label, 0.0) + one.own
        clips[one.label] = clips.get(one.label, 0) + 1
    return {label: max(LEAST, total / clips[label]) for label, total in sums.items()}
