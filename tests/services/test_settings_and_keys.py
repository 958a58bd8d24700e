"""What the person chose is found again; keys never mean two things."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import QByteArray
from pytestqt.qtbot import QtBot

from vidlabel.core.paths import settings_file
from vidlabel.core.words import ONE_VIEW, QueueOrder, Views
from vidlabel.services.keys import Keys, canonical
from vidlabel.services.settings import RECENT_PROJECTS, Settings


@pytest.fixture
def settings(qtbot: QtBot) -> Settings:
    return Settings(settings_file())


def again(settings: Settings) -> Settings:
    settings.flush()
    return Settings(settings_file())


def test_settings_are_found_again(settings: Settings) -> None:
    settings.theme = "dark"
    settings.annotator = "  Ada  "
    settings.queue_order = QueueOrder.RANDOM
    settings.volume = 3.0
    settings.muted = True
    settings.scan_by_itself = False
    settings.set_window_state("geometry", QByteArray(b"\x00\x01geometry"))
    found = again(settings)
    assert (found.theme, found.annotator, found.queue_order) == ("dark", "Ada", QueueOrder.RANDOM)
    assert (found.volume, found.muted, found.scan_by_itself, found.suggest_by_itself) == (
        1.0,
        True,
        False,
        True,
    )
    assert found.window_state("geometry").data() == b"\x00\x01geometry"
    found.annotator = ""
    assert found.annotator


def test_a_damaged_settings_file_means_the_usual_settings(settings: Settings) -> None:
    settings_file().write_text("[window]\ntheme=purple\n[sound]\nvolume=loud\n[keys]\nremapped=}{\n")
    found = Settings(settings_file())
    assert (found.theme, found.volume, found.key_remaps) == ("system", 0.8, {})


def test_recent_projects_newest_first(settings: Settings) -> None:
    for number in range(RECENT_PROJECTS + 3):
        settings.remember_project(Path(f"/media/{number}"))
    settings.remember_project(Path("/media/5"))
    recent = again(settings).recent_projects
    assert len(recent) == RECENT_PROJECTS
    assert recent[:2] == (str(Path("/media/5")), str(Path("/media/12")))
    settings.forget_project(Path("/media/5"))
    assert str(Path("/media/5")) not in settings.recent_projects


@pytest.mark.parametrize("language", ["en", "fr", "de"])
def test_shipped_keys_are_keys_and_never_mean_two_things(settings: Settings, language: str) -> None:
    keys = Keys(settings, language=language)
    for action in keys.actions():
        assert action.sequences
        assert all(canonical(sequence) for sequence in action.sequences)
        assert keys.conflicts(action.id, action.sequences) == []


def test_the_keys_of_the_contract(settings: Settings) -> None:
    keys = Keys(settings, language="en")
    assert keys.sequences("decide.accept") == ("Return", "Enter")
    assert [keys.sequences(f"decide.take_{n}")[0] for n in range(1, 6)] == ["1", "2", "3", "4", "5"]
    assert [keys.sequences(f"decide.{what}") for what in ("skip", "unsure", "unusable")] == [
        ("S",),
        ("U",),
        ("X",),
    ]
    assert keys.sequences("program.undo") == ("Ctrl+Z",)
    assert Keys(settings, language="fr").sequences("decide.take_1") == ("1", "&")


def test_remapping_refuses_what_is_taken_and_is_found_again(settings: Settings) -> None:
    keys = Keys(settings, language="en")
    assert keys.remap("decide.skip", ["u"]) == ["decide.unsure"]
    assert keys.sequences("decide.skip") == ("S",)
    assert keys.remap("decide.skip", ["ctrl+k", "J"]) == ["program.palette"]
    assert keys.remap("decide.skip", ["j"]) == []
    assert Keys(again(settings), language="en").sequences("decide.skip") == ("J",)
    with pytest.raises(ValueError, match="not a key"):
        keys.remap("decide.skip", [""])
    assert keys.remap("decide.unsure", ["S"]) == []
    assert keys.reset("decide.skip") == ["decide.unsure"]
    keys.reset()
    assert keys.sequences("decide.skip") == ("S",)


def test_views_and_what_they_cost_are_found_again(settings: Settings) -> None:
    told: list[str] = []
    settings.changed.connect(told.append)
    assert settings.views == ONE_VIEW
    settings.views = Views(clips=3, flip=True)
    settings.views = Views(clips=3, flip=True)
    assert told == ["views"]
    assert settings.views_cost(settings.views) is None
    settings.remember_views_cost(Views(clips=3, flip=True), 5.83)
    settings.remember_views_cost(Views(clips=2), 2.0)
    assert settings.views_cost(Views(clips=3, flip=True)) == 5.8
    assert settings.views_cost(Views(clips=3)) is None
    assert settings.views == Views(clips=3, flip=True)
