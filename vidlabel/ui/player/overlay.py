"""The saliency overlay: a glow over the picture where the model saw the label it suggests."""

from __future__ import annotations

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QImage, QPainter

from vidlabel.services.saliency import SaliencyMaps
from vidlabel.ui import tokens
from vidlabel.ui.tokens import GLOW, VIDEO_TEXT, font

_FAINTEST = 48
"""Values up to this show nothing: most of a picture speaks a little for anything."""
_STRONGEST = 125
"""Opacity, of 255, where most spoke for the label; the video stays to be seen."""
_BEND = 1.4
"""Above 1 the middling values step back, so that the places that count stand out."""
_INSET = 12
_PILL_HEIGHT = 28


class SaliencyOverlay:
    """Maps as pictures, made once for a clip; painting one is two scaled blends."""

    def __init__(self, maps: SaliencyMaps) -> None:
        self.maps = maps
        table = [_glow(value) for value in range(256)]
        self._pictures = tuple(_picture(values, maps, table) for values in maps.maps)

    def paint(self, painter: QPainter, picture: QRectF, time_us: int) -> None:
        """Over the picture at this moment; between two maps one fades into the other."""
        if not self._pictures:
            return
        left, top, width, height = self.maps.region
        target = QRectF(
            picture.left() + left * picture.width(),
            picture.top() + top * picture.height(),
            width * picture.width(),
            height * picture.height(),
        )
        before, after, share = self.maps.around(time_us)
        painter.save()
        painter.setClipRect(picture)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        for index, opacity in ((before, 1 - share), (after, share)):
            if opacity > 0:
                painter.setOpacity(opacity)
                painter.drawImage(target, self._pictures[index])
        painter.restore()

    def paint_words(self, painter: QPainter, picture: QRectF, room: QRectF) -> None:
        """Says what glows: in the corner of the player where the picture leaves room there, else on the picture."""
        painter.save()
        painter.setFont(font(tokens.SECONDARY))
        metrics = QFontMetricsF(painter.font())
        most = room.width() - 2 * _INSET - 20
        words = metrics.elidedText(
            f"Where the model sees {self.maps.label}", Qt.TextElideMode.ElideRight, most
        )
        width = metrics.horizontalAdvance(words) + 20
        box = QRectF(room.left() + _INSET, room.top() + _INSET, width, _PILL_HEIGHT)
        if box.bottom() > picture.top() and box.right() > picture.left():
            # Half on the picture and half beside it, it would look broken.
            left = max(room.left(), min(picture.left(), room.right() - width - 2 * _INSET))
            box.moveTo(left + _INSET, picture.top() + _INSET)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(0, 0, 0, 190))
        painter.drawRoundedRect(box, tokens.RADIUS, tokens.RADIUS)
        painter.setPen(QColor(VIDEO_TEXT))
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, words)
        painter.restore()


def _glow(value: int) -> int:
    strength = max(0, value - _FAINTEST) / (255 - _FAINTEST)
    colour = QColor(GLOW)
    colour.setAlpha(round(_STRONGEST * strength**_BEND))
    return colour.rgba()


def _picture(values: bytes, maps: SaliencyMaps, table: list[int]) -> QImage:
    grey = QImage(values, maps.width, maps.height, maps.width, QImage.Format.Format_Indexed8)
    grey.setColorTable(table)
    # A copy of its own: the image above only borrows the bytes.
    return grey.convertToFormat(QImage.Format.Format_ARGB32_Premultiplied)
