"""The labels of a run in a table: recall while it learns, and active against candidate once it is proven."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt, Signal, Slot
from PySide6.QtGui import QColor, QKeyEvent
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableView, QWidget

from vidlabel.ui import tokens
from vidlabel.ui.tokens import current_colours

Index = QModelIndex | QPersistentModelIndex


@dataclass(frozen=True, slots=True)
class Cell:
    """What a cell shows, what it is sorted by, and the token of its colour."""

    text: str
    key: float | str
    colour: str = ""
    spoken: str = ""


class CellModel(QAbstractTableModel):
    """Rows of cells, sorted by a column."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._heads: tuple[str, ...] = ()
        self._rows: list[tuple[Cell, ...]] = []
        self._sorted = (-1, Qt.SortOrder.AscendingOrder)

    @property
    def rows(self) -> Sequence[tuple[Cell, ...]]:
        return self._rows

    def show_rows(self, heads: tuple[str, ...], rows: Sequence[tuple[Cell, ...]]) -> None:
        """Shows other rows; where their number and heads stay, the place in the list stays, too."""
        same = heads == self._heads and len(rows) == len(self._rows)
        if not same:
            self.beginResetModel()
            self._sorted = self._sorted if heads == self._heads else (-1, Qt.SortOrder.AscendingOrder)
        self._heads, self._rows = heads, list(rows)
        self._sort()
        if not same:
            self.endResetModel()
        elif rows:
            self.dataChanged.emit(self.index(0, 0), self.index(len(rows) - 1, len(heads) - 1))

    def label_at(self, row: int) -> str:
        return self._rows[row][0].text if 0 <= row < len(self._rows) else ""

    def _sort(self) -> None:
        column, order = self._sorted
        if 0 <= column < len(self._heads):
            self._rows.sort(
                key=lambda cells: cells[column].key, reverse=order == Qt.SortOrder.DescendingOrder
            )

    # --- Qt ---
    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own signature
        return 0 if parent.isValid() else len(self._rows)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own signature
        return 0 if parent.isValid() else len(self._heads)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid():
            return None
        cell = self._rows[index.row()][index.column()]
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return cell.text
            case Qt.ItemDataRole.ToolTipRole if index.column() == 0:
                return cell.text
            case Qt.ItemDataRole.AccessibleTextRole:
                return cell.spoken or f"{self._heads[index.column()]} {cell.text}"
            case Qt.ItemDataRole.ForegroundRole if cell.colour:
                return QColor(getattr(current_colours(), cell.colour))
            case Qt.ItemDataRole.TextAlignmentRole if index.column():
                return int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        return None

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        if orientation is not Qt.Orientation.Horizontal:
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return self._heads[section]
        if role == Qt.ItemDataRole.TextAlignmentRole:
            side = Qt.AlignmentFlag.AlignRight if section else Qt.AlignmentFlag.AlignLeft
            return int(side | Qt.AlignmentFlag.AlignVCenter)
        return None

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        self.layoutAboutToBeChanged.emit()
        self._sorted = (column, order)
        self._sort()
        self.layoutChanged.emit()


class LabelsTable(QTableView):
    """A click or Enter on a row asks for its clips."""

    label_wished = Signal(str)

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.cells = CellModel(self)
        self.setModel(self.cells)
        self.setAccessibleName(name)
        self.setFont(tokens.font())
        self.setShowGrid(False)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setTabKeyNavigation(False)
        self.setWordWrap(False)
        self.setProperty("takesArrows", True)
        down = self.verticalHeader()
        down.hide()
        down.setDefaultSectionSize(28)
        across = self.horizontalHeader()
        across.setFont(tokens.font(tokens.SECONDARY))
        across.setHighlightSections(False)
        across.setMinimumSectionSize(48)
        across.setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        # As they come until a head is clicked.
        across.setSortIndicator(-1, Qt.SortOrder.AscendingOrder)
        self.setSortingEnabled(True)
        self.clicked.connect(self._wish)

    def show_rows(self, heads: tuple[str, ...], rows: Sequence[tuple[Cell, ...]]) -> None:
        self.cells.show_rows(heads, rows)

    @Slot(QModelIndex)
    def _wish(self, index: QModelIndex) -> None:
        label = self.cells.label_at(index.row())
        if label:
            self.label_wished.emit(label)

    # --- Qt ---
    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.currentIndex().isValid():
            self._wish(self.currentIndex())
        else:
            super().keyPressEvent(event)


def recall_rows(now: Mapping[str, float], best: Mapping[str, float]) -> list[tuple[Cell, ...]]:
    """Recall of each label on the validation clips: at the last epoch and at the best one."""
    rows: list[tuple[Cell, ...]] = []
    for label, value in now.items():
        other = best.get(label)
        rows.append(
            (
                Cell(label, label.casefold()),
                _share(value),
                Cell("–", -1.0) if other is None else _share(other),
            )
        )
    return rows


def _share(value: float) -> Cell:
    return Cell(f"{value * 100:.0f}", value)
