"""A layout that puts its items beside each other and goes on in the next line where the width ends."""

from __future__ import annotations

from PySide6.QtCore import QMargins, QPoint, QRect, QSize, Qt
from PySide6.QtWidgets import QLayout, QLayoutItem, QSizePolicy, QWidget


class FlowLayout(QLayout):
    """Left to right, then down; items of a line are centred on each other's height."""

    def __init__(self, parent: QWidget | None = None, *, gap: int = 6, line_gap: int = 6) -> None:
        super().__init__(parent)
        self._items: list[QLayoutItem] = []
        self._gap = gap
        self._line_gap = line_gap
        self.setContentsMargins(QMargins())

    def _place(self, rect: QRect, *, really: bool) -> int:
        margins = self.contentsMargins()
        inner = rect.marginsRemoved(margins)
        lines: list[tuple[list[QLayoutItem], int]] = []
        line: list[QLayoutItem] = []
        width = height = 0
        for item in self._items:
            if item.isEmpty():
                continue
            hint = item.sizeHint()
            if line and width + hint.width() > inner.width():
                lines.append((line, height))
                line, width, height = [], 0, 0
            line.append(item)
            width += hint.width() + self._gap
            height = max(height, hint.height())
        if line:
            lines.append((line, height))
        y = inner.y()
        for items, tall in lines:
            x = inner.x()
            for item in items:
                hint = item.sizeHint()
                if really:
                    top = y + (tall - hint.height()) // 2
                    item.setGeometry(
                        QRect(QPoint(x, top), QSize(min(hint.width(), inner.width()), hint.height()))
                    )
                x += hint.width() + self._gap
            y += tall + self._line_gap
        bottom = y - (self._line_gap if lines else 0)
        return bottom - rect.y() + margins.bottom()

    # --- Qt ---
    def addItem(self, item: QLayoutItem) -> None:
        self._items.append(item)

    def count(self) -> int:
        return len(self._items)

    def itemAt(self, index: int) -> QLayoutItem | None:
        return self._items[index] if 0 <= index < len(self._items) else None

    def takeAt(self, index: int) -> QLayoutItem | None:
        return self._items.pop(index) if 0 <= index < len(self._items) else None

    def expandingDirections(self) -> Qt.Orientation:
        return Qt.Orientation(0)

    def hasHeightForWidth(self) -> bool:
        return True

    def heightForWidth(self, width: int) -> int:
        return self._place(QRect(0, 0, width, 0), really=False)

    def setGeometry(self, rect: QRect) -> None:
        super().setGeometry(rect)
        self._place(rect, really=True)

    def sizeHint(self) -> QSize:
        return self.minimumSize()

    def minimumSize(self) -> QSize:
        size = QSize()
        for item in self._items:
            if not item.isEmpty():
                size = size.expandedTo(item.minimumSize())
        margins = self.contentsMargins()
        return size + QSize(margins.left() + margins.right(), margins.top() + margins.bottom())


class FlowRow(QWidget):
    """A widget laid out by :class:`FlowLayout`, whose height follows its width."""

    def __init__(self, parent: QWidget | None = None, *, gap: int = 6, line_gap: int = 6) -> None:
        super().__init__(parent)
        self.flow = FlowLayout(self, gap=gap, line_gap=line_gap)
        policy = QSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)

    def add(self, widget: QWidget) -> None:
        self.flow.addWidget(widget)

    def clear(self) -> None:
        """Removes and deletes everything in it."""
        while (item := self.flow.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None:
                widget.hide()
                widget.deleteLater()
        self.flow.invalidate()

    # --- Qt ---
    def resizeEvent(self, event: object) -> None:
        # A box layout around it asks for the height only once; tell it when the width made another.
        tall = self.flow.heightForWidth(self.width())
        if self.minimumHeight() != tall:
            self.setMinimumHeight(tall)
            self.updateGeometry()
