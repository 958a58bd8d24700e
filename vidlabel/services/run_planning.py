"""What a run would learn from, before it is begun: what the person wants, and what the planning process answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vidlabel.core.runs import TrainSettings
from vidlabel.core.snapshot import SplitKind

if TYPE_CHECKING:
    from vidlabel.store.project_store import ProjectStore

OFFICIAL = "official_splits"
"""Setting of a project: folder and number of the split that came with its labels."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What the person set: how it learns, from which clips, and how they are dealt to the parts.

    ``new_test``: all clips are dealt anew, those that were test clips before as well.
    """

    settings: TrainSettings = field(default_factory=TrainSettings)
    split: SplitKind = "by-source"
    sources: str = "auto"
    expression: str = ""
    new_test: bool = False

    def to_json(self) -> dict[str, Any]:
        return {
            "settings": self.settings.to_json(), "split": self.split, "sources": self.sources,
            "expression": self.expression, "new_test": self.new_test,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class LabelPlan:
    """Clips of one label by part; ``small``: too few to split, all of them train."""

    label: str
    train: int
    validation: int
    test: int
    small: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What would be begun. ``why_not``: what is missing, '' where it can begin."""

    number: int
    """By which the planning process knows it."""
    wanted: Wanted
    parts: tuple[int, int, int] = (0, 0, 0)
    """Train, validation, test."""
    labels: tuple[LabelPlan, ...] = ()
    cautions: tuple[str, ...] = ()
    estimate: str = ""
    why_not: str = ""
    example: tuple[Path, int, int] | None = None
    """A training clip to look at: path, start and end in microseconds."""

    @classmethod
    def from_json(cls, told: Mapping[str, Any], wanted: Wanted) -> Plan:
        """What the planning process told of ``wanted``."""
        train, validation, test = told["parts"]
        example = told["example"]
        return cls(
            number=int(told["id"]), wanted=wanted, parts=(train, validation, test),
            labels=tuple(LabelPlan(*one) for one in told["labels"]), cautions=tuple(told["cautions"]),
            estimate=told["estimate"], why_not=told["why_not"],
            example=None if example is None else (Path(example[0]), int(example[1]), int(example[2])),
        )  # fmt: skip


def has_official(store: ProjectStore) -> bool:
    """Whether the project knows an official split."""
    return isinstance(store.setting(OFFICIAL), dict)
