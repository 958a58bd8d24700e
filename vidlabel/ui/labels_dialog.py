"""The label set of the project: add, rename, reorder, retire. Decisions already made keep their words."""

from __future__ import annotations

from PySide6.QtCore import Qt, Slot
from PySide6.QtWidgets import (
    QAbstractItemView,
    QDialog,
    QHBoxLayout,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QVBoxLayout,
    QWidget,
)

from vidlabel.core.words import Label
from vidlabel.services.project import ProjectSession
from vidlabel.ui import tokens
from vidlabel.ui.parts.basics import Words, count
from vidlabel.ui.parts.keycap import CapButton

ID_ROLE = int(Qt.ItemDataRole.UserRole)


class LabelsDialog(QDialog):
    """Every change is written at once; what could not be written is said in the window."""

    def __init__(self, session: ProjectSession, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Labels")
        self.resize(420, 560)
        self._session = session
        self._words = Words(level="second", size=tokens.SECONDARY, wrap=True)
        self.list = QListWidget()
        self.list.setObjectName("Boxed")
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setAccessibleName("Labels of the project")
        self.list.setAccessibleDescription("F2 renames the label")
        self.list.setEditTriggers(
            QAbstractItemView.EditTrigger.EditKeyPressed | QAbstractItemView.EditTrigger.DoubleClicked
        )
        self.name = QLineEdit()
        self.name.setAccessibleName("New label")
        self.name.setPlaceholderText("New label …")
        self.add = CapButton("Add")
        self.rename = CapButton("Rename", ("F2",))
        self.up = CapButton("Up", name="Move the label up")
        self.down = CapButton("Down", name="Move the label down")
        self.retire = CapButton("Retire")
        self.retire.setToolTip("No longer offered; decisions with it stay as they are")
        self._build()
        self.add.clicked.connect(self._add)
        self.name.returnPressed.connect(self._add)
        self.rename.clicked.connect(self._rename)
        self.up.clicked.connect(self._move_up)
        self.down.clicked.connect(self._move_down)
        self.retire.clicked.connect(self._retire)
        self.list.itemChanged.connect(self._renamed)
        session.labels_changed.connect(self._show)
        self._show(session.labels)
        for widget in (self.name, self.add, self.rename, self.up, self.down, self.retire):
            widget.setEnabled(not session.read_only)

    def _build(self) -> None:
        layout = QVBoxLayout(self)
        margin = tokens.PANEL_MARGIN
        layout.setContentsMargins(margin, margin, margin, margin)
        layout.setSpacing(tokens.GAP)
        layout.addWidget(self._words)
        layout.addWidget(self.list, 1)
        below = QHBoxLayout()
        for button in (self.rename, self.up, self.down, self.retire):
            below.addWidget(button)
        below.addStretch(1)
        layout.addLayout(below)
        row = QHBoxLayout()
        row.addWidget(self.name, 1)
        row.addWidget(self.add)
        layout.addLayout(row)

    @Slot(object)
    def _show(self, labels: tuple[Label, ...]) -> None:
        row = max(0, self.list.currentRow())
        self.list.blockSignals(True)
        self.list.clear()
        for label in labels:
            item = QListWidgetItem(label.name)
            item.setData(ID_ROLE, label.id)
            if not self._session.read_only:
                item.setFlags(item.flags() | Qt.ItemFlag.ItemIsEditable)
            self.list.addItem(item)
        self.list.setCurrentRow(min(row, self.list.count() - 1))
        self.list.blockSignals(False)
        self._words.setText(f"{count(len(labels), 'label')}, in the order of the picker.")

    @Slot()
    def _add(self) -> None:
        name = self.name.text().strip()
        if name and not any(label.name == name for label in self._session.labels):
            self._session.add_label(name)
            self.name.clear()
        elif name:
            self._words.setText(f"There is a label '{name}' already.")

    @Slot()
    def _rename(self) -> None:
        item = self.list.currentItem()
        if item is not None:
            self.list.editItem(item)

    @Slot(QListWidgetItem)
    def _renamed(self, item: QListWidgetItem) -> None:
        wanted = item.text().strip()
        before = {label.id: label.name for label in self._session.labels}
        label_id = int(item.data(ID_ROLE))
        if not wanted or wanted in before.values():
            self._show(self._session.labels)
        else:
            self._session.rename_label(label_id, wanted)

    def _move(self, places: int) -> None:
        ids = [label.id for label in self._session.labels]
        row = self.list.currentRow()
        target = row + places
        if 0 <= row < len(ids) and 0 <= target < len(ids):
            ids.insert(target, ids.pop(row))
            self.list.setCurrentRow(target)
            self._session.reorder_labels(tuple(ids))

    @Slot()
    def _move_up(self) -> None:
        self._move(-1)

    @Slot()
    def _move_down(self) -> None:
        self._move(1)

    @Slot()
    def _retire(self) -> None:
        item = self.list.currentItem()
        if item is not None:
            self._session.retire_label(int(item.data(ID_ROLE)))
