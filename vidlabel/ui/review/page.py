"""The review page: bars, grid, and the words that stand in its place where there is nothing to look at."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QStackedWidget, QVBoxLayout, QWidget

from vidlabel.services.review_words import Mode
from vidlabel.services.reviewing import LEAST_STEP
from vidlabel.services.workbench import Workbench
from vidlabel.ui import tokens
from vidlabel.ui.actions import Actions
from vidlabel.ui.parts.basics import percent
from vidlabel.ui.parts.keycap import CapButton
from vidlabel.ui.parts.message import MessagePage
from vidlabel.ui.review.bars import FootBar, HeadBar
from vidlabel.ui.review.texts import clips_words
from vidlabel.ui.review.view import ReviewView


class ReviewPage(QWidget):
    """Joins the grid and the bars to the service; the actions of the menu Review act on it."""

    clip_opened = Signal(int)

    def __init__(self, workbench: Workbench, actions: Actions, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("Ground")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setAccessibleName(self.tr("Review page"))
        self._bench = workbench
        self._actions = actions
        self._reviewing = workbench.reviewing
        self.head = HeadBar(self._reviewing, actions)
        self.view = ReviewView(
            self._reviewing, workbench.settings,
            filmstrips=workbench.filmstrips, thumbnails=workbench.thumbnails,
        )  # fmt: skip
        self.message = MessagePage()
        self.foot = FootBar(self._reviewing, actions)
        self._said: tuple[str, ...] = ()
        self.middle = QStackedWidget()
        self.middle.addWidget(self.view)
        self.middle.addWidget(self.message)
        grid = QVBoxLayout()
        side = tokens.PANEL_MARGIN - 5
        grid.setContentsMargins(side, 0, side, 0)
        grid.addWidget(self.middle)
        down = QVBoxLayout(self)
        down.setContentsMargins(0, 0, 0, 0)
        down.setSpacing(0)
        down.addWidget(self.head)
        down.addLayout(grid, 1)
        down.addWidget(self.foot)
        self._wire()
        self._join()
        self.foot.show_clicked(workbench.settings.review_clicked)
        self._say()

    def _wire(self) -> None:
        reviewing, view = self._reviewing, self.view
        view.clip_clicked.connect(reviewing.toggle)
        view.clip_opened.connect(self.clip_opened)
        view.tiles_painted.connect(reviewing.on_painted)
        view.capacity_changed.connect(reviewing.set_capacity)
        reviewing.screen_changed.connect(self._say)
        reviewing.choices_changed.connect(self._say)
        reviewing.state_changed.connect(self._say)
        self._bench.deciding.blind_changed.connect(self._blind_changed)
        self._bench.suggesting.state_changed.connect(self._suggesting_changed)
        self._bench.settings.changed.connect(self._setting_changed)
        self.head.picker.picked.connect(self._picked)
        self.head.picker.left.connect(self._picker_left)
        self.foot.clicked_changed.connect(self._set_clicked)

    def _join(self) -> None:
        reviewing = self._reviewing
        for action_id, slot in (
            ("accept", reviewing.accept),
            ("toggle", self._toggle),
            ("other", self._open_picker),
            ("invert", reviewing.invert),
            ("open", self._open),
            ("mode", reviewing.toggle_mode),
            ("choose", self._choose_label),
            ("next_label", self._go_label),
            ("previous_label", self._go_label),
            ("lower", self._change_least),
            ("higher", self._change_least),
            ("next_screen", reviewing.next_screen),
            ("previous_screen", reviewing.previous_screen),
            *((name, self._move) for name in ("left", "right", "up", "down", "first", "last")),
            ("fewer", self._change_across),
            ("more", self._change_across),
            *((f"clicked_{what}", self._clicked_action) for what in ("leave", "skip", "unsure")),
        ):
            self._actions.connect_to(f"review.{action_id}", slot)

    def focus_grid(self) -> None:
        """Gives the keyboard to the page."""
        if self.middle.currentWidget() is self.view:
            self.view.setFocus(Qt.FocusReason.OtherFocusReason)
        else:
            self.message.setFocus(Qt.FocusReason.OtherFocusReason)
        self._reviewing.look()

    # --- words in place of the grid --------------------------------------------------------------
    @Slot()
    def _say(self) -> None:
        reviewing = self._reviewing
        suggested = reviewing.mode is Mode.SUGGESTED
        self._actions["review.mode"].setChecked(not suggested)
        if reviewing.blind and suggested:
            self._tell(
                self.tr("Blind mode: suggestions are hidden"),
                self.tr("What a label is suggested for cannot be reviewed without seeing it suggested."),
                ("see.blind", self.tr("Show suggestions")), ("review.mode", self.tr("Review decided clips")),
            )  # fmt: skip
        elif reviewing.rows or (reviewing.label and not reviewing.loaded):
            self._show_grid()
        elif not reviewing.known:
            self._tell(self.tr("Looking for clips to review …"), "")
        elif reviewing.loaded and reviewing.total:
            left = self.tr("What was clicked is still waiting in the queue.") if suggested else ""
            self._tell(
                self.tr("All clips of {0} reviewed").format(reviewing.label),
                self.tr("{0} decided here. {1}").format(clips_words(reviewing.accepted), left).strip(),
                ("review.next_label", self.tr("Next label")), ("program.undo", self.tr("Undo")),
            )  # fmt: skip
        elif not suggested:
            self._tell(
                self.tr("No clip is decided yet"),
                self.tr("Decided clips can be looked through here, label by label, for mistakes."),
                ("review.mode", self.tr("Review suggested clips")),
            )
        else:
            self._tell_none_suggested()

    def _tell_none_suggested(self) -> None:
        reviewing, counts = self._reviewing, self._bench.session.counts
        if reviewing.least and counts.pending:
            words = self.tr(
                "No waiting clip has a suggestion of {0} or more. Lower the least confidence, or wait for suggestions."
            ).format(percent(reviewing.least))
        elif counts.pending:
            words = self.tr("No waiting clip has a suggestion yet.")
        else:
            words = self.tr("No clip waits for a decision.")
        buttons = [("review.lower", self.tr("Lower the least confidence"))] if reviewing.least else []
        if self._bench.suggesting.state in ("off", "paused", "failed"):
            buttons.append(("project.suggest", self.tr("Suggest labels")))
        if counts.decided:
            buttons.append(("review.mode", self.tr("Review decided clips")))
        self._tell(self.tr("Nothing to review"), words, *buttons)

    def _tell(self, title: str, words: str, *buttons: tuple[str, str]) -> None:
        said = (title, words, *(f"{action} {text}" for action, text in buttons))
        if said != self._said:
            self._said = said
            self.message.say(title, words, icon="empty")
            made = []
            for action, text in buttons:
                button = CapButton(text, self._actions.caps(action))
                button.clicked.connect(self._actions[action].trigger)
                made.append(button)
            self.message.set_buttons(*made)
        self._turn(self.message)

    def _show_grid(self) -> None:
        self._turn(self.view)

    def _turn(self, widget: QWidget) -> None:
        if self.middle.currentWidget() is widget:
            return
        had = self.view.hasFocus() or self.message.isAncestorOf(self.focusWidget() or self)
        had = had or self.message.hasFocus()
        self.middle.setCurrentWidget(widget)
        if had:
            widget.setFocus(Qt.FocusReason.OtherFocusReason)

    # --- wishes ----------------------------------------------------------------------------------
    def _sender_id(self) -> str:
        action = self.sender()
        return action.objectName().removeprefix("review.") if isinstance(action, QAction) else ""

    @Slot()
    def _toggle(self) -> None:
        if (row := self.view.focused) is not None:
            self._reviewing.toggle(row.clip_id)

    @Slot()
    def _open(self) -> None:
        if (row := self.view.focused) is not None:
            self.clip_opened.emit(row.clip_id)

    @Slot()
    def _move(self) -> None:
        where = self._sender_id()
        if where in ("first", "last"):
            self.view.focus_end(last=where == "last")
        else:
            across, down = {"left": (-1, 0), "right": (1, 0), "up": (0, -1), "down": (0, 1)}[where]
            self.view.move_focus(across, down)

    @Slot()
    def _change_across(self) -> None:
        self.view.change_across(-1 if self._sender_id() == "fewer" else 1)

    @Slot()
    def _change_least(self) -> None:
        step = -LEAST_STEP if self._sender_id() == "lower" else LEAST_STEP
        self._reviewing.set_least(self._reviewing.least + step)

    @Slot()
    def _go_label(self) -> None:
        self._reviewing.go_label(1 if self._sender_id() != "previous_label" else -1)

    @Slot()
    def _choose_label(self) -> None:
        if self.head.label.isVisible():
            self.head.label.setFocus(Qt.FocusReason.ShortcutFocusReason)
            self.head.label.showPopup()

    @Slot()
    def _open_picker(self) -> None:
        if self._reviewing.rows:
            session = self._bench.session
            self.head.open_picker(tuple(label.name for label in session.labels), session.recent_labels)

    @Slot(str)
    def _picked(self, label: str) -> None:
        row = self.view.focused
        self._reviewing.give(label, row.clip_id if row is not None else None)

    @Slot()
    def _picker_left(self) -> None:
        self.head.close_picker()
        self.view.setFocus(Qt.FocusReason.OtherFocusReason)

    @Slot()
    def _clicked_action(self) -> None:
        self._set_clicked(self._sender_id().removeprefix("clicked_"))

    @Slot(str)
    def _set_clicked(self, what: str) -> None:
        self._bench.settings.review_clicked = what
        self.foot.show_clicked(what)

    @Slot(str)
    def _setting_changed(self, name: str) -> None:
        if name == "review_clicked":
            self.foot.show_clicked(self._bench.settings.review_clicked)

    @Slot(bool)
    def _blind_changed(self, _on: bool) -> None:
        self._say()
        self.view.viewport().update()

    @Slot(str)
    def _suggesting_changed(self, _state: str) -> None:
        if self.isVisible():
            self._say()
