"""The list (or grid) of clips. It shows and selects; keys are shortcuts of the page."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QItemSelectionModel, QModelIndex, QSize, Qt, Signal, Slot
from PySide6.QtGui import QMouseEvent, QResizeEvent, QWheelEvent
from PySide6.QtWidgets import QAbstractItemView, QFrame, QListView, QWidget

from vidlabel.core.words import ClipRow
from vidlabel.services.library import Library
from vidlabel.ui import tokens
from vidlabel.ui.library.delegate import ClipDelegate
from vidlabel.ui.library.model import ClipModel, Index

TILE_MIN, TILE_MAX, TILE_STEP = 104, 320, 24


class ClipView(QListView):
    """Follows the library's current clip, and wishes another one when a row is clicked."""

    clip_chosen = Signal(int)
    """A clip id, by mouse or by the view's own keys."""

    def __init__(self, library: Library, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._library = library
        self._following = False
        self._tile_width = 128
        self._model = ClipModel(library, self)
        self._delegate = ClipDelegate(library, self)
        self.setModel(self._model)
        self.setItemDelegate(self._delegate)
        self.setAccessibleName("Clips")
        self.setAccessibleDescription(
            "The clips of the project in queue order; up and down arrows move between them"
        )
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setUniformItemSizes(True)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.verticalScrollBar().setSingleStep(tokens.ROW // 2)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setMouseTracking(True)
        self.viewport().setMouseTracking(True)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        library.reset.connect(self._library_reset)
        library.current_changed.connect(self._current_changed)
        library.thumbnail_ready.connect(self._thumbnails_ready)
        self.selectionModel().currentChanged.connect(self._view_moved)
        self.selectionModel().selectionChanged.connect(self._selection_moved)

    def set_blind(self, blind: bool) -> None:
        """Hides what the model suggests from the rows too."""
        self._delegate.blind = blind
        self._model.blind = blind
        self.viewport().update()

    def set_grid(self, grid: bool) -> None:
        """Tiles instead of rows."""
        self.setViewMode(QListView.ViewMode.IconMode if grid else QListView.ViewMode.ListMode)
        self.setMovement(QListView.Movement.Static)
        self.setResizeMode(QListView.ResizeMode.Adjust if grid else QListView.ResizeMode.Fixed)
        self.setUniformItemSizes(True)
        self._set_tile(self._tile_width if grid else None)
        self.setSpacing(0)
        self._show_current()

    @property
    def grid(self) -> bool:
        return self._delegate.tile is not None

    def change_tile(self, steps: int) -> None:
        """Larger (or smaller) tiles."""
        if self.grid:
            self._tile_width = max(TILE_MIN, min(TILE_MAX, self._tile_width + steps * TILE_STEP))
            self._set_tile(self._tile_width)
            self._show_current()

    def rows_in_sight(self) -> int:
        """How many clips a Page key moves by."""
        height = self.viewport().height()
        tile = self._delegate.tile
        if tile is None:
            return max(1, height // tokens.ROW - 1)
        across = max(1, self.viewport().width() // tile.width())
        return max(1, height // tile.height()) * across

    def _set_tile(self, wanted: int | None) -> None:
        if wanted is None:
            self._delegate.tile = None
            self.setGridSize(QSize())
        else:
            # Tiles share the width evenly, so that no ragged gap is left at the right.
            room = max(wanted, self.viewport().width() - 1)
            width = room // max(1, room // wanted)
            tile = QSize(width, (width - 12) * 9 // 16 + 54)
            if tile != self._delegate.tile:
                self._delegate.tile = tile
                self.setGridSize(tile)
        self.scheduleDelayedItemsLayout()

    def _show_current(self) -> None:
        clip = self._library.current_id
        index = None if clip is None else self._library.index_of(clip)
        self._following = True
        try:
            if index is None or index >= self._model.rowCount():
                self.selectionModel().clear()
            else:
                place = self._model.index(index)
                if place != self.currentIndex() or not self.selectionModel().isSelected(place):
                    self.selectionModel().setCurrentIndex(
                        place, QItemSelectionModel.SelectionFlag.ClearAndSelect
                    )
                self.scrollTo(place, QAbstractItemView.ScrollHint.EnsureVisible)
        finally:
            self._following = False

    @Slot()
    def _library_reset(self) -> None:
        self._show_current()

    @Slot(object)
    def _current_changed(self, _row: ClipRow | None) -> None:
        self._show_current()

    @Slot(object)
    def _thumbnails_ready(self, _clips: object) -> None:
        self.viewport().update()

    @Slot(QModelIndex, QModelIndex)
    def _view_moved(self, now: QModelIndex, _before: QModelIndex) -> None:
        if self._following or not now.isValid() or len(self.selectionModel().selectedRows()) > 1:
            return
        ids = self._library.ids
        if now.row() < len(ids) and ids[now.row()] != self._library.current_id:
            self.clip_chosen.emit(ids[now.row()])

    @Slot()
    def _selection_moved(self) -> None:
        if self._following:
            self._library.set_selection(())
            return
        ids = self._library.ids
        rows = sorted(index.row() for index in self.selectionModel().selectedRows())
        chosen = [ids[row] for row in rows if row < len(ids)]
        self._library.set_selection(chosen if len(chosen) > 1 else ())

    # --- Qt ---
    def dataChanged(self, first: Index, last: Index, roles: Sequence[int] = ()) -> None:
        """Every row has the same size: new data is a repaint. Qt would lay out all the clips again."""
        super(QListView, self).dataChanged(first, last, roles)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        super().mouseReleaseEvent(event)
        # A plain click on one of several selected rows leaves that one.
        place = self.indexAt(event.position().toPoint())
        if place.isValid() and not event.modifiers():
            self._view_moved(place, QModelIndex())

    def wheelEvent(self, event: QWheelEvent) -> None:
        if self.grid and event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self.change_tile(1 if event.angleDelta().y() > 0 else -1)
            event.accept()
            return
        super().wheelEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if self.grid:
            self._set_tile(self._tile_width)
