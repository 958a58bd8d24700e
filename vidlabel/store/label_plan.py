"""What an edit makes of a label set: a value from a value, so that it can be looked at before it is done."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from vidlabel.core.errors import ProjectError, UnknownLabelError
from vidlabel.core.label_edits import (
    AddLabels,
    ApplyPreset,
    DescribeLabel,
    LabelEdit,
    MergeLabels,
    Others,
    RecolourLabel,
    RenameLabel,
    ReorderLabels,
    RestoreLabel,
    RetireLabel,
    SetLabelKey,
    SplitLabel,
)
from vidlabel.store.label_state import LabelFacts, LabelState

_COLOUR = re.compile(r"#[0-9a-f]{6}")


def clean_name(name: str) -> str:
    """A label's name as it is kept: without spaces around it or doubled; empty if it cannot be one."""
    cleaned = " ".join(name.split())
    return cleaned if cleaned.isprintable() else ""


def planned(state: LabelState, edit: LabelEdit, *, path: Path, next_id: int) -> LabelState:
    """The label set after an edit.

    Args:
        state: as it is now.
        edit: what is wished.
        path: the project, for errors.
        next_id: a number above that of every label there ever was.

    Raises:
        UnknownLabelError: there is no such label.
        ProjectError: it cannot be done, with the reason.
    """
    return _Plan(state, path, next_id).after(edit)


def step_words(state: LabelState, edit: LabelEdit) -> str:
    """What was done, as an undo names it."""
    name = {key: facts.name for key, facts in state.labels.items()}
    match edit:
        case AddLabels(names):
            return f"label {names[0]} added" if len(names) == 1 else f"{len(names)} labels added"
        case RenameLabel(label_id, new):
            return f"label {name[label_id]} renamed to {clean_name(new)}"
        case RecolourLabel(label_id):
            return f"colour of label {name[label_id]}"
        case SetLabelKey(label_id):
            return f"key of label {name[label_id]}"
        case DescribeLabel(label_id):
            return f"description of label {name[label_id]}"
        case ReorderLabels():
            return "order of the labels"
        case MergeLabels(label_ids, into):
            others = ", ".join(name[key] for key in label_ids if key != into)
            return f"{others} merged into {name[into]}"
        case SplitLabel(label_id, clip_ids, new):
            return f"{len(set(clip_ids))} of {name[label_id]} split off as {clean_name(new)}"
        case RetireLabel(label_id):
            return f"label {name[label_id]} retired"
        case RestoreLabel(label_id):
            return f"label {name[label_id]} restored"
        case ApplyPreset(preset):
            return f"label set {preset.name}"


class _Plan:
    """One edit on a copy of the state."""

    def __init__(self, state: LabelState, path: Path, next_id: int) -> None:
        self._labels = dict(state.labels)
        self._aliases = dict(state.aliases)
        self._path = path
        self._next_id = next_id

    def after(self, edit: LabelEdit) -> LabelState:
        match edit:
            case AddLabels(names, description):
                self._add_all(names, description)
            case RenameLabel(label_id, name):
                self._rename(label_id, name)
            case RecolourLabel(label_id, colour):
                self._change(label_id, colour=self._colour(colour))
            case SetLabelKey(label_id, key):
                self._set_key(label_id, key)
            case DescribeLabel(label_id, text):
                self._change(label_id, description=text.strip())
            case ReorderLabels(label_ids):
                self._reorder(label_ids)
            case MergeLabels(label_ids, into):
                self._merge(label_ids, into)
            case SplitLabel(label_id, clip_ids, name):
                self._split(label_id, clip_ids, name)
            case RetireLabel(label_id):
                self._change(label_id, retired=True)
            case RestoreLabel(label_id):
                self._restore(label_id)
            case ApplyPreset():
                self._apply(edit)
        return LabelState(self._labels, self._aliases)

    def _get(self, label_id: int) -> LabelFacts:
        if label_id not in self._labels:
            raise UnknownLabelError(f"label {label_id}")
        return self._labels[label_id]

    def _change(self, label_id: int, **values: object) -> None:
        self._labels[label_id] = replace(self._get(label_id), **values)  # type: ignore[arg-type]

    def _error(self, reason: str) -> ProjectError:
        return ProjectError(self._path, reason)

    def _clean(self, name: str) -> str:
        cleaned = clean_name(name)
        if not cleaned:
            raise self._error("a label needs a name of printable characters.")
        return cleaned

    def _colour(self, colour: str | None) -> str | None:
        if colour is None:
            return None
        if not _COLOUR.fullmatch(colour.lower()):
            raise self._error(f"'{colour}' is no colour. Write it as #rrggbb.")
        return colour.lower()

    def _named(self, name: str) -> int | None:
        return LabelState(self._labels).named(name)

    def _add_all(self, names: Sequence[str], description: str) -> None:
        if not names:
            raise self._error("a label needs a name of printable characters.")
        for name in names:
            self._add(name, description)

    def _add(self, name: str, description: str = "") -> int:
        name = self._clean(name)
        known = self._named(name)
        if known is None:
            known = self._next_id
            self._next_id += 1
            last = max((facts.position for facts in self._labels.values()), default=-1)
            self._labels[known] = LabelFacts(name=name, position=last + 1, description=description)
        elif not self._labels[known].retired:
            raise self._error(f"the label '{name}' is there already.")
        elif self._labels[known].merged_into is not None:
            other = LabelState(self._labels).shown(known)
            raise self._error(f"'{name}' was merged into '{other}'. Restore it to have it on its own again.")
        else:
            self._restore(known)
            if description:
                self._change(known, description=description)
        self._aliases.pop(name, None)
        return known

    def _rename(self, label_id: int, name: str) -> None:
        name = self._clean(name)
        old = self._get(label_id).name
        if name == old:
            return
        if self._named(name) is not None:
            raise self._error(f"there is a label '{name}' already. Choose another name, or merge the two.")
        self._change(label_id, name=name)
        self._aliases.pop(name, None)
        self._aliases[old] = label_id

    def _set_key(self, label_id: int, key: str | None) -> None:
        other = self._with_key(key, besides=label_id)
        if other is not None:
            raise self._error(f"{key} is the key of the label '{self._labels[other].name}' already.")
        self._change(label_id, key=key or None)

    def _with_key(self, key: str | None, *, besides: int) -> int | None:
        return next(
            (
                other
                for other, facts in self._labels.items()
                if key and facts.key == key and other != besides and not facts.retired
            ),
            None,
        )

    def _reorder(self, label_ids: Sequence[int]) -> None:
        known = LabelState(self._labels).in_order()
        wanted = [label_id for label_id in dict.fromkeys(label_ids) if label_id in self._labels]
        first = set(wanted)
        for position, label_id in enumerate([*wanted, *(one for one in known if one not in first)]):
            self._change(label_id, position=position)

    def _merge(self, label_ids: Sequence[int], into: int) -> None:
        target = self._get(into)
        merged = {label_id for label_id in label_ids if label_id != into}
        if not merged:
            raise self._error("a label cannot be merged into itself. Choose another one to merge it with.")
        if target.retired:
            raise self._error(f"'{target.name}' is not in use. Restore it first, or choose another label.")
        for label_id in merged:
            self._change(label_id, retired=True)
        for label_id, facts in list(self._labels.items()):
            # What had been merged into one of them goes along, so that nothing has to be followed twice.
            if label_id in merged or facts.merged_into in merged:
                self._change(label_id, merged_into=into)

    def _split(self, label_id: int, clip_ids: Sequence[int], name: str) -> None:
        source = self._get(label_id)
        if not clip_ids:
            raise self._error(f"choose the clips of '{source.name}' that are to get the new label.")
        new = self._add(name)
        order = [one for one in LabelState(self._labels).in_order() if one != new]
        order.insert(order.index(label_id) + 1, new)
        self._reorder(order)

    def _restore(self, label_id: int) -> None:
        taken = self._with_key(self._get(label_id).key, besides=label_id) is not None
        key = None if taken else self._labels[label_id].key
        self._change(label_id, retired=False, merged_into=None, key=key)

    def _apply(self, edit: ApplyPreset) -> None:
        wanted: list[int] = []
        for label in edit.preset.labels:
            name = self._clean(label.name)
            known = self._named(name)
            if known is None:
                known = self._add(name, label.description)
            elif self._labels[known].retired:
                self._restore(known)
            if label.description:
                self._change(known, description=label.description)
            if label.colour is not None:
                self._change(known, colour=self._colour(label.colour))
            if label.key and self._with_key(label.key, besides=known) is None:
                self._change(known, key=label.key)
            wanted.append(known)
        if edit.others is Others.RETIRE:
            for label_id in self._labels.keys() - set(wanted):
                self._change(label_id, retired=True)
        self._reorder(wanted)
