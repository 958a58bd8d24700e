"""Under which key a model's word is kept: its own hash, or where it was asked in another way, that way too."""

from __future__ import annotations

import re
from dataclasses import dataclass

from vidlabel.core.words import ONE_VIEW, Views

AUTO = "auto"
PRECISIONS = (AUTO, "float32", "bfloat16", "float16")
"""How a model computes; ``auto`` is float32, on a CUDA GPU mixed with 16 bits."""

_KEY = re.compile(
    r"(?P<hash>.+?)(?:-v(?P<clips>[0-9]+)(?P<flip>f?))?(?:-(?P<precision>float32|bfloat16|float16))?"
)


@dataclass(frozen=True, slots=True)
class ModelKey:
    """A model and the way it is asked. A stored probability is the same for a key and a clip for ever.

    Attributes:
        hash: of the model file.
        views: how often it looks at a clip.
        precision: one of ``PRECISIONS``.
    """

    hash: str
    views: Views = ONE_VIEW
    precision: str = AUTO

    @classmethod
    def parse(cls, key: str) -> ModelKey:
        """The inverse of ``str(key)``; a plain hash is a model asked in the plain way."""
        found = _KEY.fullmatch(key)
        if found is None:
            return cls(key)
        try:
            views = Views(clips=int(found["clips"] or 1), flip=found["flip"] == "f")
        except ValueError:
            return cls(key)
        return cls(found["hash"], views, found["precision"] or AUTO)

    def __str__(self) -> str:
        """``<hash>``, ``<hash>-v3``, ``<hash>-v3f``, ``<hash>-v1f-bfloat16``."""
        views = f"-v{self.views.clips}{'f' if self.views.flip else ''}" if self.views.count > 1 else ""
        return f"{self.hash}{views}{'' if self.precision == AUTO else f'-{self.precision}'}"

    def name(self, model: str) -> str:
        """What people call it: 'bundled', 'bundled (3 views, flipped)', 'bundled (bfloat16)'."""
        ways = [self.views.words, "" if self.precision == AUTO else self.precision]
        words = ", ".join(way for way in ways if way)
        return f"{model} ({words})" if words else model
