"""Times and cells as text, the same in every text format."""

from __future__ import annotations

import re

from vidlabel.core.time import US_PER_SECOND

# A spreadsheet takes a cell that begins so for a formula (or, with a control character, may come to).
_RISKY = re.compile(r"'*[=+\-@\t\r\n]")


def seconds_text(us: int) -> str:
    """Microseconds as seconds with six decimals: exact, so that reading it again gives the same number."""
    return f"{us // US_PER_SECOND}.{us % US_PER_SECOND:06d}"


def probability_text(probability: float | None) -> str:
    """The shortest text that reads as the same number again; empty for none."""
    return "" if probability is None else repr(float(probability))


def safe_cell(text: str) -> str:
    """A cell that no spreadsheet runs as a formula: an apostrophe goes in front of one that it might."""
    return f"'{text}" if _RISKY.match(text) else text


def original_cell(text: str) -> str:
    """The inverse of :func:`safe_cell`; text that needed no apostrophe is left as it is."""
    return text[1:] if text.startswith("'") and _RISKY.match(text) else text
