"""What an evaluation found, on one page that scrolls: figures, matrix, reliability, labels, doubtful clips."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt, QTimer, Signal, Slot
from PySide6.QtWidgets import QFrame, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from vidlabel.services.evaluation_jobs import Result
from vidlabel.ui import tokens
from vidlabel.ui.evaluate.matrix import ConfusionMatrix
from vidlabel.ui.evaluate.tables import DoubtfulTable, LabelTable
from vidlabel.ui.evaluate.texts import chosen_words, interval_words, result_words, share_words
from vidlabel.ui.models.card import Body
from vidlabel.ui.models.reliability import ReliabilityPlot
from vidlabel.ui.models.sections import Panel
from vidlabel.ui.parts.basics import Words, count, sentence

_LARGE = 26
_WIDEST = 1560


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
        self._filling.setInterval(0)
        self._filling.timeout.connect(self._fill_next)
        self.setObjectName("CardArea")
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setWidgetResizable(True)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setProperty("takesArrows", True)
        self.setAccessibleName("Evaluation")
        self.title = Words(bold=True, size=16, wrap=True)
        self.top1, self.top5 = Figure("top-1"), Figure("top-5")
        self.mean_class, self.ece = Figure("mean over labels"), Figure("calibration error")
        self.reliability = ReliabilityPlot("of the model's own confidence")
        self.matrix = ConfusionMatrix()
        self.cell = Words(level="second", size=tokens.SECONDARY, wrap=True)
        self.labels = LabelTable()
        self.doubtful = DoubtfulTable()
        self.doubtful_words = Words(level="second", size=tokens.SECONDARY, wrap=True)
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
        down.addWidget(self.title)
        figures = Panel("Figures")
        row = QHBoxLayout()
        row.setSpacing(20)
        for figure in (self.top1, self.top5, self.mean_class, self.ece):
            row.addWidget(figure, 1)
        figures.body.addLayout(row)
        reliability = Panel("Reliability of its own confidence")
        reliability.body.addWidget(self.reliability)
        top = QHBoxLayout()
        top.setSpacing(tokens.PANEL_MARGIN)
        top.addWidget(figures, 3)
        top.addWidget(reliability, 2)
        down.addLayout(top)
        matrix = Panel("Confusion: decided down, suggested across")
        matrix.body.addWidget(self.cell)
        matrix.body.addWidget(self.matrix)
        down.addWidget(matrix)
        labels = Panel("Labels (Enter shows the clips not recognised)")
        labels.body.addWidget(self.labels)
        down.addWidget(labels)
        doubtful = Panel("Decided clips on which the model is sure of another label")
        doubtful.body.addWidget(self.doubtful_words)
        doubtful.body.addWidget(self.doubtful)
        down.addWidget(doubtful)
        down.addStretch(1)
        body = Body()
        body.setObjectName("Ground")
        across = QHBoxLayout(body)
        across.setContentsMargins(0, 0, 0, 0)
        across.addWidget(inner, 100)
        across.addStretch(1)
        self.setWidget(body)

    def show_result(self, result: Result) -> None:
        """Shows another evaluation, from its top."""
        self._result = result
        found = result.evaluated
        self.title.setText(sentence(result_words(result)))
        with_clips = [one.label for one in found.figures if one.clips]
        clips = count(found.clips, "clip")
        self.top1.show_share(found.top1, f"{result.right:,} of {clips} · {interval_words(result.interval)}")
        self.top5.show_share(found.top5, "right label among the first five")
        self.mean_class.show_share(found.mean_class, f"over {count(len(with_clips), 'label')} with clips")
        self.ece.show_share(found.ece, "mean gap between confidence and how often it is right")
        self.reliability.show_bins(found.bins, ece=found.ece or 0.0)
        self.verticalScrollBar().setValue(0)
        # Each of these takes some milliseconds for many clips: between them the window lives on.
        self._to_fill = [self._fill_matrix, self._fill_labels, self._fill_doubtful]
        self._filling.start()

    @property
    def filled(self) -> bool:
        """Whether all of the result is shown."""
        return self._result is not None and not self._to_fill

    @Slot()
    def _fill_next(self) -> None:
        if self._result is not None and self._to_fill:
            self._to_fill.pop(0)(self._result)
        if self._to_fill:
            self._filling.start()

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
        self.doubtful_words.setText(
            f"{count(doubtful, 'clip')}, those first on which it contradicts the decision most. "
            "Enter leads through them."
            if doubtful
            else "None: where it is sure, it agrees with what was decided."
        )
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
