"""Paints the library: rows of 60 pixels as a list, or tiles of an adjustable size as a grid."""

from __future__ import annotations

from collections import OrderedDict

from PySide6.QtCore import QObject, QPointF, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QImage, QPainter, QPen, QPixmap
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from vidlabel.core.time import short_duration
from vidlabel.core.words import ClipRow, ClipState
from vidlabel.services.library import Library
from vidlabel.ui import tokens
from vidlabel.ui.library.marks import draw_mark
from vidlabel.ui.library.model import ROW_ROLE, Index
from vidlabel.ui.library.texts import row_line, second_line
from vidlabel.ui.tokens import Colours, current_colours, font

EDGE = 12
PICTURES = 400
"""Scaled thumbnails kept: several screenfuls."""
MARK = 20
"""Room for the state mark at the right edge."""


class ClipDelegate(QStyledItemDelegate):
    """Draws a clip; nothing is laid out twice: fonts and metrics are made once."""

    def __init__(self, library: Library, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._library = library
        self.blind = False
        self.tile: QSize | None = None
        """The size of a grid tile; None paints list rows."""
        self._pictures: OrderedDict[tuple[int, int], QPixmap] = OrderedDict()
        self._name_font = font(tokens.BODY)
        self._small_font = font(tokens.SECONDARY)
        self._name_metrics = QFontMetricsF(self._name_font)
        self._small_metrics = QFontMetricsF(self._small_font)

    def time_box(self, rect: QRect, row: ClipRow) -> QRectF:
        """Where the duration of a list row goes: right of the name, left of the mark."""
        width = self._small_metrics.horizontalAdvance(short_duration(row.duration_us)) + 2
        return QRectF(rect.right() - EDGE - MARK - width, rect.top() + 11, width, 18)

    def name_box(self, rect: QRect, row: ClipRow) -> QRectF:
        """Where the name of a list row goes: between the thumbnail and the duration."""
        left = rect.left() + EDGE + tokens.THUMBNAIL[0] + 10
        right = self.time_box(rect, row).left() - 8
        return QRectF(left, rect.top() + 11, max(24, right - left), 18)

    def second_box(self, rect: QRect) -> QRectF:
        """Where the second line of a list row goes; it may run under the duration and the mark."""
        left = rect.left() + EDGE + tokens.THUMBNAIL[0] + 10
        return QRectF(left, rect.top() + 31, max(24, rect.right() - EDGE - left), 18)

    def elided_name(self, row: ClipRow, width: float) -> str:
        """The name cut in its middle, because both ends of a file name tell clips apart."""
        return self._name_metrics.elidedText(row.name, Qt.TextElideMode.ElideMiddle, width)

    # --- list ---
    def _paint_row(self, painter: QPainter, option: QStyleOptionViewItem, row: ClipRow | None) -> None:
        colours = current_colours()
        rect = option.rect
        self._paint_ground(painter, option, colours)
        picture = QRect(
            rect.left() + EDGE, rect.top() + (rect.height() - tokens.THUMBNAIL[1]) // 2, *tokens.THUMBNAIL
        )
        if row is None:
            painter.fillRect(picture, QColor(colours.raised))
            return
        self._paint_picture(painter, picture, row, colours=colours)
        painter.setFont(self._name_font)
        name = self.name_box(rect, row)
        painter.setPen(QColor(colours.text))
        painter.drawText(name, Qt.AlignmentFlag.AlignVCenter, self.elided_name(row, name.width()))
        painter.setFont(self._small_font)
        second = self.second_box(rect)
        painter.setPen(QColor(colours.second))
        words = row_line(row, blind=self.blind)
        words = self._small_metrics.elidedText(words, Qt.TextElideMode.ElideRight, second.width())
        painter.drawText(second, Qt.AlignmentFlag.AlignVCenter, words)
        time = self.time_box(rect, row)
        painter.drawText(time, Qt.AlignmentFlag.AlignVCenter, short_duration(row.duration_us))
        state = self._shown_state(row)
        draw_mark(painter, QPointF(rect.right() - EDGE - 5, name.center().y()), state, colours=colours)

    # --- grid ---
    def _paint_tile(self, painter: QPainter, option: QStyleOptionViewItem, row: ClipRow | None) -> None:
        colours = current_colours()
        rect = option.rect.adjusted(3, 3, -3, -3)
        self._paint_ground(painter, option, colours)
        picture = QRect(rect.left() + 3, rect.top() + 3, rect.width() - 6, (rect.width() - 6) * 9 // 16)
        if row is None:
            painter.fillRect(picture, QColor(colours.raised))
            return
        self._paint_picture(painter, picture, row, colours=colours)
        words = second_line(row, blind=self.blind)
        draw_mark(
            painter, QPointF(rect.left() + 9, picture.bottom() + 15), self._shown_state(row), colours=colours
        )
        painter.setFont(self._small_font)
        line = QRectF(rect.left() + 20, picture.bottom() + 6, rect.width() - 24, 18)
        painter.setPen(QColor(colours.text))
        words = self._small_metrics.elidedText(words, Qt.TextElideMode.ElideRight, line.width())
        painter.drawText(line, Qt.AlignmentFlag.AlignVCenter, words)
        below = QRectF(rect.left() + 4, line.bottom(), rect.width() - 8, 16)
        painter.setPen(QColor(colours.second))
        name = self._small_metrics.elidedText(row.name, Qt.TextElideMode.ElideMiddle, below.width())
        painter.drawText(below, Qt.AlignmentFlag.AlignVCenter, name)

    # --- both ---
    def _shown_state(self, row: ClipRow) -> ClipState:
        hidden = self.blind and row.state is ClipState.SUGGESTED
        return ClipState.UNDECIDED if hidden else row.state

    def _paint_ground(self, painter: QPainter, option: QStyleOptionViewItem, colours: Colours) -> None:
        rect = option.rect
        selected = bool(option.state & QStyle.StateFlag.State_Selected)
        if selected:
            painter.fillRect(rect, QColor(colours.selected))
        elif option.state & QStyle.StateFlag.State_MouseOver:
            painter.fillRect(rect, QColor(colours.raised))
        if self.tile is None:
            painter.fillRect(QRect(rect.left(), rect.bottom(), rect.width(), 1), QColor(colours.line))
            if selected:
                painter.fillRect(QRect(rect.left(), rect.top(), 3, rect.height()), QColor(colours.accent))
        if option.state & QStyle.StateFlag.State_HasFocus:
            painter.setPen(QPen(QColor(colours.accent), 1))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(rect.adjusted(0, 0, -1, -1))

    def _paint_picture(self, painter: QPainter, box: QRect, row: ClipRow, *, colours: Colours) -> None:
        image = self._library.thumbnail(row)
        painter.fillRect(box, QColor("#000000" if image is not None else colours.raised))
        if image is None:
            if row.state in (ClipState.UNREADABLE, ClipState.MISSING):
                draw_mark(painter, QPointF(box.center()), row.state, colours=colours)
            return
        target = _fitted(image, box)
        painter.drawPixmap(
            target.topLeft(), self._scaled(image, target, painter.device().devicePixelRatioF())
        )

    def _scaled(self, image: QImage, target: QRectF, ratio: float) -> QPixmap:
        """The picture in the size it is shown, made once: scaling in each paint costs time and sharpness."""
        key = (image.cacheKey(), round(target.width() * ratio))
        made = self._pictures.get(key)
        if made is None:
            if len(self._pictures) >= PICTURES:
                self._pictures.popitem(last=False)
            size = QSize(max(1, round(target.width() * ratio)), max(1, round(target.height() * ratio)))
            small = image.scaled(
                size, Qt.AspectRatioMode.IgnoreAspectRatio, Qt.TransformationMode.SmoothTransformation
            )
            made = QPixmap.fromImage(small)
            made.setDevicePixelRatio(ratio)
            self._pictures[key] = made
        else:
            self._pictures.move_to_end(key)
        return made

    # --- Qt ---
    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        row = index.data(ROW_ROLE)
        if self.tile is None:
            self._paint_row(painter, option, row)
        else:
            self._paint_tile(painter, option, row)

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return self.tile or QSize(200, tokens.ROW)


def _fitted(image: QImage, box: QRect) -> QRectF:
    """The largest rectangle of the picture's shape inside a box."""
    if image.isNull() or not image.height():
        return QRectF(box)
    scale = min(box.width() / image.width(), box.height() / image.height())
    width, height = image.width() * scale, image.height() * scale
    return QRectF(box.center().x() + 0.5 - width / 2, box.center().y() + 0.5 - height / 2, width, height)
