"""How far the project is: a bar of three colours, a line of figures, and the clips per label on demand."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt, Signal, Slot
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import (
    QDialog,
    QHBoxLayout,
    QHeaderView,
    QSizePolicy,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from vidlabel.core.words import ClipState, Counts, Label
from vidlabel.ui import tokens
from vidlabel.ui.parts.basics import Chip, Words, count
from vidlabel.ui.tokens import current_colours

_TROUBLE = (ClipState.UNUSABLE, ClipState.UNREADABLE, ClipState.MISSING)


def counts_words(counts: Counts) -> str:
    """``3,412 of 9,731 decided · 388 unsure · 12 unreadable``; what is nought is left out."""
    if not counts.total:
        return "No clips yet"
    parts = [f"{counts.decided:,} of {counts.total:,} decided"]
    for state in (ClipState.SKIPPED, ClipState.UNSURE, *_TROUBLE):
        number = counts.by_state.get(state, 0)
        if number:
            parts.append(f"{number:,} {state.value}")
    return " · ".join(parts)


class ProgressBar(QWidget):
    """Decided, unsure and troubled clips as shares of all."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._counts = Counts()
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName("Progress")

    def set_counts(self, counts: Counts) -> None:
        self._counts = counts
        self.setAccessibleDescription(counts_words(counts))
        self.update()

    # --- Qt ---
    def sizeHint(self) -> QSize:
        return QSize(100, 4)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        colours = current_colours()
        painter.setBrush(QColor(colours.line))
        painter.drawRoundedRect(QRectF(self.rect()), 2, 2)
        total = self._counts.total
        if not total:
            return
        by_state = self._counts.by_state
        shares = (
            (self._counts.decided, colours.done),
            (by_state.get(ClipState.UNSURE, 0), colours.unsure),
            (sum(by_state.get(state, 0) for state in _TROUBLE), colours.trouble),
        )
        x = 0.0
        for number, colour in shares:
            width = self.width() * number / total
            if number:
                painter.fillRect(QRectF(x, 0, max(width, 1.0), self.height()), QColor(colour))
            x += width


class CountsLine(QWidget):
    """The bar, and below it the figures with the way to the counts per label."""

    per_label_wished = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.bar = ProgressBar()
        self.words = Words(level="second", size=tokens.SECONDARY, wrap=True)
        self.words.setMinimumWidth(120)
        self.per_label = Chip("per label", name="Clips per label")
        self.per_label.clicked.connect(self.per_label_wished)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(6)
        layout.addWidget(self.bar)
        below = QHBoxLayout()
        below.setSpacing(tokens.GAP)
        below.addWidget(self.words, 1)
        below.addWidget(self.per_label, 0, Qt.AlignmentFlag.AlignTop)
        layout.addLayout(below)

    def set_counts(self, counts: Counts) -> None:
        self.bar.set_counts(counts)
        self.words.setText(counts_words(counts))


class CountsDialog(QDialog):
    """Clips per label, of the decided ones; a row leads to its clips."""

    label_chosen = Signal(str)

    def __init__(self, labels: tuple[Label, ...], counts: Counts, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Clips per label")
        self.resize(380, 560)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(*([tokens.PANEL_MARGIN] * 4))
        layout.addWidget(Words(f"{count(counts.decided, 'clip')} decided. Enter shows a label's clips.",
                               level="second", wrap=True))  # fmt: skip
        self.tree = QTreeWidget()
        self.tree.setObjectName("Boxed")
        self.tree.setAccessibleName("Clips per label")
        self.tree.setRootIsDecorated(False)
        self.tree.setUniformRowHeights(True)
        self.tree.setHeaderLabels(["Label", "Clips"])
        self.tree.setSortingEnabled(True)
        header = self.tree.header()
        header.setStretchLastSection(False)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        header.resizeSection(1, 84)
        names = [label.name for label in labels]
        names += [name for name in counts.by_label if name not in names]
        for name in names:
            item = QTreeWidgetItem([name])
            item.setSizeHint(0, QSize(0, tokens.LINE))
            item.setData(1, Qt.ItemDataRole.DisplayRole, counts.by_label.get(name, 0))
            item.setTextAlignment(1, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            self.tree.addTopLevelItem(item)
        self.tree.sortItems(1, Qt.SortOrder.DescendingOrder)
        first = self.tree.topLevelItem(0)
        if first is not None:
            self.tree.setCurrentItem(first)
        self.tree.itemActivated.connect(self._activated)
        layout.addWidget(self.tree)

    @Slot(QTreeWidgetItem, int)
    def _activated(self, item: QTreeWidgetItem, _column: int) -> None:
        self.label_chosen.emit(item.text(0))
        self.accept()
