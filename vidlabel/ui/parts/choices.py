"""One of several, each with a line of words under it, and the buttons that end a dialog."""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtWidgets import QButtonGroup, QDialog, QHBoxLayout, QPushButton, QRadioButton, QVBoxLayout

from vidlabel.ui import tokens
from vidlabel.ui.parts.basics import SectionHead, Words
from vidlabel.ui.parts.keycap import CapButton


def choices_layout(
    dialog: QDialog, head: str, group: QButtonGroup, choices: Iterable[tuple[str, str]]
) -> QVBoxLayout:
    """The dialog's layout with a radio button for each (title, words), numbered from 0, the first of them chosen."""
    layout = QVBoxLayout(dialog)
    layout.setContentsMargins(*([tokens.PANEL_MARGIN] * 4))
    layout.setSpacing(4)
    layout.addWidget(SectionHead(head))
    layout.addSpacing(4)
    for number, (title, words) in enumerate(choices):
        button = QRadioButton(title)
        button.setAccessibleDescription(words)
        button.setChecked(number == 0)
        group.addButton(button, number)
        line = Words(words, level="second", size=tokens.SECONDARY, wrap=True)
        line.setContentsMargins(28, 0, 0, 8)
        layout.addWidget(button)
        layout.addWidget(line)
    return layout


def add_ending(layout: QVBoxLayout, dialog: QDialog, go: QPushButton) -> None:
    """Cancel and the dialog's own button, at the lower right."""
    leave = CapButton("Cancel")
    leave.clicked.connect(dialog.reject)
    row = QHBoxLayout()
    row.addStretch(1)
    row.addWidget(leave)
    row.addWidget(go)
    layout.addSpacing(12)
    layout.addLayout(row)
