"""Paints a tile: the picture of the moment, what was clicked, and how sure the model is."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPainterPath, QPen
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from vidlabel.core.words import ClipRow
from vidlabel.services.filmstrips import Filmstrips
from vidlabel.services.reviewing import Reviewing
from vidlabel.services.thumbnails import Thumbnails
from vidlabel.ui import tokens
from vidlabel.ui.parts.basics import percent
from vidlabel.ui.review.model import Index, TileModel
from vidlabel.ui.review.texts import aside_words, mark_words
from vidlabel.ui.tokens import Colours, current_colours, font

SPACE = 10
"""Between two pictures."""
_VEIL = 165
_BADGE = 215


class TileDelegate(QStyledItemDelegate):
    """Draws a tile and notes that its picture is on the screen; fonts and metrics are made once.

    Args:
        now_ms: the moment to paint.
    """

    def __init__(
        self,
        model: TileModel,
        reviewing: Reviewing,
        *,
        filmstrips: Filmstrips,
        thumbnails: Thumbnails,
        now_ms: Callable[[], int],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._model = model
        self._reviewing = reviewing
        self._filmstrips = filmstrips
        self._thumbnails = thumbnails
        self._now_ms = now_ms
        self.cell = QSize(160, 96)
        self.painted: set[int] = set()
        """Clips whose pictures were painted since this was emptied."""
        self._small = font(tokens.HEAD)
        self._bold = font(tokens.BODY, bold=True)
        self._small_metrics = QFontMetricsF(self._small)
        self._bold_metrics = QFontMetricsF(self._bold)

    @staticmethod
    def picture_box(cell: QRect) -> QRect:
        """Where the picture stands in a cell."""
        half = SPACE // 2
        return cell.adjusted(half, half, -half, -half)

    def _picture(self, painter: QPainter, box: QRect, row: ClipRow, *, ratio: float) -> bool:
        """Whether there was one to paint."""
        painter.fillRect(box, QColor(tokens.VIDEO_GROUND))
        size = QSize(round(box.width() * ratio), round(box.height() * ratio))
        found = self._filmstrips.frame(row, self._now_ms(), size=size)
        if found is not None:
            image, part = found
            painter.drawImage(_fitted(part.size(), box, ratio), image, part)
            return True
        still = self._thumbnails.get(row)
        if still is not None:
            painter.drawImage(_fitted(still.size(), box, ratio), still)
        return False

    def _badge(self, painter: QPainter, box: QRect, words: str) -> None:
        width = self._small_metrics.horizontalAdvance(words) + 10
        place = QRectF(box.right() - width - 4, box.bottom() - 22, width, 18)
        ground = QColor("#14161a")
        ground.setAlpha(_BADGE)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(ground)
        painter.drawRoundedRect(place, 3, 3)
        painter.setPen(QColor(tokens.VIDEO_TEXT))
        painter.setFont(self._small)
        painter.drawText(place, Qt.AlignmentFlag.AlignCenter, words)

    def _veil(self, painter: QPainter, box: QRect, words: str, *, colour: str, ground: str) -> None:
        """What does not count is dimmed, and says why."""
        veil = QColor(ground)
        veil.setAlpha(_VEIL)
        painter.fillRect(box, veil)
        painter.setPen(QColor(colour))
        painter.setFont(self._bold)
        line = QRectF(box.left() + 9, box.top() + 6, box.width() - 18, 20)
        words = self._bold_metrics.elidedText(words, Qt.TextElideMode.ElideRight, line.width())
        painter.drawText(line, Qt.AlignmentFlag.AlignVCenter, words)

    def _frame(self, painter: QPainter, box: QRect, colour: str, *, width: int, colours: Colours) -> None:
        """Rounds the corners off and draws the line around."""
        around = QRectF(box)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(colours.ground))
        painter.drawPath(_corners(box))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(QColor(colour), width))
        inset = width / 2
        painter.drawRoundedRect(around.adjusted(inset, inset, -inset, -inset), tokens.RADIUS, tokens.RADIUS)

    # --- Qt ---
    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        rows = self._model.rows
        if index.row() >= len(rows):
            return
        row = rows[index.row()]
        colours = current_colours()
        box = self.picture_box(option.rect)
        if self._picture(painter, box, row, ratio=painter.device().devicePixelRatioF()):
            self.painted.add(row.clip_id)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        mark = self._reviewing.mark(row.clip_id)
        line = colours.line
        if not self._reviewing.is_open(row):
            self._veil(painter, box, aside_words(row), colour=colours.second, ground=colours.ground)
        elif mark is not None:
            line = colours.trouble if mark.label is None else colours.accent
            words = mark_words(mark, self._reviewing.label)
            words = f"✕ {words}" if mark.label is None else f"→ {words}"
            self._veil(painter, box, words, colour=line, ground=colours.ground)
        if row.shown is not None and not self._reviewing.blind:
            same = row.suggested == self._reviewing.label
            self._badge(painter, box, percent(row.shown) if same else f"{row.suggested} {percent(row.shown)}")
        focused = bool(option.state & QStyle.StateFlag.State_HasFocus)
        width = 2 if focused else 1
        self._frame(painter, box, colours.accent if focused else line, width=width, colours=colours)
        if focused:
            # A second, inner line: seen on any picture, also where the accent is like it.
            painter.setPen(QPen(QColor(colours.ground), 1))
            painter.drawRoundedRect(QRectF(box).adjusted(2.5, 2.5, -2.5, -2.5), 4, 4)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, on=False)

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return self.cell


def _corners(box: QRect) -> QPainterPath:
    """What lies outside the rounded corners."""
    around = QRectF(box)
    path = QPainterPath()
    path.addRect(around)
    path.addRoundedRect(around, tokens.RADIUS, tokens.RADIUS)
    return path


def _fitted(size: QSize, box: QRect, ratio: float) -> QRectF | QRect:
    """The place of a picture inside the box: as it is where it fits exactly one way, else enlarged."""
    width, height = size.width() / ratio, size.height() / ratio
    scale = min(box.width() / max(width, 1), box.height() / max(height, 1))
    if abs(scale - 1) < 0.02:
        # No scaling: a plain copy.
        left = box.left() + (box.width() - round(width)) // 2
        top = box.top() + (box.height() - round(height)) // 2
        return QRect(left, top, round(width), round(height))
    width, height = width * scale, height * scale
    return QRectF(
        box.left() + (box.width() - width) / 2, box.top() + (box.height() - height) / 2, width, height
    )
