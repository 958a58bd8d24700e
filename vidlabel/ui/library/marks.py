"""The small mark of a clip's state: a colour and a shape of its own, so that colour is never alone."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen, QPolygonF

from vidlabel.core.words import DECIDED_STATES, ClipState
from vidlabel.ui.tokens import Colours, state_colour


def draw_mark(painter: QPainter, centre: QPointF, state: ClipState, *, colours: Colours) -> None:
    """Draws a mark of 9 pixels: suggested a disc, undecided a ring, decided a tick, unsure a half disc …"""
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    colour = QColor(state_colour(colours, state))
    pen = QPen(colour, 1.8)
    pen.setCapStyle(Qt.PenCapStyle.RoundCap)
    pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
    painter.translate(centre)
    disc = QRectF(-4, -4, 8, 8)
    if state in DECIDED_STATES:
        painter.setPen(pen)
        painter.drawPolyline(QPolygonF([QPointF(-4, 0.5), QPointF(-1.2, 3.2), QPointF(4.2, -3.4)]))
    elif state is ClipState.SUGGESTED:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colour)
        painter.drawEllipse(disc)
    elif state is ClipState.UNSURE:
        painter.setPen(QPen(colour, 1.4))
        painter.drawEllipse(disc)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colour)
        painter.drawPie(disc, 90 * 16, 180 * 16)
    elif state is ClipState.SKIPPED:
        painter.setPen(pen)
        painter.drawPolyline(QPolygonF([QPointF(-3.5, -3.5), QPointF(0, 0), QPointF(-3.5, 3.5)]))
        painter.drawPolyline(QPolygonF([QPointF(0.5, -3.5), QPointF(4, 0), QPointF(0.5, 3.5)]))
    elif state is ClipState.UNUSABLE:
        painter.setPen(QPen(colour, 1.6))
        painter.drawEllipse(disc)
        painter.drawLine(QPointF(-2.6, 2.6), QPointF(2.6, -2.6))
    elif state in (ClipState.UNREADABLE, ClipState.MISSING):
        painter.setPen(pen)
        painter.drawLine(QPointF(-3.2, -3.2), QPointF(3.2, 3.2))
        painter.drawLine(QPointF(-3.2, 3.2), QPointF(3.2, -3.2))
    else:
        painter.setPen(QPen(colour, 1.4))
        painter.drawEllipse(disc)
    painter.restore()
