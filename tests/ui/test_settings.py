"""The settings that say what they cost."""

from __future__ import annotations

from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from vidlabel.core.words import ONE_VIEW, Views
from vidlabel.services.keys import Keys
from vidlabel.services.settings import Settings
from vidlabel.ui.settings_dialog import SettingsDialog, cost_words


@pytest.fixture
def settings(qtbot: QtBot, tmp_path: Path) -> Settings:
    return Settings(tmp_path / "settings.ini")


def test_looks_at_a_clip_are_chosen_and_their_cost_is_told(qtbot: QtBot, settings: Settings) -> None:
    dialog = SettingsDialog(settings, Keys(settings))
    qtbot.addWidget(dialog)
    assert "each costs time" in dialog.views_cost.text()
    dialog.views.setValue(3)
    assert "About 3 times" in dialog.views_cost.text()
    dialog.flip.setChecked(True)
    assert settings.views == Views(clips=3, flip=True)
    assert "About 6 times" in dialog.views_cost.text()
    settings.remember_views_cost(settings.views, 5.24)
    assert "Measured here: 5.2 times" in dialog.views_cost.text()
    dialog.views.setValue(1)
    dialog.flip.setChecked(False)
    assert settings.views == ONE_VIEW
    again = SettingsDialog(settings, Keys(settings))
    qtbot.addWidget(again)
    assert (again.views.value(), again.flip.isChecked()) == (1, False)


def test_one_mirrored_look_more_costs_twice_the_work() -> None:
    assert "About 2 times" in cost_words(Views(flip=True), None)
