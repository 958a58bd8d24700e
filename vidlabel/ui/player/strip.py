"""Under the timeline of a long video: what the model sees in it over time, and the clips inside it."""

from __future__ import annotations

import math
from collections.abc import Sequence

from PySide6.QtCore import QEvent, QPointF, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QBrush,
    QColor,
    QFontMetrics,
    QHelpEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPixmap,
    QPolygonF,
)
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from vidlabel.core.time import short_duration, timecode
from vidlabel.core.words import DECIDED_STATES, ClipRow
from vidlabel.services.sweeping import StripData
from vidlabel.ui import tokens
from vidlabel.ui.parts.basics import count, percent
from vidlabel.ui.player.timeline import EDGE
from vidlabel.ui.tokens import Colours, current_colours, font, state_colour

TOP = 6
BAR = 18
LANE = 18
GAP = 3
_LEAST_BAR = 3.0
_NOT_YET = "not looked at yet"


class ProbabilityStrip(QWidget):
    """The whole video from edge to edge: a row of clips, then a curve for each of the strongest labels."""

    clip_wished = Signal(int)
    """A click on a clip's bar."""
    time_wished = Signal(object)
    """A click anywhere else: microseconds from the video's first frame."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._data: StripData | None = None
        self._time_us = 0
        self._current: int | None = None
        self._blind = False
        self._picture: QPixmap | None = None
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName("Model over the video")
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.hide()

    @property
    def data(self) -> StripData | None:
        return self._data

    def show_data(self, data: StripData | None) -> None:
        """Another video, or more of it; None hides the strip."""
        self._data = data
        self._redraw()
        self.updateGeometry()
        self.setVisible(data is not None and not self._blind)
        if data is not None:
            labels = ", ".join(curve.label for curve in data.curves)
            seen = "" if data.finished else f", looked at up to {short_duration(data.looked_us)}"
            self.setAccessibleDescription(
                f"{count(len(data.clips), 'clip')} inside; strongest: {labels}{seen}"
            )

    def set_blind(self, blind: bool) -> None:
        """Hides what the model thinks."""
        self._blind = blind
        self.setVisible(self._data is not None and not blind)

    def show_clip(self, clip_id: int | None) -> None:
        """The clip that is played has a frame around its bar."""
        if clip_id != self._current:
            self._current = clip_id
            self._redraw()

    def show_time(self, time_us: int) -> None:
        """Moves the play head."""
        if self._data is None or not self.isVisible():
            self._time_us = time_us
            return
        before, self._time_us = self._head_rect(), time_us
        if self._head_rect() != before:
            self.update(before)
            self.update(self._head_rect())

    def clip_at(self, place: QPointF) -> ClipRow | None:
        """The clip whose bar is there; of two the shorter."""
        if self._data is None or not TOP <= place.y() <= TOP + BAR:
            return None
        there = [row for row in self._data.clips if self._bar(row).contains(place)]
        return min(there, key=lambda row: row.duration_us, default=None)

    def time_at(self, x: float) -> int:
        """The time at a place, within the video."""
        duration = self._data.duration_us if self._data is not None else 0
        share = (x - EDGE) / max(1, self.width() - 2 * EDGE)
        return round(min(max(share, 0.0), 1.0) * max(0, duration - 1))

    # --- geometry --------------------------------------------------------------------------------
    def _x(self, time_us: float) -> float:
        duration = self._data.duration_us if self._data is not None else 1
        return EDGE + (self.width() - 2 * EDGE) * time_us / max(1, duration)

    def _bar(self, row: ClipRow) -> QRectF:
        left, right = self._x(row.start_us), self._x(row.end_us)
        return QRectF(left, TOP, max(_LEAST_BAR, right - left - 1), BAR)

    def _lane(self, number: int) -> QRectF:
        return QRectF(EDGE, TOP + BAR + GAP + number * LANE, self.width() - 2 * EDGE, LANE - 2)

    def _head_rect(self) -> QRect:
        return QRect(round(self._x(self._time_us)) - 2, 0, 5, self.height())

    # --- painting --------------------------------------------------------------------------------
    def _redraw(self) -> None:
        self._picture = None
        self.update()

    def _drawn(self) -> QPixmap:
        """All but the play head, which moves with each frame."""
        ratio = self.devicePixelRatioF()
        picture = QPixmap(self.size() * ratio)
        picture.setDevicePixelRatio(ratio)
        picture.fill(Qt.GlobalColor.transparent)
        painter = QPainter(picture)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        colours = current_colours()
        painter.setBrush(QColor(colours.panel))
        painter.setPen(QPen(QColor(colours.line), 1))
        painter.drawRoundedRect(
            QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), tokens.RADIUS, tokens.RADIUS
        )
        if self._data is not None:
            self._paint_unread(painter, colours, self._data)
            for number, curve in enumerate(self._data.curves):
                self._paint_curve(painter, colours, self._lane(number), values=curve.values)
            for row in self._data.clips:
                self._paint_bar(painter, colours, row)
            painter.setFont(font(tokens.HEAD))
            for number, curve in enumerate(self._data.curves):
                _paint_label(painter, colours, self._lane(number), words=curve.label)
        painter.end()
        return picture

    def _paint_unread(self, painter: QPainter, colours: Colours, data: StripData) -> None:
        """What nobody has looked at is neither empty nor full: it is hatched, and says why where there is room."""
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QBrush(QColor(colours.line), Qt.BrushStyle.BDiagPattern))
        height = LANE * len(data.curves) - 2
        top = TOP + BAR + GAP
        for start_us, end_us in data.unread:
            painter.drawRect(QRectF(self._x(start_us), top, self._x(end_us) - self._x(start_us), height))
        if data.looked_us < data.duration_us:
            left = self._x(data.looked_us)
            room = QRectF(left, top, self.width() - EDGE - left, height)
            painter.drawRect(room)
            painter.setFont(font(tokens.HEAD))
            if room.width() > QFontMetrics(painter.font()).horizontalAdvance(_NOT_YET) + 16:
                painter.setPen(QColor(colours.second))
                painter.drawText(room, Qt.AlignmentFlag.AlignCenter, _NOT_YET)

    def _paint_curve(
        self, painter: QPainter, colours: Colours, lane: QRectF, *, values: Sequence[float]
    ) -> None:
        painter.setPen(QPen(QColor(colours.line), 1))
        painter.drawLine(lane.bottomLeft(), lane.bottomRight())
        step = lane.width() / max(1, len(values))
        fill = QColor(colours.accent)
        fill.setAlphaF(0.30)
        for first, end in _known(values):
            points = [
                QPointF(lane.left() + (place + 0.5) * step, lane.bottom() - values[place] * lane.height())
                for place in range(first, end)
            ]
            left = QPointF(lane.left() + first * step, points[0].y())
            right = QPointF(lane.left() + end * step, points[-1].y())
            outline = [left, *points, right]
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(fill)
            ground = [QPointF(right.x(), lane.bottom()), QPointF(left.x(), lane.bottom())]
            painter.drawPolygon(QPolygonF([*outline, *ground]))
            painter.setPen(QPen(QColor(colours.accent), 1))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawPolyline(QPolygonF(outline))

    def _paint_bar(self, painter: QPainter, colours: Colours, row: ClipRow) -> None:
        bar = self._bar(row)
        current = row.clip_id == self._current
        colour = QColor(state_colour(colours, row.state))
        painter.setPen(QPen(QColor(colours.text), 1) if current else Qt.PenStyle.NoPen)
        painter.setBrush(QColor(colours.selected if row.state not in DECIDED_STATES else colours.hover))
        painter.drawRoundedRect(bar, 3, 3)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colour)
        painter.drawRoundedRect(QRectF(bar.left(), bar.top(), min(3.0, bar.width()), bar.height()), 1, 1)
        painter.setFont(font(tokens.HEAD))
        words = QFontMetrics(painter.font()).elidedText(
            bar_words(row), Qt.TextElideMode.ElideRight, max(0, int(bar.width()) - 10)
        )
        if len(words) > 2:
            painter.setPen(QColor(colours.text))
            painter.drawText(bar.adjusted(7, 0, -2, 0), Qt.AlignmentFlag.AlignVCenter, words)

    # --- Qt ---
    def sizeHint(self) -> QSize:
        lanes = len(self._data.curves) if self._data is not None else 0
        return QSize(200, TOP + BAR + GAP + lanes * LANE + 5)

    def minimumSizeHint(self) -> QSize:
        return QSize(120, self.sizeHint().height())

    def paintEvent(self, event: QPaintEvent) -> None:
        if self._picture is None:
            self._picture = self._drawn()
        painter = QPainter(self)
        painter.drawPixmap(0, 0, self._picture)
        painter.fillRect(
            QRectF(self._x(self._time_us) - 1, 1, 2, self.height() - 2), QColor(current_colours().text)
        )

    def resizeEvent(self, event: object) -> None:
        super().resizeEvent(event)  # type: ignore[arg-type]
        self._redraw()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() in (QEvent.Type.PaletteChange, QEvent.Type.StyleChange):
            self._redraw()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() != Qt.MouseButton.LeftButton or self._data is None:
            return
        clip = self.clip_at(event.position())
        if clip is not None:
            self.clip_wished.emit(clip.clip_id)
        else:
            self.time_wished.emit(self.time_at(event.position().x()))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if event.buttons() & Qt.MouseButton.LeftButton and self.clip_at(event.position()) is None:
            self.time_wished.emit(self.time_at(event.position().x()))

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent) and event.type() is QEvent.Type.ToolTip and self._data is not None:
            QToolTip.showText(event.globalPos(), self.words_at(QPointF(event.pos())), self)
            return True
        return super().event(event)

    def words_at(self, place: QPointF) -> str:
        """What is there, for the tool tip."""
        data = self._data
        if data is None:
            return ""
        clip = self.clip_at(place)
        if clip is not None:
            return f"{bar_words(clip)}\n{timecode(clip.start_us)} to {timecode(clip.end_us)} · {clip.state.value}"
        time_us = self.time_at(place.x())
        if time_us >= data.looked_us:
            return f"{timecode(time_us)}\n{_NOT_YET}"
        if any(start <= time_us < end for start, end in data.unread):
            return f"{timecode(time_us)}\ncould not be read"
        said = [
            f"{curve.label} {percent(curve.values[time_us * len(curve.values) // data.duration_us])}"
            for curve in data.curves
        ]
        return "\n".join([timecode(time_us), *said])


def _paint_label(painter: QPainter, colours: Colours, lane: QRectF, *, words: str) -> None:
    """On a ground of its own, so that a curve that begins high does not run through the letters."""
    ground = QColor(colours.panel)
    ground.setAlphaF(0.78)
    width = QFontMetrics(painter.font()).horizontalAdvance(words)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(ground)
    painter.drawRect(QRectF(lane.left(), lane.top() + 1, width + 8, lane.height() - 2))
    painter.setPen(QColor(colours.text))
    painter.drawText(lane.adjusted(4, 0, 0, 0), Qt.AlignmentFlag.AlignVCenter, words)


def bar_words(row: ClipRow) -> str:
    """A clip in a word or two: its label, else what is suggested and how surely, else its state."""
    if row.label is not None:
        return row.label
    if row.suggested is not None:
        return f"{row.suggested} {percent(row.shown)}" if row.shown is not None else row.suggested
    return row.state.value


def _known(values: Sequence[float]) -> list[tuple[int, int]]:
    """Where there are values: [first, end) each."""
    found: list[tuple[int, int]] = []
    first: int | None = None
    for place, value in enumerate(values):
        if math.isnan(value):
            if first is not None:
                found.append((first, place))
            first = None
        elif first is None:
            first = place
    if first is not None:
        found.append((first, len(values)))
    return found
