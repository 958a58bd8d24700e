"""The tiles of a screenful for Qt's view."""

from __future__ import annotations

from PySide6.QtCore import QAbstractListModel, QModelIndex, QObject, QPersistentModelIndex, Qt, Slot

from vidlabel.core.words import ClipRow
from vidlabel.services.reviewing import Reviewing
from vidlabel.ui.review.texts import spoken

Index = QModelIndex | QPersistentModelIndex


class TileModel(QAbstractListModel):
    """One list over the screenful of :class:`Reviewing`."""

    def __init__(self, reviewing: Reviewing, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._reviewing = reviewing
        self._rows: tuple[ClipRow, ...] = reviewing.rows
        reviewing.screen_changed.connect(self._reset)
        reviewing.tiles_changed.connect(self._changed)

    @property
    def rows(self) -> tuple[ClipRow, ...]:
        return self._rows

    @Slot()
    def _reset(self) -> None:
        self.beginResetModel()
        self._rows = self._reviewing.rows
        self.endResetModel()

    @Slot(object)
    def _changed(self, clips: set[int]) -> None:
        self._rows = self._reviewing.rows
        for place, row in enumerate(self._rows):
            if row.clip_id in clips:
                index = self.index(place)
                self.dataChanged.emit(index, index)

    # --- Qt ---
    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(self._rows)

    def data(self, index: Index, role: int = int(Qt.ItemDataRole.DisplayRole)) -> object:
        if not index.isValid() or not 0 <= index.row() < len(self._rows):
            return None
        if role in (int(Qt.ItemDataRole.DisplayRole), int(Qt.ItemDataRole.AccessibleTextRole)):
            return spoken(self._rows[index.row()], self._reviewing)
        if role == int(Qt.ItemDataRole.ToolTipRole):
            return self._rows[index.row()].path
        return None
