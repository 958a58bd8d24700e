"""The pages and the menus, with the project's name and the way to the commands at their right."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QMenuBar, QWidget

from vidlabel.ui import tokens
from vidlabel.ui.actions import MENUS, SPECS, Actions
from vidlabel.ui.pages import PageBar
from vidlabel.ui.parts.basics import Words
from vidlabel.ui.parts.keycap import CapButton


class TopBar(QMenuBar):
    """Every action in a menu, in the order of the table of actions."""

    def __init__(self, actions: Actions, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._actions = actions
        # One bar on every system: it carries the project's name beside the menus.
        self.setNativeMenuBar(False)
        self.setAccessibleName("Menus")
        self.project = Words(level="second")
        self.commands = CapButton("Commands", actions.caps("program.palette"))
        self.commands.clicked.connect(actions["program.palette"].trigger)
        actions.keys_changed.connect(self._show_keys)
        self._fill()
        self.pages = PageBar(actions, self)
        self.setCornerWidget(self.pages, Qt.Corner.TopLeftCorner)
        self._corner = QWidget(self)
        row = QHBoxLayout(self._corner)
        row.setContentsMargins(0, 4, 8, 4)
        row.setSpacing(14)
        row.addWidget(self.project, 0, Qt.AlignmentFlag.AlignVCenter)
        row.addWidget(self.commands, 0, Qt.AlignmentFlag.AlignVCenter)
        self.setCornerWidget(self._corner, Qt.Corner.TopRightCorner)

    def set_project(self, name: str, path: str) -> None:
        """Shows which project is open; empty for none."""
        self.project.setText(name)
        self.project.setToolTip(path)
        self.project.setAccessibleName(f"Project {name}" if name else "No project")
        self._corner.adjustSize()
        self._place_corners()

    def show_place(self, place: str) -> None:
        """Marks the page that is shown; '' for none, where no project is open."""
        self.pages.show_place(place)
        self._place_corners()

    def _place_corners(self) -> None:
        # The bar places its corners only when it is laid out anew.
        self.resizeEvent(QResizeEvent(self.size(), self.size()))

    def _fill(self) -> None:
        self.setFont(tokens.font())
        for title in MENUS:
            menu = self.addMenu(f"&{title}")
            menu.setToolTipsVisible(False)
            for spec in SPECS:
                if spec.menu != title:
                    continue
                if spec.separator and not menu.isEmpty():
                    menu.addSeparator()
                menu.addAction(self._actions[spec.id])

    def _show_keys(self) -> None:
        self.commands.set_caps(self._actions.caps("program.palette"))
