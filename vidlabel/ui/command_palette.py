"""Every action by name: Ctrl+K, a few letters, Enter."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QRectF, QSize, Qt, Signal, Slot
from PySide6.QtGui import QAction, QColor, QFocusEvent, QKeyEvent, QPainter
from PySide6.QtWidgets import (
    QFrame,
    QListWidget,
    QListWidgetItem,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from vidlabel.ui import tokens
from vidlabel.ui.actions import Actions
from vidlabel.ui.decide.matching import match
from vidlabel.ui.library.filters import HintedField
from vidlabel.ui.library.model import Index
from vidlabel.ui.parts.keycap import CAP_HEIGHT, cap_width, draw_cap
from vidlabel.ui.tokens import current_colours, font

LINE = 32
LINES = 11
ID_ROLE = int(Qt.ItemDataRole.UserRole)
CAP_ROLE = ID_ROLE + 1


class CommandDelegate(QStyledItemDelegate):
    """An action's words, and its key at the right."""

    # --- Qt ---
    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return QSize(200, LINE)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        colours = current_colours()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        box = QRectF(option.rect).adjusted(4, 1, -4, -1)
        if option.state & QStyle.StateFlag.State_Selected:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(colours.selected))
            painter.drawRoundedRect(box, 4, 4)
        painter.setPen(QColor(colours.text))
        painter.setFont(font(tokens.BODY))
        painter.drawText(box.adjusted(10, 0, 0, 0), Qt.AlignmentFlag.AlignVCenter, str(index.data()))
        cap = index.data(CAP_ROLE)
        if cap:
            width = cap_width(cap)
            place = QRectF(box.right() - width - 8, box.center().y() - CAP_HEIGHT / 2, width, CAP_HEIGHT)
            draw_cap(painter, place, cap, colours=colours)


class PaletteField(HintedField):
    """The text field of the palette: arrows and Enter act on the list below it."""

    moved = Signal(int)
    entered = Signal()

    # --- Qt ---
    def keyPressEvent(self, event: QKeyEvent) -> None:
        steps = {
            Qt.Key.Key_Up: -1,
            Qt.Key.Key_Down: 1,
            Qt.Key.Key_PageUp: -LINES + 1,
            Qt.Key.Key_PageDown: LINES - 1,
        }
        key = Qt.Key(event.key())
        if key in steps:
            self.moved.emit(steps[key])
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.entered.emit()
        else:
            super().keyPressEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        if event.reason() != Qt.FocusReason.ActiveWindowFocusReason:
            self.left.emit()


class CommandPalette(QFrame):
    """A sheet over the top of the window."""

    closed = Signal()

    def __init__(self, actions: Actions, parent: QWidget) -> None:
        super().__init__(parent)
        self._actions = actions
        self._over = parent
        self._open = False
        self.setObjectName("Popup")
        self.setAccessibleName("Command palette")
        self.field = PaletteField("Type a command …", name="Command")
        self.list = QListWidget()
        self.list.setItemDelegate(CommandDelegate(self.list))
        self.list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.list.setAccessibleName("Commands")
        self.list.setUniformItemSizes(True)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 8, 8, 8)
        layout.setSpacing(6)
        layout.addWidget(self.field)
        layout.addWidget(self.list)
        self.field.textChanged.connect(self._search)
        self.field.moved.connect(self._move)
        self.field.entered.connect(self._run)
        self.field.left.connect(self.leave)
        self.list.itemClicked.connect(self._run)
        self.hide()

    def open(self) -> None:
        """Shows every action that can be started now."""
        window = self._over
        width = min(560, window.width() - 40)
        self.setGeometry(
            (window.width() - width) // 2, 56, width, min(LINES * LINE + 66, window.height() - 96)
        )
        self.field.clear()
        self._search()
        self._open = True
        self.show()
        self.raise_()
        self.field.setFocus(Qt.FocusReason.ShortcutFocusReason)

    @property
    def shown(self) -> tuple[str, ...]:
        """The words of the listed actions, best first."""
        return tuple(self.list.item(row).text() for row in range(self.list.count()))

    @Slot()
    def leave(self) -> None:
        """Closes without running anything."""
        if self._open:
            self._open = False
            self.hide()
            self.closed.emit()

    def _able(self) -> Sequence[QAction]:
        own = "program.palette"
        return [action for action in self._actions.all() if action.isEnabled() and action.objectName() != own]

    @Slot()
    def _search(self) -> None:
        able = {action.text(): action for action in self._able()}
        self.list.clear()
        for words in match(self.field.text(), tuple(able)):
            action = able[words]
            item = QListWidgetItem(words)
            item.setData(ID_ROLE, action.objectName())
            item.setData(CAP_ROLE, " ".join(self._actions.caps(action.objectName())))
            item.setData(int(Qt.ItemDataRole.AccessibleTextRole), action.toolTip())
            self.list.addItem(item)
        self.list.setCurrentRow(0)

    @Slot(int)
    def _move(self, lines: int) -> None:
        if self.list.count():
            self.list.setCurrentRow(min(max(self.list.currentRow() + lines, 0), self.list.count() - 1))

    @Slot()
    def _run(self) -> None:
        item = self.list.currentItem()
        self.leave()
        if item is not None:
            self._actions[item.data(ID_ROLE)].trigger()
