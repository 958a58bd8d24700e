"""The evaluate page: the set-up at the left, the report at the right, and their wishes joined."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt, Slot
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QFileDialog, QFrame, QHBoxLayout, QWidget

from vidlabel.core.kept_evaluation import KeptFacts
from vidlabel.services.background import left_words
from vidlabel.services.evaluation_jobs import Asked
from vidlabel.services.evaluation_results import Result
from vidlabel.services.workbench import Workbench
from vidlabel.ui.evaluate.report import Report
from vidlabel.ui.evaluate.setup import Setup
from vidlabel.ui.evaluate.texts import cautions
from vidlabel.ui.parts.message import MessagePage

_KINDS = {
    "Folder with tables and figures (*)": "folder",
    "Every clip as CSV (*.csv)": "csv",
    "Everything as JSON (*.json)": "json",
}


class EvaluatePage(QWidget):
    """Shows the last evaluation, also one of before a restart, until another is made or the project is closed."""

    def __init__(self, workbench: Workbench, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("Ground")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setAccessibleName("Evaluate page")
        self._bench = workbench
        self._evaluating = workbench.evaluating
        self._models = workbench.models
        self._decided = -1
        self._kept: tuple[KeptFacts, ...] = ()
        self.setup = Setup()
        self.report = Report()
        self.message = MessagePage()
        line = QFrame()
        line.setObjectName("Hairline")
        line.setFixedWidth(1)
        across = QHBoxLayout(self)
        across.setContentsMargins(0, 0, 0, 0)
        across.setSpacing(0)
        across.addWidget(self.setup)
        across.addWidget(line)
        across.addWidget(self.report, 1)
        across.addWidget(self.message, 1)
        self._wire()
        self._show_result(self._evaluating.result)
        self._models_changed()

    def _wire(self) -> None:
        evaluating, setup = self._evaluating, self.setup
        self._models.changed.connect(self._models_changed)
        evaluating.choices_changed.connect(setup.show_choices)
        evaluating.choices_changed.connect(self._choices_changed)
        evaluating.state_changed.connect(self._state_changed)
        evaluating.finished.connect(self._show_result)
        evaluating.failed.connect(setup.say_trouble)
        evaluating.noted.connect(setup.say_trouble)
        evaluating.kept_changed.connect(self._kept_changed)
        evaluating.outdated_changed.connect(self._outdated)
        setup.start_wished.connect(self._start)
        setup.stop_wished.connect(evaluating.stop)
        setup.export_wished.connect(self._export)
        setup.kept_wished.connect(evaluating.show)
        self.report.clips_wished.connect(self._bench.show_clips)

    def focus_setup(self) -> None:
        """Gives the keyboard to the page."""
        self.setup.focus()

    # --- showing ---------------------------------------------------------------------------------
    @Slot()
    def _models_changed(self) -> None:
        self.setup.show_models(self._models.entries)
        self._outdated(self._evaluating.outdated)

    @Slot(object)
    def _kept_changed(self, kept: tuple[KeptFacts, ...]) -> None:
        self._kept = kept
        self._show_kept()

    def _show_kept(self) -> None:
        result = self._evaluating.result
        self.setup.show_kept(self._kept, None if result is None else result.made_at_us)

    @Slot(object)
    def _choices_changed(self, choices: object) -> None:
        self._decided = getattr(choices, "decided", 0)
        self._say()

    @Slot()
    def _state_changed(self) -> None:
        evaluating = self._evaluating
        share = evaluating.done / evaluating.total if evaluating.total else None
        job = next((job for job in self._bench.background.jobs if job.key == "evaluate"), None)
        left = f" · {left_words(job.left_s)} left" if job is not None and job.left_s is not None else ""
        words = (
            f"{evaluating.done:,} of {evaluating.total:,} clips{left}" if evaluating.total else "Starting …"
        )
        self.setup.show_running(
            running=evaluating.running, stopping=evaluating.stopping, words=words, share=share
        )
        self._say()

    @Slot(object)
    def _show_result(self, result: Result | None) -> None:
        self.report.setVisible(result is not None)
        self.message.setVisible(result is None)
        self.setup.export.setVisible(result is not None)
        if result is not None:
            self.report.show_result(result)
        self.setup.say_trouble("")
        self._show_kept()
        self._outdated(self._evaluating.outdated)
        self._say()

    @Slot(int)
    def _outdated(self, clips: int) -> None:
        result = self._evaluating.result
        models = self._models.entries
        self.setup.say_cautions(() if result is None else cautions(result, outdated=clips, models=models))

    def _say(self) -> None:
        """What stands where the report would be."""
        if self._evaluating.running:
            self.message.say("Measuring …", "The report stands here when every clip has been asked for.")
        elif self._decided == 0:
            self.message.say(
                "No clip is decided yet",
                "A model is measured by comparing its word with what you decided. Decide some clips on the "
                "Label page first; the more there are, the surer the figures.",
                icon="empty",
            )
        else:
            self.message.say(
                "How good is a model here?",
                "Choose a model and clips, and Evaluate: it is asked for every one of them, and its word is "
                "compared with what you decided. Nothing in the project changes.",
            )

    # --- wishes ----------------------------------------------------------------------------------
    @Slot(object)
    def _start(self, asked: Asked) -> None:
        self._evaluating.start(asked)

    @Slot()
    def _export(self) -> None:
        dialog = QFileDialog(self, "Export the evaluation")
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setNameFilters(list(_KINDS))
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.selectFile("evaluation")
        dialog.accepted.connect(self._export_chosen)
        dialog.open()

    @Slot()
    def _export_chosen(self) -> None:
        dialog = self.sender()
        if isinstance(dialog, QFileDialog):
            kind = _KINDS[dialog.selectedNameFilter()]
            out = Path(dialog.selectedFiles()[0])
            suffix = "" if kind == "folder" else f".{kind}"
            self._evaluating.export(out if out.suffix or not suffix else out.with_suffix(suffix), kind)

    # --- Qt ---
    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.setup.device = self._bench.settings.device
        self._models.look()
        self._evaluating.look()
