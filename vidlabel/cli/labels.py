"""Labels as a person types them."""

from __future__ import annotations

from rapidfuzz import fuzz, process

from vidlabel.core.errors import UnknownLabelError
from vidlabel.store.project_store import ProjectStore

_CLOSE = 70
_OFFERED = 3


def known_label(store: ProjectStore, name: str) -> str:
    """The name, today, of the label that a person calls so.

    Raises:
        UnknownLabelError: the label set has none; the error offers those that are close.
    """
    known = store.find_label(name)
    if known is not None and not known.retired:
        return known.name
    names = [label.name for label in store.labels() if not label.retired]
    found = process.extract(
        name.lower(), names, scorer=fuzz.ratio, processor=str.lower, limit=_OFFERED, score_cutoff=_CLOSE
    )
    raise UnknownLabelError(name, tuple(close for close, _, _ in found))
