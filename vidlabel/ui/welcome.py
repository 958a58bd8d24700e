"""The first page: open a folder or a project, try the sample clips, or go on with a recent project."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QSize, Qt, Signal, Slot
from PySide6.QtWidgets import QFrame, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from vidlabel.ui import tokens
from vidlabel.ui.actions import Actions
from vidlabel.ui.parts.basics import SectionHead, Words
from vidlabel.ui.parts.keycap import CapButton

RECENT = 8


class RecentButton(CapButton):
    """One recent project: its name, and where it lies."""

    def __init__(self, path: str) -> None:
        super().__init__("", look="quiet", name=f"Open {path}")
        self.path = path
        place = Path(path)
        self.setToolTip(path)
        inside = QVBoxLayout(self)
        inside.setContentsMargins(10, 6, 10, 6)
        inside.setSpacing(1)
        inside.addWidget(Words(place.name))
        inside.addWidget(Words(_short(str(place.parent)), level="third", size=tokens.SECONDARY))

    # --- Qt ---
    def sizeHint(self) -> QSize:
        return QSize(300, 50)


def _short(path: str, most: int = 58) -> str:
    home = str(Path.home())
    if path.startswith(home + "/"):
        path = "~" + path[len(home) :]
    return path if len(path) <= most else f"{path[: most // 2]}…{path[-most // 2 :]}"


class WelcomePage(QWidget):
    """Three ways in, and the way back."""

    recent_wished = Signal(str)

    def __init__(self, actions: Actions, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("Ground")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setAccessibleName("Welcome")
        self.trouble = Words(level="trouble", wrap=True)
        self.trouble.hide()
        self.open_folder = self._button(
            actions, "program.open", "Open folder", look="primary", icon_name="folder"
        )
        self.open_project = self._button(actions, "project.open_file", "Open project", icon_name="project")
        self.samples = self._button(actions, "project.samples", "Try the sample clips", icon_name="samples")
        self._recent_head = SectionHead("Recent projects")
        self._recent = QVBoxLayout()
        self._recent.setSpacing(2)
        inner = QWidget()
        inner.setFixedWidth(480)
        column = QVBoxLayout(inner)
        column.setContentsMargins(0, 24, 0, 24)
        column.setSpacing(8)
        column.addWidget(Words("vidlabel", size=28, bold=True))
        column.addWidget(
            Words(
                "Review and tag a folder of video, with a network beside you that suggests the label. "
                "Videos are never changed, moved or copied.",
                level="second",
                wrap=True,
            )
        )
        column.addSpacing(16)
        column.addWidget(self.trouble)
        row = QHBoxLayout()
        row.setSpacing(tokens.GAP)
        for button in (self.open_folder, self.open_project, self.samples):
            row.addWidget(button)
        row.addStretch(1)
        column.addLayout(row)
        column.addSpacing(24)
        column.addWidget(self._recent_head)
        column.addLayout(self._recent)
        column.addStretch(1)
        across = QHBoxLayout()
        across.addStretch(1)
        across.addWidget(inner)
        across.addStretch(1)
        body = QWidget()
        body.setObjectName("Ground")
        down = QVBoxLayout(body)
        down.addStretch(1)
        down.addLayout(across)
        down.addStretch(2)
        area = QScrollArea()
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        area.setWidgetResizable(True)
        area.setWidget(body)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(area)

    def _button(
        self, actions: Actions, action_id: str, words: str, *, icon_name: str, look: str = ""
    ) -> CapButton:
        button = CapButton(words, actions.caps(action_id), look=look, icon_name=icon_name)
        button.setToolTip(actions[action_id].toolTip())
        button.clicked.connect(actions[action_id].trigger)
        return button

    def show_recent(self, paths: tuple[str, ...]) -> None:
        """Lists recent projects, newest first; those no longer there are left out."""
        while (item := self._recent.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None:
                widget.deleteLater()
        there = [path for path in paths if Path(path).exists()][:RECENT]
        for path in there:
            button = RecentButton(path)
            button.clicked.connect(self._recent_clicked)
            self._recent.addWidget(button)
        self._recent_head.setVisible(bool(there))

    def show_trouble(self, words: str) -> None:
        """Why a project was not opened; empty takes it away."""
        self.trouble.setText(words)
        self.trouble.setVisible(bool(words))

    @Slot()
    def _recent_clicked(self) -> None:
        button = self.sender()
        if isinstance(button, RecentButton):
            self.recent_wished.emit(button.path)
