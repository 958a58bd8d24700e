"""The fields of the set-up: rows of a name and what is chosen or counted."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QComboBox, QDoubleSpinBox, QFormLayout, QSizePolicy, QSpinBox, QWidget

from vidlabel.ui import tokens
from vidlabel.ui.parts.basics import Words, as_number_field


def form_layout() -> QFormLayout:
    form = QFormLayout()
    form.setContentsMargins(0, 0, 0, 0)
    form.setHorizontalSpacing(12)
    form.setVerticalSpacing(6)
    form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.ExpandingFieldsGrow)
    form.setLabelAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
    return form


def add_row(form: QFormLayout, words: str, field: QWidget) -> None:
    """A row; its words stand at the middle of the field."""
    label = Words(words, level="second")
    label.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Expanding)
    form.addRow(label, field)


def choice_field(name: str, pairs: tuple[tuple[str, Any], ...]) -> QComboBox:
    """A choice of values by their words; ``name`` is for screen readers."""
    combo = QComboBox()
    combo.setAccessibleName(name)
    combo.setFont(tokens.font())
    combo.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    combo.setMinimumContentsLength(8)
    combo.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
    for words, value in pairs:
        combo.addItem(words, value)
    return combo


def number_field(
    name: str, most: float, *, decimals: int = 0, zero: str = "", unit: str = ""
) -> QSpinBox | QDoubleSpinBox:
    """A number from 0; ``zero`` is what 0 means in words."""
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
    if unit:
        field.setSuffix(f"\u00a0{unit}")
    as_number_field(field)
    field.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
    return field
