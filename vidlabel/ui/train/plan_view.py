"""What a run would learn from, beside its set-up: clips by label and part, cautions, and a look at changed clips."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Signal
from PySide6.QtGui import QImage, QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from vidlabel.services.run_planning import LabelPlan, Plan
from vidlabel.ui import tokens
from vidlabel.ui.models.sections import Panel
from vidlabel.ui.parts.basics import Words, count
from vidlabel.ui.parts.keycap import CapButton
from vidlabel.ui.train.labels_table import Cell, LabelsTable
from vidlabel.ui.train.texts import SPLITS

_ROW = 56
_GAP = 4
_FRAMES = 8
"""Of a strip; more would be too small to see."""


class Strips(QWidget):
    """Clips as rows of frames: the first as it is, the others as training sees them."""

    def __init__(self) -> None:
        super().__init__()
        self._strips: tuple[QImage, ...] = ()
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    @property
    def strips(self) -> tuple[QImage, ...]:
        return self._strips

    def show_strips(self, strips: tuple[QImage, ...]) -> None:
        """Draws other pictures; each is as many squares or oblongs side by side as the clip has frames."""
        self._strips = strips
        self.setAccessibleName(f"A training clip as it is, and {max(0, len(strips) - 1)} times changed")
        self.updateGeometry()
        self.update()

    # --- Qt ---
    def sizeHint(self) -> QSize:
        return QSize(300, max(0, len(self._strips) * (_ROW + _GAP) - _GAP))

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        for number, strip in enumerate(self._strips):
            if strip.isNull():
                continue
            frames = max(1, round(strip.width() / strip.height()))
            width = strip.width() / frames
            room = max(1, min(_FRAMES, frames, int(self.width() // (_ROW + _GAP))))
            for place in range(room):
                frame = place * (frames - 1) // max(1, room - 1)
                source = QRectF(frame * width, 0, width, strip.height())
                across = _ROW * width / strip.height()
                painter.drawImage(
                    QRectF(place * (across + _GAP), number * (_ROW + _GAP), across, _ROW), strip, source
                )
        painter.end()


class PlanView(QWidget):
    """The right side of the page while a run is set up."""

    preview_wished = Signal()
    label_wished = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.panel = Panel("What it would learn from")
        self.panel.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Expanding)
        self.summary = Words(wrap=True)
        self.estimate = Words(level="second", size=tokens.SECONDARY, wrap=True)
        self.cautions = Words(level="second", size=tokens.SECONDARY, wrap=True)
        self.table = LabelsTable("Clips by label and part")
        for widget in (self.summary, self.estimate, self.cautions):
            self.panel.body.addWidget(widget)
        self.panel.body.addWidget(self.table, 1)
        self.look = Panel("How clips are changed while it learns")
        self.strips = Strips()
        self.preview = CapButton("Show on a clip", name="Show how a training clip is changed")
        self.preview_words = Words(level="second", size=tokens.SECONDARY, wrap=True)
        self.preview.clicked.connect(self.preview_wished)
        self.look.body.addWidget(self.strips)
        row = QHBoxLayout()
        row.setSpacing(12)
        row.addWidget(self.preview)
        row.addWidget(self.preview_words, 1)
        self.look.body.addLayout(row)
        down = QVBoxLayout(self)
        down.setContentsMargins(0, 0, 0, 0)
        down.setSpacing(tokens.PANEL_MARGIN)
        down.addWidget(self.panel, 1)
        down.addWidget(self.look)
        self.table.label_wished.connect(self.label_wished)
        self.say("Counting …")

    def say(self, words: str) -> None:
        """Words in the place of a plan that is not there yet."""
        self.summary.setText(words)
        for widget in (self.estimate, self.cautions, self.table, self.look):
            widget.setVisible(False)

    def show_plan(self, plan: Plan) -> None:
        """Shows counts, cautions and the estimate."""
        train, validation, test = plan.parts
        labels = sum(1 for one in plan.labels if one.train)
        self.summary.setText(
            f"{count(train, 'clip')} to train, {validation:,} to validate, {test:,} to test · "
            f"{count(labels, 'label')} · split {SPLITS[plan.wanted.split]}"
        )
        if plan.why_not:
            self.summary.setText(
                f"{count(sum(plan.parts), 'decided clip')} with {count(len(plan.labels), 'label')} so far. A run "
                "needs clips of at least 2 labels, each from 3 different sources or more; 10 clips a label or "
                "more make it worth the while."
            )
        self.estimate.setText(plan.estimate)
        self.estimate.setVisible(bool(plan.estimate))
        self.cautions.setText("\n".join(plan.cautions))
        self.cautions.setVisible(bool(plan.cautions))
        self.table.show_rows(("label", "train", "validation", "test", ""), [_row(one) for one in plan.labels])
        self.table.setVisible(bool(plan.labels))
        self.look.setVisible(plan.example is not None)
        strength = plan.wanted.settings.augment
        self.preview.setEnabled(strength != "none")
        self.preview_words.setText(
            "Clips are not changed." if strength == "none"
            else "Above as it is, below as the run sees it: the same change for all frames of a clip."
            if self.strips.strips else ""
        )  # fmt: skip

    def show_strips(self, strips: tuple[QImage, ...]) -> None:
        """Pictures of a clip as it is and changed."""
        self.strips.show_strips(strips)
        self.preview_words.setText(
            "Above as it is, below as the run sees it: the same change for all frames of a clip."
        )


def _row(one: LabelPlan) -> tuple[Cell, ...]:
    small = Cell("too few to split", 1.0, "unsure") if one.small else Cell("", 0.0)
    numbers = (Cell(f"{number:,}", number) for number in (one.train, one.validation, one.test))
    return (Cell(one.label, one.label.casefold()), *numbers, small)
