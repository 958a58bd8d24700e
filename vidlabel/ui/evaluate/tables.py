"""The tables of the evaluate page: the labels, and the clips that may carry a wrong one."""

from __future__ import annotations

from pathlib import PurePath

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, QSize, Qt, Signal, Slot
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QTableView,
    QTreeWidget,
    QTreeWidgetItem,
    QWidget,
)

from vidlabel.core.evaluation import ClipAnswer
from vidlabel.services.evaluation_jobs import Result
from vidlabel.ui import tokens
from vidlabel.ui.evaluate.texts import share_words
from vidlabel.ui.parts.basics import percent

Index = QModelIndex | QPersistentModelIndex
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
_VALUE = int(Qt.ItemDataRole.UserRole)
MOST_ROWS_IN_SIGHT = 14


class _LabelItem(QTreeWidgetItem):
    """Sorts by what the words mean; what has no value comes last when sorted downwards."""

    def __lt__(self, other: QTreeWidgetItem) -> bool:
        tree = self.treeWidget()
        column = tree.sortColumn() if tree is not None else 0
        mine, its = self.data(column, _VALUE), other.data(column, _VALUE)
        return bool(mine < its)


class LabelTable(QTreeWidget):
    """One line a label; Enter or a double click shows the clips of it that were not recognised."""

    wished = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("Boxed")
        self.setAccessibleName("Labels")
        self.setProperty("takesArrows", True)
        self.setRootIsDecorated(False)
        self.setUniformRowHeights(True)
        self.setAllColumnsShowFocus(True)
        self.setHeaderLabels(["Label", "Clips", "Recall", "95 % interval", "Precision", "Mostly taken for"])
        self.setSortingEnabled(True)
        header = self.header()
        header.setStretchLastSection(True)
        for column, width in ((0, 190), (1, 64), (2, 72), (3, 110), (4, 80)):
            header.resizeSection(column, width)
        self.itemActivated.connect(self._activated)

    def show_result(self, result: Result) -> None:
        """Shows the labels that a clip has or that were suggested; those recognised least first."""
        self.setSortingEnabled(False)
        self.clear()
        self.header().setSortIndicator(2, Qt.SortOrder.AscendingOrder)
        found = result.evaluated
        shown = sorted((found.figures[place] for place in found.used), key=lambda one: _known(one.recall))
        items: list[QTreeWidgetItem] = []
        for one in shown:
            low, high = result.interval_of.get(one.label, (0.0, 0.0))
            other, clips = result.taken_for.get(one.label, ("", 0))
            interval = f"{low * 100:.0f} to {high * 100:.0f} %" if one.clips else "–"
            item = _LabelItem(
                [
                    one.label, f"{one.clips:,}", share_words(one.recall), interval,
                    share_words(one.precision), f"{other} ({clips})" if clips else "",
                ]
            )  # fmt: skip
            values = (one.label, one.clips, _known(one.recall), low, _known(one.precision), clips)
            for column, value in enumerate(values):
                item.setData(column, _VALUE, value)
                if 1 <= column <= 4:
                    item.setTextAlignment(column, _RIGHT)
            item.setSizeHint(0, QSize(0, tokens.LINE))
            items.append(item)
        self.addTopLevelItems(items)
        self.setSortingEnabled(True)
        first = self.topLevelItem(0)
        if first is not None:
            self.setCurrentItem(first)
        self.setFixedHeight(_height(self.topLevelItemCount()))

    @Slot(QTreeWidgetItem, int)
    def _activated(self, item: QTreeWidgetItem, _column: int) -> None:
        self.wished.emit(item.text(0))


def _known(value: float | None) -> float:
    """Those that were not measured come after all others."""
    return 2.0 if value is None else value


def _height(rows: int) -> int:
    return 44 + tokens.LINE * max(2, min(rows, MOST_ROWS_IN_SIGHT))


class _DoubtfulModel(QAbstractTableModel):
    """Clips that may carry a wrong label, in the order given."""

    heads = ("Clip", "Decided", "The model says", "Sure")

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._answers: tuple[ClipAnswer, ...] = ()
        self._result: Result | None = None

    def show_result(self, result: Result) -> None:
        self.beginResetModel()
        self._result, self._answers = result, result.doubtful
        self.endResetModel()

    # --- Qt ---
    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(self._answers)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(self.heads)

    def headerData(self, section: int, way: Qt.Orientation, role: int = 0) -> object:
        return self.heads[section] if way is Qt.Orientation.Horizontal and role == 0 else None

    def data(self, index: Index, role: int = int(Qt.ItemDataRole.DisplayRole)) -> object:
        if not index.isValid() or self._result is None:
            return None
        one = self._answers[index.row()]
        path = self._result.names[one.clip_id][0]
        if role == int(Qt.ItemDataRole.DisplayRole):
            return (PurePath(path).name, one.label, one.suggested, percent(one.probability))[index.column()]
        if role == int(Qt.ItemDataRole.ToolTipRole):
            return f"{path}\nIt gives {one.label} {percent(one.own)}."
        if role == int(Qt.ItemDataRole.TextAlignmentRole) and index.column() == 3:
            return int(_RIGHT)
        if role == int(Qt.ItemDataRole.SizeHintRole):
            return QSize(0, tokens.LINE)
        return None


class DoubtfulTable(QTableView):
    """Enter or a double click leads through these clips, beginning with the chosen one.

    A table and not a tree: a tree lays out every row at once, and there may be thousands.
    """

    wished = Signal(int)
    """Place of the clip in ``Result.doubtful``."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._model = _DoubtfulModel(self)
        self.setModel(self._model)
        self.setObjectName("Boxed")
        self.setAccessibleName("Clips that may carry a wrong label")
        self.setProperty("takesArrows", True)
        self.setShowGrid(False)
        self.setTabKeyNavigation(False)
        self.setCornerButtonEnabled(False)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setWordWrap(False)
        down = self.verticalHeader()
        down.hide()
        down.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        down.setDefaultSectionSize(tokens.LINE)
        header = self.horizontalHeader()
        header.setHighlightSections(False)
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        for column, width in ((1, 130), (2, 130), (3, 64)):
            header.resizeSection(column, width)
        self.activated.connect(self._activated)

    def show_result(self, result: Result) -> None:
        self._model.show_result(result)
        if result.doubtful:
            self.setCurrentIndex(self._model.index(0, 0))
        self.setFixedHeight(_height(len(result.doubtful)))

    @Slot(QModelIndex)
    def _activated(self, index: QModelIndex) -> None:
        self.wished.emit(index.row())
