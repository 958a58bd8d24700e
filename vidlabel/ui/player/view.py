"""The picture: the frame on screen, centred on black. It paints; the player service decides what and when."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRect, QRectF, QSize, Qt, Signal, Slot
from PySide6.QtGui import QColor, QImage, QPainter, QPainterPath, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from vidlabel.core.words import ClipRow
from vidlabel.services.playback import FrameInfo, Player
from vidlabel.services.saliency import SaliencyMaps
from vidlabel.ui import tokens
from vidlabel.ui.player.overlay import SaliencyOverlay
from vidlabel.ui.tokens import VIDEO_GROUND, VIDEO_TEXT, current_colours, font


class PlayerView(QWidget):
    """Shows frames and tells the player when one has been painted."""

    double_clicked = Signal()

    def __init__(self, player: Player, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._player = player
        self._image: QImage | None = None
        self._info: FrameInfo | None = None
        self._words = ""
        self._enlarge = True
        self._corner: QPainterPath | None = None
        self._overlay: SaliencyOverlay | None = None
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(200, 120)
        self.setAccessibleName("Player")
        player.frame_shown.connect(self._frame_shown)
        player.cleared.connect(self._cleared)
        player.opened.connect(self._opened)
        player.stalled.connect(self._stalled)

    @property
    def image(self) -> QImage | None:
        """The frame on screen."""
        return self._image

    def set_enlarge(self, enlarge: bool) -> None:
        """Whether a picture smaller than the room is enlarged to fit, or shown pixel by pixel."""
        self._enlarge = enlarge
        self.update()

    @Slot(object)
    def set_saliency(self, maps: SaliencyMaps | None) -> None:
        """What glows over the clip on screen; None takes it away."""
        self._overlay = None if maps is None else SaliencyOverlay(maps)
        words = "" if maps is None else f"Where the model sees {maps.label} glows."
        self.setAccessibleDescription(words or (self._player.row.name if self._player.row else ""))
        self.update()

    def picture_rect(self) -> QRectF:
        """Where the picture lies, in logical pixels."""
        if self._image is None or self._image.isNull():
            return QRectF()
        ratio = self.devicePixelRatioF()
        width, height = self._image.width() / ratio, self._image.height() / ratio
        scale = min(self.width() / width, self.height() / height)
        if not self._enlarge:
            scale = min(scale, 1.0)
        width, height = round(width * scale), round(height * scale)
        return QRectF((self.width() - width) // 2, (self.height() - height) // 2, width, height)

    @Slot(object, object)
    def _frame_shown(self, image: QImage, info: FrameInfo) -> None:
        same_shape = self._image is not None and self._image.size() == image.size() and not self._words
        new_clip = self._info is None or self._info.clip_id != info.clip_id
        self._image, self._info, self._words = image, info, ""
        if same_shape and not new_clip:
            # The bars around the picture stay as they are.
            self.update(self.picture_rect().toAlignedRect())
        else:
            self.update()

    @Slot()
    def _cleared(self) -> None:
        self._image = self._info = None
        self._words = ""
        self.update()

    @Slot(object)
    def _opened(self, row: ClipRow) -> None:
        self.setAccessibleDescription(row.name)

    @Slot(bool)
    def _stalled(self, waiting: bool) -> None:
        self._words = "Decoding …" if waiting else ""
        self.update()

    def _paint_corners(self, painter: QPainter, ground: QColor) -> None:
        """Rounds the corners by painting over them: clipping each frame to a path costs ten times as much."""
        if self._corner is None:
            radius = float(tokens.RADIUS)
            corner = QPainterPath()
            corner.moveTo(0, 0)
            corner.lineTo(radius, 0)
            corner.arcTo(QRectF(0, 0, 2 * radius, 2 * radius), 90, 90)
            corner.closeSubpath()
            self._corner = corner
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        right, bottom = self.width(), self.height()
        for x, y, turn in ((0, 0, 0), (right, 0, 90), (right, bottom, 180), (0, bottom, 270)):
            painter.save()
            painter.translate(QPointF(x, y))
            painter.rotate(turn)
            painter.fillPath(self._corner, ground)
            painter.restore()

    def _paint_overlay(self, painter: QPainter, picture: QRectF, info: FrameInfo) -> None:
        assert self._overlay is not None
        if self._overlay.maps.clip_id == info.clip_id:
            self._overlay.paint(painter, picture, info.time_us)
            self._overlay.paint_words(painter, picture, QRectF(self.rect()))

    def _paint_words(self, painter: QPainter) -> None:
        painter.setFont(font(tokens.SECONDARY))
        width = painter.fontMetrics().horizontalAdvance(self._words) + 20
        box = QRectF((self.width() - width) / 2, self.height() - 44, width, 28)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(0, 0, 0, 190))
        painter.drawRoundedRect(box, tokens.RADIUS, tokens.RADIUS)
        painter.setPen(QColor(VIDEO_TEXT))
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, self._words)

    # --- Qt ---
    def sizeHint(self) -> QSize:
        return QSize(640, 480)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        black = QColor(VIDEO_GROUND)
        picture = self.picture_rect()
        whole = self.rect()
        if self._image is None or picture.isEmpty():
            painter.fillRect(whole, black)
        else:
            inner = picture.toRect()
            for bar in _around(whole, inner):
                if bar.intersects(event.rect()):
                    painter.fillRect(bar, black)
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
            painter.drawImage(picture, self._image)
            if self._overlay is not None and self._info is not None:
                self._paint_overlay(painter, picture, self._info)
        if self._words:
            self._paint_words(painter)
        colours = current_colours()
        self._paint_corners(painter, QColor(colours.ground))
        if self.hasFocus() and self.property("showFocus"):
            painter.setPen(QColor(colours.accent))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(
                QRectF(whole).adjusted(0.5, 0.5, -0.5, -0.5), tokens.RADIUS, tokens.RADIUS
            )
        painter.end()
        if self._info is not None and self._image is not None:
            self._player.frame_painted(self._info.clip_id)

    def resizeEvent(self, event: QResizeEvent) -> None:
        ratio = self.devicePixelRatioF()
        self._player.set_box(round(self.width() * ratio), round(self.height() * ratio))

    def mouseDoubleClickEvent(self, event: object) -> None:
        self.double_clicked.emit()


def _around(whole: QRect, inner: QRect) -> tuple[QRect, ...]:
    """The up to four bars of a rectangle that another one inside it leaves free."""
    bars = (
        QRect(whole.left(), whole.top(), whole.width(), inner.top() - whole.top()),
        QRect(whole.left(), inner.bottom() + 1, whole.width(), whole.bottom() - inner.bottom()),
        QRect(whole.left(), inner.top(), inner.left() - whole.left(), inner.height()),
        QRect(inner.right() + 1, inner.top(), whole.right() - inner.right(), inner.height()),
    )
    return tuple(bar for bar in bars if not bar.isEmpty())
