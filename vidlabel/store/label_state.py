"""The whole label set as a value, what it says about names, and how two of them differ."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from sqlalchemy import Connection, select

from vidlabel.store.schema import label_aliases, labels


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelFacts:
    """One row of the label set."""

    name: str
    position: int
    description: str = ""
    retired: bool = False
    colour: str | None = None
    key: str | None = None
    merged_into: int | None = None


@dataclass(frozen=True, slots=True)
class LabelState:
    """Labels by id, and former names with the label that each belongs to."""

    labels: Mapping[int, LabelFacts]
    aliases: Mapping[str, int] = field(default_factory=dict)

    def shown(self, label_id: int) -> str:
        """The name that clips with this label show: its own, or that of the one it was merged into."""
        facts = self.labels[label_id]
        while facts.merged_into is not None:
            facts = self.labels[facts.merged_into]
        return facts.name

    def present_names(self) -> dict[str, str]:
        """Present name by former name: of labels that were renamed, and of those merged into others."""
        own = {facts.name for facts in self.labels.values() if facts.merged_into is None}
        found = {name: self.shown(label_id) for name, label_id in self.aliases.items()}
        for label_id, facts in self.labels.items():
            if facts.merged_into is not None:
                found[facts.name] = self.shown(label_id)
        return {former: now for former, now in found.items() if former not in own}

    def in_order(self) -> list[int]:
        """The ids by position."""
        return sorted(self.labels, key=lambda key: (self.labels[key].position, key))

    def named(self, name: str) -> int | None:
        """The label of this very name."""
        return next((key for key, facts in self.labels.items() if facts.name == name), None)


def read_state(connection: Connection) -> LabelState:
    """The label set as it is now."""
    rows = connection.execute(select(labels))
    found = {
        row.id: LabelFacts(
            name=row.name,
            position=row.position,
            description=row.description,
            retired=row.retired,
            colour=row.colour,
            key=row.key,
            merged_into=row.merged_into,
        )
        for row in rows
    }
    former = connection.execute(select(label_aliases.c.name, label_aliases.c.label_id))
    return LabelState(found, {row.name: row.label_id for row in former})


@dataclass(frozen=True, slots=True)
class Difference:
    """What leads from one label set to another: the values before and after, None where there is none."""

    labels: Mapping[int, tuple[LabelFacts | None, LabelFacts | None]]
    aliases: Mapping[str, tuple[int | None, int | None]]

    def __bool__(self) -> bool:
        return bool(self.labels or self.aliases)

    def backwards(self) -> Difference:
        """The way back."""
        return Difference(
            {key: (after, before) for key, (before, after) in self.labels.items()},
            {name: (after, before) for name, (before, after) in self.aliases.items()},
        )

    def to_json(self) -> dict[str, Any]:
        """As it stands in a step's details."""
        return {
            "labels": {
                str(key): [asdict(facts) if facts else None for facts in pair]
                for key, pair in self.labels.items()
            },
            "aliases": {name: list(pair) for name, pair in self.aliases.items()},
        }

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Difference:
        """The same again."""
        return cls(
            {
                int(key): (_facts(before), _facts(after))
                for key, (before, after) in content.get("labels", {}).items()
            },
            {name: (before, after) for name, (before, after) in content.get("aliases", {}).items()},
        )


def _facts(content: Mapping[str, Any] | None) -> LabelFacts | None:
    return None if content is None else LabelFacts(**content)


def difference(before: LabelState, after: LabelState) -> Difference:
    """What is not the same in both."""
    ids = sorted(before.labels.keys() | after.labels.keys())
    names = sorted(before.aliases.keys() | after.aliases.keys())
    changed = {key: (before.labels.get(key), after.labels.get(key)) for key in ids}
    renamed = {name: (before.aliases.get(name), after.aliases.get(name)) for name in names}
    return Difference(
        {key: pair for key, pair in changed.items() if pair[0] != pair[1]},
        {name: pair for name, pair in renamed.items() if pair[0] != pair[1]},
    )
