"""The label picker: type-ahead over the label set, matches numbered, recent ones first."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QPoint, QPointF, QRectF, QSize, Qt, Signal, Slot
from PySide6.QtGui import QColor, QFocusEvent, QFontMetricsF, QKeyEvent, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QFrame, QWidget

from vidlabel.ui import tokens
from vidlabel.ui.decide.matching import match
from vidlabel.ui.library.filters import HintedField
from vidlabel.ui.parts.basics import count
from vidlabel.ui.parts.keycap import CAP_HEIGHT, cap_width, draw_cap
from vidlabel.ui.tokens import current_colours, font

SHOWN = 9
"""As many as there are digits for."""
LINE = 30


class MatchList(QFrame):
    """The matches, as a sheet under the field. It never takes the focus: the field does all the typing."""

    chosen = Signal(str)

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("Popup")
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setMouseTracking(True)
        self._labels: list[str] = []
        self._more = 0
        self._current = 0
        self.setAccessibleName("Matching labels")
        self.hide()

    @property
    def labels(self) -> tuple[str, ...]:
        """What is on show, in the order of its numbers."""
        return tuple(self._labels)

    @property
    def current(self) -> str | None:
        return self._labels[self._current] if self._labels else None

    def show_labels(self, found: list[str]) -> None:
        """Shows the first of these, the very first being current."""
        self._labels = found[:SHOWN]
        self._more = len(found) - len(self._labels)
        self._current = 0
        self.setAccessibleDescription(", ".join(f"{n} {label}" for n, label in enumerate(self._labels, 1)))
        self.update()

    def go(self, lines: int) -> None:
        """Up or down, stopping at the ends."""
        if self._labels:
            self._current = min(max(self._current + lines, 0), len(self._labels) - 1)
            self.update()

    def wanted_height(self) -> int:
        lines = max(1, len(self._labels)) + (1 if self._more else 0)
        return lines * LINE + 8

    def _line_at(self, y: float) -> int | None:
        line = int((y - 4) // LINE)
        return line if 0 <= line < len(self._labels) else None

    # --- Qt ---
    def sizeHint(self) -> QSize:
        return QSize(280, self.wanted_height())

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        colours = current_colours()
        painter.setFont(font(tokens.BODY))
        metrics = QFontMetricsF(painter.font())
        if not self._labels:
            painter.setPen(QColor(colours.second))
            painter.drawText(QPointF(12, 24), "No label fits. Esc leaves.")
        for line, label in enumerate(self._labels):
            box = QRectF(4, 4 + line * LINE, self.width() - 8, LINE)
            if line == self._current:
                painter.setPen(Qt.PenStyle.NoPen)
                painter.setBrush(QColor(colours.selected))
                painter.drawRoundedRect(box, 4, 4)
            cap = "Enter" if line == self._current else f"Alt {line + 1}"
            width = cap_width(cap)
            place = QRectF(box.right() - width - 6, box.center().y() - CAP_HEIGHT / 2, width, CAP_HEIGHT)
            draw_cap(painter, place, cap, colours=colours)
            painter.setFont(font(tokens.BODY))
            painter.setPen(QColor(colours.second))
            painter.drawText(QPointF(box.left() + 8, box.center().y() + 5), str(line + 1))
            painter.setPen(QColor(colours.text))
            words = metrics.elidedText(label, Qt.TextElideMode.ElideMiddle, place.left() - 36 - box.left())
            painter.drawText(QPointF(box.left() + 28, box.center().y() + 5), words)
        if self._more:
            painter.setPen(QColor(colours.second))
            painter.setFont(font(tokens.SECONDARY))
            painter.drawText(QPointF(32, 4 + len(self._labels) * LINE + 20), f"{self._more:,} more: type on")

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        line = self._line_at(event.position().y())
        if line is not None and line != self._current:
            self._current = line
            self.update()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        event.accept()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        line = self._line_at(event.position().y())
        if line is not None:
            self.chosen.emit(self._labels[line])


class LabelPicker(HintedField):
    """The field. Enter gives the current match, Alt+digit another, Esc leaves."""

    picked = Signal(str)

    def __init__(self) -> None:
        super().__init__("Type to search …", name="Label picker")
        self.setAccessibleDescription(
            "Type part of a label; Enter takes the first match, Alt and a digit another"
        )
        self._all: tuple[str, ...] = ()
        self._recent: tuple[str, ...] = ()
        self._list: MatchList | None = None
        self.textChanged.connect(self._search)

    @property
    def matches(self) -> MatchList:
        """The sheet of matches, made when first needed, over everything else in the window."""
        if self._list is None:
            self._list = MatchList(self.window())
            self._list.chosen.connect(self._take)
        return self._list

    def set_labels(self, labels: tuple[str, ...]) -> None:
        self._all = labels
        self.setPlaceholderText(
            f"Type to search {count(len(labels), 'label')} …" if labels else "No labels yet"
        )
        if self._list is not None and self._list.isVisible():
            self._search()

    def set_recent(self, recent: tuple[str, ...]) -> None:
        """Recently given labels, newest first."""
        self._recent = recent

    def open(self, letters: str = "") -> None:
        """Starts a search, with these letters already typed."""
        # A shortcut's focus would select the letters, and the next one typed would replace them.
        self.setFocus(Qt.FocusReason.OtherFocusReason)
        self.setText(letters)
        self._search()

    @Slot()
    def _search(self) -> None:
        if not self.hasFocus():
            return
        sheet = self.matches
        sheet.show_labels(match(self.text(), self._all, self._recent))
        self._place()
        sheet.show()
        sheet.raise_()

    def _place(self) -> None:
        sheet = self.matches
        corner = self.mapTo(self.window(), QPoint(0, self.height() + 4))
        tall = sheet.wanted_height()
        if corner.y() + tall > self.window().height() - 8:
            corner = self.mapTo(self.window(), QPoint(0, -4 - tall))
        sheet.setGeometry(corner.x(), corner.y(), self.width(), tall)

    @Slot(str)
    def _take(self, label: str) -> None:
        self.clear()
        if self._list is not None:
            self._list.hide()
        self.left.emit()
        self.picked.emit(label)

    # --- Qt ---
    def event(self, event: QEvent) -> bool:
        # Alt with a digit would otherwise look for a menu.
        if (
            event.type() == QEvent.Type.ShortcutOverride
            and isinstance(event, QKeyEvent)
            and _digit(event) is not None
        ):
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key = event.key()
        digit = _digit(event)
        if digit is not None:
            labels = self.matches.labels
            if not event.isAutoRepeat() and digit <= len(labels):
                self._take(labels[digit - 1])
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            label = self.matches.current
            if label is not None and not event.isAutoRepeat():
                self._take(label)
        elif key in (Qt.Key.Key_Up, Qt.Key.Key_Down):
            self.matches.go(1 if key == Qt.Key.Key_Down else -1)
        elif key == Qt.Key.Key_Escape:
            self.clear()
            self.left.emit()
        else:
            super().keyPressEvent(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self._search()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        if self._list is not None:
            self._list.hide()

    def resizeEvent(self, event: object) -> None:
        super().resizeEvent(event)  # type: ignore[arg-type]
        if self._list is not None and self._list.isVisible():
            self._place()


def _digit(event: QKeyEvent) -> int | None:
    """The digit from 1 to 9 of a key held with Alt alone."""
    held = event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
    number = event.key() - int(Qt.Key.Key_0)
    return number if held == Qt.KeyboardModifier.AltModifier and 1 <= number <= 9 else None
