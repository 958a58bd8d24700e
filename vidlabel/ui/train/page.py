"""The train page: the list of runs and the chosen one at the left, a plan or its curves at the right.

It is built in slices after the page is on screen, and what need not know Qt is loaded by another thread meanwhile:
built at once it would hold up whoever is labelling for a quarter of a second.
"""

from __future__ import annotations

import importlib
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QHideEvent, QKeyEvent, QShowEvent
from PySide6.QtWidgets import (
    QComboBox,
    QFrame,
    QHBoxLayout,
    QScrollArea,
    QSizePolicy,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from vidlabel.services.workbench import Workbench
from vidlabel.ui import tokens
from vidlabel.ui.actions import Actions
from vidlabel.ui.train.slices import Slices

if TYPE_CHECKING:
    from vidlabel.services.run_jobs import RunEntry
    from vidlabel.ui.train.live import RunView
    from vidlabel.ui.train.new_run import NewRun
    from vidlabel.ui.train.one_run import OneRun
    from vidlabel.ui.train.plan_view import PlanView

CARD_WIDTH = 340
NEW = ""
"""In the list of runs: the one that is not begun yet."""
_WITHOUT_QT = (
    "urllib.request",
    "vidlabel.core.proof_words",
    "vidlabel.services.model_survey",
    "vidlabel.services.run_jobs",
    "vidlabel.services.run_planning",
    "vidlabel.services.run_story",
)
_WITH_QT = (
    "vidlabel.services.training",
    "vidlabel.services.models",
    "vidlabel.services.augment_preview",
    "vidlabel.ui.models.card",
    "vidlabel.ui.models.sections",
    "vidlabel.ui.models.page",
    "vidlabel.ui.train.fields",
    "vidlabel.ui.train.more_settings",
    "vidlabel.ui.train.form",
    "vidlabel.ui.train.labels_table",
    "vidlabel.ui.train.texts",
    "vidlabel.ui.train.plan_view",
    "vidlabel.ui.train.new_run",
    "vidlabel.ui.train.curves",
    "vidlabel.ui.train.proof",
    "vidlabel.ui.train.live",
    "vidlabel.ui.train.run_card",
    "vidlabel.ui.train.one_run",
)


_PIECES = 6
"""Of the settings that few change; more are built when they are first shown."""


def _load(name: str) -> None:
    importlib.import_module(name)


def _load_ahead() -> None:
    """In the pool: modules that make no class of Qt's."""
    for name in _WITHOUT_QT:
        _load(name)


class TrainPage(QWidget):
    """Shows a run, or the set-up of a new one; everything acts on what is chosen in the list of runs.

    ``new_run`` and ``one_run`` (left), ``plan_view`` and ``run_view`` (right), and ``trouble`` are there once it is
    ``built``.
    """

    built = Signal()

    new_run: NewRun
    one_run: OneRun
    plan_view: PlanView
    run_view: RunView

    def __init__(self, workbench: Workbench, *, actions: Actions, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("Ground")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setAccessibleName("Train page")
        self._bench = workbench
        self._actions = actions
        self._chose = False
        self.is_built = False
        self.right = QStackedWidget()
        self.choice = QComboBox()
        self.choice.setAccessibleName("Run")
        self.choice.setFont(tokens.font())
        self.choice.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.choice.hide()
        self._room = QVBoxLayout()
        self._column = QVBoxLayout()
        self._frame()
        self._slices: Slices | None = None

    def _frame(self) -> None:
        left = QFrame()
        left.setObjectName("Card")
        left.setFixedWidth(CARD_WIDTH)
        left.setLayout(self._room)
        self._room.setContentsMargins(1, 1, 1, 1)
        self._room.setSpacing(0)
        self._column.setContentsMargins(*([tokens.PANEL_MARGIN] * 4))
        self._column.setSpacing(12)
        across = QHBoxLayout(self)
        across.setContentsMargins(20, 20, 20, 20)
        across.setSpacing(tokens.PANEL_MARGIN)
        across.addWidget(left)
        across.addWidget(self.right, 1)

    # --- building --------------------------------------------------------------------------------
    def _begin_building(self) -> None:
        if self._slices is None:
            self._slices = Slices(
                [
                    *(partial(_load, name) for name in _WITH_QT),
                    self._meet_services, self._build_column, self._build_plan_view, self._build_new_run,
                    *[self._build_more] * _PIECES, self._build_run_view, self._build_one_run, self._join,
                ],
                self,
            )  # fmt: skip
            self._slices.done.connect(self._all_built)
            self._bench.tasks.run(_load_ahead, self._loaded, self._loaded)

    def _loaded(self, _answer: object) -> None:
        # Where loading failed, the slices say so.
        if self._slices is not None:
            self._slices.start()

    def _meet_services(self) -> None:
        _ = self._bench.training, self._bench.models

    def _build_column(self) -> None:
        from vidlabel.ui.models.card import Body
        from vidlabel.ui.models.page import Notice

        self.trouble = Notice()
        inside = Body()
        inside.setObjectName("Panel")
        inside.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        inside.setLayout(self._column)
        self._column.addWidget(self.choice)
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        scroll.setWidget(inside)
        self._scroll = scroll
        self._room.addWidget(self.trouble)
        self._room.addWidget(scroll, 1)

    def _build_plan_view(self) -> None:
        from vidlabel.ui.train.plan_view import PlanView

        self.plan_view = PlanView()
        self.right.addWidget(self.plan_view)

    def _build_new_run(self) -> None:
        from vidlabel.ui.train.new_run import NewRun

        self.new_run = NewRun(self._bench, self.plan_view)
        self.new_run.hide()
        self._column.addWidget(self.new_run)

    def _build_more(self) -> None:
        self.new_run.form.more.build_piece()

    def _build_run_view(self) -> None:
        from vidlabel.ui.train.live import RunView

        self.run_view = RunView()
        self.right.addWidget(self.run_view)

    def _build_one_run(self) -> None:
        from vidlabel.ui.train.one_run import OneRun

        self.one_run = OneRun(self._bench, self.run_view)
        self.one_run.hide()
        self._column.addWidget(self.one_run)
        self._column.addStretch(1)

    def _join(self) -> None:
        training = self._bench.training
        training.changed.connect(self._show_runs)
        training.begun.connect(self._begun)
        training.failed.connect(self._say_trouble)
        self.choice.activated.connect(self._chosen)
        self.new_run.left.connect(self.focus_first)
        self.new_run.ready.connect(self._plan_is_there)
        self.new_run.start_wished.connect(self.trouble.hide)
        self.one_run.keyboard_lost.connect(self.focus_first)
        self.one_run.acted.connect(self.trouble.hide)

    @Slot()
    def _all_built(self) -> None:
        self.is_built = True
        had_keyboard = self.hasFocus()
        if self.isVisible():
            self._come()
        if had_keyboard:
            self.focus_first()
        self.built.emit()

    # --- what is chosen --------------------------------------------------------------------------
    @property
    def run(self) -> RunEntry | None:
        """The chosen run; None while a new one is set up."""
        return self._bench.training.run(self.choice.currentData() or "")

    @Slot()
    def focus_first(self) -> None:
        """Gives the keyboard to what one most likely wants to press."""
        if not self.is_built:
            self.setFocus(Qt.FocusReason.OtherFocusReason)
            return
        wanted: tuple[QWidget, ...] = (
            self.new_run.start,
            self.one_run.proof.promote,
            self.one_run.card.go_on,
            self.one_run.card.pause,
            self.choice,
            self.new_run.form.base,
            self.run_view.loss,
        )
        for widget in wanted:
            if widget.isVisible() and widget.isEnabled():
                widget.setFocus(Qt.FocusReason.OtherFocusReason)
                return

    @Slot()
    def _plan_is_there(self) -> None:
        if self.new_run.isAncestorOf(self.focusWidget() or self):
            # It was not to be pressed yet when the page was turned to.
            self.focus_first()

    @Slot()
    def _show_runs(self) -> None:
        from vidlabel.ui.train.texts import run_words

        training = self._bench.training
        entries = [(run_words(run), run.name) for run in training.runs]
        if not training.why_not or not entries:
            entries.append(("New run", NEW))
        shown = [(self.choice.itemText(at), self.choice.itemData(at)) for at in range(self.choice.count())]
        if entries != shown:
            chosen = self.choice.currentData()
            self.choice.clear()
            for words, name in entries:
                self.choice.addItem(words, name)
            self.choice.setCurrentIndex(max(0, self.choice.findData(chosen)))
        if training.known and not self._chose:
            # What trains is what one comes to see; else a new one is begun here.
            self._chose = True
            live = training.live
            self.choice.setCurrentIndex(max(0, self.choice.findData(live[0].name if live else NEW)))
            self._choose()
        self.choice.setVisible(self.choice.count() > 1)
        self.new_run.form.show_official(training.official)
        self._show()

    @Slot()
    def _chosen(self) -> None:
        self.trouble.hide()
        self._choose()
        self._show()

    def _choose(self) -> None:
        self.one_run.choose(self.run)
        if self.run is None and self.isVisible():
            self.new_run.ask()

    @Slot(str)
    def _begun(self, name: str) -> None:
        self.new_run.form.keep_test()
        self.choice.setCurrentIndex(self.choice.findData(name))
        self._chosen()
        if self.isVisible():
            # The button that had it is gone.
            self.focus_first()

    def _show(self) -> None:
        run = self.run
        self.new_run.setVisible(run is None)
        self.one_run.setVisible(run is not None)
        self.right.setCurrentWidget(self.plan_view if run is None else self.run_view)
        if run is None:
            self.new_run.show_start()
        else:
            self.one_run.show_run(run)

    @Slot(str)
    def _say_trouble(self, words: str) -> None:
        self.trouble.say(words, level="trouble")

    def _come(self) -> None:
        """It is on screen: what it shows may have become others meanwhile."""
        self._bench.models.look()
        self._bench.training.look()
        self._show_runs()
        if self.run is None:
            self.new_run.ask()

    # --- Qt ---
    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if self.is_built:
            self._come()
        else:
            self._begin_building()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        if self.is_built:
            self.new_run.forget()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        # A field that was typed in keeps Esc from the shortcut, and has no use for it.
        if event.key() == Qt.Key.Key_Escape and self.is_built:
            self.focus_first()
        else:
            super().keyPressEvent(event)
