"""What can be done to a label set, as values: each is one thing to undo, and loses nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class AddLabels:
    """New labels at the end, in this order; retired ones of these names come back."""

    names: tuple[str, ...]
    description: str = ""


@dataclass(frozen=True, slots=True)
class RenameLabel:
    """Another name for the same label; who knows the old one is still understood."""

    label_id: int
    name: str


@dataclass(frozen=True, slots=True)
class RecolourLabel:
    """``colour`` is '#rrggbb'; None takes the palette's again."""

    label_id: int
    colour: str | None


@dataclass(frozen=True, slots=True)
class SetLabelKey:
    """The person's own shortcut for the label, as Qt writes it ('Alt+W'); None for none."""

    label_id: int
    key: str | None


@dataclass(frozen=True, slots=True)
class DescribeLabel:
    """What the label means, in the person's words."""

    label_id: int
    text: str


@dataclass(frozen=True, slots=True)
class ReorderLabels:
    """These first, in this order, then the others as they were."""

    label_ids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class MergeLabels:
    """From now on these are one label with ``into``. Decisions stay as they are, so it can be undone."""

    label_ids: tuple[int, ...]
    into: int


@dataclass(frozen=True, slots=True)
class SplitLabel:
    """These clips of a label get a new one, by new decisions; its other clips keep it."""

    label_id: int
    clip_ids: tuple[int, ...]
    name: str


@dataclass(frozen=True, slots=True)
class RetireLabel:
    """Not offered any more; clips that have it keep it."""

    label_id: int


@dataclass(frozen=True, slots=True)
class RestoreLabel:
    """A retired label is offered again; a merged one is a label of its own again, with its clips."""

    label_id: int


class Others(StrEnum):
    """What becomes of the labels that a preset does not name."""

    RETIRE = "retire"
    KEEP = "keep"


@dataclass(frozen=True, slots=True, kw_only=True)
class PresetLabel:
    """One label of a preset. ``key`` and ``colour`` as in :class:`~vidlabel.core.words.Label`."""

    name: str
    description: str = ""
    colour: str | None = None
    key: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelPreset:
    """A whole label set from elsewhere, in order."""

    name: str
    labels: tuple[PresetLabel, ...]


@dataclass(frozen=True, slots=True)
class ApplyPreset:
    """The labels of a preset, in its order; others are retired or stay behind them."""

    preset: LabelPreset
    others: Others = Others.RETIRE


LabelEdit = (
    AddLabels
    | RenameLabel
    | RecolourLabel
    | SetLabelKey
    | DescribeLabel
    | ReorderLabels
    | MergeLabels
    | SplitLabel
    | RetireLabel
    | RestoreLabel
    | ApplyPreset
)


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelPreview:
    """What an edit would change, before it is done. Nothing of it removes a decision."""

    renamed: Mapping[str, str] = field(default_factory=dict)
    """The name clips show now, and the one they will show."""
    clips: int = 0
    """Clips that will show another label than now."""
    kept: int = 0
    """Clips that keep a label which is not offered any more."""
    decisions: int = 0
    """Decisions ever made with the labels concerned; they all stay in the history."""
    written: int = 0
    """New decisions that will be written."""
    added: tuple[str, ...] = ()
    restored: tuple[str, ...] = ()
    retired: tuple[str, ...] = ()
