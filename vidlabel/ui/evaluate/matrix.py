"""The confusion matrix: rows are true labels, columns what the model suggested; a cell leads to its clips."""

from __future__ import annotations

import math
from collections.abc import Mapping

from PySide6.QtCore import QPoint, QPointF, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QAccessible,
    QAccessibleEvent,
    QColor,
    QFontMetricsF,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPixmap,
)
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from vidlabel.ui import tokens
from vidlabel.ui.evaluate.texts import cell_words
from vidlabel.ui.tokens import current_colours, font

SMALLEST, LARGEST = 13, 44
NUMBERS_FROM = 24
"""Cells of this many pixels have room for a number."""
_GUTTER_MOST = 150
_GAP = 6
_SHADES = 12
_MOVES = {
    Qt.Key.Key_Left: (0, -1),
    Qt.Key.Key_Right: (0, 1),
    Qt.Key.Key_Up: (-1, 0),
    Qt.Key.Key_Down: (1, 0),
}
Cells = Mapping[tuple[str, str], tuple[int, ...]]


class ConfusionMatrix(QWidget):
    """Painted once into a picture, which is then only shown: there may be thousands of cells."""

    moved = Signal(str)
    """The current cell in words."""
    wished = Signal(str, str)
    """true and suggested label of the cell whose clips are to be shown"""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._rows: tuple[str, ...] = ()
        self._columns: tuple[str, ...] = ()
        self._cells: Cells = {}
        self._clips_of: dict[str, int] = {}
        self._at = (0, 0)
        self._picture: QPixmap | None = None
        self._painted_for: object = None
        self.setAccessibleName("Confusion matrix: rows are true labels, columns suggested ones")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setProperty("takesArrows", True)
        self.setMouseTracking(True)
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)

    def show_cells(self, rows: tuple[str, ...], columns: tuple[str, ...], cells: Cells) -> None:
        """Shows another matrix; ``cells`` are the clips by true and suggested label."""
        self._rows, self._columns, self._cells = rows, columns, cells
        self._clips_of = {}
        for (label, _), clips in cells.items():
            self._clips_of[label] = self._clips_of.get(label, 0) + len(clips)
        self._at = (0, 0)
        self._picture = None
        self._tell()
        self.updateGeometry()
        self.update()

    @property
    def current(self) -> tuple[str, str] | None:
        """True and suggested label of the current cell."""
        if not self._rows:
            return None
        return self._rows[self._at[0]], self._columns[self._at[1]]

    def words_at(self, row: int, column: int) -> str:
        """One cell in a sentence."""
        label, suggested = self._rows[row], self._columns[column]
        clips = len(self._cells.get((label, suggested), ()))
        return cell_words(label, suggested, clips=clips, of=self._clips_of.get(label, 0))

    def place_of(self, label: str, suggested: str) -> QPoint:
        """The middle of a cell."""
        box = self._box(self._rows.index(label), self._columns.index(suggested))
        return box.center().toPoint()

    # --- geometry --------------------------------------------------------------------------------
    def _gutter(self) -> int:
        """Room for the labels at the left and on top."""
        metrics = QFontMetricsF(font(tokens.HEAD))
        names = {*self._rows, *self._columns}
        widest = max((metrics.horizontalAdvance(name) for name in names), default=0.0)
        return math.ceil(min(widest, _GUTTER_MOST)) + 1 + _GAP

    def _side(self, width: int) -> int:
        room = (width - self._gutter() - 1) // max(1, len(self._columns))
        return min(LARGEST, max(SMALLEST, room))

    def _box(self, row: int, column: int) -> QRectF:
        gutter, side = self._gutter(), self._side(self.width())
        return QRectF(gutter + column * side, gutter + row * side, side, side)

    def _cell_at(self, place: QPointF) -> tuple[int, int] | None:
        gutter, side = self._gutter(), self._side(self.width())
        row, column = int((place.y() - gutter) // side), int((place.x() - gutter) // side)
        inside = 0 <= row < len(self._rows) and 0 <= column < len(self._columns)
        return (row, column) if inside else None

    # --- the current cell ------------------------------------------------------------------------
    def _go(self, row: int, column: int) -> None:
        if not self._rows:
            return
        at = (min(max(row, 0), len(self._rows) - 1), min(max(column, 0), len(self._columns) - 1))
        if at != self._at:
            self._at = at
            self._tell()
            self.update()

    def _tell(self) -> None:
        words = self.words_at(*self._at) if self._rows else ""
        self.setAccessibleDescription(words)
        QAccessible.updateAccessibility(QAccessibleEvent(self, QAccessible.Event.DescriptionChanged))
        self.moved.emit(words)

    def _wish(self) -> None:
        current = self.current
        if current is not None and self._cells.get(current):
            self.wished.emit(*current)

    # --- painting --------------------------------------------------------------------------------
    def _paint_cells(self, painter: QPainter, side: int, gutter: int) -> None:
        """Cells of one shade in one go: each call costs more than its pixels."""
        colours = current_colours()
        shades: dict[tuple[bool, int], list[QRect]] = {}
        rows = {name: number for number, name in enumerate(self._rows)}
        columns = {name: number for number, name in enumerate(self._columns)}
        numbers: list[tuple[QRect, int]] = []
        for (label, suggested), clips in self._cells.items():
            if label not in rows or suggested not in columns:
                continue
            box = QRect(gutter + columns[suggested] * side, gutter + rows[label] * side, side - 1, side - 1)
            share = len(clips) / self._clips_of[label]
            shades.setdefault((label == suggested, max(1, round(share * _SHADES))), []).append(box)
            numbers.append((box, len(clips)))
        painter.setPen(Qt.PenStyle.NoPen)
        for (right, shade), boxes in shades.items():
            fill = QColor(colours.accent if right else colours.trouble)
            fill.setAlphaF(0.12 + 0.7 * shade / _SHADES)
            painter.setBrush(fill)
            painter.drawRects(boxes)
        if side >= NUMBERS_FROM:
            painter.setPen(QColor(colours.text))
            painter.setFont(font(tokens.HEAD))
            for box, clips_here in numbers:
                painter.drawText(box, Qt.AlignmentFlag.AlignCenter, f"{clips_here}")

    def _paint_names(self, painter: QPainter, side: int, gutter: int) -> None:
        colours = current_colours()
        small = font(min(tokens.HEAD, max(9, side - 3)))
        metrics = QFontMetricsF(small)
        painter.setFont(small)
        painter.setPen(QColor(colours.second))
        ends = Qt.TextElideMode.ElideRight
        side_flags = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        for number, name in enumerate(self._rows):
            shown = metrics.elidedText(name, ends, gutter - _GAP)
            painter.drawText(QRectF(0, gutter + number * side, gutter - _GAP, side), side_flags, shown)
        for number, name in enumerate(self._columns):
            painter.save()
            painter.translate(gutter + (number + 0.5) * side, gutter - _GAP)
            painter.rotate(-90)
            shown = metrics.elidedText(name, ends, gutter - _GAP)
            flags = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
            painter.drawText(QRectF(0, -side / 2, gutter - _GAP, side), flags, shown)
            painter.restore()

    def _draw(self) -> QPixmap:
        ratio = self.devicePixelRatioF()
        picture = QPixmap(self.size() * ratio)
        picture.setDevicePixelRatio(ratio)
        picture.fill(Qt.GlobalColor.transparent)
        gutter, side = self._gutter(), self._side(self.width())
        painter = QPainter(picture)
        ground = QRect(gutter, gutter, side * len(self._columns), side * len(self._rows))
        painter.fillRect(ground, QColor(current_colours().ground))
        self._paint_cells(painter, side, gutter)
        self._paint_names(painter, side, gutter)
        painter.end()
        return picture

    # --- Qt ---
    def sizeHint(self) -> QSize:
        return QSize(self._gutter() + LARGEST * len(self._columns), self.heightForWidth(self.width()))

    def minimumSizeHint(self) -> QSize:
        return QSize(self._gutter() + SMALLEST * len(self._columns) + 1, 60)

    def hasHeightForWidth(self) -> bool:
        return True

    def heightForWidth(self, width: int) -> int:
        return self._gutter() + self._side(width) * len(self._rows) + 2

    def paintEvent(self, _event: QPaintEvent) -> None:
        if not self._rows:
            return
        wanted = (self.size(), self.devicePixelRatioF(), current_colours())
        if self._picture is None or wanted != self._painted_for:
            self._picture, self._painted_for = self._draw(), wanted
        painter = QPainter(self)
        painter.drawPixmap(0, 0, self._picture)
        if self.hasFocus() or self.underMouse():
            colours = current_colours()
            painter.setPen(QPen(QColor(colours.text if self.hasFocus() else colours.line_strong), 2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(self._box(*self._at).adjusted(0, 0, -1, -1))
        painter.end()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key = Qt.Key(event.key())
        row, column = self._at
        if key in _MOVES:
            down, right = _MOVES[key]
            self._go(row + down, column + right)
        elif key == Qt.Key.Key_Home:
            self._go(row, self._columns.index(self._rows[row]) if self._rows else 0)
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space):
            self._wish()
        else:
            super().keyPressEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        cell = self._cell_at(event.position())
        self.setCursor(Qt.CursorShape.PointingHandCursor if cell else Qt.CursorShape.ArrowCursor)
        if cell is not None:
            QToolTip.showText(event.globalPosition().toPoint(), self.words_at(*cell), self)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        cell = self._cell_at(event.position())
        if cell is not None and event.button() == Qt.MouseButton.LeftButton:
            self._go(*cell)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton and self._cell_at(event.position()) == self._at:
            self._wish()
