"""What an evaluation found, on one page that scrolls: figures, matrix, reliability, labels, doubtful clips."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from PySide6.QtCore import Qt, QTimer, Signal, Slot
from PySide6.QtWidgets import QFrame, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from vidlabel.services.evaluation_results import Result
from vidlabel.ui import tokens
from vidlabel.ui.evaluate.matrix import ConfusionMatrix
from vidlabel.ui.evaluate.tables import DoubtfulTable, LabelTable
from vidlabel.ui.evaluate.texts import (
    calibrated_words,
    chosen_words,
    doubtful_words,
    interval_words,
    made_words,
    result_words,
    share_words,
    shown_words,
)
from vidlabel.ui.models.card import Body
from vidlabel.ui.models.reliability import ReliabilityPlot
from vidlabel.ui.models.sections import Panel
from vidlabel.ui.parts.basics import Words, count, sentence

_LARGE = 26
_WIDEST = 1560
_TABLE_WIDEST = 1000
_A_FRAME_MS = 16


class Figure(QWidget):
    """One share in large, its name under it, and what it is of."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self._name = name
        self.value = Words(size=_LARGE, bold=True)
        self.name = Words(name, level="second", size=tokens.SECONDARY)
        self.detail = Words(level="third", size=tokens.SECONDARY, wrap=True)
        down = QVBoxLayout(self)
        down.setContentsMargins(0, 0, 0, 0)
        down.setSpacing(2)
        for words in (self.value, self.name, self.detail):
            down.addWidget(words)
        down.addStretch(1)

    def show_share(self, share: float | None, detail: str) -> None:
        self.value.setText(share_words(share))
        self.detail.setText(detail)
        self.setAccessibleName(f"{self._name} {share_words(share)}, {detail}")


class Report(QScrollArea):
    """Built once; :meth:`show_result` fills it."""

    clips_wished = Signal(object, str)
    """tuple[int, ...] of clips and what they have in common in words"""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._result: Result | None = None
        self._to_fill: list[Callable[[Result], None]] = []
        self._filling = QTimer(self)
        self._filling.setSingleShot(True)
        # Not at once: what was filled is painted first.
        self._filling.setInterval(_A_FRAME_MS)
        self._filling.timeout.connect(self._fill_next)
        self.setObjectName("CardArea")
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setWidgetResizable(True)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setProperty("takesArrows", True)
        self.setAccessibleName("Evaluation")
        self.title = Words(bold=True, size=16, wrap=True)
        self.top1, self.top5 = Figure("top-1"), Figure("top-5")
        self.mean_class, self.ece = Figure("mean over labels"), Figure("calibration error, own confidence")
        self.made = Words(level="second", size=tokens.SECONDARY, wrap=True)
        self.reliability = ReliabilityPlot("of the model's own confidence")
        self.calibrated = ReliabilityPlot("of the calibrated confidence that is shown")
        self.own_words = Words(size=tokens.SECONDARY, wrap=True)
        self.calibrated_words = Words(size=tokens.SECONDARY, wrap=True)
        self.matrix = ConfusionMatrix()
        self.cell = Words(level="second", size=tokens.SECONDARY, wrap=True)
        self.labels = LabelTable()
        self.doubtful = DoubtfulTable()
        self.doubtful_words = Words(level="second", size=tokens.SECONDARY, wrap=True)
        self._panels = (
            self._reliability_panel(), self._matrix_panel(), self._labels_panel(), self._doubtful_panel()
        )  # fmt: skip
        self._build()
        self.matrix.moved.connect(self._cell_moved)
        self.matrix.wished.connect(self._cell_wished)
        self.labels.wished.connect(self._label_wished)
        self.doubtful.wished.connect(self._doubtful_wished)

    def _build(self) -> None:
        inner = QWidget()
        inner.setMaximumWidth(_WIDEST)
        down = QVBoxLayout(inner)
        down.setContentsMargins(24, 20, 24, 24)
        down.setSpacing(tokens.PANEL_MARGIN)
        head = QVBoxLayout()
        head.setSpacing(4)
        head.addWidget(self.title)
        head.addWidget(self.made)
        down.addLayout(head)
        figures = Panel("Figures")
        row = QHBoxLayout()
        row.setSpacing(20)
        for figure in (self.top1, self.top5, self.mean_class, self.ece):
            row.addWidget(figure, 1)
        figures.body.addLayout(row)
        down.addWidget(figures)
        for panel in self._panels:
            down.addWidget(panel)
            # Laid out and painted for the first time one after the other: together they take too long.
            panel.hide()
        down.addStretch(1)
        body = Body()
        body.setObjectName("Ground")
        across = QHBoxLayout(body)
        across.setContentsMargins(0, 0, 0, 0)
        across.addWidget(inner, 100)
        across.addStretch(1)
        self.setWidget(body)

    def _matrix_panel(self) -> Panel:
        panel = Panel("Confusion: decided down, suggested across")
        panel.body.addWidget(self.cell)
        panel.body.addWidget(self.matrix)
        return panel

    def _labels_panel(self) -> Panel:
        panel = Panel("Labels (Enter shows the clips not recognised)")
        # No wider than the eye follows a line.
        self.labels.setMaximumWidth(_TABLE_WIDEST)
        line = QHBoxLayout()
        line.addWidget(self.labels, 100)
        line.addStretch(1)
        panel.body.addLayout(line)
        return panel

    def _doubtful_panel(self) -> Panel:
        panel = Panel("Decided clips on which the model is sure of another label")
        panel.body.addWidget(self.doubtful_words)
        panel.body.addWidget(self.doubtful)
        return panel

    def _reliability_panel(self) -> Panel:
        panel = Panel("Reliability: does its confidence mean what it says?")
        row = QHBoxLayout()
        row.setSpacing(20)
        for words, plot in ((self.own_words, self.reliability), (self.calibrated_words, self.calibrated)):
            column = QVBoxLayout()
            column.setSpacing(4)
            column.addWidget(words)
            # Words of one line and of two: the plots stand on one line all the same.
            column.addStretch(1)
            column.addWidget(plot)
            row.addLayout(column, 1)
        panel.body.addLayout(row)
        return panel

    def show_result(self, result: Result) -> None:
        """Shows another evaluation, from its top."""
        self._result = result
        found = result.evaluated
        self.title.setText(sentence(result_words(result)))
        self.made.setText(made_words(result, datetime.now()))
        with_clips = [one.label for one in found.figures if one.clips]
        clips = count(found.clips, "clip")
        self.top1.show_share(found.top1, f"{result.right:,} of {clips} · {interval_words(result.interval)}")
        self.top5.show_share(found.top5, "right label among the first five")
        self.mean_class.show_share(found.mean_class, f"over {count(len(with_clips), 'label')} with clips")
        self.ece.show_share(found.ece, shown_words(found.calibrated))
        self.verticalScrollBar().setValue(0)
        # Each of these takes some milliseconds for many clips: between them the window lives on.
        self._to_fill = [self._fill_reliability, self._fill_matrix, self._fill_labels, self._fill_doubtful]
        self._filling.start()

    @property
    def filled(self) -> bool:
        """Whether all of the result is shown."""
        return self._result is not None and not self._to_fill

    @Slot()
    def _fill_next(self) -> None:
        if self._result is not None and self._to_fill:
            # Shown first: what is hidden does not ask for another height.
            self._panels[-len(self._to_fill)].show()
            self._to_fill.pop(0)(self._result)
        if self._to_fill:
            self._filling.start()

    def _fill_reliability(self, result: Result) -> None:
        found = result.evaluated
        self.own_words.setText(f"The model's own confidence · ECE {share_words(found.ece)}")
        self.reliability.show_bins(found.bins, ece=found.ece or 0.0)
        self.calibrated_words.setText(calibrated_words(found.calibrated))
        self.calibrated_words.set_level("" if found.calibrated is not None else "second")
        self.calibrated.setVisible(found.calibrated is not None)
        if found.calibrated is not None:
            self.calibrated.show_bins(found.calibrated.bins, ece=found.calibrated.ece or 0.0)

    def _fill_matrix(self, result: Result) -> None:
        found = result.evaluated
        rows = tuple(one.label for one in found.figures if one.clips)
        columns = [found.labels[place] for place in found.used]
        if any(not suggested for _, suggested in result.cells):
            columns.append("")
        self.matrix.show_cells(rows, tuple(columns), result.cells)

    def _fill_labels(self, result: Result) -> None:
        self.labels.show_result(result)

    def _fill_doubtful(self, result: Result) -> None:
        self.doubtful.show_result(result)
        doubtful = len(result.doubtful)
        self.doubtful_words.setText(doubtful_words(result))
        self.doubtful.setVisible(bool(doubtful))

    @Slot(str)
    def _cell_moved(self, words: str) -> None:
        self.cell.setText(f"{words}. Enter or a click shows them." if words else "")

    @Slot(str, str)
    def _cell_wished(self, label: str, suggested: str) -> None:
        if self._result is not None:
            self.clips_wished.emit(self._result.cells[label, suggested], chosen_words(label, suggested))

    @Slot(str)
    def _label_wished(self, label: str) -> None:
        if self._result is None:
            return
        cells = self._result.cells.items()
        missed = [clip for (true, said), ids in cells if true == label != said for clip in ids]
        if missed:
            self.clips_wished.emit(tuple(missed), f"of {label} not recognised")

    @Slot(int)
    def _doubtful_wished(self, place: int) -> None:
        if self._result is not None:
            ids = [one.clip_id for one in self._result.doubtful]
            self.clips_wished.emit((*ids[place:], *ids[:place]), "that may be labelled wrongly")
