"""What the model's confidence is worth in this project: reliability before and after, or what is still needed."""

from __future__ import annotations

from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from vidlabel.core.words import Calibration
from vidlabel.services.model_survey import InProject
from vidlabel.ui import tokens
from vidlabel.ui.models.reliability import ReliabilityPlot
from vidlabel.ui.parts.basics import Words, count, sentence


class CalibrationSection(QWidget):
    """Two plots side by side with their errors, and a sentence on what they are measured on."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._shown: Calibration | None = None
        self.words = Words(level="second", wrap=True)
        self.left_out = Words(level="second", size=tokens.SECONDARY, wrap=True)
        self.before_words = Words(level="second", size=tokens.SECONDARY)
        self.after_words = Words(size=tokens.SECONDARY, bold=True)
        self.before: ReliabilityPlot | None = None
        self.after: ReliabilityPlot | None = None
        self._plots = QWidget()
        self._row = QHBoxLayout(self._plots)
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.setSpacing(16)
        self._plots.hide()
        down = QVBoxLayout(self)
        down.setContentsMargins(0, 0, 0, 0)
        down.setSpacing(10)
        down.addWidget(self.words)
        down.addWidget(self._plots)
        down.addWidget(self.left_out)

    def show_state(self, found: InProject) -> None:
        """Shows what the project knows of the model's confidence."""
        state = found.calibration
        self._shown = state.calibration
        self._plots.setVisible(state.calibration is not None and self.before is not None)
        self.left_out.setText(left_out_words(found))
        self.left_out.setVisible(bool(found.trained or found.unhashed))
        if state.calibration is not None:
            self._say(state.calibration)
            self._draw()
        else:
            self.words.setText(
                f"{sentence(state.words)}. What counts are decided clips for which it had a suggestion: "
                f"{state.usable:,} so far. Until then the percentages are the model's own."
            )

    def _say(self, calibration: Calibration) -> None:
        before, after = (f"{ece * 100:.1f}\u00a0%" for ece in (calibration.ece_before, calibration.ece_after))
        self.words.setText(
            f"Calibrated on {count(calibration.clips, 'decided clip')}: the mean gap between its confidence "
            f"and how often it is right goes from {before} to {after}. Each clip was measured without its own "
            "source. The stored probability stays the model's own."
        )
        self.before_words.setText(f"Before · ECE {before}")
        self.after_words.setText(f"After · ECE {after}")

    def _draw(self) -> None:
        if self._shown is None:
            return
        if self.before is not None and self.after is not None:
            self.before.show_bins(self._shown.bins_before, ece=self._shown.ece_before)
            self.after.show_bins(self._shown.bins_after, ece=self._shown.ece_after)
        else:
            self._make_plots()

    def _make_plots(self) -> None:
        self.before, self.after = ReliabilityPlot("before"), ReliabilityPlot("after")
        for words, plot in ((self.before_words, self.before), (self.after_words, self.after)):
            column = QVBoxLayout()
            column.setSpacing(4)
            column.addWidget(words)
            column.addWidget(plot)
            self._row.addLayout(column, 1)
        self._plots.setVisible(self._shown is not None)
        self._draw()


def left_out_words(found: InProject) -> str:
    """Which decided clips are not counted, and why."""
    parts = []
    if found.trained:
        parts.append(f"{count(found.trained, 'clip')} left out: the model was trained on them.")
    if found.unhashed:
        parts.append(f"{count(found.unhashed, 'clip')} left out until their contents have been compared.")
    return " ".join(parts)
