"""The panels of a model's card: what it is, its figures, how good it is, and which labels it knows."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSize, Qt, Slot
from PySide6.QtWidgets import QFrame, QGridLayout, QSizePolicy, QVBoxLayout, QWidget

from vidlabel.services.model_facts import LabelNote, ModelFacts, Score
from vidlabel.ui import tokens
from vidlabel.ui.models.texts import input_words, parameters_words, score_words, share_words, size_words
from vidlabel.ui.parts.basics import SectionHead, Words, count
from vidlabel.ui.parts.keycap import CapButton
from vidlabel.ui.status_bar import ElidedWords

_SURER = (
    "What it takes for an action of no label is shared out over those it can suggest: on clips of other things "
    "it looks surer than it is."
)


class Panel(QFrame):
    """A framed section with its heading."""

    def __init__(self, title: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("Card")
        self.setAccessibleName(title)
        # Not at most its size hint: that is the height of wrapped words at a width of their own choice, and at a
        # smaller one they would be cut off.
        policy = QSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        self.body = QVBoxLayout(self)
        self.body.setContentsMargins(*([tokens.PANEL_MARGIN] * 4))
        self.body.setSpacing(8)
        self.body.addWidget(SectionHead(title))

    def add_words(self, text: str, *, level: str = "", size: int = tokens.BODY) -> Words:
        """A paragraph that can be marked and copied."""
        words = Words(text, level=level, size=size, wrap=True)
        words.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.body.addWidget(words)
        return words

    # --- Qt ---
    def minimumSizeHint(self) -> QSize:
        return QSize(220, super().minimumSizeHint().height())


class PathWords(ElidedWords):
    """A long name of which both ends count; whole in its tooltip."""

    def _fit(self) -> None:
        shown = self.fontMetrics().elidedText(self.full, Qt.TextElideMode.ElideMiddle, self.width())
        self.setText(shown)


def what_it_is(facts: ModelFacts) -> Panel:
    """When to choose it, what it was trained on, its licence, and what to know before relying on it."""
    panel = Panel("What it is")
    if facts.when:
        panel.add_words(facts.when)
    for number, source in enumerate(facts.trained_on):
        head = "Trained on" if number == 0 else "and on"
        panel.add_words(f"{head}: {source.what}", level="second", size=tokens.SECONDARY)
        if source.licence:
            panel.add_words(f"Licence of that: {source.licence}", level="third", size=tokens.SECONDARY)
    if not facts.trained_on:
        panel.add_words("What it was trained on is not stated.", level="second", size=tokens.SECONDARY)
    licence = facts.licence or "not stated; ask who made it before you pass its results on."
    panel.add_words(f"Licence: {licence}", level="second", size=tokens.SECONDARY)
    if facts.notes:
        panel.body.addSpacing(4)
        panel.body.addWidget(SectionHead("Before you rely on it"))
        for note in facts.notes:
            panel.add_words(note, level="second", size=tokens.SECONDARY)
    return panel


def figures(facts: ModelFacts) -> Panel:
    """Input, size and cost, hash and file."""
    panel = Panel("Figures")
    grid = QGridLayout()
    grid.setHorizontalSpacing(16)
    grid.setVerticalSpacing(6)
    grid.setColumnStretch(1, 1)
    work = "" if facts.gmacs is None else f"{facts.gmacs:,.1f} GFLOPs a clip (multiply-adds) · {facts.speed}"
    lines = [
        ("Network", facts.network),
        ("Input", input_words(facts)),
        ("Parameters", parameters_words(facts.parameters) if facts.parameters else ""),
        ("Work", work or "not stated"),
        ("To be fetched" if not facts.hash else "Size", size_words(facts)),
        ("Made", facts.created[:10]),
        ("SHA-256", facts.hash),
        ("File", str(facts.path) if facts.path else ""),
    ]
    for row, (name, value) in enumerate((name, value) for name, value in lines if value):
        grid.addWidget(Words(name, level="third", size=tokens.SECONDARY), row, 0, Qt.AlignmentFlag.AlignTop)
        shown: Words
        if name in ("SHA-256", "File"):
            elided = PathWords(level="")
            elided.set_text(value)
            shown = elided
        else:
            shown = Words(value, size=tokens.SECONDARY, wrap=True)
        shown.setAccessibleName(f"{name}: {value}")
        grid.addWidget(shown, row, 1)
    panel.body.addLayout(grid)
    return panel


def accuracy(facts: ModelFacts) -> tuple[Panel, ...]:
    """What vidlabel's own recipes measured and what others published, never in one table."""
    panels = []
    if facts.measured:
        panel = Panel("Accuracy, measured for vidlabel")
        panel.body.addLayout(_score_table(facts.measured))
        if facts.measured_note:
            panel.add_words(facts.measured_note, level="second", size=tokens.SECONDARY)
        panels.append(panel)
    else:
        panel = Panel("Accuracy")
        panel.add_words("Nothing of it was measured for vidlabel.", level="second")
        panels.append(panel)
    if facts.scores:
        panel = Panel("Accuracy, as published by others")
        panel.body.addLayout(_score_table(facts.scores))
        for source in dict.fromkeys(score.source for score in facts.scores if score.source):
            panel.add_words(f"Source: {source}", level="second", size=tokens.SECONDARY)
        panels.append(panel)
    return tuple(panels)


def _score_table(scores: Sequence[Score]) -> QGridLayout:
    grid = QGridLayout()
    grid.setHorizontalSpacing(14)
    grid.setVerticalSpacing(8)
    grid.setColumnStretch(0, 1)
    counted = any(score.clips is not None for score in scores)
    heads = ["on", *(["clips"] if counted else []), "top-1", "top-5"]
    right = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignTop
    for column, head in enumerate(heads):
        words = Words(head, level="third", size=tokens.SECONDARY)
        grid.addWidget(words, 0, column, right if column else Qt.AlignmentFlag.AlignLeft)
    for row, score in enumerate(scores, start=1):
        on = Words(score.on[:1].upper() + score.on[1:], level="second", size=tokens.SECONDARY, wrap=True)
        on.setAccessibleName(score_words(score))
        grid.addWidget(on, row, 0)
        clips = [f"{score.clips:,}" if score.clips is not None else "–"] if counted else []
        for column, value in enumerate([*clips, share_words(score.top1), share_words(score.top5)], start=1):
            figure = Words(value, size=tokens.SECONDARY, bold=column == len(clips) + 1)
            grid.addWidget(figure, row, column, right)
    return grid


class LabelsPanel(Panel):
    """The labels it suggests, those it cannot suggest, and on demand why."""

    def __init__(self, facts: ModelFacts) -> None:
        super().__init__("Labels")
        self.add_words(f"Suggests {count(len(facts.labels), 'label')}")
        self.add_words(", ".join(facts.labels), level="second", size=tokens.SECONDARY)
        self._reasons: list[Words] = []
        self.why: CapButton | None = None
        if facts.unable:
            self.add_words(f"Never suggests {count(len(facts.unable), 'label')} of HMDB51")
            names = ", ".join(note.label for note in facts.unable)
            self.add_words(names, level="second", size=tokens.SECONDARY)
            self.add_words(_SURER, level="second", size=tokens.SECONDARY)
        if facts.unable or facts.loosely:
            self.why = CapButton("Say why", look="quiet", name="Say why labels are missing or loose")
            self.why.setCheckable(True)
            self.why.toggled.connect(self._say_why)
            self.body.addWidget(self.why, 0, Qt.AlignmentFlag.AlignLeft)
        self._add_reasons("Missing, because", facts.unable)
        self._add_reasons("Suggested loosely, by wider classes", facts.loosely)
        self._say_why(False)

    def _add_reasons(self, title: str, notes: Sequence[LabelNote]) -> None:
        if notes:
            self._reasons.append(self.add_words(title, level="third", size=tokens.SECONDARY))
        for note in notes:
            words = f"{note.label}: {note.note}" if note.note else note.label
            self._reasons.append(self.add_words(words, level="second", size=tokens.SECONDARY))

    @Slot(bool)
    def _say_why(self, shown: bool) -> None:
        for words in self._reasons:
            words.setVisible(shown)
