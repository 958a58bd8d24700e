"""One reliability plot: of the clips suggested with so much confidence, how many were right."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from vidlabel.core.words import ReliabilityBin
from vidlabel.ui import tokens
from vidlabel.ui.parts.basics import count, percent
from vidlabel.ui.tokens import current_colours, font

HEIGHT = 190
_TICKS = ((0.0, "0"), (0.5, "50"), (1.0, "100 %"))
_LEFT, _TOP, _RIGHT, _BOTTOM = 64, 8, 24, 40
_POINT = 2.5


class ReliabilityPlot(QWidget):
    """Bars of the share that was right, over the model's confidence; on the diagonal both are the same.

    A bar is the fainter the fewer clips are in it. The plot is a picture: it takes neither mouse nor focus. Painted
    by hand: a plot library takes a second to load, and this is one picture of at most fifteen bars.
    """

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._name = name
        self._bins: tuple[ReliabilityBin, ...] = ()
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setFixedHeight(HEIGHT)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)

    def show_bins(self, bins: Sequence[ReliabilityBin], *, ece: float) -> None:
        """Draws other bins; ``ece`` (0..1) is told to screen readers beside them."""
        self._bins = tuple(bins)
        self.setAccessibleName(f"Reliability {self._name}, calibration error {ece * 100:.1f} %")
        self.setAccessibleDescription(bins_words(self._bins))
        self.update()

    @property
    def bins(self) -> tuple[ReliabilityBin, ...]:
        return self._bins

    def _paint_axes(self, painter: QPainter, area: QRectF) -> None:
        colours = current_colours()
        painter.setFont(font(tokens.HEAD))
        painter.setPen(QPen(QColor(colours.line), 1))
        painter.drawLine(area.bottomLeft(), area.bottomRight())
        painter.drawLine(area.bottomLeft(), area.topLeft())
        painter.setPen(QColor(colours.second))
        middle = Qt.AlignmentFlag.AlignCenter
        for share, words in _TICKS:
            x, y = area.left() + share * area.width(), area.bottom() - share * area.height()
            painter.drawText(QRectF(x - 24, area.bottom() + 3, 48, 14), middle, words)
            side = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
            painter.drawText(QRectF(area.left() - 46, y - 7, 42, 14), side, words)
        painter.drawText(QRectF(area.left(), area.bottom() + 20, area.width(), 16), middle, "confidence")
        painter.save()
        painter.translate(area.left() - 52, area.center().y())
        painter.rotate(-90)
        painter.drawText(QRectF(-area.height() / 2, -8, area.height(), 16), middle, "was right")
        painter.restore()

    def _paint_bins(self, painter: QPainter, area: QRectF) -> None:
        colours = current_colours()
        filled = [one for one in self._bins if one.clips and one.accuracy is not None]
        most = max((one.clips for one in filled), default=1)
        for one in filled:
            fill = QColor(colours.accent)
            fill.setAlphaF(0.35 + 0.65 * (one.clips / most) ** 0.5)
            gap = (one.high - one.low) * 0.07
            left, right = (area.left() + at * area.width() for at in (one.low + gap, one.high - gap))
            height = (one.accuracy or 0.0) * area.height()
            painter.fillRect(QRectF(left, area.bottom() - height, right - left, height), fill)
        painter.setPen(QPen(QColor(colours.line_strong), 1, Qt.PenStyle.DashLine))
        painter.drawLine(area.bottomLeft(), area.topRight())
        painter.setPen(QPen(QColor(colours.panel), 1))
        painter.setBrush(QColor(colours.text))
        for one in filled:
            if one.confidence is not None:
                x = area.left() + one.confidence * area.width()
                y = area.bottom() - (one.accuracy or 0.0) * area.height()
                painter.drawEllipse(QPointF(x, y), _POINT, _POINT)

    # --- Qt ---
    def sizeHint(self) -> QSize:
        return QSize(200, HEIGHT)

    def minimumSizeHint(self) -> QSize:
        return QSize(140, HEIGHT)

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        area = QRectF(self.rect()).adjusted(_LEFT, _TOP, -_RIGHT, -_BOTTOM)
        self._paint_axes(painter, area)
        self._paint_bins(painter, area)
        painter.end()


def bins_words(bins: Sequence[ReliabilityBin]) -> str:
    """The plot for who cannot see it: ``at 70 to 80 % confidence 65 % of 20 clips were right; …``."""
    parts = [
        f"at {one.low * 100:.0f} to {one.high * 100:.0f} % confidence {percent(one.accuracy)} of "
        f"{count(one.clips, 'clip')} right"
        for one in bins
        if one.clips and one.accuracy is not None
    ]
    return "; ".join(parts) or "no clips yet"
