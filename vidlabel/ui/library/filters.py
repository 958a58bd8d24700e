"""The filter of the library: a text field with expressions, chips for what is on, menus for the rest."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import QPoint, QRectF, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QAction, QIcon, QKeyEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QLineEdit, QMenu, QToolButton, QVBoxLayout, QWidget

from vidlabel.core.errors import VidlabelError
from vidlabel.core.filters import parse
from vidlabel.core.words import ChosenClips, ClipState, Counts, Label, QueueOrder
from vidlabel.ui import tokens
from vidlabel.ui.parts.basics import Chip, Words
from vidlabel.ui.parts.flow import FlowRow
from vidlabel.ui.parts.icons import icon
from vidlabel.ui.parts.keycap import CAP_HEIGHT, cap_width, draw_cap
from vidlabel.ui.tokens import current_colours

ORDER_WORDS = {
    QueueOrder.LEAST_SURE: "least sure first",
    QueueOrder.SUREST: "surest first",
    QueueOrder.PATH: "by path",
    QueueOrder.RANDOM: "random",
}
AS_CHOSEN = "as listed"
"""Clips that were picked one by one have an order of their own."""
PAUSE_MS = 120
"""Typing rests this long before the list is asked again."""


class HintedField(QLineEdit):
    """A text field that shows, while it is empty and unfocused, the key that leads into it."""

    left = Signal()
    """Esc: the person is done here."""

    def __init__(self, placeholder: str, *, name: str, caps: tuple[str, ...] = ()) -> None:
        super().__init__()
        self._caps = caps
        self.setPlaceholderText(placeholder)
        self.setAccessibleName(name)
        self.setFixedHeight(tokens.CONTROL)
        self.textChanged.connect(self._keep_clear)
        self._keep_clear("")

    def set_caps(self, caps: tuple[str, ...]) -> None:
        self._caps = caps
        self._keep_clear(self.text())
        self.update()

    def empty(self) -> None:
        """Without text, and without telling."""
        self.blockSignals(True)
        self.clear()
        self.blockSignals(False)
        self._keep_clear("")

    @Slot(str)
    def _keep_clear(self, text: str) -> None:
        """The placeholder does not run under the caps."""
        room = 0 if text else sum(round(cap_width(cap)) + 4 for cap in self._caps)
        self.setTextMargins(0, 0, room, 0)

    # --- Qt ---
    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.left.emit()
            return
        super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if self.text() or self.hasFocus():
            return
        painter = QPainter(self)
        x = float(self.width() - 8)
        for cap in reversed(self._caps):
            width = cap_width(cap)
            x -= width
            place = QRectF(x, (self.height() - CAP_HEIGHT) / 2, width, CAP_HEIGHT)
            draw_cap(painter, place, cap, colours=current_colours())
            x -= 4


class FilterBar(QWidget):
    """Holds the query of the library. ``query_changed`` tells the whole of it."""

    query_changed = Signal(object)
    order_chosen = Signal(str)
    left = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._states: set[ClipState] = set()
        self._labels: set[str] = set()
        self._chosen: ChosenClips | None = None
        self._as_chosen = False
        self._all_labels: tuple[Label, ...] = ()
        self._counts = Counts()
        self._order = QueueOrder.LEAST_SURE
        self.field = HintedField("Filter: label:throw conf<0.8 …", name="Filter the library")
        self.field.setAccessibleDescription(
            "Words of the path, or state:, label:, suggested:, folder:, conf< and conf>"
        )
        self._drop_text = self.field.addAction(QIcon(), QLineEdit.ActionPosition.TrailingPosition)
        self._drop_text.setToolTip("Clear the text")
        for button in self.field.findChildren(QToolButton):
            button.setAccessibleName("Clear the text of the filter")
        self._drop_text.setVisible(False)
        self._drop_text.triggered.connect(self.field.clear)
        self.trouble = Words(level="trouble", size=tokens.SECONDARY, wrap=True)
        self.trouble.hide()
        self._chips = FlowRow()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(tokens.GAP)
        for widget in (self.field, self.trouble, self._chips):
            layout.addWidget(widget)
        self._pause = QTimer(self)
        self._pause.setSingleShot(True)
        self._pause.setInterval(PAUSE_MS)
        self._pause.timeout.connect(self._tell)
        self.field.textChanged.connect(self._typed)
        self.field.returnPressed.connect(self._finished)
        self.field.left.connect(self.left)
        self._build_chips()

    @property
    def is_empty(self) -> bool:
        """Whether every clip passes."""
        return not (self.field.text().strip() or self._states or self._labels or self._chosen)

    def set_labels(self, labels: tuple[Label, ...]) -> None:
        self._all_labels = labels

    def set_counts(self, counts: Counts) -> None:
        self._counts = counts

    def set_order(self, order: QueueOrder) -> None:
        """Shows and applies a queue order."""
        if order is not self._order or self._as_chosen:
            self._order = order
            self._as_chosen = False
            self._build_chips()
            self._tell()

    def choose(self, chosen: ChosenClips) -> None:
        """Shows these clips only, in their own order, in place of any other filter; a chip removes that again."""
        self._empty()
        self._chosen = chosen
        self._as_chosen = True
        self._build_chips()
        self._tell()

    def restore(self, order: QueueOrder) -> None:
        """Empties the filter for a project just opened, without telling it."""
        self._empty()
        self._order = order
        self._build_chips()

    def _empty(self) -> None:
        self._states.clear()
        self._labels.clear()
        self._chosen = None
        self._as_chosen = False
        self._pause.stop()
        self.field.empty()
        self._drop_text.setVisible(False)
        self.trouble.hide()

    @Slot()
    def clear(self) -> None:
        """Lets every clip pass."""
        self._empty()
        self._build_chips()
        self._tell()

    @Slot(str)
    def _typed(self, text: str) -> None:
        self._drop_text.setIcon(icon("close", current_colours().second))
        self._drop_text.setVisible(bool(text))
        self._pause.start()

    @Slot()
    def _finished(self) -> None:
        self._tell()
        if self.trouble.isHidden():
            self.left.emit()

    @Slot()
    def _tell(self) -> None:
        self._pause.stop()
        try:
            query = parse(self.field.text())
        except VidlabelError as error:
            self.trouble.setText(str(error))
            self.trouble.show()
            return
        self.trouble.hide()
        query = replace(
            query,
            states=query.states | self._states,
            labels=query.labels | self._labels,
            order=self._order,
            chosen=self._chosen,
            sort="chosen" if self._as_chosen else query.sort,
        )
        self.query_changed.emit(query)

    def _build_chips(self) -> None:
        self._chips.clear()
        if self._chosen is not None:
            words = f"{len(self._chosen.ids):,} {self._chosen.words}"
            chip = Chip(f"{words}  ✕", on=True, name=f"Remove the filter: {words}")
            chip.setToolTip(f"Only the clips {self._chosen.words}. A click shows every clip again.")
            chip.clicked.connect(self._drop_chosen)
            self._chips.add(chip)
        for state in sorted(self._states):
            chip = Chip(f"{state.value}  ✕", on=True, name=f"Remove the filter {state.value}")
            chip.setProperty("state", state.value)
            chip.clicked.connect(self._drop_chip)
            self._chips.add(chip)
        for label in sorted(self._labels):
            chip = Chip(f"{label}  ✕", on=True, name=f"Remove the filter {label}")
            chip.setProperty("label", label)
            chip.clicked.connect(self._drop_chip)
            self._chips.add(chip)
        more = Chip("+ filter", name="Add a filter")
        more.clicked.connect(self._show_filters)
        self._chips.add(more)
        words = AS_CHOSEN if self._as_chosen else ORDER_WORDS[self._order]
        order = Chip(f"order: {words} ▾", name=f"Order of the queue: {words}")
        order.clicked.connect(self._show_orders)
        self._chips.add(order)
        self._chips.updateGeometry()

    @Slot()
    def _drop_chip(self) -> None:
        chip = self.sender()
        if chip is None:
            return
        if chip.property("state"):
            self._states.discard(ClipState(chip.property("state")))
        if chip.property("label"):
            self._labels.discard(str(chip.property("label")))
        self._build_chips()
        self._tell()

    @Slot()
    def _drop_chosen(self) -> None:
        self._chosen = None
        self._as_chosen = False
        self._build_chips()
        self._tell()

    @Slot()
    def _show_filters(self) -> None:
        menu = QMenu(self)
        for state in ClipState:
            number = self._counts.by_state.get(state, 0)
            if number or state in self._states:
                self._add_check(
                    menu, f"{state.value}\t{number:,}", f"state:{state.value}", on=state in self._states
                )
        if self._all_labels:
            below = menu.addMenu("Label")
            for label in self._all_labels:
                number = self._counts.by_label.get(label.name, 0)
                words = f"{label.name.replace('&', '&&')}\t{number:,}"
                self._add_check(below, words, f"label:{label.name}", on=label.name in self._labels)
        if not self.is_empty:
            menu.addSeparator()
            menu.addAction("Clear the filter", self.clear)
        self._pop(menu)

    def _add_check(self, menu: QMenu, words: str, what: str, *, on: bool) -> None:
        action = menu.addAction(words)
        action.setCheckable(True)
        action.setChecked(on)
        action.setData(what)
        action.triggered.connect(self._filter_chosen)

    @Slot()
    def _filter_chosen(self) -> None:
        action = self.sender()
        if not isinstance(action, QAction):
            return
        kind, _, value = str(action.data()).partition(":")
        if kind == "state":
            self._states ^= {ClipState(value)}
        else:
            self._labels ^= {value}
        self._build_chips()
        self._tell()

    @Slot()
    def _show_orders(self) -> None:
        menu = QMenu(self)
        if self._chosen is not None:
            action = menu.addAction(AS_CHOSEN[0].upper() + AS_CHOSEN[1:])
            action.setCheckable(True)
            action.setChecked(self._as_chosen)
            action.triggered.connect(self._order_as_chosen)
        for order, words in ORDER_WORDS.items():
            action = menu.addAction(words[0].upper() + words[1:])
            action.setCheckable(True)
            action.setChecked(order is self._order and not self._as_chosen)
            action.setData(order.value)
            action.triggered.connect(self._order_chosen)
        self._pop(menu)

    @Slot()
    def _order_chosen(self) -> None:
        action = self.sender()
        if isinstance(action, QAction):
            self.order_chosen.emit(str(action.data()))

    @Slot()
    def _order_as_chosen(self) -> None:
        self._as_chosen = True
        self._build_chips()
        self._tell()

    def _pop(self, menu: QMenu) -> None:
        chip = self.sender()
        origin = chip if isinstance(chip, QWidget) else self
        menu.aboutToHide.connect(menu.deleteLater)
        menu.popup(origin.mapToGlobal(QPoint(0, origin.height() + 2)))
