"""Labels, hairlines and chips in the program's type."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QFontMetrics
from PySide6.QtWidgets import QAbstractSpinBox, QFrame, QLabel, QLineEdit, QPushButton, QSizePolicy, QWidget

from vidlabel.ui import tokens

CHIP_MOST = 190
"""Pixels of words in a chip: the narrowest column still holds it."""


class Words(QLabel):
    """Plain text of a level: ``""`` (the first), ``second``, ``third``, ``trouble`` or ``done``."""

    def __init__(
        self,
        text: str = "",
        *,
        level: str = "",
        size: int = tokens.BODY,
        bold: bool = False,
        wrap: bool = False,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(text, parent)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setFont(tokens.font(size, bold=bold))
        self.setWordWrap(wrap)
        if level:
            self.setProperty("level", level)
        if wrap:
            policy = QSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)
            policy.setHeightForWidth(True)
            self.setSizePolicy(policy)

    def set_level(self, level: str) -> None:
        if self.property("level") != level:
            self.setProperty("level", level)
            self.style().unpolish(self)
            self.style().polish(self)


class SectionHead(Words):
    """The small capitals over a section."""

    def __init__(self, text: str, parent: QWidget | None = None) -> None:
        super().__init__(text, level="third", size=tokens.HEAD, parent=parent)
        self.setFont(tokens.font(tokens.HEAD, bold=True, capitals=True))


class Hairline(QFrame):
    """A line of one pixel."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("Hairline")
        self.setFixedHeight(1)


class Chip(QPushButton):
    """A small round button: a filter that is on, a recent label, a menu."""

    def __init__(self, words: str, *, on: bool = False, name: str = "") -> None:
        font = tokens.font(tokens.SECONDARY)
        shown = QFontMetrics(font).elidedText(words, Qt.TextElideMode.ElideMiddle, CHIP_MOST)
        # Two ampersands: a label may carry one, and it is no mnemonic.
        super().__init__(shown.replace("&", "&&"))
        self.setProperty("look", "chip-on" if on else "chip")
        self.setFont(font)
        if shown != words:
            self.setToolTip(words)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setAccessibleName(name or words)


def percent(value: float) -> str:
    """A share as people read it: ``71 %``; never 100 % or 0 % of something that is not."""
    if 0.0 < value < 0.005:
        return "< 1 %"
    if 0.995 <= value < 1.0:
        return "> 99 %"
    return f"{value * 100:.0f} %"


def sentence(words: str) -> str:
    """The words with a capital at their beginning, as reasons stand in other sentences too."""
    return words[:1].upper() + words[1:]


def count(number: int, one: str, many: str = "") -> str:
    """``1 clip``, ``2,345 clips``."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def as_number_field(field: QAbstractSpinBox) -> None:
    """A number to type, or to change with Up and Down: looks like the other fields, without buttons of its own."""
    field.setButtonSymbols(QAbstractSpinBox.ButtonSymbols.NoButtons)
    inner = field.findChild(QLineEdit)
    if inner is not None:
        # The style sheet's padding does not reach the field inside.
        inner.setTextMargins(8, 0, 8, 0)
