"""What to export and in which format; where to is asked of the system's own dialog."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Slot
from PySide6.QtWidgets import (
    QButtonGroup,
    QCheckBox,
    QDialog,
    QFileDialog,
    QWidget,
)

from vidlabel.core.words import ClipQuery
from vidlabel.services.exporting import FOLDERS, SUFFIXES, Exporting
from vidlabel.services.library import Library
from vidlabel.ui.parts.basics import Words, count
from vidlabel.ui.parts.choices import add_ending, choices_layout
from vidlabel.ui.parts.keycap import CapButton

_FORMATS = (
    (
        "csv",
        "CSV table",
        "One row a clip: label, state, who, when, suggestion. For spreadsheets and scripts.",
    ),
    ("jsonl", "JSON lines", "Everything the project knows of each clip, with all decisions and suggestions."),
    (FOLDERS, "Class folders", "One folder a label with links to its videos. Marked clips are not cut here."),
)


class ExportDialog(QDialog):
    """Begins the export and closes; the status bar shows how far it is, and the window what came of it."""

    def __init__(
        self, exporting: Exporting, library: Library, *, name: str, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle("Export")
        self.setMinimumWidth(460)
        self._exporting = exporting
        self._library = library
        self._name = name
        self.formats = QButtonGroup(self)
        self.only_view = QCheckBox(f"Only the {count(len(library), 'clip')} of the filter")
        self.only_view.setVisible(library.filtered)
        self.trouble = Words(level="trouble", wrap=True)
        self.trouble.hide()
        self.go = CapButton("Choose where …", look="primary")
        self.go.setDefault(True)
        self.go.clicked.connect(self._choose)
        self._build()

    @property
    def chosen(self) -> str:
        """The format that is chosen, in the words of the command line."""
        return _FORMATS[self.formats.checkedId()][0]

    def choose_format(self, kind: str) -> None:
        """Chooses a format by its word on the command line."""
        self.formats.button([name for name, _, _ in _FORMATS].index(kind)).setChecked(True)

    def _build(self) -> None:
        choices = [(title, words) for _, title, words in _FORMATS]
        layout = choices_layout(self, "Format", self.formats, choices)
        layout.addWidget(self.only_view)
        layout.addWidget(self.trouble)
        add_ending(layout, self, self.go)

    @Slot()
    def _choose(self) -> None:
        kind = self.chosen
        out = self._ask_file(kind) if kind in SUFFIXES else self._ask_folder()
        if out is None:
            return
        only_view = self.only_view.isChecked() and self._library.filtered
        query = self._library.query if only_view else ClipQuery(sort="path")
        self._exporting.start(out, kind, query=query)
        self.accept()

    def _ask_folder(self) -> Path | None:
        chosen = QFileDialog.getExistingDirectory(self, "An empty folder for the class folders")
        return Path(chosen) if chosen else None

    def _ask_file(self, kind: str) -> Path | None:
        suffix = SUFFIXES[kind]
        wanted = str(Path.home() / f"{self._name}{suffix}")
        chosen, _ = QFileDialog.getSaveFileName(self, "Export to", wanted, f"{kind} (*{suffix})")
        if not chosen:
            return None
        out = Path(chosen)
        if out.suffix.lower() == suffix:
            return out
        # The system's dialog asked about the name as it was typed, not about this one.
        out = out.with_name(out.name + suffix)
        if out.exists():
            self.trouble.setText(f"{out} is there already. Choose another name, or this one in full.")
            self.trouble.show()
            return None
        return out
