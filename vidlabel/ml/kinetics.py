"""Which classes of Kinetics-400 mean which labels of HMDB51: the written table, read and checked."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from vidlabel.core.resources import resource_path
from vidlabel.ml.grouping import Grouping

SOURCE = "Kinetics-400"
CLASSES = 400


@dataclass(frozen=True, kw_only=True)
class Counterpart:
    """What the table says of one label.

    Attributes:
        label: of HMDB51.
        means: classes that are this action.
        loosely: classes of which this action is the main movement, but which are wider or filmed otherwise.
        note: how they differ, or why there is none.
    """

    label: str
    means: tuple[str, ...]
    loosely: tuple[str, ...]
    note: str

    @property
    def classes(self) -> tuple[str, ...]:
        """All its classes; without any the label cannot be suggested."""
        return self.means + self.loosely


@cache
def counterparts() -> tuple[Counterpart, ...]:
    """The table, one entry for each label of HMDB51 in its order.

    Raises:
        MissingResourceError: the table is not there, so the installation is damaged.
    """
    table = json.loads(resource_path("kinetics400_hmdb51.json").read_text(encoding="utf-8"))["labels"]
    return tuple(
        Counterpart(
            label=label,
            means=tuple(entry["means"]),
            loosely=tuple(entry["loosely"]),
            note=entry["note"],
        )
        for label, entry in table.items()
    )


def suggestible() -> tuple[str, ...]:
    """The labels of HMDB51 that a network of Kinetics-400 can suggest, in their order."""
    return tuple(entry.label for entry in counterparts() if entry.classes)


def without_counterpart() -> tuple[str, ...]:
    """The labels of HMDB51 that no class of Kinetics-400 means."""
    return tuple(entry.label for entry in counterparts() if not entry.classes)


def grouping(categories: Sequence[str]) -> Grouping:
    """The table for a head with these classes.

    Args:
        categories: the 400 names in the order of the head's outputs, as torchvision's weights enums list them.

    Raises:
        ValueError: a class of the table is not among the names.
    """
    index = {name: place for place, name in enumerate(categories)}
    unknown = sorted({name for entry in counterparts() for name in entry.classes} - set(index))
    if unknown:
        raise ValueError(f"the table names classes that are not among these: {', '.join(unknown)}")
    groups = tuple(tuple(index[name] for name in entry.classes) for entry in counterparts() if entry.classes)
    return Grouping(SOURCE, tuple(categories), groups, without_counterpart())
