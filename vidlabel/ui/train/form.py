"""The set-up of a run: what to start from, what learns, how clips are dealt, and more on demand."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Qt, QTimer, Signal, Slot
from PySide6.QtWidgets import (
    QComboBox,
    QDoubleSpinBox,
    QFormLayout,
    QSizePolicy,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from vidlabel.core.runs import TrainSettings, Tunes
from vidlabel.services.models import ModelEntry
from vidlabel.services.run_planning import Wanted
from vidlabel.ui import tokens
from vidlabel.ui.parts.basics import SectionHead, Words, as_number_field
from vidlabel.ui.parts.keycap import CapButton

SETTLE_MS = 350
"""A plan is asked for once the person has stopped changing things for so long."""
_TUNES = (
    ("The head only", Tunes.HEAD),
    ("The head and the last two stages", Tunes.LAST),
    ("Everything", Tunes.ALL),
)
_SPLITS = (("By source", "by-source"), ("At random", "random"), ("As published", "official"))
_SOURCES = (("Found out", "auto"), ("Video file", "video"), ("Name", "name"), ("Folder", "folder"))
_CHOICES: tuple[tuple[str, str, tuple[tuple[str, str], ...]], ...] = (
    ("balance", "Rare labels", (("Count more", "loss"), ("Shown more often", "sampling"), ("As they are", "none"))),
    ("augment", "Clips are changed", (("A little", "light"), ("More", "strong"), ("Not at all", "none"))),
    ("precision", "Arithmetic", (("What suits", "auto"), ("float32", "float32"), ("bfloat16", "bfloat16"),
                                 ("float16", "float16"))),
    ("device", "Device", (("Best one", "auto"), ("CPU", "cpu"), ("CUDA", "cuda"), ("MPS", "mps"))),
)  # fmt: skip
_NUMBERS: tuple[tuple[str, str, float, int, str], ...] = (
    ("patience", "Ends early after", 1000, 0, "never"),
    ("rate", "Learning rate", 1.0, 6, "what suits"),
    ("batch", "Clips a step", 4096, 0, "what fits"),
    ("accumulate", "Steps added up", 1024, 0, ""),
    ("layer_decay", "Layer decay", 1.0, 2, ""),
    ("average", "Average of weights", 0.9999, 4, "none"),
    ("label_smoothing", "Label smoothing", 0.9, 2, "none"),
    ("mixup", "Mixup", 10.0, 2, "none"),
    ("weight_decay", "Weight decay", 1.0, 3, "none"),
    ("workers", "Decoding threads", 256, 0, "what suits"),
    ("seed", "Seed", 1_000_000, 0, ""),
    ("cache_gb", "Disk for decoded clips, GB", 10_000.0, 1, "none"),
)
"""Field, words, most, decimals, and what 0 means in words."""


class SetupForm(QWidget):
    """Tells what is wanted whenever the person has changed it."""

    changed = Signal(object)
    """:class:`Wanted`"""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._defaults = TrainSettings()
        self.base = _combo("Start from", ())
        self.tunes = _combo("Which weights learn", _TUNES)
        self.split = _combo("How clips are dealt to the parts", _SPLITS[:2])
        self.sources = _combo("What is never divided", _SOURCES)
        self.epochs = _number("Epochs, at most", 10_000, 0, "")
        self.epochs.setMinimum(1)
        self.epochs.setValue(self._defaults.epochs)
        self.more_button = CapButton("More settings", look="quiet", name="Show more settings")
        self.more_button.setCheckable(True)
        self.choices: dict[str, QComboBox] = {}
        self.numbers: dict[str, QSpinBox | QDoubleSpinBox] = {}
        self._settle = QTimer(self)
        self._settle.setSingleShot(True)
        self._settle.setInterval(SETTLE_MS)
        self._settle.timeout.connect(self._tell)
        self._build()
        self._show_more(False)

    def _build(self) -> None:
        down = QVBoxLayout(self)
        down.setContentsMargins(0, 0, 0, 0)
        down.setSpacing(8)
        down.addWidget(SectionHead("New run"))
        form = _form()
        for words, field in (
            ("Start from", self.base), ("Learns", self.tunes), ("Split", self.split), ("Epochs", self.epochs),
        ):  # fmt: skip
            _add(form, words, field)
        down.addLayout(form)
        down.addWidget(self.more_button, 0, Qt.AlignmentFlag.AlignLeft)
        self.more = QWidget()
        rest = _form()
        self.more.setLayout(rest)
        _add(rest, "Kept together", self.sources)
        for name, words, pairs in _CHOICES:
            combo = self.choices[name] = _combo(words, pairs)
            combo.setCurrentIndex(combo.findData(getattr(self._defaults, name)))
            _add(rest, words, combo)
        for name, words, most, decimals, zero in _NUMBERS:
            field = self.numbers[name] = _number(words, most, decimals, zero)
            field.setValue(getattr(self._defaults, name))
            _add(rest, words, field)
        self.numbers["accumulate"].setMinimum(1)
        decay = self.numbers["layer_decay"]
        if isinstance(decay, QDoubleSpinBox):
            decay.setMinimum(0.01)
        down.addWidget(self.more)
        self.more_button.toggled.connect(self._show_more)
        for combo in (self.base, self.tunes, self.split, self.sources, *self.choices.values()):
            combo.currentIndexChanged.connect(self._settle.start)
        for field in (self.epochs, *self.numbers.values()):
            field.valueChanged.connect(self._settle.start)

    @property
    def wanted(self) -> Wanted:
        """What the fields say."""
        values: dict[str, Any] = {name: combo.currentData() for name, combo in self.choices.items()}
        values |= {name: field.value() for name, field in self.numbers.items()}
        settings = TrainSettings(
            base=self.base.currentData() or "bundled", tunes=Tunes(self.tunes.currentData()),
            epochs=self.epochs.value(), **values,
        )  # fmt: skip
        return Wanted(settings=settings, split=self.split.currentData(), sources=self.sources.currentData())

    def show_models(self, entries: tuple[ModelEntry, ...]) -> None:
        """The models that one can start from: those on this computer."""
        usable = [(entry.facts.name, "bundled" if entry.facts.bundled else entry.facts.hash)
                  for entry in entries if entry.facts.hash]  # fmt: skip
        known = [(self.base.itemText(at), self.base.itemData(at)) for at in range(self.base.count())]
        if usable != known:
            chosen = self.base.currentData()
            self.base.blockSignals(True)
            self.base.clear()
            for words, value in usable:
                self.base.addItem(words, value)
            self.base.setCurrentIndex(max(0, self.base.findData(chosen)))
            self.base.blockSignals(False)

    def show_official(self, known: bool) -> None:
        """Whether the project knows a split that came with its labels."""
        has = self.split.count() == len(_SPLITS)
        if known and not has:
            self.split.addItem(*_SPLITS[-1])
        elif has and not known:
            self.split.removeItem(len(_SPLITS) - 1)

    def forget(self) -> None:
        """What was to be told is not told any more."""
        self._settle.stop()

    @Slot(bool)
    def _show_more(self, shown: bool) -> None:
        self.more.setVisible(shown)
        self.more_button.set_words("Fewer settings" if shown else "More settings")

    @Slot()
    def _tell(self) -> None:
        self.changed.emit(self.wanted)


def _form() -> QFormLayout:
    form = QFormLayout()
    form.setContentsMargins(0, 0, 0, 0)
    form.setHorizontalSpacing(12)
    form.setVerticalSpacing(6)
    form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.ExpandingFieldsGrow)
    form.setLabelAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
    return form


def _add(form: QFormLayout, words: str, field: QWidget) -> None:
    """A row; its words stand at the middle of the field."""
    label = Words(words, level="second")
    label.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Expanding)
    form.addRow(label, field)


def _combo(name: str, pairs: tuple[tuple[str, Any], ...]) -> QComboBox:
    combo = QComboBox()
    combo.setAccessibleName(name)
    combo.setFont(tokens.font())
    combo.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    combo.setMinimumContentsLength(8)
    combo.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
    for words, value in pairs:
        combo.addItem(words, value)
    return combo


def _number(name: str, most: float, decimals: int, zero: str) -> Any:
    field: QSpinBox | QDoubleSpinBox
    if decimals:
        field = QDoubleSpinBox()
        field.setDecimals(decimals)
        field.setSingleStep(10.0 ** -min(decimals, 2) if decimals < 6 else 0.0001)
        field.setMaximum(most)
    else:
        field = QSpinBox()
        field.setMaximum(int(most))
    field.setAccessibleName(f"{name}{f', 0 is {zero}' if zero else ''}")
    field.setFont(tokens.font())
    if zero:
        field.setSpecialValueText(zero)
    as_number_field(field)
    field.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
    return field
