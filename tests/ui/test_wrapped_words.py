"""Words that wrap are never cut off, however narrow their column is."""

from __future__ import annotations

import pytest
from PySide6.QtWidgets import QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from vidlabel.services.model_facts import ModelFacts, Score
from vidlabel.ui.evaluate.report import Figure
from vidlabel.ui.models.card import Body
from vidlabel.ui.models.sections import Panel, accuracy
from vidlabel.ui.parts.basics import Words

LONG = (
    "real clips of the official test list, three times around its clip, each measured by a model that has seen "
    "neither the film it was cut from nor any other of the same uploader"
)
FACTS = ModelFacts(
    name="m", title="M", measured_note=LONG,
    measured=tuple(Score(on=f"{LONG} ({n})", top1=0.4, top5=0.7, clips=1530) for n in range(5)),
)  # fmt: skip


def cut_off(widget: QWidget) -> list[str]:
    """The wrapped words in a widget that have less room than they need at their width."""
    shown = [words for words in widget.findChildren(Words) if words.isVisible() and words.wordWrap()]
    assert shown
    return [words.text() for words in shown if words.height() < words.heightForWidth(words.width())]


def column(qtbot: QtBot, *widgets: QWidget, width: int) -> QWidget:
    body = Body()
    down = QVBoxLayout(body)
    for widget in widgets:
        down.addWidget(widget)
    down.addStretch(1)
    qtbot.addWidget(body)
    body.resize(width, 4000)
    body.show()
    return body


@pytest.mark.parametrize("width", [300, 330, 420, 700])
def test_a_table_of_scores_is_as_high_as_its_words(qtbot: QtBot, width: int) -> None:
    body = column(qtbot, *accuracy(FACTS), width=width)
    assert cut_off(body) == []


@pytest.mark.parametrize("width", [260, 420])
def test_a_figure_is_as_high_as_its_words(qtbot: QtBot, width: int) -> None:
    panel, figure = Panel("Figures"), Figure("top-1")
    panel.body.addWidget(figure)
    figure.show_share(0.5, LONG)
    assert cut_off(column(qtbot, panel, width=width)) == []
