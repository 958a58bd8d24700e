"""Which key starts which action: the shipped ones, and what the person made of them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from PySide6.QtCore import QLocale, QObject, Signal
from PySide6.QtGui import QGuiApplication, QKeySequence

from vidlabel.core.resources import resource_path
from vidlabel.services.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyAction:
    """One action that a key can start. ``sequences`` are QKeySequence's portable text; the first is shown."""

    id: str
    words: str
    group: str
    sequences: tuple[str, ...]
    context: str
    """``page`` (the labelling page), ``review`` (the review page) or ``window`` (everywhere in the window)."""
    shown: str = ""
    """What the key sheet shows instead of many sequences, such as 'Shift+letter'."""


@dataclass(frozen=True, slots=True)
class _Shipped:
    action: KeyAction
    layouts: dict[str, tuple[str, ...]] = field(default_factory=dict)


def load_default_keys(path: Path) -> tuple[_Shipped, ...]:
    """The shipped keys, in the order of the key sheet."""
    document = json.loads(path.read_text(encoding="utf-8"))
    return tuple(
        _Shipped(
            KeyAction(
                id=entry["id"],
                words=entry["words"],
                group=entry["group"],
                sequences=tuple(entry["keys"]),
                context=entry["context"],
                shown=entry.get("shown", ""),
            ),
            {language: tuple(keys) for language, keys in entry.get("layouts", {}).items()},
        )
        for entry in document["actions"]
    )


def canonical(sequence: str) -> str:
    """A key sequence in the one spelling that is compared and stored; '' where it is none."""
    return QKeySequence(sequence, QKeySequence.SequenceFormat.PortableText).toString(
        QKeySequence.SequenceFormat.PortableText
    )


def keyboard_language() -> str:
    """The two-letter language of the keyboard layout, as far as the system tells."""
    if QGuiApplication.instance() is None:
        return ""
    locale = QGuiApplication.inputMethod().locale()
    return QLocale.languageToCode(locale.language())


class Keys(QObject):
    """The keys of every action. A remapped action has exactly the keys the person gave it."""

    changed = Signal()

    def __init__(
        self, settings: Settings, parent: QObject | None = None, *, language: str | None = None
    ) -> None:
        super().__init__(parent)
        self._settings = settings
        self._shipped = {
            entry.action.id: entry for entry in load_default_keys(resource_path("keys/default.json"))
        }
        self._language = keyboard_language() if language is None else language
        self._remaps = {
            action: tuple(keys) for action, keys in settings.key_remaps.items() if action in self._shipped
        }

    def actions(self) -> tuple[KeyAction, ...]:
        """All of them, in the order of the key sheet."""
        return tuple(self.action(action_id) for action_id in self._shipped)

    def action(self, action_id: str) -> KeyAction:
        """One action with the keys it has now.

        Raises:
            KeyError: there is no such action.
        """
        shipped = self._shipped[action_id].action
        remapped = action_id in self._remaps
        return KeyAction(
            id=shipped.id,
            words=shipped.words,
            group=shipped.group,
            sequences=self.sequences(action_id),
            context=shipped.context,
            shown="" if remapped else shipped.shown,
        )

    def sequences(self, action_id: str) -> tuple[str, ...]:
        """The key sequences of an action, with the extra ones that this keyboard's layout needs."""
        if action_id in self._remaps:
            return self._remaps[action_id]
        entry = self._shipped[action_id]
        return entry.action.sequences + entry.layouts.get(self._language, ())

    def is_remapped(self, action_id: str) -> bool:
        """Whether the person gave the action keys of their own."""
        return action_id in self._remaps

    def conflicts(self, action_id: str, sequences: Iterable[str]) -> list[str]:
        """The ids of other actions that already have one of these keys."""
        wanted = {canonical(sequence) for sequence in sequences}
        return [
            other
            for other in self._shipped
            if other != action_id
            and self._meet(action_id, other)
            and wanted & {canonical(taken) for taken in self.sequences(other)}
        ]

    def _meet(self, one: str, other: str) -> bool:
        """Whether both act at the same time: on one page, or one of them everywhere or on both pages."""
        contexts = {self._shipped[one].action.context, self._shipped[other].action.context}
        return len(contexts) == 1 or "window" in contexts

    def remap(self, action_id: str, sequences: Sequence[str]) -> list[str]:
        """Gives an action other keys.

        Returns:
            The ids of actions that already have one of them; then nothing was changed.

        Raises:
            ValueError: a text is no key sequence.
        """
        wanted = tuple(canonical(sequence) for sequence in sequences)
        if not all(wanted):
            raise ValueError(f"not a key: {', '.join(sequences)}")
        taken = self.conflicts(action_id, wanted)
        if not taken:
            self._remaps[action_id] = wanted
            self._store()
        return taken

    def reset(self, action_id: str | None = None) -> list[str]:
        """Gives an action its shipped keys back; None means all actions.

        Returns:
            The ids of actions that have one of those keys now; then nothing was changed.
        """
        if action_id is None:
            self._remaps.clear()
            self._store()
            return []
        entry = self._shipped[action_id]
        taken = self.conflicts(action_id, entry.action.sequences)
        if not taken and self._remaps.pop(action_id, None) is not None:
            self._store()
        return taken

    def _store(self) -> None:
        self._settings.key_remaps = {action: list(keys) for action, keys in self._remaps.items()}
        self.changed.emit()
