"""The labels given last, as chips: one click gives one again."""

from __future__ import annotations

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QWidget

from vidlabel.ui.parts.basics import Chip
from vidlabel.ui.parts.flow import FlowRow

RECENT = 6


class RecentLabels(FlowRow):
    """Hidden while there are none."""

    picked = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._chips: dict[str, Chip] = {}

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels that have a chip, newest first."""
        return tuple(self._chips)

    def chip(self, label: str) -> Chip:
        """The chip of a label."""
        return self._chips[label]

    def show_labels(self, recent: tuple[str, ...]) -> None:
        """Newest first; the first few get a chip."""
        self.clear()
        self._chips.clear()
        for label in recent[:RECENT]:
            chip = Chip(label, name=f"Give the label {label}")
            chip.setProperty("label", label)
            chip.clicked.connect(self._chip_clicked)
            self.add(chip)
            self._chips[label] = chip
        self.setVisible(bool(recent))

    @Slot()
    def _chip_clicked(self) -> None:
        chip = self.sender()
        if chip is not None:
            self.picked.emit(str(chip.property("label")))
