"""Labels as a person types them."""

from __future__ import annotations

from collections.abc import Sequence

from rapidfuzz import fuzz, process

from vidlabel.core.errors import UnknownLabelError
from vidlabel.core.words import Label

_CLOSE = 70
_OFFERED = 3


def known_label(labels: Sequence[Label], name: str) -> str:
    """The label of this name.

    Raises:
        UnknownLabelError: the label set has none; the error offers those that are close.
    """
    names = [label.name for label in labels if not label.retired]
    if name in names:
        return name
    found = process.extract(
        name.lower(), names, scorer=fuzz.ratio, processor=str.lower, limit=_OFFERED, score_cutoff=_CLOSE
    )
    raise UnknownLabelError(name, tuple(close for close, _, _ in found))
