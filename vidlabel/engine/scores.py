"""A clip's probabilities as an answer: rounded, best first."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vidlabel.core.messages import ClipScores
from vidlabel.core.vectors import packed
from vidlabel.learning.order import entropy, margin

# float32 sums come out differently in the last digits for other batch sizes and devices; what is kept shall
# not.
_DIGITS = 6


def clip_scores(
    clip_id: int,
    probabilities: NDArray[np.float32],
    *,
    labels: tuple[str, ...],
    top_k: int,
    embedding: NDArray[np.float16] | None = None,
) -> ClipScores:
    """One clip's answer. Probabilities are rounded to ``_DIGITS``; margin and entropy are over all labels.

    Args:
        clip_id: of the clip.
        probabilities: float32 (L,), adding up to 1.
        labels: L names.
        top_k: how many labels to name, at least 1.
        embedding: float16 (D,), to be told along.
    """
    rounded = np.round(probabilities.astype(np.float64), _DIGITS)
    # Equal probabilities keep the order of the label list, so that the same clip always reads the same.
    best = np.argsort(-rounded, kind="stable")[: max(1, top_k)]
    return ClipScores(
        clip_id=clip_id,
        labels=tuple(labels[index] for index in best),
        probabilities=tuple(float(rounded[index]) for index in best),
        margin=round(float(margin(rounded)), _DIGITS),
        entropy=round(float(entropy(rounded)), _DIGITS),
        embedding="" if embedding is None else packed(embedding),
    )
