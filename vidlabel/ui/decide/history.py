"""What was decided about a clip, when, by whom, on which model's word."""

from __future__ import annotations

from datetime import datetime

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QVBoxLayout, QWidget

from vidlabel.core.time import US_PER_SECOND
from vidlabel.core.words import Decision, DecisionKind
from vidlabel.ui import tokens
from vidlabel.ui.parts.basics import Words, percent

LINES = 12


def when_words(moment_us: int, now: datetime) -> str:
    """``10:41`` today, ``yesterday 09:58``, else the date."""
    moment = datetime.fromtimestamp(moment_us / US_PER_SECOND)
    days = (now.date() - moment.date()).days
    clock = moment.strftime("%H:%M")
    if days == 0:
        return clock
    if days == 1:
        return f"yesterday {clock}"
    return f"{moment.strftime('%Y-%m-%d')} {clock}"


def decision_words(decision: Decision, *, annotator: str, models: dict[str, str]) -> str:
    """One decision without its time, such as ``corrected to walk · you · bundled said throw 71 %``."""
    kind, label = decision.kind, decision.label
    if kind is DecisionKind.WITHDRAWN:
        what = "taken back"
    elif kind is DecisionKind.CORRECTED:
        what = f"corrected to {label}"
    elif label:
        what = f"{kind.value} {label}"
    else:
        what = kind.value
    if decision.undoes is not None and kind is not DecisionKind.WITHDRAWN:
        what = f"back to {what}"
    who = "you" if decision.annotator == annotator else decision.annotator
    parts = [what, who]
    if decision.imported:
        parts.append("imported")
    if decision.suggested and decision.model:
        name = models.get(decision.model, "an earlier model")
        sure = f" {percent(decision.probability)}" if decision.probability is not None else ""
        parts.append(f"{name} said {decision.suggested}{sure}")
    return " · ".join(parts)


class HistoryList(QWidget):
    """The newest decisions as lines; older ones are counted."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(4)
        self._lines: list[Words] = []
        self.setAccessibleName("History of the clip")

    @property
    def lines(self) -> tuple[str, ...]:
        return tuple(line.text() for line in self._lines if not line.isHidden())

    def show_decisions(
        self, decisions: tuple[Decision, ...], *, annotator: str, models: dict[str, str]
    ) -> None:
        """Shows decisions, newest first."""
        now = datetime.now()
        texts = []
        for decision in decisions[:LINES]:
            words = decision_words(decision, annotator=annotator, models=models)
            texts.append(f"{when_words(decision.decided_at_us, now)} {words}")
        if len(decisions) > LINES:
            texts.append(f"{len(decisions) - LINES:,} older")
        self._show(texts or ["Nothing decided yet."])

    def clear(self) -> None:
        self._show([])

    def _show(self, texts: list[str]) -> None:
        # Lines are kept and reused: making widgets for each clip would cost the frame.
        while len(self._lines) < len(texts):
            line = Words(level="second", size=tokens.SECONDARY, wrap=True)
            line.setTextInteractionFlags(Qt.TextInteractionFlag.NoTextInteraction)
            self._layout.addWidget(line)
            self._lines.append(line)
        for index, line in enumerate(self._lines):
            line.setVisible(index < len(texts))
            if index < len(texts):
                # A number stays with its unit at the end of a line.
                line.setText(texts[index].replace(" %", "\u00a0%"))
