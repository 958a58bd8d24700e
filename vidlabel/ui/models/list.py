"""The list of models: groups with a heading, a line each, and a bar under the line of what is being fetched."""

from __future__ import annotations

from PySide6.QtCore import (
    QEvent,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QPointF,
    QRect,
    QRectF,
    QSize,
    Qt,
    Signal,
    Slot,
)
from PySide6.QtGui import (
    QColor,
    QFontMetricsF,
    QHelpEvent,
    QKeyEvent,
    QPainter,
    QPen,
    QStandardItem,
    QStandardItemModel,
)
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QListView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QToolTip,
    QWidget,
)

from vidlabel.services.models import ModelEntry, Presence
from vidlabel.ui import tokens
from vidlabel.ui.models.texts import line_words, spoken_words, state_words
from vidlabel.ui.tokens import Colours, current_colours, font

ENTRY_ROLE = int(Qt.ItemDataRole.UserRole)
HEAD = 36
EDGE = 16
Index = QModelIndex | QPersistentModelIndex


def state_colour(entry: ModelEntry, colours: Colours) -> str:
    """The colour of a state; its word and shape stand beside it."""
    if entry.presence is Presence.DAMAGED or entry.trouble:
        return colours.trouble
    if entry.job is not None:
        return colours.accent
    if entry.presence is Presence.ACTIVE:
        return colours.done
    return colours.second


class ModelDelegate(QStyledItemDelegate):
    """Draws a heading or a model."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._name_font = font(tokens.BODY)
        self._active_font = font(tokens.BODY, bold=True)
        self._small_font = font(tokens.SECONDARY)
        self._small = QFontMetricsF(self._small_font)

    def _paint_head(self, painter: QPainter, rect: QRect, words: str) -> None:
        colours = current_colours()
        painter.setFont(font(tokens.HEAD, bold=True, capitals=True))
        painter.setPen(QColor(colours.third))
        box = rect.adjusted(EDGE, 0, -EDGE, -8)
        painter.drawText(box, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignBottom, words)

    def _paint_entry(self, painter: QPainter, option: QStyleOptionViewItem, entry: ModelEntry) -> None:
        colours = current_colours()
        rect = option.rect
        self._paint_ground(painter, option, colours)
        right = rect.right() - EDGE
        words = state_words(entry)
        width = self._small.horizontalAdvance(words) + 2 if words else 0.0
        if words:
            mark = QPointF(right - 3.5, rect.top() + 20)
            self._paint_mark(painter, mark, entry, colours=colours)
            width += 16
            painter.setFont(self._small_font)
            painter.setPen(QColor(state_colour(entry, colours)))
            painter.drawText(
                QRectF(right - width, rect.top() + 11, width - 14, 18), Qt.AlignmentFlag.AlignVCenter, words
            )
        self._paint_words(painter, rect, entry, room=right - width - (12 if words else 0), colours=colours)
        if entry.job is not None and entry.job.running:
            self._paint_progress(painter, rect, entry.job.share, colours=colours)

    def _paint_words(
        self, painter: QPainter, rect: QRect, entry: ModelEntry, *, room: float, colours: Colours
    ) -> None:
        left = rect.left() + EDGE
        painter.setFont(self._active_font if entry.presence is Presence.ACTIVE else self._name_font)
        painter.setPen(QColor(colours.text))
        name = QRectF(left, rect.top() + 11, max(24.0, room - left), 18)
        shown = painter.fontMetrics().elidedText(
            entry.facts.name, Qt.TextElideMode.ElideMiddle, int(name.width())
        )
        painter.drawText(name, Qt.AlignmentFlag.AlignVCenter, shown)
        painter.setFont(self._small_font)
        painter.setPen(QColor(colours.second))
        second = QRectF(left, rect.top() + 31, rect.right() - EDGE - left, 18)
        line = self._small.elidedText(line_words(entry), Qt.TextElideMode.ElideRight, second.width())
        painter.drawText(second, Qt.AlignmentFlag.AlignVCenter, line)

    def _paint_mark(self, painter: QPainter, at: QPointF, entry: ModelEntry, *, colours: Colours) -> None:
        """A disc: active; a ring: installed; an arrow: being fetched; a cross: no good."""
        painter.setPen(QPen(QColor(state_colour(entry, colours)), 1.6))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        if entry.presence is Presence.DAMAGED or entry.trouble:
            painter.drawLine(at + QPointF(-3, -3), at + QPointF(3, 3))
            painter.drawLine(at + QPointF(-3, 3), at + QPointF(3, -3))
        elif entry.job is not None:
            painter.drawLine(at + QPointF(0, -4), at + QPointF(0, 4))
            painter.drawLine(at + QPointF(-3, 1), at + QPointF(0, 4))
            painter.drawLine(at + QPointF(3, 1), at + QPointF(0, 4))
        else:
            if entry.presence is Presence.ACTIVE:
                painter.setBrush(QColor(state_colour(entry, colours)))
            painter.drawEllipse(at, 3.5, 3.5)

    def _paint_ground(self, painter: QPainter, option: QStyleOptionViewItem, colours: Colours) -> None:
        rect = option.rect
        selected = bool(option.state & QStyle.StateFlag.State_Selected)
        if selected:
            painter.fillRect(rect, QColor(colours.selected))
        elif option.state & QStyle.StateFlag.State_MouseOver:
            painter.fillRect(rect, QColor(colours.raised))
        painter.fillRect(QRect(rect.left(), rect.bottom(), rect.width(), 1), QColor(colours.line))
        if selected:
            painter.fillRect(QRect(rect.left(), rect.top(), 3, rect.height()), QColor(colours.accent))
        if option.state & QStyle.StateFlag.State_HasFocus:
            painter.setPen(QPen(QColor(colours.accent), 1))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            # On whole pixels, within its own row: the rows beside it are not painted with it.
            painter.drawRect(QRectF(rect).adjusted(0.5, 0.5, -0.5, -1.5))

    def _paint_progress(
        self, painter: QPainter, rect: QRect, share: float | None, *, colours: Colours
    ) -> None:
        bar = QRectF(rect.left() + EDGE, rect.bottom() - 5, rect.width() - 2 * EDGE, 3)
        painter.fillRect(bar, QColor(colours.line))
        if share is not None:
            bar.setWidth(bar.width() * share)
            painter.fillRect(bar, QColor(colours.accent))

    # --- Qt ---
    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return QSize(200, tokens.ROW if index.data(ENTRY_ROLE) else HEAD)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        entry = index.data(ENTRY_ROLE)
        if entry is None:
            self._paint_head(painter, option.rect, str(index.data()))
        else:
            self._paint_entry(painter, option, entry)
        painter.restore()

    def helpEvent(
        self, event: QHelpEvent, view: QAbstractItemView, option: QStyleOptionViewItem, index: Index
    ) -> bool:
        if event.type() == QEvent.Type.ToolTip and index.data(ENTRY_ROLE) is not None:
            QToolTip.showText(event.globalPos(), spoken_words(index.data(ENTRY_ROLE)), view)
            return True
        return super().helpEvent(event, view, option, index)


class ModelList(QListView):
    """Keeps its choice by the model's key while lines come and go."""

    chosen = Signal(str)
    """key of the model whose card is to be shown; '' for none"""
    entered = Signal()
    """Enter or a double click on a model"""
    remove_wished = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._key = ""
        self._items = QStandardItemModel(self)
        self.setModel(self._items)
        self.setItemDelegate(ModelDelegate(self))
        self.setAccessibleName("Models")
        self.setAccessibleDescription(
            "Up and down arrows choose a model, Enter puts it to use or installs it"
        )
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setMouseTracking(True)
        self.viewport().setMouseTracking(True)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.selectionModel().currentChanged.connect(self._on_current)
        self.doubleClicked.connect(self._on_double_click)

    @property
    def key(self) -> str:
        """Of the chosen model."""
        return self._key

    def model_keys(self) -> tuple[str, ...]:
        """Of all models, from the top."""
        found = (self._entry(self._items.index(row, 0)) for row in range(self._items.rowCount()))
        return tuple(entry.key for entry in found if entry is not None)

    def show_entries(self, entries: tuple[ModelEntry, ...]) -> None:
        """Shows these; the chosen one stays chosen, else the active one is."""
        wanted = self._lines(entries)
        there = [self._items.item(row).text() for row in range(self._items.rowCount())]
        if [words for words, _ in wanted] == there:
            for row, (_, entry) in enumerate(wanted):
                self._set(self._items.item(row), entry)
            return
        self.selectionModel().blockSignals(True)
        self._items.clear()
        for words, entry in wanted:
            item = QStandardItem(words)
            item.setEditable(False)
            if entry is None:
                item.setFlags(Qt.ItemFlag.NoItemFlags)
            self._set(item, entry)
            self._items.appendRow(item)
        self.selectionModel().blockSignals(False)
        active = next((entry.key for entry in entries if entry.presence is Presence.ACTIVE), "")
        first = entries[0].key if entries else ""
        known = {entry.key for entry in entries}
        before, self._key = self._key, ""
        self.choose(next((key for key in (before, active, first) if key in known), ""))

    def choose(self, key: str) -> None:
        """Chooses a model and brings it into sight."""
        for row in range(self._items.rowCount()):
            entry = self._entry(self._items.index(row, 0))
            if entry is not None and entry.key == key:
                self.setCurrentIndex(self._items.index(row, 0))
                # With the first model its heading comes into sight too.
                self.scrollTo(self._items.index(max(0, row - 1), 0))
                self.scrollTo(self._items.index(row, 0))
                return

    @staticmethod
    def _lines(entries: tuple[ModelEntry, ...]) -> list[tuple[str, ModelEntry | None]]:
        lines: list[tuple[str, ModelEntry | None]] = []
        group = None
        for entry in entries:
            if entry.group is not group:
                group = entry.group
                lines.append((group.value, None))
            lines.append((entry.key, entry))
        return lines

    @staticmethod
    def _set(item: QStandardItem, entry: ModelEntry | None) -> None:
        if entry is not None and item.data(ENTRY_ROLE) != entry:
            item.setData(entry, ENTRY_ROLE)
            item.setData(spoken_words(entry), int(Qt.ItemDataRole.AccessibleTextRole))

    @staticmethod
    def _entry(index: Index) -> ModelEntry | None:
        entry = index.data(ENTRY_ROLE)
        return entry if isinstance(entry, ModelEntry) else None

    @Slot(QModelIndex)
    def _on_current(self, index: QModelIndex) -> None:
        entry = self._entry(index)
        key = "" if entry is None else entry.key
        if key != self._key:
            self._key = key
            self.chosen.emit(key)

    @Slot(QModelIndex)
    def _on_double_click(self, index: QModelIndex) -> None:
        if self._entry(index) is not None:
            self.entered.emit()

    # --- Qt ---
    def keyPressEvent(self, event: QKeyEvent) -> None:
        key = Qt.Key(event.key())
        if event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier:
            super().keyPressEvent(event)
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            if not event.isAutoRepeat():
                self.entered.emit()
        elif key == Qt.Key.Key_Delete:
            self.remove_wished.emit()
        elif key in (Qt.Key.Key_Home, Qt.Key.Key_End) and self.model_keys():
            # The first line is a heading, with which Qt would be content.
            self.choose(self.model_keys()[0 if key == Qt.Key.Key_Home else -1])
        else:
            super().keyPressEvent(event)
