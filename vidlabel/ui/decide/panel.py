"""The right column: what the model suggests, and everything a person can say to it."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import QSize, Qt, Signal, Slot
from PySide6.QtWidgets import QFrame, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from vidlabel.core.words import (
    CalibrationState,
    Changes,
    ClipRow,
    ClipState,
    Decision,
    Label,
    Suggestion,
)
from vidlabel.services.calibrating import Calibrating
from vidlabel.services.deciding import Deciding
from vidlabel.services.library import Library
from vidlabel.services.project import ProjectFacts, ProjectSession
from vidlabel.services.suggesting import Suggesting
from vidlabel.ui import tokens
from vidlabel.ui.actions import Actions
from vidlabel.ui.decide.history import HistoryList
from vidlabel.ui.decide.picker import LabelPicker
from vidlabel.ui.decide.recent import RecentLabels
from vidlabel.ui.decide.suggestions import COUNT, SuggestionList, confidence_words
from vidlabel.ui.parts.basics import SectionHead, Words, count
from vidlabel.ui.parts.flow import FlowRow
from vidlabel.ui.parts.keycap import CapButton

_TROUBLE = frozenset({ClipState.MISSING, ClipState.UNREADABLE})
_SEVERAL = "{0} selected: {1} gives each its own first suggestion, any other key one label to all."
_STATE_WORDS = {
    "failed": "No suggestions: the model could not be loaded.",
    "loading": "The model is being loaded.",
    "running": "No suggestion yet; it is on its way.",
    "paused": "Suggesting is paused.",
    "off": "Suggesting is off; the Project menu starts it.",
    "idle": "No suggestion for this clip.",
    "held": "No suggestion yet; the clip on screen goes first while a run trains.",
}


class Column(QWidget):
    """As narrow as its room: a long word is cut rather than everything else pushed out of sight."""

    # --- Qt ---
    def minimumSizeHint(self) -> QSize:
        return QSize(0, super().minimumSizeHint().height())


class DecidePanel(QWidget):
    """Builds the column and joins it to the deciding service."""

    left = Signal()
    """The person wants to be back at the player."""

    def __init__(
        self,
        deciding: Deciding,
        library: Library,
        *,
        session: ProjectSession,
        suggesting: Suggesting,
        calibrating: Calibrating,
        actions: Actions,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setObjectName("Panel")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setMinimumWidth(264)
        self.setAccessibleName("Decide")
        self._deciding = deciding
        self._library = library
        self._session = session
        self._suggesting = suggesting
        self._calibrating = calibrating
        self._actions = actions
        self._row: ClipRow | None = None
        self._models: dict[str, str] = {}
        self.model_words = Words(level="third", size=tokens.HEAD)
        self.suggestions = SuggestionList()
        self.note = Words(level="second", size=tokens.SECONDARY, wrap=True)
        self.accept = CapButton("Accept", actions.caps("decide.accept"), look="primary")
        self.picker = LabelPicker()
        self.recent = RecentLabels()
        self.verdicts = {
            action_id: CapButton(words, actions.caps(action_id))
            for action_id, words in (
                ("decide.skip", "Skip"),
                ("decide.unsure", "Unsure"),
                ("decide.unusable", "Unusable"),
            )
        }
        self.why = Words(wrap=True)
        self.history = HistoryList()
        self._build()
        self._wire()
        self._show_keys()
        self._show_suggestion(None)

    def _build(self) -> None:
        inner = Column()
        inner.setObjectName("Panel")
        layout = QVBoxLayout(inner)
        layout.setContentsMargins(*([tokens.PANEL_MARGIN] * 4))
        layout.setSpacing(0)
        head = QHBoxLayout()
        head.setSpacing(tokens.GAP)
        head.addWidget(SectionHead("Suggestions"))
        head.addStretch(1)
        head.addWidget(self.model_words)
        layout.addLayout(head)
        layout.addSpacing(8)
        layout.addWidget(self.suggestions)
        layout.addSpacing(8)
        self.note.setMinimumHeight(32)
        self.note.setAlignment(Qt.AlignmentFlag.AlignTop)
        layout.addWidget(self.note)
        layout.addSpacing(8)
        layout.addWidget(self.accept)
        layout.addSpacing(20)
        layout.addWidget(SectionHead("Another label"))
        layout.addSpacing(8)
        layout.addWidget(self.picker)
        layout.addSpacing(8)
        layout.addWidget(self.recent)
        layout.addSpacing(12)
        verdicts = FlowRow(gap=6)
        for button in self.verdicts.values():
            verdicts.add(button)
        layout.addWidget(verdicts)
        for title, widget in (("Why now", self.why), ("History", self.history)):
            layout.addSpacing(20)
            layout.addWidget(SectionHead(title))
            layout.addSpacing(8)
            layout.addWidget(widget)
        layout.addStretch(1)
        area = QScrollArea()
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setWidgetResizable(True)
        area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setWidget(inner)
        self._inner, self._area = inner, area
        # The scroll bar takes its room from the margin: what stands in the column does not move for it.
        area.verticalScrollBar().rangeChanged.connect(self._keep_width)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(area)

    def _wire(self) -> None:
        self.suggestions.taken.connect(self._deciding.take)
        self.accept.clicked.connect(self._actions["decide.accept"].trigger)
        for action_id, button in self.verdicts.items():
            button.clicked.connect(self._actions[action_id].trigger)
        self.picker.picked.connect(self._deciding.give)
        self.recent.picked.connect(self._deciding.give)
        self.picker.left.connect(self.left)
        self._deciding.suggestions_changed.connect(self._suggestion_changed)
        self._deciding.blind_changed.connect(self._blind_changed)
        self._library.current_changed.connect(self._current_changed)
        self._library.rows_changed.connect(self._rows_changed)
        self._library.selection_changed.connect(self._selection_changed)
        self._session.labels_changed.connect(self._labels_changed)
        self._session.recent_labels_changed.connect(self._recent_changed)
        self._session.changed.connect(self._project_changed)
        self._suggesting.state_changed.connect(self._suggesting_changed)
        self._calibrating.state_changed.connect(self._calibration_changed)
        self._suggesting.model_ready.connect(self._model_ready)
        self._actions.keys_changed.connect(self._show_keys)

    @Slot()
    def _keep_width(self) -> None:
        bar = self._area.verticalScrollBar()
        margin, layout = tokens.PANEL_MARGIN, self._inner.layout()
        taken = bar.sizeHint().width() if bar.maximum() > 0 else 0
        if layout is not None:
            layout.setContentsMargins(margin, margin, margin - taken, margin)

    def project_opened(self, facts: ProjectFacts) -> None:
        """Takes over the label set of another project."""
        self._models = dict((facts.model,)) if facts.model else {}
        self._labels_changed(facts.labels)
        self._recent_changed(facts.recent_labels)
        self._suggesting_changed()

    @Slot()
    def open_picker(self) -> None:
        """Starts a search for another label."""
        self.picker.open()

    @Slot(str)
    def open_picker_with(self, letter: str) -> None:
        """Starts a search with one letter typed."""
        self.picker.open(letter)

    @Slot(object)
    def _suggestion_changed(self, suggestion: Suggestion | None) -> None:
        self._show_suggestion(suggestion)
        self._show_why()

    @Slot(object)
    def _show_suggestion(self, suggestion: Suggestion | None) -> None:
        blind, row = self._deciding.blind, self._library.current
        shown = None if blind else suggestion
        about = confidence_words(shown, self._calibrating.state)
        self.suggestions.show_suggestion(shown, about)
        first = shown.scores[0] if shown is not None and shown.scores else None
        several = len(self._library.selection)
        accept = (
            f"Accept on {several:,} clips" if several > 1 else f"Accept {first.label}" if first else "Accept"
        )
        self.accept.set_words(accept)
        readable = row is None or row.state not in _TROUBLE
        self.accept.setEnabled((first is not None and readable) or (several > 1 and not blind))
        for button in self.verdicts.values():
            button.setEnabled(row is not None)
        if several > 1 and not blind:
            self.note.setText(_SEVERAL.format(count(several, "clip"), self._key_words("decide.accept")))
        elif blind:
            self.note.setText(
                f"Blind mode: suggestions are hidden. {self._key_words('see.blind')} shows them."
            )
        elif first is not None:
            self.note.setText(about)
        elif not readable:
            self.note.setText("No suggestion: the video cannot be read.")
        else:
            self.note.setText("" if row is None else _STATE_WORDS[self._suggesting.state])

    def _key_words(self, action_id: str) -> str:
        return next(iter(self._actions.caps(action_id)), self._actions[action_id].text())

    @Slot(bool)
    def _blind_changed(self, _blind: bool) -> None:
        self._show_suggestion(self._deciding.suggestion)
        self._show_why()

    @Slot(object)
    def _current_changed(self, row: ClipRow | None) -> None:
        self._row = row
        self._show_why()
        if row is None:
            self.history.clear()
        else:
            self._session.history(row.clip_id, self._history_arrived)

    @Slot(object)
    def _rows_changed(self, indices: list[int]) -> None:
        """What is known of the current clip may be another now; its suggestion on screen stays."""
        current = self._library.current_id
        if current is not None and self._library.index_of(current) in indices:
            self._row = self._library.row_of(current) or self._row
            self._show_why()

    @Slot(object)
    def _selection_changed(self, _clip_ids: tuple[int, ...]) -> None:
        self._show_suggestion(self._deciding.suggestion)

    def _show_why(self) -> None:
        row, suggestion = self._row, self._deciding.suggestion
        if (
            row is not None
            and suggestion is not None
            and suggestion.clip_id == row.clip_id
            and suggestion.scores
        ):
            # The row may be older or newer than the figures that stand above.
            first = suggestion.scores[0]
            row = replace(
                row, suggested=first.label, probability=first.probability, calibrated=first.calibrated
            )
        why = "" if row is None else self._library.why_now(row, blind=self._deciding.blind)
        self.why.setText(why.replace(" %", "\u00a0%"))

    @Slot(object)
    def _history_arrived(self, decisions: tuple[Decision, ...]) -> None:
        current = self._library.current_id
        if decisions and decisions[0].clip_id != current:
            return
        self.history.show_decisions(decisions, annotator=self._session.annotator, models=self._models)

    @Slot(object)
    def _project_changed(self, changes: Changes) -> None:
        current = self._library.current_id
        if current is not None and any(decision.clip_id == current for decision in changes.decisions):
            self._session.history(current, self._history_arrived)

    @Slot(object)
    def _labels_changed(self, labels: tuple[Label, ...]) -> None:
        self.picker.set_labels(tuple(label.name for label in labels))

    @Slot(object)
    def _recent_changed(self, recent: tuple[str, ...]) -> None:
        self.picker.set_recent(recent)
        self.recent.show_labels(recent)

    @Slot(str)
    def _suggesting_changed(self, _state: str = "") -> None:
        self.model_words.setText("" if self._suggesting.state == "failed" else self._suggesting.model_words)
        if self._deciding.suggestion is None:
            self._show_suggestion(None)

    @Slot(object)
    def _calibration_changed(self, _state: CalibrationState | None) -> None:
        """What is said of the figures may be another; the figures on screen stay until the clip is left."""
        self._show_suggestion(self._deciding.suggestion)

    @Slot(str, str)
    def _model_ready(self, name: str, _device: str) -> None:
        if self._suggesting.model_hash is not None:
            self._models[self._suggesting.model_hash] = name

    @Slot()
    def _show_keys(self) -> None:
        self.accept.set_caps(self._actions.caps("decide.accept"))
        self.picker.set_caps(self._actions.caps("decide.pick"))
        for action_id, button in self.verdicts.items():
            button.set_caps(self._actions.caps(action_id))
            button.setToolTip(self._actions[action_id].toolTip())
        for number in range(1, COUNT + 1):
            cap = next(iter(self._actions.caps(f"decide.take_{number}")), str(number))
            self.suggestions.rows[number - 1].set_cap(cap)
