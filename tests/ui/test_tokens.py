"""Colours that a person can read, in both schemes."""

from __future__ import annotations

import pytest
from PySide6.QtGui import QColor

from vidlabel.core.words import ClipState
from vidlabel.ui.tokens import DARK, LIGHT, Colours, make_sheet, state_colour

SCHEMES = pytest.mark.parametrize("colours", [DARK, LIGHT], ids=["dark", "light"])


def luminance(colour: str) -> float:
    """Relative luminance after WCAG 2.1."""
    parts = []
    for value in QColor(colour).getRgbF()[:3]:
        parts.append(value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4)
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]


def contrast(one: str, other: str) -> float:
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


@SCHEMES
def test_text_stands_out_from_every_ground(colours: Colours) -> None:
    for ground in (colours.ground, colours.panel, colours.raised, colours.selected, colours.hover):
        assert contrast(colours.text, ground) >= 4.5
    for ground in (colours.ground, colours.panel, colours.raised, colours.selected):
        assert contrast(colours.second, ground) >= 4.5, ground


@SCHEMES
def test_third_level_text_and_outlines_reach_three(colours: Colours) -> None:
    for ground in (colours.ground, colours.panel):
        assert contrast(colours.third, ground) >= 3
    assert contrast(colours.line_strong, colours.panel) >= 3
    assert contrast(colours.accent, colours.panel) >= 3


@SCHEMES
def test_words_on_the_primary_button(colours: Colours) -> None:
    assert contrast(colours.on_accent, colours.accent) >= 4.5
    assert contrast(colours.on_accent, colours.accent_hover) >= 4.5


@SCHEMES
def test_trouble_is_readable_and_states_are_visible(colours: Colours) -> None:
    assert contrast(colours.trouble, colours.panel) >= 4.5
    assert contrast(colours.trouble, colours.ground) >= 4.5
    for state in ClipState:
        for ground in (colours.panel, colours.selected):
            assert contrast(state_colour(colours, state), ground) >= 3, (state, ground)


@SCHEMES
def test_the_style_sheet_has_no_gap_left(colours: Colours) -> None:
    assert "$" not in make_sheet(colours)
