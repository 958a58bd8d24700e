"""A page that says what is the matter and what to do: for empty states and for errors."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from vidlabel.ui import tokens
from vidlabel.ui.parts.basics import Words
from vidlabel.ui.parts.icons import pixmap
from vidlabel.ui.parts.keycap import CapButton
from vidlabel.ui.tokens import current_colours

TITLE = 18


class MessagePage(QWidget):
    """An icon, a title, a few words, and at most a few buttons, in the middle of the room."""

    _icon_name = ""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._icon = QLabel()
        self._icon.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.title = Words(size=TITLE, bold=True, wrap=True)
        self.words = Words(level="second", wrap=True)
        self.detail = Words(level="third", size=tokens.SECONDARY, wrap=True)
        self._buttons = QHBoxLayout()
        self._buttons.setSpacing(tokens.GAP)
        self._buttons.setAlignment(Qt.AlignmentFlag.AlignCenter)
        inner = QWidget()
        inner.setMaximumWidth(460)
        inside = QVBoxLayout(inner)
        inside.setSpacing(12)
        for label in (self._icon, self.title, self.words, self.detail):
            label.setAlignment(Qt.AlignmentFlag.AlignCenter)
            inside.addWidget(label)
        inside.addLayout(self._buttons)
        across = QHBoxLayout()
        across.addStretch(1)
        across.addWidget(inner, 100)
        across.addStretch(1)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        layout = QVBoxLayout(self)
        layout.addStretch(2)
        layout.addLayout(across)
        layout.addStretch(3)

    def say(
        self, title: str, words: str = "", *, detail: str = "", icon: str = "", trouble: bool = False
    ) -> None:
        """Shows other words; buttons stay until :meth:`set_buttons`."""
        self._icon_name = icon
        self.title.setText(title)
        self.title.set_level("trouble" if trouble else "")
        for label, text in ((self.words, words), (self.detail, detail)):
            label.setText(text)
            label.setVisible(bool(text))
        self._icon.setVisible(bool(icon))
        self._draw_icon()
        self.setAccessibleName(title)
        self.setAccessibleDescription(words)

    def set_buttons(self, *buttons: CapButton) -> None:
        """Replaces the buttons under the words."""
        while (item := self._buttons.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None:
                widget.hide()
                widget.deleteLater()
        for button in buttons:
            self._buttons.addWidget(button)

    def _draw_icon(self) -> None:
        if self._icon_name:
            colours = current_colours()
            colour = colours.trouble if self.title.property("level") == "trouble" else colours.third
            self._icon.setPixmap(pixmap(self._icon_name, colour, 36, self.devicePixelRatioF()))

    # --- Qt ---
    def changeEvent(self, event: object) -> None:
        super().changeEvent(event)  # type: ignore[arg-type]
        self._draw_icon()
