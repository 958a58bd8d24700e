"""What goes over the border: a clip with all that is known of it, and a decision read from elsewhere."""

from __future__ import annotations

from dataclasses import dataclass

from vidlabel.core.words import ClipRow, Decision, DecisionKind, Suggestion


@dataclass(frozen=True, slots=True, kw_only=True)
class ClipRecord:
    """A clip on its way out.

    Attributes:
        row: the clip as the library shows it.
        paths: every path of the video, absolute, the row's own first.
        suggestion: what the active model says, if it was asked.
        decisions: everything a person did to the clip, oldest first.
    """

    row: ClipRow
    paths: tuple[str, ...] = ()
    suggestion: Suggestion | None = None
    decisions: tuple[Decision, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedRow:
    """A decision read from a file.

    ``video`` is as the file names it. Times are microseconds and frames indices, ends exclusive; None where
    the file does not say. ``kind`` None: the row decides nothing (its label is empty).
    """

    line: int
    video: str
    label: str | None
    kind: DecisionKind | None
    start_us: int | None = None
    end_us: int | None = None
    start_frame: int | None = None
    end_frame: int | None = None
    annotator: str | None = None
    decided_at_us: int | None = None
    state_given: bool = False
    """Whether the kind was in the file; otherwise any decision for the same label is the same."""
    of_folder: bool = False
    """Whether a folder said it: ``line`` is then the video's place among those found, no line of a file."""
