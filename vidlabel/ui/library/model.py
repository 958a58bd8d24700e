"""The library's rows for Qt's views: lazy, fetched in pages as they come into sight."""

from __future__ import annotations

from PySide6.QtCore import QAbstractListModel, QModelIndex, QObject, QPersistentModelIndex, Qt, Slot

from vidlabel.core.words import ClipRow
from vidlabel.services.library import Library
from vidlabel.ui.library.texts import spoken

ROW_ROLE = int(Qt.ItemDataRole.UserRole)
Index = QModelIndex | QPersistentModelIndex


class ClipModel(QAbstractListModel):
    """One list over :class:`Library`; an index with a row that is still on its way gives ``None``."""

    def __init__(self, library: Library, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._library = library
        self._count = len(library)
        self.blind = False
        library.reset.connect(self._reset)
        library.rows_changed.connect(self._rows_changed)

    @Slot()
    def _reset(self) -> None:
        self.beginResetModel()
        self._count = len(self._library)
        self.endResetModel()

    @Slot(object)
    def _rows_changed(self, indices: list[int]) -> None:
        known = sorted(index for index in indices if 0 <= index < self._count)
        if known:
            # One signal for all of them: the view repaints what of it is in sight.
            self.dataChanged.emit(self.index(known[0]), self.index(known[-1]))

    def clip_row(self, index: Index) -> ClipRow | None:
        """The row behind an index, or None while it is on its way."""
        return self._library.row(index.row()) if index.isValid() else None

    # --- Qt ---
    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else self._count

    def data(self, index: Index, role: int = int(Qt.ItemDataRole.DisplayRole)) -> object:
        if not index.isValid() or not 0 <= index.row() < self._count:
            return None
        if role == ROW_ROLE:
            return self._library.row(index.row())
        if role in (int(Qt.ItemDataRole.DisplayRole), int(Qt.ItemDataRole.AccessibleTextRole)):
            row = self._library.row(index.row())
            return "Being read" if row is None else spoken(row, blind=self.blind)
        if role == int(Qt.ItemDataRole.ToolTipRole):
            row = self._library.row(index.row())
            return None if row is None else row.path
        return None
