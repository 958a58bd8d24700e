"""The sheet of all keys, as they are now."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QFrame, QGridLayout, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from vidlabel.services.keys import Keys
from vidlabel.ui import tokens
from vidlabel.ui.actions import SPECS
from vidlabel.ui.parts.basics import SectionHead, Words
from vidlabel.ui.parts.keycap import KeyCap, cap_text

CAPS = 2
"""More alternatives than these would hide the keys worth learning."""
FIXED: dict[str, tuple[tuple[str, tuple[str, ...]], ...]] = {
    "Decide": (
        ("Open the label picker with a letter", ("Shift A … Z",)),
        ("In the picker: the first match", ("Enter",)),
        ("In the picker: another match", ("Alt 1 … 9",)),
    ),
    "Models": (
        ("Put the chosen model to use, or install it", ("Enter",)),
        ("Remove the chosen model", ("Delete",)),
        ("Back to the list", ("Esc",)),
    ),
    "Program": (
        ("To the next or previous control", ("Tab", "Shift Tab")),
        ("Press the focused control", ("Space", "Enter")),
        ("Back to the player", ("Esc",)),
    ),
}
"""Keys that belong to a control and cannot be remapped."""


def sheet_lines(keys: Keys) -> dict[str, list[tuple[str, tuple[str, ...]]]]:
    """Group to lines of (words, caps), of every action that the window has."""
    known = {spec.id for spec in SPECS}
    groups: dict[str, list[tuple[str, tuple[str, ...]]]] = {}
    for action in keys.actions():
        if action.id in known:
            caps = tuple(dict.fromkeys(cap_text(sequence) for sequence in keys.sequences(action.id)))[:CAPS]
            groups.setdefault(action.group, []).append((action.words, caps or ("no key",)))
    for group, lines in FIXED.items():
        groups.setdefault(group, []).extend(lines)
    return groups


class KeySheet(QDialog):
    """All keys in columns of groups."""

    def __init__(self, keys: Keys, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Keys")
        self.setAccessibleName("Key sheet")
        groups = sheet_lines(keys)
        columns = (("Decide", "See"), ("Move", "Play"), ("Program",))
        placed = {name for column in columns for name in column}
        rest = tuple(name for name in groups if name not in placed)
        body = QWidget()
        body.setObjectName("Ground")
        across = QHBoxLayout(body)
        across.setContentsMargins(24, 20, 24, 20)
        across.setSpacing(36)
        for column in (*columns[:-1], (*columns[-1], *rest)):
            down = QVBoxLayout()
            down.setSpacing(8)
            for name in column:
                if name in groups:
                    down.addWidget(SectionHead(name))
                    down.addLayout(self._lines(groups[name]))
                    down.addSpacing(14)
            down.addStretch(1)
            across.addLayout(down)
        area = QScrollArea()
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setWidgetResizable(True)
        area.setWidget(body)
        area.setAccessibleName("All keys")
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(area)
        hint = body.sizeHint()
        room = parent.size() if parent is not None else hint
        self.resize(min(hint.width() + 16, room.width() - 40), min(hint.height() + 8, room.height() - 60))

    def _lines(self, lines: list[tuple[str, tuple[str, ...]]]) -> QGridLayout:
        grid = QGridLayout()
        grid.setHorizontalSpacing(16)
        grid.setVerticalSpacing(6)
        for row, (words, caps) in enumerate(lines):
            grid.addWidget(Words(words, level="second", size=tokens.SECONDARY), row, 0)
            grid.addWidget(KeyCap(caps), row, 1, Qt.AlignmentFlag.AlignRight)
        grid.setColumnStretch(0, 1)
        return grid
