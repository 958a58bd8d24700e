"""What a library row says, in words: on screen and to screen readers."""

from __future__ import annotations

from vidlabel.core.time import short_duration
from vidlabel.core.words import DECIDED_STATES, ClipRow, ClipState
from vidlabel.ui.parts.basics import percent

PART = "part from {start} to {end}"


def second_line(row: ClipRow, *, blind: bool = False) -> str:
    """The line under the name, such as ``throw · suggested 71 %`` or ``talk · accepted``."""
    if row.state is ClipState.SUGGESTED:
        if blind or row.suggested is None:
            return "undecided" if blind else "suggested"
        sure = f" {percent(row.shown)}" if row.shown is not None else ""
        return f"{row.suggested} · suggested{sure}"
    if row.state in (ClipState.MISSING, ClipState.UNREADABLE):
        reason = f" · {row.reason}" if row.reason else ""
        return f"{row.state.value}{reason}"
    if row.state in DECIDED_STATES:
        was = ""
        if row.state is ClipState.CORRECTED and row.suggested and row.suggested != row.label:
            was = f" · was {row.suggested}"
        return f"{row.label or '–'} · {row.state.value}{was}"
    return row.state.value


def spoken(row: ClipRow, *, blind: bool = False) -> str:
    """The whole row for a screen reader."""
    parts = [row.name, second_line(row, blind=blind).replace(" · ", ", "), short_duration(row.duration_us)]
    if not row.whole:
        parts.insert(1, part_words(row))
    return ", ".join(parts)


def part_words(row: ClipRow) -> str:
    """Which part of a longer video a clip is; empty for a whole video."""
    if row.whole:
        return ""
    return PART.format(start=short_duration(row.start_us), end=short_duration(row.end_us))


def row_line(row: ClipRow, *, blind: bool = False) -> str:
    """All that stands under the name: of a part also which, in as little room as can be."""
    words = second_line(row, blind=blind)
    if row.whole:
        return words
    # The mark beside it says that this is a suggestion.
    words = words.replace(" · suggested ", " ") if row.state is ClipState.SUGGESTED else words
    return f"{short_duration(row.start_us)}–{short_duration(row.end_us)} · {words}"
