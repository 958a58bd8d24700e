"""When the model's curve over a long video becomes a clip: the project's settings, in words."""

from __future__ import annotations

from PySide6.QtCore import Slot
from PySide6.QtWidgets import QDialog, QDoubleSpinBox, QFormLayout, QHBoxLayout, QVBoxLayout, QWidget

from vidlabel.core.sweeps import ProposalSettings
from vidlabel.services.sweeping import Sweeping
from vidlabel.ui import tokens
from vidlabel.ui.parts.basics import Words, as_number_field
from vidlabel.ui.parts.keycap import CapButton

_ROWS = (
    ("start_sure", "Start when at least", " % sure", (1.0, 100.0, 5.0)),
    ("end_sure", "End below", " % sure", (1.0, 100.0, 5.0)),
    ("join_gaps_s", "Join gaps up to", " s", (0.0, 600.0, 0.5)),
    ("shortest_s", "Shortest clip", " s", (0.0, 600.0, 0.5)),
    ("smooth_s", "Smooth over", " s", (0.0, 60.0, 0.5)),
)
_SHARES = frozenset({"start_sure", "end_sure"})


class ProposalsDialog(QDialog):
    """Keeps the settings with the project and proposes anew for the video on screen."""

    def __init__(self, sweeping: Sweeping, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Proposed clips")
        self.setMinimumWidth(440)
        self._sweeping = sweeping
        self.fields: dict[str, QDoubleSpinBox] = {}
        self.trouble = Words(level="trouble", size=tokens.SECONDARY, wrap=True)
        self.trouble.hide()
        self.go = CapButton("Propose again", look="primary")
        self.go.setDefault(True)
        self.go.clicked.connect(self._apply)
        self._build()
        self.show_settings(ProposalSettings())
        sweeping.ask_settings(self.show_settings)

    def _build(self) -> None:
        form = QFormLayout()
        form.setVerticalSpacing(10)
        form.setHorizontalSpacing(16)
        for name, words, suffix, (least, most, step) in _ROWS:
            field = QDoubleSpinBox()
            field.setRange(least, most)
            field.setSingleStep(step)
            field.setDecimals(0 if name in _SHARES else 1)
            field.setSuffix(suffix)
            as_number_field(field)
            field.setAccessibleName(words)
            self.fields[name] = field
            label = Words(words, level="second")
            # As high as its field: the two stand on one line.
            label.setMinimumHeight(tokens.CONTROL)
            form.addRow(label, field)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(*([tokens.PANEL_MARGIN] * 4))
        layout.setSpacing(12)
        layout.addLayout(form)
        hint = (
            "For all long videos of this project. Clips that were marked or decided about stay as they are; "
            "the other proposals in the video on screen are replaced."
        )
        layout.addWidget(Words(hint, level="second", size=tokens.SECONDARY, wrap=True))
        layout.addWidget(self.trouble)
        usual = CapButton("Usual values")
        usual.clicked.connect(self._usual)
        leave = CapButton("Cancel")
        leave.clicked.connect(self.reject)
        row = QHBoxLayout()
        row.addWidget(usual)
        row.addStretch(1)
        row.addWidget(leave)
        row.addWidget(self.go)
        layout.addLayout(row)

    def show_settings(self, settings: ProposalSettings) -> None:
        """Fills the fields."""
        for name, field in self.fields.items():
            value = getattr(settings, name)
            field.setValue(value * 100 if name in _SHARES else value)

    @Slot()
    def _usual(self) -> None:
        self.show_settings(ProposalSettings())

    @Slot()
    def _apply(self) -> None:
        values = {
            name: field.value() / 100 if name in _SHARES else field.value()
            for name, field in self.fields.items()
        }
        try:
            settings = ProposalSettings(**values)
        except ValueError:
            self.trouble.setText("A clip must end at no more than it starts at. Lower the second value.")
            self.trouble.show()
            return
        self._sweeping.set_settings(settings)
        self.accept()
