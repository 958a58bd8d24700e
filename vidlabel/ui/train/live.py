"""The right side of the page for a run: its curves, and below them its labels."""

from __future__ import annotations

from PySide6.QtCore import QRectF, Signal, Slot
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from vidlabel.services.run_jobs import ProofFound
from vidlabel.services.run_story import RunStory
from vidlabel.ui import tokens
from vidlabel.ui.models.sections import Panel
from vidlabel.ui.parts.basics import SectionHead, Words
from vidlabel.ui.tokens import current_colours
from vidlabel.ui.train.curves import CurvePlot, Line
from vidlabel.ui.train.labels_table import LabelsTable, recall_rows
from vidlabel.ui.train.proof import HEADS, change_rows
from vidlabel.ui.train.texts import shares

LOSS_CAPTION = (
    "Train: step by step on the clips it learns from. Validation: after each epoch, on clips it does not learn from. "
    "Lower is better."
)
TOP1_CAPTION = (
    "How often the first suggestion is right. The best epoch on validation clips is kept; test clips are never "
    "shown here, only the proof reads them."
)


class RunView(QWidget):
    """Loss and top-1 of train and validation, never of test; recall by label, or what changed once it is proven."""

    label_wished = Signal(str)
    """The clips won and lost of this label are to be shown."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.loss = CurvePlot("Loss of train and validation", _loss_words)
        self.top1 = CurvePlot("Top-1 on training and validation clips", _share_words, top=1.0)
        self.top1_words = Words(level="third", size=tokens.SECONDARY)
        self.table = LabelsTable("Recall by label")
        self.table.label_wished.connect(self._wish)
        self._head = SectionHead("")
        self._empty = Words("Nothing is measured yet.", level="third")
        self._proven = False
        above = QHBoxLayout()
        above.setSpacing(tokens.PANEL_MARGIN)
        above.addWidget(_plot_panel("Loss", self.loss, validation="unsure", caption=LOSS_CAPTION), 1)
        above.addWidget(
            _plot_panel("Top-1", self.top1, validation="done", caption=TOP1_CAPTION, words=self.top1_words),
            1,
        )
        below = Panel("")
        below.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Expanding)
        old = below.body.takeAt(0)
        if old is not None and (widget := old.widget()) is not None:
            widget.deleteLater()
        below.body.addWidget(self._head)
        below.body.addWidget(self._empty)
        below.body.addWidget(self.table, 1)
        below.body.addStretch(0)
        down = QVBoxLayout(self)
        down.setContentsMargins(0, 0, 0, 0)
        down.setSpacing(tokens.PANEL_MARGIN)
        down.addLayout(above, 2)
        down.addWidget(below, 3)

    def show_story(self, story: RunStory, found: ProofFound | None) -> None:
        """Draws what the run has told so far, and its proof where it has one."""
        epochs = max(1, story.epochs, story.epoch)
        per_step = epochs / story.steps if story.steps else 0.0
        train = tuple((step * per_step, loss) for step, loss in story.curve.points)
        points = story.epoch_points
        self.loss.show_lines(
            (
                Line("train", "accent", train),
                Line(
                    "validation", "unsure",
                    tuple((float(one.epoch), one.val_loss) for one in points if one.val_loss is not None),
                ),
            ),
            last=epochs,
        )  # fmt: skip
        proof = found.proof if found is not None else None
        trained = tuple((float(one.epoch), one.train_top1) for one in points if one.train_top1 is not None)
        validated = tuple((float(one.epoch), one.val_top1) for one in points if one.val_top1 is not None)
        self.top1.show_lines(
            (Line("train", "accent", trained), Line("validation", "done", validated)), last=epochs
        )
        best = story.best
        self.top1_words.setText(
            f"best {shares(best.val_top1)} in epoch {best.epoch}" if best is not None else ""
        )
        self._proven = proof is not None and bool(proof.changes)
        self._show_table(story, found)

    def _show_table(self, story: RunStory, found: ProofFound | None) -> None:
        last = story.epoch_points[-1].recall if story.epoch_points else {}
        best = story.best.recall if story.best is not None else {}
        if self._proven and found is not None:
            self._head.setText("Per label, active → candidate (click to watch the clips won and lost)")
            self.table.setAccessibleName("Labels, active against candidate")
            self.table.show_rows(HEADS, change_rows(found))
        else:
            self._head.setText("Recall by label on validation clips")
            self.table.setAccessibleName("Recall by label")
            self.table.show_rows(("label", "last epoch, %", "best epoch, %"), recall_rows(last, best))
        self.table.setVisible(self._proven or bool(last))
        self._empty.setVisible(self.table.isHidden())

    @Slot(str)
    def _wish(self, label: str) -> None:
        if self._proven:
            self.label_wished.emit(label)


class Swatch(QWidget):
    """A piece of a curve's line."""

    def __init__(self, colour: str) -> None:
        super().__init__()
        self._colour = colour
        self.setFixedSize(14, 10)

    # --- Qt ---
    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(QRectF(0, 4, 14, 2), QColor(getattr(current_colours(), self._colour)))
        painter.end()


class Legend(QWidget):
    """The names of curves, each with its colour."""

    def __init__(self, names: tuple[tuple[str, str], ...]) -> None:
        super().__init__()
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(6)
        for name, colour in names:
            row.addWidget(Swatch(colour))
            row.addWidget(Words(name, level="third", size=tokens.SECONDARY))
            row.addSpacing(8)


def _plot_panel(
    title: str, plot: CurvePlot, *, validation: str, caption: str, words: Words | None = None
) -> Panel:
    panel = Panel(title)
    panel.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Expanding)
    panel.body.addWidget(plot, 1)
    foot = QHBoxLayout()
    foot.addWidget(Legend((("train", "accent"), ("validation", validation))))
    foot.addStretch(1)
    if words is not None:
        foot.addWidget(words)
    panel.body.addLayout(foot)
    panel.body.addWidget(Words(caption, level="third", size=tokens.SECONDARY, wrap=True))
    return panel


def _loss_words(value: float) -> str:
    return f"{value:.2f}"


def _share_words(value: float) -> str:
    return f"{value * 100:.0f}\u00a0%"
