"""The lines over and under the grid: what is reviewed, what Enter will do, and how sure a suggestion must be."""

from __future__ import annotations

from PySide6.QtCore import QSignalBlocker, Qt, Signal, Slot
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QSizePolicy, QSlider, QWidget

from vidlabel.services.review_words import Mode
from vidlabel.services.reviewing import LEAST_STEP, Reviewing
from vidlabel.ui import tokens
from vidlabel.ui.actions import Actions
from vidlabel.ui.decide.picker import LabelPicker
from vidlabel.ui.parts.basics import Words, percent
from vidlabel.ui.parts.keycap import CapButton
from vidlabel.ui.review.texts import accept_words, head_line, progress_line

_PICKER = 260


class CutWords(Words):
    """A line that is cut off at its end where there is no room for it; the tool tip has all of it."""

    def __init__(self, *, level: str = "second") -> None:
        super().__init__(level=level)
        self._full = ""
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)

    def say(self, words: str) -> None:
        self._full = words
        self.setAccessibleName(words)
        self.setToolTip(words)
        self._cut()

    def _cut(self) -> None:
        self.setText(self.fontMetrics().elidedText(self._full, Qt.TextElideMode.ElideRight, self.width()))

    # --- Qt ---
    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._cut()


class HeadBar(QWidget):
    """Mode, label and words at the left; the tools and the one primary button at the right."""

    def __init__(self, reviewing: Reviewing, actions: Actions, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._reviewing = reviewing
        self._actions = actions
        self.modes = {
            Mode.SUGGESTED: CapButton(
                self.tr("Suggested"), look="tab", name=self.tr("Review suggested clips")
            ),
            Mode.DECIDED: CapButton(self.tr("Decided"), look="tab", name=self.tr("Review decided clips")),
        }
        self.label = QComboBox()
        self.label.setAccessibleName(self.tr("Label under review"))
        self.label.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.label.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self.label.setMaximumWidth(280)
        self.label.setMaxVisibleItems(16)
        self.words = CutWords()
        self.fewer = CapButton(self.tr("Fewer, larger"))
        self.other = CapButton(self.tr("Other label"))
        self.accept = CapButton("", look="primary")
        self.picker = LabelPicker()
        self.picker.setFixedWidth(_PICKER)
        self.picker.hide()
        row = QHBoxLayout(self)
        row.setContentsMargins(tokens.PANEL_MARGIN, 12, tokens.PANEL_MARGIN, 8)
        row.setSpacing(tokens.GAP)
        for mode, button in self.modes.items():
            button.setCheckable(True)
            button.setAutoExclusive(True)
            button.setChecked(mode is reviewing.mode)
            row.addWidget(button)
        row.addWidget(self.label)
        row.addWidget(self.words, 1)
        for widget in (self.fewer, self.picker, self.other, self.accept):
            row.addWidget(widget)
        self.modes[Mode.SUGGESTED].clicked.connect(self._suggested)
        self.modes[Mode.DECIDED].clicked.connect(self._decided)
        self.label.activated.connect(self._chosen)
        for button, action in ((self.fewer, "fewer"), (self.other, "other"), (self.accept, "accept")):
            button.clicked.connect(actions[f"review.{action}"].trigger)
        actions.keys_changed.connect(self._show_keys)
        reviewing.choices_changed.connect(self.show_choices)
        reviewing.state_changed.connect(self.show_state)
        self._show_keys()
        self.show_choices()
        self.show_state()

    @Slot()
    def show_choices(self) -> None:
        """The labels and how many clips each has, most first."""
        reviewing = self._reviewing
        choices = reviewing.choices
        with QSignalBlocker(self.label):
            self.label.clear()
            for choice in choices:
                self.label.addItem(f"{choice.label}  {choice.clips:,}", choice.label)
            place = self.label.findData(reviewing.label)
            if place < 0 and reviewing.label:
                self.label.addItem(reviewing.label, reviewing.label)
                place = self.label.count() - 1
            self.label.setCurrentIndex(place)
        self.label.setVisible(self.label.count() > 0)

    @Slot()
    def show_state(self) -> None:
        """What is under review, and what Enter would do now."""
        reviewing = self._reviewing
        for mode, button in self.modes.items():
            button.setChecked(mode is reviewing.mode)
        place = self.label.findData(reviewing.label)
        if place != self.label.currentIndex():
            self.show_choices()
        self.words.say(head_line(reviewing))
        self.accept.set_words(accept_words(reviewing))
        self.accept.setEnabled(bool(reviewing.rows) and not reviewing.waiting)
        for widget in (self.accept, self.fewer):
            widget.setVisible(bool(reviewing.rows))
        self.other.setVisible(bool(reviewing.rows) and self.picker.isHidden())

    def open_picker(self, labels: tuple[str, ...], recent: tuple[str, ...]) -> None:
        """The picker takes the place of its button."""
        self.picker.set_labels(labels)
        self.picker.set_recent(recent)
        self.other.hide()
        self.picker.show()
        self.picker.open()

    def close_picker(self) -> None:
        self.picker.hide()
        self.show_state()

    @Slot()
    def _show_keys(self) -> None:
        for button, action in ((self.fewer, "fewer"), (self.other, "other"), (self.accept, "accept")):
            button.set_caps(self._actions.caps(f"review.{action}"))
        for mode, button in self.modes.items():
            button.setToolTip(f"{button.words}: {self._actions['review.mode'].toolTip()}")
            _ = mode

    @Slot()
    def _suggested(self) -> None:
        self._reviewing.set_mode(Mode.SUGGESTED)

    @Slot()
    def _decided(self) -> None:
        self._reviewing.set_mode(Mode.DECIDED)

    @Slot(int)
    def _chosen(self, place: int) -> None:
        self._reviewing.choose(str(self.label.itemData(place)))


class FootBar(QWidget):
    """How sure a suggestion must be to be here, what becomes of clicked clips, and how far the review is."""

    clicked_changed = Signal(str)

    def __init__(self, reviewing: Reviewing, actions: Actions, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._reviewing = reviewing
        self._actions = actions
        self._head = Words(self.tr("From"), level="second", size=tokens.SECONDARY)
        self.least = QSlider(Qt.Orientation.Horizontal)
        self.least.setRange(0, 19)
        self.least.setPageStep(2)
        self.least.setFixedWidth(140)
        self.least.setProperty("takesArrows", True)
        self.least.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.least.setAccessibleName(self.tr("Least confidence of the suggestions"))
        self.percent = Words(level="second", size=tokens.SECONDARY)
        self.percent.setFixedWidth(44)
        self._becomes = Words(self.tr("Clicked clips"), level="second", size=tokens.SECONDARY)
        self.clicked = QComboBox()
        self.clicked.setAccessibleName(self.tr("What becomes of clicked clips"))
        self.clicked.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.progress = Words(level="second", size=tokens.SECONDARY)
        row = QHBoxLayout(self)
        row.setContentsMargins(tokens.PANEL_MARGIN, 4, tokens.PANEL_MARGIN, 8)
        row.setSpacing(tokens.GAP)
        for widget in (self._head, self.least, self.percent, self._becomes, self.clicked):
            row.addWidget(widget)
        row.addStretch(1)
        row.addWidget(self.progress)
        self.least.valueChanged.connect(self._moved)
        self.clicked.activated.connect(self._chosen)
        reviewing.state_changed.connect(self.show_state)
        self.show_state()

    def show_clicked(self, what: str) -> None:
        """The choice that holds: ``leave``, ``skip`` or ``unsure``."""
        decided = self._reviewing.mode is Mode.DECIDED
        choices = {
            "leave": self.tr("stay undecided"),
            "skip": self.tr("go back to the queue") if decided else self.tr("are skipped"),
            "unsure": self.tr("are marked unsure"),
        }
        if decided:
            del choices["leave"]
        with QSignalBlocker(self.clicked):
            self.clicked.clear()
            for value, words in choices.items():
                self.clicked.addItem(words, value)
            self.clicked.setCurrentIndex(max(0, self.clicked.findData(what)))
        for value in ("leave", "skip", "unsure"):
            self._actions[f"review.clicked_{value}"].setChecked(value == what)

    @Slot()
    def show_state(self) -> None:
        """How far the review is, and from where on it goes."""
        reviewing = self._reviewing
        suggested = reviewing.mode is Mode.SUGGESTED
        with QSignalBlocker(self.least):
            self.least.setValue(round(reviewing.least / LEAST_STEP))
        self.percent.setText(percent(reviewing.least))
        for widget in (self._head, self.least, self.percent):
            widget.setVisible(suggested)
        self.progress.setText(progress_line(reviewing))

    @Slot(int)
    def _moved(self, value: int) -> None:
        self._reviewing.set_least(value * LEAST_STEP)

    @Slot(int)
    def _chosen(self, place: int) -> None:
        self.clicked_changed.emit(str(self.clicked.itemData(place)))
