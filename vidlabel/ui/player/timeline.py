"""The timeline of a clip: a tick for each frame, the loop, the play head; click or drag to seek."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QPointF, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFocusEvent, QMouseEvent, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QSlider, QWidget

from vidlabel.ui import tokens
from vidlabel.ui.tokens import current_colours, font

HEIGHT = 48
EDGE = 8
TICKS_MIN_GAP = 4.0
"""Closer ticks are thinned to every 5th, 10th, 25th … frame: a grey band tells nothing."""


class Timeline(QSlider):
    """A slider over the frames of the clip, so that screen readers know its value; painted as a timeline."""

    frame_wished = Signal(int)
    """A frame index in the video, by mouse."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(Qt.Orientation.Horizontal, parent)
        self._times: Sequence[int] = ()
        self._loop: tuple[int | None, int | None] = (None, None)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setAccessibleName("Timeline")
        self.setAccessibleDescription(
            "The frame on screen; arrows seek by a second, comma and full stop by a frame"
        )
        self.setRange(0, 0)

    def set_clip(self, times: Sequence[int], *, first: int, last: int) -> None:
        """Another clip: frame times of the video in µs, the clip's first frame and the one after its last."""
        self._times = times
        self._loop = (None, None)
        self.setRange(first, max(first, last - 1))
        self.update()

    def set_loop(self, start_us: int | None, end_us: int | None) -> None:
        """Shows the loop from A to B (microseconds from the video's start), either may be unset."""
        self._loop = (start_us, end_us)
        self.update()

    def show_frame(self, frame: int) -> None:
        """Moves the play head."""
        before = self._head_rect()
        self.setValue(frame)
        self.update(before)
        self.update(self._head_rect())

    def _span(self) -> tuple[int, int]:
        """The clip's time range in microseconds; a last frame lasts as long as the one before it."""
        first, last = self.minimum(), self.maximum()
        if not self._times or last >= len(self._times):
            return first, max(last, first + 1)
        return self._times[first], max(self._times[last], self._times[first] + 1)

    def _x_of_time(self, time_us: int) -> float:
        start, end = self._span()
        return EDGE + (self.width() - 2 * EDGE) * (time_us - start) / (end - start)

    def _x_of_frame(self, frame: int) -> float:
        return self._x_of_time(self._times[frame] if frame < len(self._times) else frame)

    def frame_at(self, x: float) -> int:
        """The frame whose tick is nearest to a place."""
        first, last = self.minimum(), self.maximum()
        start, end = self._span()
        share = min(max((x - EDGE) / max(1, self.width() - 2 * EDGE), 0.0), 1.0)
        wanted = start + share * (end - start)
        if not self._times:
            return round(wanted)
        low, high = first, last
        while low < high:
            middle = (low + high + 1) // 2
            if self._times[middle] <= wanted:
                low = middle
            else:
                high = middle - 1
        if low < last and self._times[low + 1] - wanted < wanted - self._times[low]:
            low += 1
        return low

    def _head_rect(self) -> QRect:
        x = round(self._x_of_frame(self.value()))
        return QRect(x - 7, 0, 15, self.height())

    def _tick_step(self) -> int:
        frames = max(1, self.maximum() - self.minimum())
        gap = (self.width() - 2 * EDGE) / frames
        for step in (1, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10000, 50000):
            if gap * step >= TICKS_MIN_GAP:
                return step
        return frames

    def _paint_ticks(self, painter: QPainter, within: QRect, colour: QColor) -> None:
        step = self._tick_step()
        painter.setPen(QPen(colour, 1))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, on=False)
        first = self.minimum()
        for frame in range(first, self.maximum() + 1, step):
            x = round(self._x_of_frame(frame))
            if within.left() - 1 <= x <= within.right() + 1:
                tall = 10 if (frame - first) % (step * 5) == 0 else 5
                painter.drawLine(x, 4, x, 4 + tall)

    def _paint_loop(self, painter: QPainter, accent: QColor, on_accent: QColor) -> None:
        start, end = self._loop
        if start is None:
            return
        left = self._x_of_time(start)
        right = self._x_of_time(end) if end is not None else left + 2
        band = QRectF(left, 20, max(2.0, right - left), 14)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(accent)
        painter.drawRoundedRect(band, 3, 3)
        words = "A–B" if end is not None else ""
        if words and band.width() > 34:
            painter.setPen(on_accent)
            painter.setFont(font(tokens.HEAD, bold=True))
            painter.drawText(band, Qt.AlignmentFlag.AlignCenter, words)
        elif end is None:
            painter.setPen(accent)
            painter.setFont(font(tokens.HEAD, bold=True))
            painter.drawText(QRectF(left + 5, 19, 20, 16), Qt.AlignmentFlag.AlignVCenter, "A")

    def _wish(self, event: QMouseEvent) -> None:
        self.frame_wished.emit(self.frame_at(event.position().x()))

    # --- Qt ---
    def sizeHint(self) -> QSize:
        return QSize(200, HEIGHT)

    def minimumSizeHint(self) -> QSize:
        return QSize(120, HEIGHT)

    def paintEvent(self, event: QPaintEvent) -> None:
        colours = current_colours()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setBrush(QColor(colours.panel))
        painter.setPen(QPen(QColor(colours.accent if self.hasFocus() else colours.line), 1))
        painter.drawRoundedRect(
            QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), tokens.RADIUS, tokens.RADIUS
        )
        if self.maximum() <= self.minimum() and not self._times:
            return
        self._paint_ticks(painter, event.rect(), QColor(colours.line_strong))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        rail = QRectF(EDGE, 26, self.width() - 2 * EDGE, 2)
        painter.fillRect(rail, QColor(colours.line))
        head = self._x_of_frame(self.value())
        painter.fillRect(QRectF(EDGE, 26, max(0.0, head - EDGE), 2), QColor(colours.second))
        self._paint_loop(painter, QColor(colours.accent), QColor(colours.on_accent))
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(colours.text))
        painter.drawRect(QRectF(head - 1, 1, 2, self.height() - 2))
        painter.drawPolygon(QPolygonF([QPointF(head - 5, 1), QPointF(head + 5, 1), QPointF(head, 7)]))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self._wish(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if event.buttons() & Qt.MouseButton.LeftButton:
            self._wish(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        event.accept()

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self.update()
