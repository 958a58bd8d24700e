"""What this program is, in which version, on what it runs."""

from __future__ import annotations

import platform
from importlib import metadata

from PySide6.QtCore import qVersion
from PySide6.QtWidgets import QDialog, QHBoxLayout, QVBoxLayout, QWidget

from vidlabel.core.paths import data_folder, log_folder
from vidlabel.ui import tokens
from vidlabel.ui.parts.basics import Words
from vidlabel.ui.parts.keycap import CapButton


def program_version() -> str:
    """The installed version, or 'not installed' from a bare checkout."""
    try:
        return metadata.version("vidlabel")
    except metadata.PackageNotFoundError:
        return "not installed"


class AboutDialog(QDialog):
    """A few facts, selectable for a report."""

    def __init__(self, device: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("About vidlabel")
        self.setMinimumWidth(440)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(24, 24, 24, 16)
        layout.setSpacing(8)
        layout.addWidget(Words("vidlabel", size=22, bold=True))
        facts = (
            f"Version {program_version()} · Python {platform.python_version()} · Qt {qVersion()}",
            f"Suggestions: {device or 'no model loaded'}",
            f"Projects and settings: {data_folder()}",
            f"Logs: {log_folder()}",
            "Apache License 2.0. The typeface is Inter, under the SIL Open Font License 1.1.",
            "Offline: no account, no server, no telemetry.",
        )
        for fact in facts:
            layout.addWidget(Words(fact, level="second", size=tokens.SECONDARY, wrap=True))
        done = CapButton("Close", look="primary")
        done.clicked.connect(self.accept)
        row = QHBoxLayout()
        row.addStretch(1)
        row.addWidget(done)
        layout.addSpacing(8)
        layout.addLayout(row)
