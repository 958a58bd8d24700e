"""What the models page asks: where to and as what to export, and whether to remove."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import (
    QButtonGroup,
    QDialog,
    QFileDialog,
    QHBoxLayout,
    QVBoxLayout,
    QWidget,
)

from vidlabel.services.models import ModelEntry, Presence
from vidlabel.ui import tokens
from vidlabel.ui.parts.basics import Words
from vidlabel.ui.parts.choices import add_ending, choices_layout
from vidlabel.ui.parts.keycap import CapButton

KINDS = (
    (
        "safetensors",
        ".safetensors",
        "Model file",
        "Weights, labels and card in one file, for vidlabel elsewhere.",
    ),
    (
        "state-dict",
        ".pt",
        "State dict",
        "The weights alone, for PyTorch; to be loaded with weights_only=True.",
    ),
    ("onnx", ".onnx", "ONNX", "For other runtimes; its output is checked against the model's own."),
)
"""The worker's word, what the file ends in, and the words for people."""
OPEN_FILTER = "Models (*.safetensors *.pt *.pth *.bin *.ckpt);;All files (*)"


class ExportModelDialog(QDialog):
    """Asks for a kind, then for a file."""

    chosen = Signal(Path, str)

    def __init__(self, entry: ModelEntry, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(f"Export {entry.facts.name}")
        self.setMinimumWidth(460)
        self._name = entry.facts.name
        self.kinds = QButtonGroup(self)
        self.trouble = Words(level="trouble", wrap=True)
        self.trouble.hide()
        self.go = CapButton("Choose where …", look="primary")
        self.go.setDefault(True)
        self.go.clicked.connect(self._choose)
        layout = choices_layout(self, "Format", self.kinds, [(title, words) for _, _, title, words in KINDS])
        layout.addWidget(self.trouble)
        add_ending(layout, self, self.go)

    @Slot()
    def _choose(self) -> None:
        kind, suffix, _, _ = KINDS[self.kinds.checkedId()]
        wanted = str(Path.home() / f"{self._name}{suffix}")
        chosen, _ = QFileDialog.getSaveFileName(self, "Export to", wanted, f"{kind} (*{suffix})")
        if not chosen:
            return
        out = Path(chosen)
        if out.suffix.lower() != suffix:
            # The system's dialog asked about the name as it was typed, not about this one.
            out = out.with_name(out.name + suffix)
            if out.exists():
                self.trouble.setText(f"{out} is there already. Choose another name, or this one in full.")
                self.trouble.show()
                return
        self.chosen.emit(out, kind)
        self.accept()


class RemoveModelDialog(QDialog):
    """Asks once, and says what stays."""

    def __init__(self, entry: ModelEntry, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        facts = entry.facts
        self.setWindowTitle("Remove a model")
        self.setMinimumWidth(440)
        words = f"{facts.path} is deleted."
        if facts.published:
            words += " It can be installed again."
        elif entry.presence is not Presence.DAMAGED:
            words += " Unless you have a copy, it is gone."
        if entry.presence is Presence.ACTIVE:
            words += " This project then goes on with the bundled model."
        if entry.presence is not Presence.DAMAGED:
            words += " Suggestions it has made, and decisions, stay in the projects."
        self.words = Words(words, level="second", wrap=True)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(*([tokens.PANEL_MARGIN] * 4))
        layout.setSpacing(10)
        layout.addWidget(Words(f"Remove {facts.name} from this computer?", bold=True, wrap=True))
        layout.addWidget(self.words)
        layout.addSpacing(8)
        leave = CapButton("Keep it")
        self.go = CapButton("Remove", look="primary")
        leave.clicked.connect(self.reject)
        self.go.clicked.connect(self.accept)
        row = QHBoxLayout()
        row.addStretch(1)
        row.addWidget(leave)
        row.addWidget(self.go)
        layout.addLayout(row)
        # Enter keeps it: what is deleted is deleted on purpose.
        leave.setDefault(True)
        leave.setFocus(Qt.FocusReason.OtherFocusReason)
