"""Curves of a run, painted by hand: a plot library takes a second to load, and these are a few lines."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QWidget

from vidlabel.ui import tokens
from vidlabel.ui.tokens import current_colours, font

_TOP, _BOTTOM, _RIGHT, _LEFT = 8, 20, 12, 40
_TICKS = 3


@dataclass(frozen=True, slots=True)
class Line:
    """One curve: its name, the name of its colour among the tokens, and its points in order of x."""

    name: str
    colour: str
    points: tuple[tuple[float, float], ...]


class CurvePlot(QWidget):
    """Lines over epochs; under the pointer, or the arrow keys, stand their values.

    Args:
        name: what is drawn, for screen readers.
        words: makes a value of an axis or line readable.
        top: fixed upper end of the axis; None follows the values.
    """

    def __init__(
        self,
        name: str,
        words: Callable[[float], str],
        *,
        top: float | None = None,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._name = name
        self._words = words
        self._top = top
        self._lines: tuple[Line, ...] = ()
        self._mark: tuple[float, str] | None = None
        self._last = 1.0
        self._at: float | None = None
        self._cache: tuple[object, list[QPolygonF]] | None = None
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setProperty("takesArrows", True)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAccessibleName(name)

    @property
    def lines(self) -> tuple[Line, ...]:
        return self._lines

    def show_lines(
        self, lines: Sequence[Line], *, last: float, mark: tuple[float, str] | None = None
    ) -> None:
        """Draws other curves.

        Args:
            lines: in the order of the legend.
            last: the right end of the axis, in epochs.
            mark: a value drawn as a level across, with its words.
        """
        self._lines = tuple(lines)
        self._last = max(1.0, last)
        self._mark = mark
        self._cache = None
        self._tell()
        self.update()

    def value_words(self) -> str:
        """``epoch 12: train 0.41, validation 0.62`` at the cursor, else at the end."""
        ends = [line.points[-1][0] for line in self._lines if line.points]
        if not ends:
            return "nothing yet"
        at = self._at if self._at is not None else max(ends)
        parts = [
            f"{line.name} {self._words(_value(line.points, at))}"
            for line in self._lines
            if line.points and line.points[0][0] <= at + 1
        ]
        return f"epoch {at:.1f}: " + ", ".join(parts)

    def _tell(self) -> None:
        mark = f"; {self._mark[1]}" if self._mark else ""
        self.setAccessibleDescription(f"{self.value_words()}{mark}")

    # --- geometry --------------------------------------------------------------------------------
    def _area(self) -> QRectF:
        return QRectF(self.rect()).adjusted(_LEFT, _TOP, -_RIGHT, -_BOTTOM)

    def _range(self) -> tuple[float, float]:
        values = [value for line in self._lines for _, value in line.points]
        if self._mark is not None:
            values.append(self._mark[0])
        if not values:
            return 0.0, 1.0
        high = self._top if self._top is not None else max(values)
        low = min(0.0, min(values)) if self._top is None else 0.0
        return low, high if high > low else low + 1.0

    def _polygons(self, area: QRectF) -> list[QPolygonF]:
        """The lines in pixels, at most one point for two, made anew only where something changed."""
        key = (area.width(), area.height())
        if self._cache is not None and self._cache[0] == key:
            return self._cache[1]
        low, high = self._range()
        across, up = area.width() / self._last, area.height() / (high - low)
        made = []
        for line in self._lines:
            points = _thinned(line.points, max(2, int(area.width() / 2)))
            made.append(
                QPolygonF(
                    [QPointF(area.left() + x * across, area.bottom() - (y - low) * up) for x, y in points]
                )
            )
        self._cache = (key, made)
        return made

    # --- painting --------------------------------------------------------------------------------
    def _paint_axes(self, painter: QPainter, area: QRectF) -> None:
        colours = current_colours()
        low, high = self._range()
        painter.setFont(font(tokens.HEAD))
        right = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        for tick in range(_TICKS):
            share = tick / (_TICKS - 1)
            y = area.bottom() - share * area.height()
            painter.setPen(QPen(QColor(colours.line), 1))
            painter.drawLine(QPointF(area.left(), y), QPointF(area.right(), y))
            painter.setPen(QColor(colours.third))
            painter.drawText(QRectF(0, y - 8, _LEFT - 8, 16), right, self._words(low + share * (high - low)))
        painter.drawText(
            QRectF(area.left(), area.bottom() + 4, 80, 14), Qt.AlignmentFlag.AlignLeft, "epoch 0"
        )
        end = QRectF(area.right() - 80, area.bottom() + 4, 80, 14)
        painter.drawText(end, Qt.AlignmentFlag.AlignRight, f"{self._last:.0f}")
        if self._mark is not None:
            y = area.bottom() - (self._mark[0] - low) / (high - low) * area.height()
            painter.setPen(QPen(QColor(colours.line_strong), 1, Qt.PenStyle.DashLine))
            painter.drawLine(QPointF(area.left(), y), QPointF(area.right(), y))

    def _paint_cursor(self, painter: QPainter, area: QRectF) -> None:
        if self._at is None or not any(line.points for line in self._lines):
            return
        colours = current_colours()
        low, high = self._range()
        x = area.left() + self._at / self._last * area.width()
        painter.setPen(QPen(QColor(colours.line_strong), 1))
        painter.drawLine(QPointF(x, area.top()), QPointF(x, area.bottom()))
        for line in self._lines:
            if line.points:
                y = area.bottom() - (_value(line.points, self._at) - low) / (high - low) * area.height()
                painter.setBrush(QColor(getattr(colours, line.colour)))
                painter.setPen(QPen(QColor(colours.panel), 1))
                painter.drawEllipse(QPointF(x, y), 3.5, 3.5)
        words = self.value_words()
        painter.setFont(font(tokens.SECONDARY))
        width = painter.fontMetrics().horizontalAdvance(words) + 16
        left = min(max(area.left(), x - width / 2), area.right() - width)
        box = QRectF(left, area.top(), width, 22)
        painter.setPen(QPen(QColor(colours.line), 1))
        painter.setBrush(QColor(colours.raised))
        painter.drawRoundedRect(box, 4, 4)
        painter.setPen(QColor(colours.text))
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, words)

    def _set_cursor(self, at: float | None) -> None:
        self._at = None if at is None else min(max(0.0, at), self._last)
        self._tell()
        self.update()

    # --- Qt ---
    def sizeHint(self) -> QSize:
        return QSize(320, 170)

    def minimumSizeHint(self) -> QSize:
        return QSize(160, 110)

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        area = self._area()
        self._paint_axes(painter, area)
        colours = current_colours()
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for line, polygon in zip(self._lines, self._polygons(area), strict=True):
            painter.setPen(QPen(QColor(getattr(colours, line.colour)), 1.5))
            if polygon.size() == 1:
                painter.drawEllipse(polygon.first(), 1.5, 1.5)
            painter.drawPolyline(polygon)
        self._paint_cursor(painter, area)
        if self.hasFocus():
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(QColor(colours.accent), 1))
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), 4, 4)
        painter.end()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        area = self._area()
        self._set_cursor((event.position().x() - area.left()) / max(1.0, area.width()) * self._last)

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self._set_cursor(None)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        step = {Qt.Key.Key_Left: -1.0, Qt.Key.Key_Right: 1.0}.get(Qt.Key(event.key()))
        if step is not None:
            self._set_cursor((self._last if self._at is None else self._at) + step)
        elif event.key() in (Qt.Key.Key_Home, Qt.Key.Key_End):
            self._set_cursor(0.0 if event.key() == Qt.Key.Key_Home else self._last)
        else:
            super().keyPressEvent(event)


def _value(points: Sequence[tuple[float, float]], at: float) -> float:
    """The value of the point nearest to ``at``."""
    place = bisect_left(points, (at,))
    near = points[max(0, place - 1) : place + 1]
    return min(near, key=lambda point: abs(point[0] - at))[1]


def _thinned(points: Sequence[tuple[float, float]], most: int) -> Sequence[tuple[float, float]]:
    if len(points) <= most:
        return points
    size = -(-len(points) // most)
    return [
        (sum(one[0] for one in part) / len(part), sum(one[1] for one in part) / len(part))
        for part in (points[at : at + size] for at in range(0, len(points), size))
    ]
