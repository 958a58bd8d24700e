"""The confusion matrix: rows are true labels, columns what the model suggested; a cell leads to its clips."""

from __future__ import annotations

import math
from collections.abc import Mapping
from time import perf_counter

from PySide6.QtCore import QPoint, QPointF, QRect, QRectF, QSize, Qt, QTimer, Signal, Slot
from PySide6.QtGui import (
    QAccessible,
    QAccessibleEvent,
    QColor,
    QFont,
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
_FAINTEST, _FULLEST = 0.15, 0.82
_TURN_S = 0.003
NOTHING = "nothing"
"""Stands for clips of which a model had no numbers."""
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
        self._filled: tuple[tuple[tuple[int, int], ...], ...] = ()
        self._wide = 0
        self._number_font = font(tokens.HEAD)
        self._picture: QPixmap | None = None
        self._painted_for: object = None
        self._next_row = self._next_column = 0
        self._painting = QTimer(self)
        self._painting.setSingleShot(True)
        self._painting.setInterval(0)
        self._painting.timeout.connect(self._paint_more)
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
        self._clips_of = dict.fromkeys(rows, 0)
        places = {name: number for number, name in enumerate(columns)}
        filled: dict[str, list[tuple[int, int]]] = {name: [] for name in rows}
        for (label, suggested), clips in cells.items():
            if label in filled and suggested in places:
                filled[label].append((places[suggested], len(clips)))
                self._clips_of[label] += len(clips)
        self._filled = tuple(tuple(filled[name]) for name in rows)
        metrics = QFontMetricsF(font(tokens.HEAD))
        widest = max((metrics.horizontalAdvance(name) for name in {*rows, *columns}), default=0.0)
        self._wide = math.ceil(min(widest, _GUTTER_MOST)) + 1 + _GAP
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
        return self._wide

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
    def _begin_picture(self) -> None:
        """The ground; the columns' names and the rows follow, in each turn as many as take a few milliseconds."""
        ratio = self.devicePixelRatioF()
        self._picture = QPixmap(self.size() * ratio)
        self._picture.setDevicePixelRatio(ratio)
        self._picture.fill(Qt.GlobalColor.transparent)
        gutter, side = self._gutter(), self._side(self.width())
        painter = QPainter(self._picture)
        ground = QRect(gutter, gutter, side * len(self._columns), side * len(self._rows))
        painter.fillRect(ground, QColor(current_colours().ground))
        painter.end()
        self._next_row = self._next_column = 0
        self._painting.start()

    @Slot()
    def _paint_more(self) -> None:
        if self._picture is None:
            return
        gutter, side = self._gutter(), self._side(self.width())
        painter = QPainter(self._picture)
        first, begin = self._next_row, perf_counter()
        # Turned letters are drawn anew for each name, and there may be dozens.
        while self._next_column < len(self._columns) and perf_counter() - begin < _TURN_S:
            self._paint_column_name(painter, self._next_column, side=side, gutter=gutter)
            self._next_column += 1
            self.update(0, 0, self.width(), gutter)
        while self._next_row < len(self._rows) and perf_counter() - begin < _TURN_S:
            self._paint_row(painter, self._next_row, side=side, gutter=gutter)
            self._next_row += 1
        painter.end()
        self.update(0, gutter + first * side, self.width(), (self._next_row - first) * side)
        if self._next_row < len(self._rows):
            self._painting.start()

    def _paint_row(self, painter: QPainter, row: int, *, side: int, gutter: int) -> None:
        colours = current_colours()
        label = self._rows[row]
        self._paint_row_name(painter, row, side=side, gutter=gutter)
        painter.setFont(self._number_font)
        painter.setPen(QColor(colours.text))
        for column, clips in self._filled[row]:
            box = QRect(gutter + column * side, gutter + row * side, side - 1, side - 1)
            fill = QColor(colours.accent if self._columns[column] == label else colours.trouble)
            fill.setAlphaF(_FAINTEST + (_FULLEST - _FAINTEST) * clips / self._clips_of[label])
            painter.fillRect(box, fill)
            if side >= NUMBERS_FROM:
                painter.drawText(box, Qt.AlignmentFlag.AlignCenter, f"{clips}")

    def _paint_row_name(self, painter: QPainter, row: int, *, side: int, gutter: int) -> None:
        small = self._name_font(side)
        room = gutter - _GAP
        shown = QFontMetricsF(small).elidedText(self._rows[row], Qt.TextElideMode.ElideRight, room)
        painter.setFont(small)
        painter.setPen(QColor(current_colours().second))
        flags = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        painter.drawText(QRectF(0, gutter + row * side, room, side), flags, shown)

    def _paint_column_name(self, painter: QPainter, column: int, *, side: int, gutter: int) -> None:
        small, room = self._name_font(side), gutter - _GAP
        name = self._columns[column] or NOTHING
        shown = QFontMetricsF(small).elidedText(name, Qt.TextElideMode.ElideRight, room)
        painter.setFont(small)
        painter.setPen(QColor(current_colours().second))
        painter.rotate(-90)
        flags = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        painter.drawText(QRectF(-room, gutter + column * side, room, side), flags, shown)
        painter.resetTransform()

    @staticmethod
    def _name_font(side: int) -> QFont:
        return font(min(tokens.HEAD, max(9, side - 3)))

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
            self._painted_for = wanted
            self._begin_picture()
        assert self._picture is not None
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
