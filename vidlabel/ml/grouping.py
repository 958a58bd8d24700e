"""Which of a head's classes mean which label: values of a model file, without torch."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Grouping:
    """The classes of a head that knows other classes than the labels, and the labels they are gathered into.

    A class in several groups gives each an equal part of its probability.

    Args:
        source: what the classes are those of, such as ``"Kinetics-400"``.
        classes: the head's classes, in the order of its outputs.
        groups: for each label, in their order, the indices of its classes.
        without: labels of the same set that no class means: they can never be suggested.

    Raises:
        ValueError: there are no groups, one is empty, or an index is out of range or stands twice in one.
    """

    source: str
    classes: tuple[str, ...]
    groups: tuple[tuple[int, ...], ...]
    without: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.groups or not all(self.groups):
            raise ValueError("every label needs at least one class")
        for group in self.groups:
            if len(set(group)) != len(group):
                raise ValueError("a class stands twice in a group")
            if not all(0 <= index < len(self.classes) for index in group):
                raise ValueError(f"a group names a class beyond the {len(self.classes)} there are")

    def shares(self) -> tuple[tuple[float, ...], ...]:
        """For each group, which part of each member's probability it gets, in 0..1."""
        times = Counter(index for group in self.groups for index in group)
        return tuple(tuple(1 / times[index] for index in group) for group in self.groups)

    def to_json(self) -> dict[str, Any]:
        """Plain values, for the metadata of a model file."""
        return {
            "source": self.source,
            "classes": list(self.classes),
            "groups": [list(group) for group in self.groups],
            "without": list(self.without),
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Grouping:
        """The inverse of ``to_json``.

        Raises:
            ValueError: a value is missing, of another type, or out of its range.
        """
        source, groups = values.get("source"), values.get("groups")
        texts = {key: values.get(key) for key in ("classes", "without")}
        if not isinstance(source, str) or not all(_is_texts(value) for value in texts.values()):
            raise ValueError("source, classes and without must be texts")
        if not isinstance(groups, list) or not all(_is_indices(group) for group in groups):
            raise ValueError("groups must be lists of whole numbers")
        return cls(
            source,
            tuple(texts["classes"] or ()),
            tuple(tuple(group) for group in groups),
            tuple(texts["without"] or ()),
        )


def _is_texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) for one in value)


def _is_indices(value: object) -> bool:
    return isinstance(value, list) and all(type(one) is int for one in value)
