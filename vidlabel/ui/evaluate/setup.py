"""The left column of the evaluate page: which model, on which clips, how far it is, what to know, and the export."""

from __future__ import annotations

from datetime import datetime

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QVBoxLayout, QWidget

from vidlabel.core.errors import VidlabelError
from vidlabel.core.filters import parse
from vidlabel.core.kept_evaluation import KeptFacts
from vidlabel.core.snapshot import Part
from vidlabel.services.evaluation_jobs import Asked, Choices, Subject
from vidlabel.services.models import ModelEntry, Presence
from vidlabel.ui import tokens
from vidlabel.ui.evaluate.texts import kept_words, subject_words
from vidlabel.ui.library.filters import HintedField
from vidlabel.ui.models.card import ProgressBar
from vidlabel.ui.parts.basics import SectionHead, Words
from vidlabel.ui.parts.keycap import CapButton

WIDTH = 300
_PARTS: tuple[Part, ...] = ("test", "validation", "train")


class Setup(QWidget):
    """Tells what the person wishes; what it shows it is told."""

    start_wished = Signal(object)
    """:class:`Asked`"""
    stop_wished = Signal()
    export_wished = Signal()
    kept_wished = Signal(object)
    """Path of an evaluation that is kept"""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("Panel")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setFixedWidth(WIDTH)
        self._entries: tuple[ModelEntry, ...] = ()
        self._choices = Choices()
        self._running = False
        self.device = "auto"
        self.model = _box("Model")
        self.on = _box("Clips to evaluate on")
        self.kept = _box("Evaluations made before")
        self._kept_head = SectionHead("Shown")
        self.filter = HintedField("Only: label:wave folder:day1 …", name="Narrow the clips by a filter")
        self.filter_trouble = Words(level="trouble", size=tokens.SECONDARY, wrap=True)
        self.go = CapButton("Evaluate", look="primary")
        self.stop = CapButton("Stop", name="Stop the evaluation")
        self.bar = ProgressBar()
        self.progress = Words(level="second", size=tokens.SECONDARY, wrap=True)
        self.trouble = Words(level="trouble", size=tokens.SECONDARY, wrap=True)
        self.notes = QVBoxLayout()
        self.notes.setSpacing(8)
        self._notes_head = SectionHead("Before you believe it")
        self._notes: list[Words] = []
        self.export = CapButton("Export…", name="Export the evaluation")
        self._build()
        self.go.clicked.connect(self._wish)
        self.stop.clicked.connect(self.stop_wished)
        self.export.clicked.connect(self.export_wished)
        self.kept.activated.connect(self._wish_kept)
        self.filter.returnPressed.connect(self._wish)
        self.filter.textChanged.connect(self._forget_trouble)
        self.show_choices(Choices())
        self.show_kept((), None)
        self.show_running(running=False, stopping=False, words="", share=None)

    def _build(self) -> None:
        down = QVBoxLayout(self)
        down.setContentsMargins(*([tokens.PANEL_MARGIN] * 4))
        down.setSpacing(6)
        for head, widgets in (
            ("Model", (self.model,)),
            ("On", (self.on, self.filter, self.filter_trouble)),
        ):
            down.addWidget(SectionHead(head))
            for widget in widgets:
                down.addWidget(widget)
            down.addSpacing(8)
        row = QHBoxLayout()
        row.addWidget(self.go)
        row.addWidget(self.stop)
        row.addStretch(1)
        row.addWidget(self.export)
        down.addLayout(row)
        for below in (self.bar, self.progress, self.trouble):
            down.addWidget(below)
        down.addSpacing(8)
        down.addWidget(self._kept_head)
        down.addWidget(self.kept)
        down.addSpacing(8)
        down.addWidget(self._notes_head)
        down.addLayout(self.notes)
        down.addStretch(1)
        self.filter_trouble.hide()
        self.trouble.hide()
        self.say_cautions(())

    def show_models(self, entries: tuple[ModelEntry, ...]) -> None:
        """The installed models; the active one is chosen where none was."""
        there = tuple(one for one in entries if one.facts.hash and one.presence is not Presence.DAMAGED)
        if [one.facts.hash for one in there] == [one.facts.hash for one in self._entries]:
            self._entries = there
            return
        chosen = self.model.currentData()
        active = next((one.facts.hash for one in there if one.presence is Presence.ACTIVE), None)
        self._entries = there
        self.model.clear()
        for one in there:
            words = f"{one.facts.name} (active)" if one.facts.hash == active else one.facts.name
            self.model.addItem(words, one.facts.hash)
        place = self.model.findData(chosen if chosen is not None else active)
        self.model.setCurrentIndex(max(0, place))
        self._show_able()

    def show_choices(self, choices: Choices) -> None:
        """How many clips there are of each kind; parts that a snapshot does not have are left out."""
        chosen = self.on.currentData() or ""
        self._choices = choices
        self.on.clear()
        for part in ("", *(part for part in _PARTS if choices.parts.get(part))):
            self.on.addItem(subject_words(part, choices), part)
        self.on.setCurrentIndex(max(0, self.on.findData(chosen)))
        self._show_able()

    def show_kept(self, kept: tuple[KeptFacts, ...], shown: int | None) -> None:
        """The evaluations there are; ``shown`` is when the one on show was made."""
        now = datetime.now()
        self.kept.clear()
        for one in kept:
            self.kept.addItem(kept_words(one, now), one.path)
            self.kept.setItemData(self.kept.count() - 1, kept_words(one, now), Qt.ItemDataRole.ToolTipRole)
        places = [place for place, one in enumerate(kept) if one.made_at_us == shown]
        self.kept.setCurrentIndex(places[0] if places else -1)
        for widget in (self._kept_head, self.kept):
            widget.setVisible(bool(kept))

    def show_running(self, *, running: bool, stopping: bool, words: str, share: float | None) -> None:
        self._running = running
        gone, come = (self.go, self.stop) if running else (self.stop, self.go)
        had_focus = gone.hasFocus()
        come.show()
        if had_focus:
            # Before it is hidden, and Stop is not disabled while it stops: else the focus would go elsewhere.
            come.setFocus()
        gone.hide()
        self.bar.setVisible(running)
        self.bar.set_share(share)
        self.progress.setText("Stopping …" if stopping else words)
        self.progress.setVisible(running)
        if running:
            self.say_trouble("")
        self._show_able()

    def say_trouble(self, words: str) -> None:
        self.trouble.setText(words)
        self.trouble.setVisible(bool(words))

    def say_cautions(self, cautions: tuple[str, ...]) -> None:
        """What to know before believing the figures on show."""
        for words in self._notes:
            self.notes.removeWidget(words)
            words.hide()
            words.deleteLater()
        self._notes = [Words(text, level="second", size=tokens.SECONDARY, wrap=True) for text in cautions]
        for words in self._notes:
            self.notes.addWidget(words)
        self._notes_head.setVisible(bool(cautions))

    def focus(self) -> None:
        """Gives the keyboard to what is to be done next."""
        (self.stop if self._running else self.go if self.go.isEnabled() else self.model).setFocus()

    def _show_able(self) -> None:
        self.go.setEnabled(bool(self._entries) and self._choices.decided > 0)
        for widget in (self.model, self.on, self.filter, self.kept):
            widget.setEnabled(not self._running)

    @Slot(int)
    def _wish_kept(self, place: int) -> None:
        self.kept_wished.emit(self.kept.itemData(place))

    @Slot()
    def _forget_trouble(self) -> None:
        self.filter_trouble.hide()

    @Slot()
    def _wish(self) -> None:
        expression = self.filter.text().strip()
        try:
            parse(expression)
        except VidlabelError as error:
            self.filter_trouble.setText(str(error))
            self.filter_trouble.show()
            return
        place = self.model.currentIndex()
        if self._running or not self.go.isEnabled() or not 0 <= place < len(self._entries):
            return
        facts = self._entries[place].facts
        part = self.on.currentData() or None
        subject = Subject(part=part, expression=expression)
        self.start_wished.emit(
            Asked(model=facts.hash, name=facts.name, labels=facts.labels, subject=subject, device=self.device)
        )


def _box(name: str) -> QComboBox:
    box = QComboBox()
    box.setAccessibleName(name)
    box.setFixedHeight(tokens.CONTROL)
    box.setMinimumContentsLength(12)
    box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    return box
