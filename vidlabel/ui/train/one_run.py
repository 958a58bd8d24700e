"""A run that there is: its card and its proof at the left, and what is done with it and with the model it made."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QDialog, QVBoxLayout, QWidget

from vidlabel.services.run_jobs import InUse, ProofFound, RunEntry, RunFacts
from vidlabel.services.run_story import RunStory
from vidlabel.services.workbench import Workbench
from vidlabel.ui.train.dialogs import WorseDialog
from vidlabel.ui.train.live import RunView
from vidlabel.ui.train.proof import ProofSection
from vidlabel.ui.train.run_card import RunCard


class OneRun(QWidget):
    """The left side; the right one, ``view``, is told what to show."""

    keyboard_lost = Signal()
    """The button that had it is gone; Qt would give it to whatever comes next."""
    acted = Signal()
    """Something was begun: what went wrong before is past."""

    def __init__(self, bench: Workbench, view: RunView, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._bench = bench
        self._training = bench.training
        self._facts: RunFacts | None = None
        self.run: RunEntry | None = None
        self.found: ProofFound | None = None
        self.view = view
        self.card = RunCard()
        self.proof = ProofSection()
        down = QVBoxLayout(self)
        down.setContentsMargins(0, 0, 0, 0)
        down.setSpacing(12)
        down.addWidget(self.card)
        down.addWidget(self.proof)
        self._wire()

    def _wire(self) -> None:
        training = self._training
        training.story_told.connect(self._story_told)
        training.facts_told.connect(self._facts_told)
        training.proof_told.connect(self._proof_told)
        training.in_use_changed.connect(self._in_use_changed)
        self.card.wished.connect(self._wish)
        self.card.go_on_wished.connect(self._go_on)
        self.proof.promote_wished.connect(self._promote)
        self.proof.roll_back_wished.connect(training.roll_back)
        self.proof.clips_wished.connect(self._show_clips)
        self.view.label_wished.connect(self._show_label)

    def choose(self, run: RunEntry | None) -> None:
        """Another run, or none; its facts and its proof follow."""
        self._facts = self.found = None
        self.run = run
        self._training.choose(run.name if run is not None else "")

    def show_run(self, run: RunEntry) -> None:
        """The chosen run as it stands now."""
        self.run = run
        story = self._training.story(run.name) or RunStory(state=run.state)
        if self._facts is not None:
            self.card.show_facts(self._facts)
        had_keyboard = any(button.hasFocus() for button in self.card.buttons)
        self.card.show_run(run, story, facts=self._facts, why_not=self._training.why_not)
        self.view.show_story(story, self.found)
        found = self.found
        known = found is not None and (found.proof is not None or bool(run.model or found.trouble))
        self.proof.setVisible(known)
        if known and found is not None:
            self.proof.show_proof(found)
            self.proof.show_use(run, self._training.in_use, why_not=self._training.why_not)
        if had_keyboard and not any(button.hasFocus() for button in self.card.buttons):
            self.keyboard_lost.emit()

    def _show(self) -> None:
        if self.run is not None:
            self.show_run(self._training.run(self.run.name) or self.run)

    @Slot(str, object)
    def _story_told(self, name: str, _story: RunStory) -> None:
        if self.run is not None and self.run.name == name and self.isVisible():
            self._show()

    @Slot(object)
    def _facts_told(self, facts: RunFacts) -> None:
        self._facts = facts
        self._show()

    @Slot(object)
    def _proof_told(self, found: ProofFound) -> None:
        self.found = found
        self._show()

    @Slot(object)
    def _in_use_changed(self, _use: InUse) -> None:
        self._show()

    # --- what is done with it --------------------------------------------------------------------
    @Slot(str)
    def _wish(self, word: str) -> None:
        if self.run is not None:
            self._training.wish(self.run.name, word)

    @Slot()
    def _go_on(self) -> None:
        if self.run is not None:
            self.acted.emit()
            self._training.go_on(self.run.name)

    @Slot()
    def _promote(self) -> None:
        """At once, unless labels got worse: then the person is asked."""
        if self.run is None:
            return
        if self.found is None or self.found.proof is None or not self.found.proof.worse:
            self._training.promote(self.run.name)
            return
        dialog = WorseDialog(self.found.proof, self.window())
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.finished.connect(self._promote_answered)
        dialog.open()

    @Slot(int)
    def _promote_answered(self, result: int) -> None:
        dialog = self.sender()
        promote = isinstance(dialog, WorseDialog) and dialog.answer == "promote"
        if result == QDialog.DialogCode.Accepted and promote and self.run is not None:
            self._training.promote(self.run.name)
        self.keyboard_lost.emit()

    @Slot(bool)
    def _show_clips(self, won: bool) -> None:
        if self.found is not None and self.found.proof is not None:
            proof = self.found.proof
            who = "won" if won else "lost"
            self._bench.show_clips(proof.won if won else proof.lost, f"{who} by the candidate")

    @Slot(str)
    def _show_label(self, label: str) -> None:
        if self.found is None:
            return
        won, lost = (which.get(label, ()) for which in (self.found.won, self.found.lost))
        if won or lost:
            self._bench.show_clips((*won, *lost), f"of {label} won or lost by the candidate")
        else:
            self._bench.notice.emit(f"No clip of {label} was won or lost")
