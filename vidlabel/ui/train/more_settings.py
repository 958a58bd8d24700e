"""The settings of a run that few change: built in pieces, for they are many."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QCheckBox, QComboBox, QDoubleSpinBox, QSpinBox, QVBoxLayout, QWidget

from vidlabel.core.runs import TrainSettings
from vidlabel.ui import tokens
from vidlabel.ui.parts.basics import Words
from vidlabel.ui.train.fields import add_row, choice_field, form_layout, number_field

_SOURCES = (("Found out", "auto"), ("Video file", "video"), ("Name", "name"), ("Folder", "folder"))
_CHOICES: tuple[tuple[str, str, tuple[tuple[str, str], ...]], ...] = (
    ("balance", "Rare labels", (("Count more", "loss"), ("Shown more often", "sampling"), ("As they are", "none"))),
    ("augment", "Clips are changed", (("A little", "light"), ("More", "strong"), ("Not at all", "none"))),
    ("precision", "Arithmetic", (("What suits", "auto"), ("float32", "float32"), ("bfloat16", "bfloat16"),
                                 ("float16", "float16"))),
    ("device", "Device", (("Best one", "auto"), ("CPU", "cpu"), ("CUDA", "cuda"), ("MPS", "mps"))),
)  # fmt: skip
_NUMBERS: tuple[tuple[str, str, float, int, str, str], ...] = (
    ("patience", "Ends early after", 1000, 0, "never", "epochs"),
    ("rate", "Learning rate", 1.0, 6, "what suits", ""),
    ("batch", "Clips a step", 4096, 0, "what fits", ""),
    ("accumulate", "Steps added up", 1024, 0, "", ""),
    ("layer_decay", "Layer decay", 1.0, 2, "", ""),
    ("average", "Average of weights", 0.9999, 4, "none", ""),
    ("label_smoothing", "Label smoothing", 0.9, 2, "none", ""),
    ("mixup", "Mixup", 10.0, 2, "none", ""),
    ("weight_decay", "Weight decay", 1.0, 3, "none", ""),
    ("workers", "Decoding threads", 256, 0, "what suits", ""),
    ("seed", "Seed", 1_000_000, 0, "", ""),
    ("cache_gb", "Decoded clips on disk", 10_000.0, 1, "none", "GB"),
)
"""Field, words, most, decimals, what 0 means in words, and the unit."""
_A_PIECE = 3
NEW_TEST_COSTS = (
    "Every clip may come into another part. What were test clips may be learned from, and models made so far may "
    "have learned from the new ones: their results and those of new runs cannot be compared."
)


class MoreSettings(QWidget):
    """Until all pieces are built its values are the defaults."""

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._defaults = TrainSettings()
        self.choices: dict[str, QComboBox] = {}
        self.numbers: dict[str, QSpinBox | QDoubleSpinBox] = {}
        self.sources = choice_field("What is kept together in one part", _SOURCES)
        self.sources.currentIndexChanged.connect(self.changed)
        self.new_test = QCheckBox("New test")
        self.new_test.setAccessibleName("New test: deal all clips to the parts anew")
        self.new_test.setAccessibleDescription(NEW_TEST_COSTS)
        self.new_test.setFont(tokens.font())
        self.new_test.toggled.connect(self._show_costs)
        self.costs = Words(NEW_TEST_COSTS, level="unsure", size=tokens.SECONDARY, wrap=True)
        self.costs.hide()
        down = QVBoxLayout(self)
        down.setContentsMargins(0, 0, 0, 0)
        down.setSpacing(6)
        self._form = form_layout()
        add_row(self._form, "Kept together", self.sources)
        down.addLayout(self._form)
        down.addWidget(self.new_test)
        down.addWidget(self.costs)
        self._pieces: list[Callable[[], None]] = [
            *(partial(self._add_choices, _CHOICES[at : at + _A_PIECE]) for at in range(0, len(_CHOICES), _A_PIECE)),
            *(partial(self._add_numbers, _NUMBERS[at : at + _A_PIECE]) for at in range(0, len(_NUMBERS), _A_PIECE)),
        ]  # fmt: skip

    @property
    def pieces(self) -> int:
        """How many are still to be built."""
        return len(self._pieces)

    def build_piece(self) -> None:
        """Builds the next piece, if there is one."""
        if self._pieces:
            self._pieces.pop(0)()

    def build(self) -> None:
        """Builds what is left."""
        while self._pieces:
            self.build_piece()

    @property
    def values(self) -> dict[str, Any]:
        """Of :class:`TrainSettings`, as the fields say."""
        chosen = {name: combo.currentData() for name, combo in self.choices.items()}
        return chosen | {name: field.value() for name, field in self.numbers.items()}

    def _add_choices(self, choices: tuple[tuple[str, str, tuple[tuple[str, str], ...]], ...]) -> None:
        for name, words, pairs in choices:
            combo = choice_field(words, pairs)
            combo.setCurrentIndex(combo.findData(getattr(self._defaults, name)))
            combo.currentIndexChanged.connect(self.changed)
            add_row(self._form, words, combo)
            self.choices[name] = combo

    def _add_numbers(self, numbers: tuple[tuple[str, str, float, int, str, str], ...]) -> None:
        for name, words, most, decimals, zero, unit in numbers:
            field = number_field(words, most, decimals=decimals, zero=zero, unit=unit)
            if name == "accumulate":
                field.setMinimum(1)
            elif name == "layer_decay" and isinstance(field, QDoubleSpinBox):
                field.setMinimum(0.01)
            field.setValue(getattr(self._defaults, name))
            field.valueChanged.connect(self.changed)
            add_row(self._form, words, field)
            self.numbers[name] = field
        if not self._pieces:
            # They came after it; Tab goes down the page.
            QWidget.setTabOrder(list(self.numbers.values())[-1], self.new_test)

    @Slot(bool)
    def _show_costs(self, shown: bool) -> None:
        self.costs.setVisible(shown)
        self.changed.emit()
