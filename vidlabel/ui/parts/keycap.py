"""Keys shown where they act: small caps inside the control itself."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QPushButton, QSizePolicy, QStyle, QStyleOptionButton, QWidget

from vidlabel.ui import tokens
from vidlabel.ui.parts.icons import pixmap
from vidlabel.ui.tokens import Colours, current_colours, font

CAP_HEIGHT = 18
CAP_GAP = 7
_NAMES = {
    "Return": "Enter",
    "Num+Enter": "Enter",
    "PgUp": "Page ↑",
    "PgDown": "Page ↓",
    "Up": "↑",
    "Down": "↓",
    "Left": "←",
    "Right": "→",
    "Backspace": "⌫",
    "Del": "Delete",
}


def cap_text(sequence: str) -> str:
    """A key sequence as a cap shows it: ``Ctrl+Shift+Z`` is ``Ctrl Shift Z``, ``Left`` an arrow."""
    if sequence in _NAMES:
        return _NAMES[sequence]
    if sequence == "+" or "+" not in sequence:
        return sequence
    parts = sequence.split("+")
    return " ".join(_NAMES.get(part, part) for part in parts if part)


def cap_width(text: str) -> int:
    """The width of a cap in logical pixels."""
    metrics = QFontMetricsF(font(tokens.HEAD))
    return max(CAP_HEIGHT + 4, round(metrics.horizontalAdvance(text)) + 12)


def draw_cap(painter: QPainter, rect: QRectF, text: str, *, colours: Colours, ink: str | None = None) -> None:
    """Draws one cap. ``ink`` colours it on a ground that is not the scheme's (the primary button)."""
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    outline = QColor(ink or colours.line_strong)
    fill = QColor(ink or colours.ground)
    if ink:
        outline.setAlpha(120)
        fill.setAlpha(28)
    painter.setPen(QPen(outline, 1))
    painter.setBrush(fill)
    painter.drawRoundedRect(rect.adjusted(0.5, 0.5, -0.5, -0.5), 3.5, 3.5)
    painter.setPen(QColor(ink or colours.second))
    painter.setFont(font(tokens.HEAD))
    painter.drawText(rect, Qt.AlignmentFlag.AlignCenter, text)
    painter.restore()


class KeyCap(QWidget):
    """One or more caps by themselves, as in the key sheet."""

    def __init__(self, caps: tuple[str, ...], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._caps = caps
        self.setAccessibleName(" or ".join(caps))
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        width = sum(cap_width(cap) + 4 for cap in self._caps) - 4
        return QSize(max(width, 1), CAP_HEIGHT + 2)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        x = 0.0
        for cap in self._caps:
            width = cap_width(cap)
            draw_cap(painter, QRectF(x, 1, width, CAP_HEIGHT), cap, colours=current_colours())
            x += width + 4


class CapButton(QPushButton):
    """A button with its words (or icon) and the caps of its keys in it.

    A click leaves the focus where it was; Tab reaches it.
    """

    def __init__(
        self, words: str, caps: tuple[str, ...] = (), *, look: str = "", icon_name: str = "", name: str = ""
    ) -> None:
        super().__init__()
        self._words = words
        self._caps = caps
        self._icon_name = icon_name
        # In a dialog Enter would press a button that has not the focus.
        self.setAutoDefault(False)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        if look:
            self.setProperty("look", look)
        self.setAccessibleName(name or words)
        self.setFont(font(tokens.BODY, bold=look == "primary"))

    @property
    def words(self) -> str:
        return self._words

    def set_words(self, words: str, *, name: str = "") -> None:
        if words == self._words and (not name or name == self.accessibleName()):
            return
        self._words = words
        self.setAccessibleName(name or words)
        self.updateGeometry()
        self.update()

    def set_caps(self, caps: tuple[str, ...]) -> None:
        self._caps = caps
        self.updateGeometry()
        self.update()

    def set_icon_name(self, name: str) -> None:
        self._icon_name = name
        self.update()

    def _content_width(self) -> int:
        width = 18 if self._icon_name else 0
        if self._words:
            width += round(QFontMetricsF(self.font()).horizontalAdvance(self._words)) + 1
            width += 6 if self._icon_name else 0
        for index, cap in enumerate(self._caps):
            width += cap_width(cap) + (4 if index else (CAP_GAP if width else 0))
        return width

    def _ink(self) -> str:
        colours = current_colours()
        if not self.isEnabled():
            return colours.third
        if self.property("look") == "primary":
            return colours.on_accent
        if self.isChecked():
            return colours.accent if self.property("look") == "quiet" else colours.text
        calm = self.property("look") in ("quiet", "tab") and not self.underMouse()
        return colours.second if calm else colours.text

    # --- Qt ---
    def sizeHint(self) -> QSize:
        padding = (14 if self._words else 6) if self.property("look") == "quiet" else 18
        return QSize(self._content_width() + padding, tokens.CONTROL)

    def minimumSizeHint(self) -> QSize:
        return QSize(min(self.sizeHint().width(), 64), tokens.CONTROL)

    def paintEvent(self, event: QPaintEvent) -> None:
        option = QStyleOptionButton()
        self.initStyleOption(option)
        option.text = ""
        painter = QPainter(self)
        self.style().drawControl(QStyle.ControlElement.CE_PushButton, option, painter, self)
        ink = self._ink()
        available = self.width() - 4
        words = self._words
        metrics = QFontMetricsF(self.font())
        wanted = self._content_width()
        if wanted > available:
            words = metrics.elidedText(
                words,
                Qt.TextElideMode.ElideRight,
                max(0.0, metrics.horizontalAdvance(words) - (wanted - available)),
            )
            wanted = available
        x = (self.width() - wanted) / 2
        middle = self.height() / 2
        if self._icon_name:
            painter.drawPixmap(
                QPointF(x, middle - 8), pixmap(self._icon_name, ink, 16, self.devicePixelRatioF())
            )
            x += 18 + (6 if words else 0)
        if words:
            painter.setPen(QColor(ink))
            painter.setFont(self.font())
            painter.drawText(
                QRectF(x, 0, self.width() - x, self.height()), Qt.AlignmentFlag.AlignVCenter, words
            )
            x += metrics.horizontalAdvance(words) + 1
        self._paint_caps(painter, x, middle, ink=ink)

    def _paint_caps(self, painter: QPainter, x: float, middle: float, *, ink: str) -> None:
        plain = self.property("look") != "primary" or not self.isEnabled()
        for index, cap in enumerate(self._caps):
            x += 4 if index else (CAP_GAP if self._words or self._icon_name else 0)
            width = cap_width(cap)
            place = QRectF(x, middle - CAP_HEIGHT / 2, width, CAP_HEIGHT)
            draw_cap(painter, place, cap, colours=current_colours(), ink=None if plain else ink)
            x += width
