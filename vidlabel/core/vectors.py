"""Embeddings as text, for messages: base64 of little-endian float16, 2.7 bytes a number."""

from __future__ import annotations

import base64

import numpy as np
from numpy.typing import NDArray

_KEPT = np.dtype("<f2")


def packed(embedding: NDArray[np.float16]) -> str:
    """float16 (D,) as text."""
    return base64.b64encode(np.ascontiguousarray(embedding, _KEPT).tobytes()).decode("ascii")


def unpacked(text: str) -> NDArray[np.float16]:
    """The inverse of :func:`packed`: float16 (D,), read-only.

    Raises:
        ValueError: the text is not what ``packed`` makes.
    """
    return np.frombuffer(base64.b64decode(text, validate=True), _KEPT)
