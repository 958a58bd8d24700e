"""A new run: its set-up, what it would learn from as far as that is known, and its beginning."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QVBoxLayout, QWidget

from vidlabel.services.augment_preview import AugmentPreview
from vidlabel.services.run_planning import Plan, Wanted
from vidlabel.services.workbench import Workbench
from vidlabel.ui import tokens
from vidlabel.ui.parts.basics import Words, count
from vidlabel.ui.parts.keycap import CapButton
from vidlabel.ui.train.form import SetupForm
from vidlabel.ui.train.plan_view import PlanView


class NewRun(QWidget):
    """The left side; the right one, ``view``, is told what to show. At work only while it is on screen."""

    left = Signal()
    """Esc in a field: the keyboard is to go to what is pressed next."""
    start_wished = Signal()
    """A run is being begun."""
    ready = Signal()
    """The first plan since the page was turned to is there."""

    def __init__(self, bench: Workbench, view: PlanView, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._bench = bench
        self._training = bench.training
        self._awaited = self._start_had_keyboard = False
        self.plan: Plan | None = None
        self.view = view
        self.form = SetupForm()
        self.start = CapButton("Start", look="primary", name="Start the run")
        self.start_words = Words(level="second", size=tokens.SECONDARY, wrap=True)
        self.preview = AugmentPreview(bench.tasks, self)
        down = QVBoxLayout(self)
        down.setContentsMargins(0, 0, 0, 0)
        down.setSpacing(12)
        down.addWidget(self.form)
        down.addWidget(self.start, 0, Qt.AlignmentFlag.AlignLeft)
        down.addWidget(self.start_words)
        self._wire()

    def _wire(self) -> None:
        self._training.planned.connect(self._planned)
        self._training.plan_failed.connect(self._plan_failed)
        self._bench.models.changed.connect(self._models_changed)
        self._bench.session.counts_changed.connect(self._counts_changed)
        self.preview.shown.connect(self.view.show_strips)
        self.preview.failed.connect(self.view.preview_words.setText)
        self.preview.busy_changed.connect(self._preview_busy)
        self.form.changed.connect(self._wanted_changed)
        self.form.left.connect(self.left)
        self.start.clicked.connect(self._start)
        self.view.preview_wished.connect(self._show_preview)

    def ask(self) -> None:
        """Finds out anew what a run would learn from."""
        self.plan = None
        self._awaited = True
        self.view.say(self._training.why_not or "Counting …")
        self.show_start()
        self._training.plan(self.form.wanted)

    def forget(self) -> None:
        """The page is turned away from."""
        self.form.forget()
        self.preview.stop()

    def show_start(self) -> None:
        """Whether it can begin; if not, what is missing."""
        training, plan = self._training, self.plan
        why_not = training.why_not or (plan.why_not if plan is not None else "")
        if training.live and not why_not:
            why_not = f"{training.live[0].name} is training; one run at a time."
        may_start = plan is not None and not why_not and not training.starting
        if not may_start and self.start.hasFocus():
            # Qt would give the keyboard to whatever comes next; it comes back with the button.
            self._start_had_keyboard = True
            self.setFocus(Qt.FocusReason.OtherFocusReason)
        self.start.setEnabled(may_start)
        if may_start and self._start_had_keyboard:
            self._start_had_keyboard = False
            if self.hasFocus():
                self.start.setFocus(Qt.FocusReason.OtherFocusReason)
        self.start.set_words("Starting …" if training.starting else "Start", name="Start the run")
        self.start_words.setText(why_not or self._learns_from())
        self.start_words.set_level("unsure" if why_not else "second")

    def _learns_from(self) -> str:
        clips = sum(self.plan.parts) if self.plan is not None else self._bench.session.counts.decided
        return f"Learns from {count(clips, 'decided clip')}, in a process of its own."

    @Slot(object)
    def _wanted_changed(self, wanted: Wanted) -> None:
        if self.isVisible():
            self.plan = None
            self._awaited = False
            self.show_start()
            self._training.plan(wanted)

    @Slot(object)
    def _counts_changed(self, _counts: object) -> None:
        self._wanted_changed(self.form.wanted)

    @Slot(object)
    def _planned(self, plan: Plan) -> None:
        first, self._awaited = self._awaited, False
        self.plan = plan
        self.view.show_plan(plan)
        self.show_start()
        if first:
            self.ready.emit()

    @Slot(str)
    def _plan_failed(self, words: str) -> None:
        self._awaited = False
        self.view.say(words)
        self.start_words.setText("")

    @Slot()
    def _start(self) -> None:
        if self.plan is not None:
            self.start_wished.emit()
            self._training.start(self.plan)

    @Slot()
    def _models_changed(self) -> None:
        self.form.show_models(self._bench.models.entries)

    @Slot()
    def _show_preview(self) -> None:
        if self.plan is not None and self.plan.example is not None:
            settings = self.plan.wanted.settings
            self.preview.start(
                self.plan.example, model=settings.base, strength=settings.augment, seed=settings.seed
            )

    @Slot(bool)
    def _preview_busy(self, busy: bool) -> None:
        self.view.preview.setEnabled(not busy)
        if busy:
            self.view.preview_words.setText("Decoding a clip …")
