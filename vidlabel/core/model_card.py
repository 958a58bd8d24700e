"""Fields of a model's card that several parts of the program read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

TRAINED_ON = "training_content_hashes"
"""The field with the sha256 of every video that the model, or what it was made from, was trained on."""


def trained_on(card: Mapping[str, Any]) -> frozenset[str]:
    """The videos that a card says the model was trained on; none where it says nothing, or nothing usable."""
    listed = card.get(TRAINED_ON, ())
    return frozenset(map(str, listed)) if isinstance(listed, list | tuple) else frozenset()
