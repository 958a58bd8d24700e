"""What an evaluation would say of the confidence that a person is shown, instead of the model's own."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from vidlabel.core.confidence import calibrated_scores
from vidlabel.core.evaluation import CalibratedFigures, ClipAnswer, InForce
from vidlabel.learning.answers import Answers
from vidlabel.learning.recalibration import calibration_error, reliability_bins

KEPT = 10
"""So many probabilities are kept of a suggestion; calibrating reads these, and so does this."""


def calibrated_figures(
    measured: Sequence[ClipAnswer], answers: Answers, calibration: InForce
) -> CalibratedFigures:
    """The reliability of the calibrated confidence on the same clips.

    Args:
        measured: of each clip the answer beside its label.
        answers: the rows they were made of; each clip of ``measured`` has one, or is silent.
        calibration: the one in force.
    """
    row_of = {int(clip_id): row for row, clip_id in enumerate(answers.clip_ids)}
    labels = len(answers.labels)
    # The highest come first; which of equal ones does not matter to any of them.
    highest = -np.sort(-answers.probabilities, axis=1)[:, :KEPT] if labels else answers.probabilities
    shown = tuple(
        round(calibrated_scores(
            highest[row_of[one.clip_id]].tolist(), labels=labels, temperature=calibration.temperature
        )[0], 6)
        if one.suggested
        else 0.0
        for one in measured
    )  # fmt: skip
    bins = reliability_bins(np.array(shown, np.float64), np.array([one.right for one in measured], np.bool_))
    return CalibratedFigures(
        temperature=calibration.temperature,
        fitted_on=calibration.fitted_on,
        ece=calibration_error(bins) if measured else None,
        bins=bins,
        shown=shown,
    )
