"""The grid of looping tiles: as many as fit, none cut off, and the focus that moves over them."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QItemSelectionModel, QRect, QSize, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QContextMenuEvent, QFocusEvent, QMouseEvent, QPaintEvent, QResizeEvent, QWheelEvent
from PySide6.QtWidgets import QAbstractItemView, QFrame, QListView, QWidget

from vidlabel.core.words import ClipRow
from vidlabel.services.filmstrips import Filmstrips
from vidlabel.services.reviewing import Reviewing
from vidlabel.services.settings import Settings
from vidlabel.services.thumbnails import Thumbnails
from vidlabel.ui.parts.looping import Looping, Tile
from vidlabel.ui.review.delegate import SPACE, TileDelegate
from vidlabel.ui.review.model import Index, TileModel

FEWEST, MOST = 2, 12


class ReviewView(QListView):
    """Shows one screenful. A click is told, not acted upon; keys are shortcuts of the page."""

    clip_clicked = Signal(int)
    clip_opened = Signal(int)
    tiles_painted = Signal(object)
    """set[int] of clips whose pictures are on the screen now"""
    capacity_changed = Signal(int)

    def __init__(
        self,
        reviewing: Reviewing,
        settings: Settings,
        *,
        filmstrips: Filmstrips,
        thumbnails: Thumbnails,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._settings = settings
        self._filmstrips = filmstrips
        self._capacity = 0
        self._tiles: tuple[Tile, ...] | None = None
        self.tile_model = TileModel(reviewing, self)
        self.looping = Looping(self, filmstrips, settings, tiles=self.tiles)
        self._delegate = TileDelegate(
            self.tile_model, reviewing,
            filmstrips=filmstrips, thumbnails=thumbnails, now_ms=self._now_ms, parent=self,
        )  # fmt: skip
        self._painted = QTimer(self)
        self._painted.setSingleShot(True)
        self._painted.setInterval(0)
        self._painted.timeout.connect(self._tell_painted)
        self._reviewing = reviewing
        self.setModel(self.tile_model)
        self.setItemDelegate(self._delegate)
        self.setAccessibleName(self.tr("Clips under review"))
        self.setAccessibleDescription(
            self.tr("Arrow keys move between clips, Space clicks one, Enter accepts all that are not clicked")
        )
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setViewMode(QListView.ViewMode.IconMode)
        self.setMovement(QListView.Movement.Static)
        self.setResizeMode(QListView.ResizeMode.Adjust)
        self.setUniformItemSizes(True)
        self.setSpacing(0)
        self.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.viewport().setAutoFillBackground(False)
        self.setStyleSheet("QListView { background: transparent; }")
        self.tile_model.modelReset.connect(self._model_reset)

    def tiles(self) -> tuple[Tile, ...]:
        """Each clip with the place of its picture in the viewport, and that box in device px."""
        if self._tiles is None:
            ratio = self.devicePixelRatioF()
            found = []
            for place, row in enumerate(self.tile_model.rows):
                box = TileDelegate.picture_box(self.visualRect(self.tile_model.index(place)))
                found.append((row, box, QSize(round(box.width() * ratio), round(box.height() * ratio))))
            self._tiles = tuple(found)
        return self._tiles

    @property
    def picture_size(self) -> QSize:
        """The box of a tile's picture in device px."""
        ratio = self.devicePixelRatioF()
        box = TileDelegate.picture_box(QRect(0, 0, self._delegate.cell.width(), self._delegate.cell.height()))
        return QSize(round(box.width() * ratio), round(box.height() * ratio))

    @property
    def across(self) -> int:
        return min(max(self._settings.review_across, FEWEST), MOST)

    @property
    def focused(self) -> ClipRow | None:
        """The clip that keys are about."""
        rows, index = self.tile_model.rows, self.currentIndex()
        return rows[index.row()] if index.isValid() and index.row() < len(rows) else None

    def change_across(self, tiles: int) -> None:
        """More tiles side by side, or fewer and larger ones."""
        self._settings.review_across = min(max(self.across + tiles, FEWEST), MOST)
        self.fit()

    def move_focus(self, across: int, down: int) -> None:
        """To a neighbour; at an edge it stays."""
        count = len(self.tile_model.rows)
        place = max(self.currentIndex().row(), 0)
        column = place % self.across + across
        target = place + across + down * self.across
        if 0 <= column < self.across and 0 <= target < count:
            self._focus(target)

    def focus_end(self, *, last: bool) -> None:
        """To the first or the last clip on the screen."""
        if self.tile_model.rows:
            self._focus(len(self.tile_model.rows) - 1 if last else 0)

    def fit(self) -> None:
        """Tiles share the width evenly, and the height takes as many rows as fit wholly."""
        room = self.viewport().size()
        width = room.width() // self.across
        cell = QSize(width, (width - SPACE) * 9 // 16 + SPACE)
        down = max(1, room.height() // max(cell.height(), 1))
        if cell != self._delegate.cell:
            self._delegate.cell = cell
            self.setGridSize(cell)
            self.scheduleDelayedItemsLayout()
        self._tiles = None
        self._capacity = self.across * down
        self.capacity_changed.emit(self._capacity)
        self.viewport().update()

    def _focus(self, place: int) -> None:
        self.selectionModel().setCurrentIndex(
            self.tile_model.index(place), QItemSelectionModel.SelectionFlag.NoUpdate
        )
        self.viewport().update()

    def _now_ms(self) -> int:
        return self.looping.now_ms

    @Slot()
    def _model_reset(self) -> None:
        self._tiles = None
        self._delegate.painted.clear()
        if self.tile_model.rows:
            self._focus(0)
        self._filmstrips.keep(self._reviewing.upcoming, size=self.picture_size)

    @Slot()
    def _tell_painted(self) -> None:
        painted, self._delegate.painted = self._delegate.painted, set()
        if painted:
            self.tiles_painted.emit(painted)

    def _clip_at(self, event: QMouseEvent | QContextMenuEvent) -> ClipRow | None:
        place = event.position().toPoint() if isinstance(event, QMouseEvent) else event.pos()
        index = self.indexAt(place)
        if not index.isValid():
            return None
        self._focus(index.row())
        return self.focused

    # --- Qt ---
    def dataChanged(self, first: Index, last: Index, roles: Sequence[int] = ()) -> None:
        """Every tile has the same size: new data is a repaint."""
        self._tiles = None
        for place in range(first.row(), last.row() + 1):
            self.viewport().update(self.visualRect(self.tile_model.index(place)))

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if self._delegate.painted and not self._painted.isActive():
            self._painted.start()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self.setFocus(Qt.FocusReason.MouseFocusReason)
        if event.button() == Qt.MouseButton.LeftButton and (row := self._clip_at(event)) is not None:
            self.clip_clicked.emit(row.clip_id)
        event.accept()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        # The first press has clicked it already: opening it says nothing about its label.
        if event.button() == Qt.MouseButton.LeftButton and (row := self._clip_at(event)) is not None:
            self.clip_clicked.emit(row.clip_id)
            self.clip_opened.emit(row.clip_id)
        event.accept()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        event.accept()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        event.accept()

    def wheelEvent(self, event: QWheelEvent) -> None:
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self.change_across(-1 if event.angleDelta().y() > 0 else 1)
        event.accept()

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        if not self.currentIndex().isValid() and self.tile_model.rows:
            self._focus(0)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.fit()
