"""The train page: the runs and the card at the left, a plan or the curves at the right, and their wishes joined."""

from __future__ import annotations

from PySide6.QtCore import Qt, Slot
from PySide6.QtGui import QHideEvent, QShowEvent
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QFrame,
    QHBoxLayout,
    QScrollArea,
    QSizePolicy,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from vidlabel.services.augment_preview import AugmentPreview
from vidlabel.services.run_jobs import InUse, ProofFound, RunEntry, RunFacts
from vidlabel.services.run_planning import Plan, Wanted
from vidlabel.services.run_story import RunStory
from vidlabel.services.workbench import Workbench
from vidlabel.ui import tokens
from vidlabel.ui.actions import Actions
from vidlabel.ui.models.card import Body
from vidlabel.ui.models.page import Notice
from vidlabel.ui.parts.basics import Words, count
from vidlabel.ui.parts.keycap import CapButton
from vidlabel.ui.train.dialogs import WorseDialog
from vidlabel.ui.train.form import SetupForm
from vidlabel.ui.train.live import RunView
from vidlabel.ui.train.plan_view import PlanView
from vidlabel.ui.train.proof import ProofSection
from vidlabel.ui.train.run_card import RunCard
from vidlabel.ui.train.texts import run_words

CARD_WIDTH = 340
NEW = ""
"""In the list of runs: the one that is not begun yet."""


class TrainPage(QWidget):
    """Shows a run, or the set-up of a new one; everything acts on what is chosen in the list of runs."""

    def __init__(self, workbench: Workbench, *, actions: Actions, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("Ground")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setAccessibleName("Train page")
        self._bench = workbench
        self._training = workbench.training
        self._actions = actions
        self._plan: Plan | None = None
        self._facts: RunFacts | None = None
        self._proof: ProofFound | None = None
        self._chose = self._plan_awaited = False
        self.preview = AugmentPreview(workbench.tasks, self)
        self.choice = QComboBox()
        self.choice.setAccessibleName("Run")
        self.choice.setFont(tokens.font())
        self.choice.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.form = SetupForm()
        self.start = CapButton("Start", look="primary", name="Start the run")
        self.start_words = Words(level="second", size=tokens.SECONDARY, wrap=True)
        self.card = RunCard()
        self.proof = ProofSection()
        self.trouble = Notice()
        self.plan_view = PlanView()
        self.run_view = RunView()
        self.right = QStackedWidget()
        self._build()
        self._wire()
        self._show_runs()

    def _build(self) -> None:
        setup = QWidget()
        self._setup = setup
        down = QVBoxLayout(setup)
        down.setContentsMargins(0, 0, 0, 0)
        down.setSpacing(12)
        down.addWidget(self.form)
        down.addWidget(self.start, 0, Qt.AlignmentFlag.AlignLeft)
        down.addWidget(self.start_words)
        inside = Body()
        inside.setObjectName("Panel")
        inside.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        column = QVBoxLayout(inside)
        column.setContentsMargins(*([tokens.PANEL_MARGIN] * 4))
        column.setSpacing(12)
        for widget in (self.choice, setup, self.card, self.proof):
            column.addWidget(widget)
        column.addStretch(1)
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        scroll.setWidget(inside)
        left = QFrame()
        left.setObjectName("Card")
        left.setFixedWidth(CARD_WIDTH)
        room = QVBoxLayout(left)
        room.setContentsMargins(1, 1, 1, 1)
        room.setSpacing(0)
        room.addWidget(self.trouble)
        room.addWidget(scroll, 1)
        self.right.addWidget(self.plan_view)
        self.right.addWidget(self.run_view)
        across = QHBoxLayout(self)
        across.setContentsMargins(20, 20, 20, 20)
        across.setSpacing(tokens.PANEL_MARGIN)
        across.addWidget(left)
        across.addWidget(self.right, 1)

    def _wire(self) -> None:
        training = self._training
        training.changed.connect(self._show_runs)
        training.story_told.connect(self._story_told)
        training.facts_told.connect(self._facts_told)
        training.proof_told.connect(self._proof_told)
        training.planned.connect(self._planned)
        training.plan_failed.connect(self._plan_failed)
        training.begun.connect(self._begun)
        training.in_use_changed.connect(self._in_use_changed)
        training.failed.connect(self._say_trouble)
        self._bench.models.changed.connect(self._models_changed)
        self._bench.session.counts_changed.connect(self._counts_changed)
        self.preview.shown.connect(self.plan_view.show_strips)
        self.preview.failed.connect(self.plan_view.preview_words.setText)
        self.preview.busy_changed.connect(self._preview_busy)
        self.choice.activated.connect(self._chosen)
        self.form.changed.connect(self._wanted_changed)
        self.start.clicked.connect(self._start)
        self.card.wished.connect(self._wish)
        self.card.go_on_wished.connect(self._go_on)
        self.proof.promote_wished.connect(self._promote)
        self.proof.roll_back_wished.connect(training.roll_back)
        self.proof.clips_wished.connect(self._show_clips)
        self.run_view.label_wished.connect(self._show_label)
        self.plan_view.preview_wished.connect(self._show_preview)

    @property
    def run(self) -> RunEntry | None:
        """The chosen run; None while a new one is set up."""
        return self._training.run(self.choice.currentData() or "")

    def focus_first(self) -> None:
        """Gives the keyboard to what one most likely wants to press."""
        wanted: tuple[QWidget, ...] = (
            self.start,
            self.proof.promote,
            self.card.go_on,
            self.card.pause,
            self.choice,
        )
        for widget in wanted:
            if widget.isVisible() and widget.isEnabled():
                widget.setFocus(Qt.FocusReason.OtherFocusReason)
                return

    # --- the list of runs ------------------------------------------------------------------------
    @Slot()
    def _show_runs(self) -> None:
        entries = [(run_words(run), run.name) for run in self._training.runs]
        if not self._training.why_not or not entries:
            entries.append(("New run", NEW))
        shown = [(self.choice.itemText(at), self.choice.itemData(at)) for at in range(self.choice.count())]
        if entries != shown:
            chosen = self.choice.currentData()
            self.choice.clear()
            for words, name in entries:
                self.choice.addItem(words, name)
            self.choice.setCurrentIndex(max(0, self.choice.findData(chosen)))
        if self._training.known and not self._chose:
            # What trains is what one comes to see; else a new one is begun here.
            self._chose = True
            live = self._training.live
            self.choice.setCurrentIndex(self.choice.findData(live[0].name if live else NEW))
            self._choose()
        self.choice.setVisible(self.choice.count() > 1)
        self.form.show_official(self._training.official)
        self._show()

    @Slot()
    def _chosen(self) -> None:
        self.trouble.hide()
        self._choose()
        self._show()

    def _choose(self) -> None:
        self._facts = self._proof = None
        run = self.run
        self._training.choose(run.name if run is not None else "")
        if run is None and self.isVisible():
            self._ask_plan()

    @Slot(str)
    def _begun(self, name: str) -> None:
        self.choice.setCurrentIndex(self.choice.findData(name))
        self._chosen()
        if self.isVisible():
            # The button that had it is gone.
            self.focus_first()

    # --- showing ---------------------------------------------------------------------------------
    def _show(self) -> None:
        run = self.run
        self._setup.setVisible(run is None)
        self.card.setVisible(run is not None)
        self.right.setCurrentWidget(self.plan_view if run is None else self.run_view)
        if run is None:
            self.proof.hide()
            self._show_start()
        else:
            self._show_run(run)

    def _show_run(self, run: RunEntry) -> None:
        story = self._training.story(run.name) or RunStory(state=run.state)
        if self._facts is not None:
            self.card.show_facts(self._facts)
        had_keyboard = any(
            button.hasFocus() for button in (self.card.pause, self.card.keep, self.card.stop, self.card.go_on)
        )
        self.card.show_run(run, story, facts=self._facts, why_not=self._training.why_not)
        self.run_view.show_story(story, self._proof)
        known = self._proof is not None and (
            self._proof.proof is not None or bool(run.model or self._proof.trouble)
        )
        self.proof.setVisible(known)
        if known and self._proof is not None:
            self.proof.show_proof(self._proof)
            self.proof.show_use(run, self._training.in_use, why_not=self._training.why_not)
        left = self.focusWidget()
        if had_keyboard and (left is None or not self.card.isAncestorOf(left)):
            # The button that had it is gone; Qt would give it to whatever comes next.
            self.focus_first()

    @Slot(str, object)
    def _story_told(self, name: str, _story: RunStory) -> None:
        run = self.run
        if run is not None and run.name == name and self.isVisible():
            self._show_run(run)

    @Slot(object)
    def _facts_told(self, facts: RunFacts) -> None:
        self._facts = facts
        self._show()

    @Slot(object)
    def _proof_told(self, found: ProofFound) -> None:
        self._proof = found
        self._show()

    @Slot(object)
    def _in_use_changed(self, _use: InUse) -> None:
        self._show()

    @Slot(str)
    def _say_trouble(self, words: str) -> None:
        self.trouble.say(words, level="trouble")

    # --- a new run -------------------------------------------------------------------------------
    def _ask_plan(self) -> None:
        self._plan = None
        self._plan_awaited = True
        why_not = self._training.why_not
        self.plan_view.say(why_not or "Counting …")
        self._show_start()
        self._training.plan(self.form.wanted)

    @Slot(object)
    def _wanted_changed(self, wanted: Wanted) -> None:
        if self.run is None:
            self._plan = None
            self._plan_awaited = False
            self._show_start()
            self._training.plan(wanted)

    @Slot(object)
    def _counts_changed(self, _counts: object) -> None:
        if self.run is None and self.isVisible():
            self._wanted_changed(self.form.wanted)

    @Slot(object)
    def _planned(self, plan: Plan) -> None:
        first = self._plan_awaited
        self._plan_awaited = False
        self._plan = plan
        self.plan_view.show_plan(plan)
        self._show_start()
        if first and self.form.isAncestorOf(self.focusWidget() or self):
            # It was not to be pressed yet when the page was turned to.
            self.focus_first()

    @Slot(str)
    def _plan_failed(self, words: str) -> None:
        self.plan_view.say(words)
        self.start_words.setText("")

    def _show_start(self) -> None:
        """Whether it can begin; if not, what is missing."""
        training, plan = self._training, self._plan
        why_not = training.why_not or (plan.why_not if plan is not None else "")
        if training.live and not why_not:
            why_not = f"{training.live[0].name} is training; one run at a time."
        self.start.setEnabled(plan is not None and not why_not and not training.starting)
        self.start.set_words("Starting …" if training.starting else "Start", name="Start the run")
        decided = self._bench.session.counts.decided
        self.start_words.setText(
            why_not or f"Learns from {count(decided, 'decided clip')}, in a process of its own."
        )
        self.start_words.set_level("unsure" if why_not else "second")

    @Slot()
    def _start(self) -> None:
        if self._plan is not None:
            self.trouble.hide()
            self._training.start(self._plan)

    @Slot()
    def _models_changed(self) -> None:
        self.form.show_models(self._bench.models.entries)

    @Slot()
    def _show_preview(self) -> None:
        plan = self._plan
        if plan is not None and plan.example is not None:
            settings = plan.wanted.settings
            self.preview.start(
                plan.example, model=settings.base, strength=settings.augment, seed=settings.seed
            )

    @Slot(bool)
    def _preview_busy(self, busy: bool) -> None:
        self.plan_view.preview.setEnabled(not busy)
        if busy:
            self.plan_view.preview_words.setText("Decoding a clip …")

    # --- a run -----------------------------------------------------------------------------------
    @Slot(str)
    def _wish(self, word: str) -> None:
        if self.run is not None:
            self._training.wish(self.run.name, word)

    @Slot()
    def _go_on(self) -> None:
        if self.run is not None:
            self.trouble.hide()
            self._training.go_on(self.run.name)

    @Slot()
    def _promote(self) -> None:
        """At once, unless labels got worse: then the person is asked."""
        run, found = self.run, self._proof
        if run is None:
            return
        if found is None or found.proof is None or not found.proof.worse:
            self._training.promote(run.name)
            return
        dialog = WorseDialog(found.proof, self.window())
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.finished.connect(self._promote_answered)
        dialog.open()

    @Slot(int)
    def _promote_answered(self, result: int) -> None:
        dialog = self.sender()
        promote = isinstance(dialog, WorseDialog) and dialog.answer == "promote"
        if result == QDialog.DialogCode.Accepted and promote and self.run is not None:
            self._training.promote(self.run.name)
        self.focus_first()

    @Slot(bool)
    def _show_clips(self, won: bool) -> None:
        if self._proof is not None and self._proof.proof is not None:
            proof = self._proof.proof
            who = "won" if won else "lost"
            self._bench.show_clips(proof.won if won else proof.lost, f"{who} by the candidate")

    @Slot(str)
    def _show_label(self, label: str) -> None:
        if self._proof is None:
            return
        won, lost = (which.get(label, ()) for which in (self._proof.won, self._proof.lost))
        if won or lost:
            self._bench.show_clips((*won, *lost), f"of {label} won or lost by the candidate")
        else:
            self._bench.notice.emit(f"No clip of {label} was won or lost")

    # --- Qt ---
    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._bench.models.look()
        self._training.look()
        self._show_runs()
        if self.run is None:
            self._ask_plan()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self.form.forget()
        self.preview.stop()
