"""How rare labels are helped by the loss."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def class_weights(labels: NDArray[np.integer], count: int, *, most: float = 10.0) -> tuple[float, ...]:
    """By how much a clip of each label counts: the rarer, the more; the mean over all clips is 1.

    Args:
        labels: integer (N,), 0..count-1, of the training clips.
        count: how many labels there are.
        most: the largest weight in relation to the commonest label's. A label of a single clip shall not decide the
            whole loss.

    Returns:
        ``count`` numbers above 0; that of a label without clips is 1.
    """
    clips = np.bincount(np.asarray(labels, np.int64), minlength=count)[:count]
    if not clips.any():
        return (1.0,) * count
    weights = np.minimum(clips.max() / np.maximum(clips, 1), most)
    weights /= np.average(weights, weights=clips)
    return tuple(float(weight) if own else 1.0 for weight, own in zip(weights, clips, strict=True))
