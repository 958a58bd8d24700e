"""The splitter of the three columns; its handles can be reached by Tab and moved with the arrows."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QSplitter, QSplitterHandle, QWidget

STEP = 24


class ColumnHandle(QSplitterHandle):
    """A handle for keyboards too."""

    def __init__(self, parent: QSplitter) -> None:
        super().__init__(Qt.Orientation.Horizontal, parent)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setProperty("takesArrows", True)
        self.setAccessibleName("Width of the columns")
        self.setAccessibleDescription("Left and right arrow move the border")

    # --- Qt ---
    def keyPressEvent(self, event: QKeyEvent) -> None:
        steps = {Qt.Key.Key_Left: -STEP, Qt.Key.Key_Right: STEP}
        step = steps.get(Qt.Key(event.key()))
        if step is None:
            super().keyPressEvent(event)
        else:
            self.moveSplitter(self.closestLegalPosition(self.x() + step))


class Columns(QSplitter):
    """Three widgets beside each other, the middle one taking what room there is."""

    def __init__(self, left: QWidget, centre: QWidget, right: QWidget) -> None:
        super().__init__(Qt.Orientation.Horizontal)
        self.setHandleWidth(1)
        self.setChildrenCollapsible(False)
        for widget in (left, centre, right):
            self.addWidget(widget)
        self.setStretchFactor(0, 0)
        self.setStretchFactor(1, 1)
        self.setStretchFactor(2, 0)

    # --- Qt ---
    def createHandle(self) -> QSplitterHandle:
        return ColumnHandle(self)
