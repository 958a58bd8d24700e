"""One reliability plot: of the clips suggested with so much confidence, how many were right.

Imported when the first plot is wanted: pyqtgraph and numpy are not needed before.
"""

from __future__ import annotations

from collections.abc import Sequence

import pyqtgraph as pg
from PySide6.QtCore import QEvent, QSize, Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QSizePolicy, QWidget

from vidlabel.core.words import ReliabilityBin
from vidlabel.ui import tokens
from vidlabel.ui.parts.basics import count, percent
from vidlabel.ui.tokens import current_colours, font

HEIGHT = 190
_TICKS = [(0.0, "0"), (0.5, "50"), (1.0, "100 %")]


class ReliabilityPlot(pg.PlotWidget):
    """Bars of the share that was right, over the model's confidence; on the diagonal both are the same.

    A bar is the fainter the fewer clips are in it. The plot is a picture: it takes neither mouse nor focus.
    """

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent, enableMenu=False)
        self._name = name
        self._bins: tuple[ReliabilityBin, ...] = ()
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setFixedHeight(HEIGHT)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setFrameShape(self.Shape.NoFrame)
        item = self.getPlotItem()
        item.setMouseEnabled(x=False, y=False)
        item.hideButtons()
        # The last label of the lower axis stands half over the edge of the plot.
        item.setContentsMargins(0, 8, 20, 0)
        view = item.getViewBox()
        view.setDefaultPadding(0.0)
        view.setRange(xRange=(0, 1), yRange=(0, 1), padding=0.0)
        view.setLimits(xMin=0, xMax=1, yMin=0, yMax=1)
        for side in ("left", "bottom"):
            axis = item.getAxis(side)
            axis.setTicks([_TICKS])
            axis.setStyle(tickLength=0, tickFont=font(tokens.HEAD), hideOverlappingLabels=24)
        item.setLabel("bottom", "confidence")
        item.setLabel("left", "was right")
        # What lies under the mouse must not make the section scroll or the plot move.
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)

    def show_bins(self, bins: Sequence[ReliabilityBin], *, ece: float) -> None:
        """Draws other bins; ``ece`` (0..1) is told to screen readers beside them."""
        self._bins = tuple(bins)
        self.setAccessibleName(f"Reliability {self._name}, calibration error {ece * 100:.1f} %")
        self.setAccessibleDescription(bins_words(self._bins))
        self._draw()

    @property
    def bins(self) -> tuple[ReliabilityBin, ...]:
        return self._bins

    def _draw(self) -> None:
        colours = current_colours()
        item = self.getPlotItem()
        item.clear()
        self.setBackground(colours.panel)
        for side in ("left", "bottom"):
            axis = item.getAxis(side)
            axis.setPen(pg.mkPen(colours.line))
            axis.setTextPen(pg.mkPen(colours.second))
            axis.labelStyle = {"color": colours.second, "font-size": f"{tokens.HEAD}px"}
            axis.setLabel(axis.labelText, **axis.labelStyle)
        diagonal = pg.mkPen(colours.line_strong, style=Qt.PenStyle.DashLine)
        filled = [one for one in self._bins if one.clips and one.accuracy is not None]
        most = max((one.clips for one in filled), default=1)
        for one in filled:
            fill = QColor(colours.accent)
            fill.setAlphaF(0.35 + 0.65 * (one.clips / most) ** 0.5)
            middle, width = (one.low + one.high) / 2, (one.high - one.low) * 0.86
            bar = pg.BarGraphItem(
                x=[middle], width=width, height=[one.accuracy], brush=fill, pen=pg.mkPen(None)
            )
            item.addItem(bar)
        item.plot([0, 1], [0, 1], pen=diagonal)
        points = [(one.confidence, one.accuracy) for one in filled if one.confidence is not None]
        item.plot(
            [x for x, _ in points], [y for _, y in points], pen=None, symbol="o", symbolSize=5,
            symbolBrush=colours.text, symbolPen=pg.mkPen(colours.panel),
        )  # fmt: skip

    # --- Qt ---
    def sizeHint(self) -> QSize:
        return QSize(200, HEIGHT)

    def minimumSizeHint(self) -> QSize:
        return QSize(140, HEIGHT)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() in (QEvent.Type.PaletteChange, QEvent.Type.StyleChange) and hasattr(self, "_bins"):
            self._draw()


def bins_words(bins: Sequence[ReliabilityBin]) -> str:
    """The plot for who cannot see it: ``at 70 to 80 % confidence 65 % of 20 clips were right; …``."""
    parts = [
        f"at {one.low * 100:.0f} to {one.high * 100:.0f} % confidence {percent(one.accuracy)} of "
        f"{count(one.clips, 'clip')} right"
        for one in bins
        if one.clips and one.accuracy is not None
    ]
    return "; ".join(parts) or "no clips yet"
