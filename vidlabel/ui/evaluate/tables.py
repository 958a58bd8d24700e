"""The tables of the evaluate page: the labels, and the clips that may carry a wrong one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePath
from typing import NamedTuple

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt, Signal, Slot
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableView

from vidlabel.core.evaluation import ClipAnswer, LabelResult
from vidlabel.services.evaluation_results import Result
from vidlabel.ui import tokens
from vidlabel.ui.evaluate.texts import share_words
from vidlabel.ui.parts.basics import percent

Index = QModelIndex | QPersistentModelIndex
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
_LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
_ASCENDING = Qt.SortOrder.AscendingOrder
_DISPLAY, _TIP = int(Qt.ItemDataRole.DisplayRole), int(Qt.ItemDataRole.ToolTipRole)
_ALIGN = int(Qt.ItemDataRole.TextAlignmentRole)
MOST_ROWS_IN_SIGHT = 14
UNKNOWN = 2.0
"""Sorts what was not measured after all shares."""


class _Model(QAbstractTableModel):
    """Rows of words; which columns are numbers says how they stand."""

    heads: tuple[str, ...] = ()
    numbers: frozenset[int] = frozenset()
    tips: tuple[str, ...] = ()

    def words(self, row: int, column: int) -> str:
        raise ValueError((row, column))

    def tip(self, row: int) -> str | None:
        return None

    # --- Qt ---
    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(self.heads)

    def headerData(self, section: int, way: Qt.Orientation, role: int = _DISPLAY) -> object:
        if way is not Qt.Orientation.Horizontal:
            return None
        if role == _DISPLAY:
            return self.heads[section]
        if role == _TIP and self.tips:
            return self.tips[section]
        # At the left also above numbers: the arrow of the column it is sorted by stands at the right.
        return int(_LEFT) if role == _ALIGN else None

    def data(self, index: Index, role: int = _DISPLAY) -> object:
        if not index.isValid():
            return None
        if role == _DISPLAY:
            return self.words(index.row(), index.column())
        if role == _TIP:
            return self.tip(index.row())
        return int(_RIGHT) if role == _ALIGN and index.column() in self.numbers else None


class _Table(QTableView):
    """A table as tall as its rows, up to a limit; a tree would lay out every row at once."""

    def __init__(self, model: _Model, *, name: str, widths: Sequence[int], stretched: int) -> None:
        super().__init__()
        model.setParent(self)
        self.setModel(model)
        self.setObjectName("Boxed")
        self.setAccessibleName(name)
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
        for column, width in enumerate(widths):
            header.resizeSection(column, width)
        header.setSectionResizeMode(stretched, QHeaderView.ResizeMode.Stretch)

    def show_first(self, rows: int) -> None:
        """The first row is the current one, and the table is as tall as its rows."""
        if rows:
            self.setCurrentIndex(self.model().index(0, 0))
        shown = tokens.LINE * max(1, min(rows, MOST_ROWS_IN_SIGHT))
        self.setFixedHeight(self.horizontalHeader().sizeHint().height() + shown + 2 * self.frameWidth())


class _LabelRow(NamedTuple):
    """A label as it is shown, and by what it sorts, column by column."""

    words: tuple[str, ...]
    values: tuple[str | float, ...]


class _LabelModel(_Model):
    heads = ("Label", "Mostly taken for", "Clips", "Recall", "95 % interval", "Precision")
    numbers = frozenset({2, 3, 4, 5})
    tips = (
        "The label that was decided", "The other label its clips were given most, and how often",
        "How many clips have it", "Share of its clips that were recognised",
        "Where the recall may lie, clips being few", "Share of its suggestions that were right",
    )  # fmt: skip

    def __init__(self) -> None:
        super().__init__()
        self._rows: list[_LabelRow] = []

    def show_result(self, result: Result, *, column: int, order: Qt.SortOrder) -> int:
        """Answers how many rows there are."""
        found = result.evaluated
        self.beginResetModel()
        self._rows = [_label_row(found.figures[place], result) for place in found.used]
        self._sort(column, order)
        self.endResetModel()
        return len(self._rows)

    def label(self, row: int) -> str:
        return self._rows[row].words[0]

    def words(self, row: int, column: int) -> str:
        return self._rows[row].words[column]

    def _sort(self, column: int, order: Qt.SortOrder) -> None:
        # First by name, so that equal ones have one order.
        self._rows.sort(key=lambda row: row.words[0])
        self._rows.sort(key=lambda row: row.values[column], reverse=order is not _ASCENDING)  # type: ignore[arg-type,return-value]

    # --- Qt ---
    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(self._rows)

    def sort(self, column: int, order: Qt.SortOrder = _ASCENDING) -> None:
        if not 0 <= column < len(self.heads):
            return
        self.layoutAboutToBeChanged.emit()
        self._sort(column, order)
        self.layoutChanged.emit()


def _label_row(one: LabelResult, result: Result) -> _LabelRow:
    low, high = result.interval_of.get(one.label, (0.0, 0.0))
    other, clips = result.taken_for.get(one.label, ("", 0))
    interval = f"{low * 100:.0f} to {high * 100:.0f} %" if one.clips else "–"
    return _LabelRow(
        words=(
            one.label, f"{other} ({clips:,})" if clips else "", f"{one.clips:,}", share_words(one.recall), interval,
            share_words(one.precision),
        ),
        values=(one.label, clips, one.clips, _known(one.recall), low, _known(one.precision)),
    )  # fmt: skip


def _known(value: float | None) -> float:
    return UNKNOWN if value is None else value


class LabelTable(_Table):
    """One line a label; Enter or a double click shows the clips of it that were not recognised."""

    wished = Signal(str)

    def __init__(self) -> None:
        self._labels = _LabelModel()
        super().__init__(self._labels, name="Labels", widths=(190, 220, 76, 84, 116, 96), stretched=0)
        # Those recognised least come first.
        self.horizontalHeader().setSortIndicator(3, _ASCENDING)
        self.setSortingEnabled(True)
        self.activated.connect(self._activated)

    def show_result(self, result: Result) -> None:
        """Shows the labels that a clip has or that were suggested, sorted as before."""
        header = self.horizontalHeader()
        column, order = header.sortIndicatorSection(), header.sortIndicatorOrder()
        self.show_first(self._labels.show_result(result, column=column, order=order))

    @Slot(QModelIndex)
    def _activated(self, index: QModelIndex) -> None:
        self.wished.emit(self._labels.label(index.row()))


class _DoubtfulModel(_Model):
    """Clips that may carry a wrong label, in the order given."""

    heads = ("Clip", "Decided", "The model says", "Sure", "Shown")
    numbers = frozenset({3, 4})
    tips = (
        "", "", "", "The model's own confidence in what it says, by which they are ranked",
        "The same confidence calibrated, as it is shown while labelling",
    )  # fmt: skip

    def __init__(self) -> None:
        super().__init__()
        self._answers: tuple[ClipAnswer, ...] = ()
        self._result: Result | None = None
        self._shown: dict[int, float] = {}

    def show_result(self, result: Result) -> None:
        calibrated = result.evaluated.calibrated
        self.beginResetModel()
        self._result, self._answers = result, result.doubtful
        self._shown = (
            {}
            if calibrated is None
            else dict(zip((one.clip_id for one in result.evaluated.answers), calibrated.shown, strict=True))
        )
        self.endResetModel()

    def words(self, row: int, column: int) -> str:
        one = self._answers[row]
        match column:
            case 0:
                return self._path(one).name
            case 1:
                return one.label
            case 2:
                return one.suggested
            case 3:
                return percent(one.probability)
            case _:
                shown = self._shown.get(one.clip_id)
                return "–" if shown is None else percent(shown)

    def tip(self, row: int) -> str:
        one = self._answers[row]
        return f"{self._path(one)}\nIt gives {one.label} {percent(one.own)}."

    def _path(self, one: ClipAnswer) -> PurePath:
        return PurePath(self._result.names[one.clip_id][0] if self._result is not None else "")

    # --- Qt ---
    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(self._answers)


class DoubtfulTable(_Table):
    """Enter or a double click leads through these clips, beginning with the chosen one."""

    wished = Signal(int)
    """Place of the clip in ``Result.doubtful``."""

    def __init__(self) -> None:
        self._clips = _DoubtfulModel()
        name = "Clips that may carry a wrong label"
        super().__init__(self._clips, name=name, widths=(200, 160, 160, 76, 76), stretched=0)
        self.activated.connect(self._activated)

    def show_result(self, result: Result) -> None:
        self._clips.show_result(result)
        self.setColumnHidden(4, result.evaluated.calibrated is None)
        self.show_first(len(result.doubtful))

    @Slot(QModelIndex)
    def _activated(self, index: QModelIndex) -> None:
        self.wished.emit(index.row())
