"""The card of one model: its head with what can be done, and its panels in one or two columns."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, Signal, Slot
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QFrame, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from vidlabel.services.model_facts import ModelFacts, bytes_words
from vidlabel.services.model_jobs import JobKind, ModelJob
from vidlabel.services.model_survey import InProject
from vidlabel.services.models import ModelEntry, Presence
from vidlabel.ui import tokens
from vidlabel.ui.models import sections
from vidlabel.ui.models.calibration import CalibrationSection
from vidlabel.ui.models.texts import progress_words, state_words
from vidlabel.ui.parts.basics import Words, count, sentence
from vidlabel.ui.parts.keycap import CapButton
from vidlabel.ui.tokens import current_colours, font

TITLE = 20
WIDEST = 1240
TWO_COLUMNS = 760
MARGIN = 24


class ProgressBar(QWidget):
    """How much of a download is there; a moving part would be motion, so an unknown share is an empty bar."""

    def __init__(self) -> None:
        super().__init__()
        self._share: float | None = None
        self.setFixedHeight(4)
        self.setAccessibleName("Progress")

    def set_share(self, share: float | None) -> None:
        self._share = share
        self.setAccessibleDescription("not known yet" if share is None else f"{share * 100:.0f} %")
        self.update()

    # --- Qt ---
    def sizeHint(self) -> QSize:
        return QSize(240, 4)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        colours = current_colours()
        painter.setBrush(QColor(colours.line))
        painter.drawRoundedRect(self.rect(), 2, 2)
        if self._share:
            painter.setBrush(QColor(colours.accent))
            painter.drawRoundedRect(0, 0, round(self.width() * self._share), self.height(), 2, 2)


class TitleWords(sections.PathWords):
    """The name in large, cut in its middle where there is no room."""

    def __init__(self) -> None:
        super().__init__(level="")
        self.setFont(font(TITLE, bold=True))

    # --- Qt ---
    def sizeHint(self) -> QSize:
        return QSize(super().sizeHint().width(), 28)

    def minimumSizeHint(self) -> QSize:
        return QSize(min(120, self.sizeHint().width()), 28)


class CardHead(QWidget):
    """Name, state, summary, the actions, and how far a download is or why it failed."""

    primary_wished = Signal()
    cancel_wished = Signal()
    export_wished = Signal()
    remove_wished = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.name = TitleWords()
        self.title = Words(level="second")
        self.state = Words(level="second")
        self.summary = Words(wrap=True)
        self.primary = CapButton("Use in this project", ("Enter",), look="primary")
        self.cancel = CapButton("Cancel", name="Stop the download; what is fetched is kept")
        self.export = CapButton("Export…")
        self.remove = CapButton("Remove…")
        self.in_project = Words(level="second", size=tokens.SECONDARY)
        self.bar = ProgressBar()
        self.progress = Words(level="second", size=tokens.SECONDARY)
        self.trouble = Words(level="trouble", wrap=True)
        for button, signal in (
            (self.primary, self.primary_wished),
            (self.cancel, self.cancel_wished),
            (self.export, self.export_wished),
            (self.remove, self.remove_wished),
        ):
            button.clicked.connect(signal)
        self._build()

    def _build(self) -> None:
        down = QVBoxLayout(self)
        down.setContentsMargins(0, 0, 0, 0)
        down.setSpacing(6)
        names = QHBoxLayout()
        names.setSpacing(12)
        for words in (self.title, self.state):
            # Their baseline on that of the name.
            words.setContentsMargins(0, 0, 0, 3)
        names.addWidget(self.name)
        names.addWidget(self.title, 0, Qt.AlignmentFlag.AlignBottom)
        names.addStretch(1)
        names.addWidget(self.state, 0, Qt.AlignmentFlag.AlignBottom)
        down.addLayout(names)
        down.addSpacing(2)
        down.addWidget(self.summary)
        down.addSpacing(8)
        row = QHBoxLayout()
        row.setSpacing(tokens.GAP)
        for button in (self.primary, self.cancel, self.export, self.remove):
            row.addWidget(button)
        row.addSpacing(8)
        row.addWidget(self.in_project)
        row.addStretch(1)
        down.addLayout(row)
        self._progress_row = QWidget()
        progress = QHBoxLayout(self._progress_row)
        progress.setContentsMargins(0, 4, 0, 0)
        progress.setSpacing(12)
        progress.addWidget(self.bar, 1)
        progress.addWidget(self.progress)
        down.addWidget(self._progress_row)
        down.addWidget(self.trouble)

    def show_entry(self, entry: ModelEntry, *, why_not: str, offline: str) -> None:
        """Shows another model, or the same one in another state.

        Args:
            entry: the model.
            why_not: why no model can be used in the project, '' if it can.
            offline: the setting that forbids to use the network, '' if it may be used.
        """
        facts, job = entry.facts, entry.job
        self.name.set_text(facts.name)
        self.title.setText("" if facts.title == facts.name else facts.title)
        state = state_words(entry) or entry.presence.value
        self.state.setText(sentence("active in this project" if state == "active" else state))
        active, damaged = entry.presence is Presence.ACTIVE, entry.presence is Presence.DAMAGED
        self.state.set_level("trouble" if damaged else "done" if active else "second")
        self.summary.setText(facts.summary)
        self.summary.setVisible(bool(facts.summary))
        self._show_actions(entry, why_not=why_not, offline=offline)
        self._show_progress(job)
        trouble = entry.trouble
        if damaged:
            trouble = f"{sentence(trouble)} It lies in {facts.path}. Remove it, or put a whole copy there."
        elif trouble:
            # The name stands above already.
            trouble = f"It was not installed: {trouble.removeprefix(f'{facts.name}: ')}"
        elif offline and entry.presence is Presence.AVAILABLE:
            trouble = ""
        self.trouble.setText(trouble)
        self.trouble.setVisible(bool(trouble))

    def _show_actions(self, entry: ModelEntry, *, why_not: str, offline: str) -> None:
        available = entry.presence is Presence.AVAILABLE
        fetching = entry.job is not None and entry.job.kind is JobKind.INSTALL
        usable = entry.presence is Presence.INSTALLED and not why_not
        if available:
            self.primary.set_words(_install_words(entry))
            self.primary.setEnabled(not offline)
            self.primary.setToolTip(f"{offline} is set: nothing is downloaded." if offline else "")
        else:
            self.primary.set_words("Use in this project")
            self.primary.setEnabled(usable)
            self.primary.setToolTip(why_not)
        loading = entry.presence in (Presence.LOADING, Presence.ACTIVE, Presence.DAMAGED)
        self.primary.setVisible(not fetching and not loading)
        self.cancel.setVisible(fetching)
        self.cancel.setEnabled(not (entry.job is not None and entry.job.stopping))
        self.export.setVisible(bool(entry.facts.hash))
        self.export.setEnabled(entry.job is None)
        self.remove.setVisible(entry.removable)
        self.remove.setEnabled(entry.job is None)

    def _show_progress(self, job: ModelJob | None) -> None:
        self._progress_row.setVisible(job is not None)
        if job is not None:
            self.bar.setVisible(job.kind is JobKind.INSTALL)
            self.bar.set_share(job.share)
            self.progress.setText(progress_words(job) if job.kind is JobKind.INSTALL else f"{job.kind} …")

    def show_in_project(self, found: InProject | None) -> None:
        """How many of the project's clips it has suggested a label for."""
        words = ""
        if found is not None and found.of:
            words = f"Has suggested a label for {found.clips:,} of {count(found.of, 'clip')} here."
        self.in_project.setText(words)


def _install_words(entry: ModelEntry) -> str:
    """``Install 126 MB``, ``Go on, 72 MB left``, ``Try again``."""
    size = entry.facts.size or 0
    if entry.fetched and size > entry.fetched:
        return f"Go on, {bytes_words(size - entry.fetched)} left"
    if entry.trouble:
        return "Try again"
    return f"Install {bytes_words(size)}" if size else "Install"


class Body(QWidget):
    """As narrow as its room, and as high as its words are at that width: wrapped ones only guess before."""

    # --- Qt ---
    def minimumSizeHint(self) -> QSize:
        return QSize(0, 0)


class CardView(QScrollArea):
    """Scrolls the card; arrows and Page keys do so where it has the focus."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._shown: ModelFacts | None = None
        self._panels: list[QWidget] = []
        self.setObjectName("CardArea")
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setWidgetResizable(True)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setProperty("takesArrows", True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.head = CardHead()
        self.labels: sections.LabelsPanel | None = None
        self.calibration = CalibrationSection()
        self._calibration_panel = sections.Panel("Confidence in this project")
        self._calibration_panel.body.addWidget(self.calibration)
        self._left, self._right = QVBoxLayout(), QVBoxLayout()
        self._columns = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        self._columns.setSpacing(tokens.PANEL_MARGIN)
        for column in (self._left, self._right):
            column.setSpacing(tokens.PANEL_MARGIN)
            self._columns.addLayout(column, 1)
        # It stays in its place for good: a layout that gets a widget back forgets to ask for its size again.
        self._right.addWidget(self._calibration_panel)
        self._left.addStretch(1)
        self._right.addStretch(1)
        inner = QWidget()
        inner.setMaximumWidth(WIDEST)
        down = QVBoxLayout(inner)
        down.setContentsMargins(MARGIN, 20, MARGIN, MARGIN)
        down.setSpacing(20)
        down.addWidget(self.head)
        down.addLayout(self._columns)
        down.addStretch(1)
        body = Body()
        body.setObjectName("Ground")
        across = QHBoxLayout(body)
        across.setContentsMargins(0, 0, 0, 0)
        across.addWidget(inner, 100)
        across.addStretch(1)
        self.setWidget(body)

    def show_entry(self, entry: ModelEntry, *, why_not: str, offline: str) -> None:
        """Shows a model's card; panels are made anew only for another model."""
        self.head.show_entry(entry, why_not=why_not, offline=offline)
        if entry.facts != self._shown:
            self._shown = entry.facts
            self.setAccessibleName(f"Card of {entry.facts.name}")
            self._fill(entry)
            self.verticalScrollBar().setValue(0)

    def show_in_project(self, found: InProject | None) -> None:
        """What the open project has of the model; None: not known, or not installed."""
        self.head.show_in_project(found)
        self._calibration_panel.setVisible(found is not None)
        if found is not None:
            self.calibration.show_state(found)

    def _fill(self, entry: ModelEntry) -> None:
        for panel in self._panels:
            self._left.removeWidget(panel)
            self._right.removeWidget(panel)
            panel.hide()
            panel.deleteLater()
        self._panels = []
        self.labels = None
        facts = entry.facts
        self._calibration_panel.setVisible(False)
        if entry.presence is Presence.DAMAGED:
            return
        self.labels = sections.LabelsPanel(facts) if facts.labels else None
        left = [sections.what_it_is(facts), *([self.labels] if self.labels else [])]
        right = [*sections.accuracy(facts), sections.figures(facts)]
        self._panels = [*left, *right]
        for column, panels in ((self._left, left), (self._right, right)):
            for panel in panels:
                # The last item is the stretch.
                column.insertWidget(column.count() - 1, panel)

    @Slot()
    def _arrange(self) -> None:
        wide = self.viewport().width() >= TWO_COLUMNS
        way = QBoxLayout.Direction.LeftToRight if wide else QBoxLayout.Direction.TopToBottom
        if self._columns.direction() != way:
            self._columns.setDirection(way)

    # --- Qt ---
    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange()
