"""What an export or import tells afterwards: how much went over, and what the format could not hold."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class ExportReport:
    """Filled while a format is written.

    Attributes:
        written: clips in the result.
        not_held: kind of thing left out, in words -> how many.
        notes: single things worth knowing, such as a file that had to be renamed.
    """

    written: int = 0
    not_held: Counter[str] = field(default_factory=Counter)
    notes: list[str] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """The report as JSON values."""
        return {"written": self.written, "not_held": dict(self.not_held), "notes": list(self.notes)}

    def lines(self) -> list[str]:
        """The report for a person."""
        counted = f"{self.written} {'clip' if self.written == 1 else 'clips'} written."
        left_out = [f"Not held: {count} {kind}" for kind, count in sorted(self.not_held.items())]
        return [counted, *left_out, *self.notes]


@dataclass(frozen=True, slots=True)
class Problem:
    """A line of a file to import that was left out, and why; of folders, the ``video`` and its place among them."""

    line: int
    reason: str
    video: str = ""
