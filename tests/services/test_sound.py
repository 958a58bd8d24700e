"""Sound follows the picture where the computer can play it; where it cannot, that is said once."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from tests.helpers.clips import numbered_clip, tone
from tests.services.conftest import Screen
from vidlabel.services import sound as sound_module
from vidlabel.services.workbench import Workbench


class Speaker:
    """Stands for the sound device of the computer, as a sink in push mode."""

    def __init__(self) -> None:
        self.played = bytearray()
        self.starts = 0
        self.volume = 0.0

    def start(self) -> Speaker:
        self.starts += 1
        return self

    def reset(self) -> None:
        self.played.clear()

    def setVolume(self, volume: float) -> None:
        self.volume = volume

    def bytesFree(self) -> int:
        return max(0, 48_000 - len(self.played))

    def write(self, samples: bytes) -> int:
        self.played += samples
        return len(samples)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two clips of two seconds with a tone."""
    folder = tmp_path / "clips"
    folder.mkdir()
    for number in range(2):
        numbered_clip(folder / f"clip_{number}.mp4", 50 + number, sound=tone(2.0))
    return folder


def play(workbench: Workbench, folder: Path, qtbot: QtBot) -> None:
    workbench.settings.scan_by_itself = True
    workbench.open_project(folder)
    qtbot.waitUntil(lambda: workbench.deciding.can_act, timeout=20_000)


def test_the_tone_reaches_the_speaker_and_stops_with_the_picture(
    workbench: Workbench, screen: Screen, folder: Path, monkeypatch: pytest.MonkeyPatch, qtbot: QtBot
) -> None:
    speaker = Speaker()
    shown_before: list[int] = []

    def open_output() -> Speaker:
        shown_before.append(len(screen.painted))
        return speaker

    monkeypatch.setattr(sound_module, "open_output", open_output)
    workbench.sound.set_volume(0.5)
    play(workbench, folder, qtbot)
    qtbot.waitUntil(lambda: len(speaker.played) > 40_000, timeout=10_000)
    assert np.abs(np.frombuffer(bytes(speaker.played[:40_000]), np.int16)).max() > 6_000
    assert speaker.volume == 0.5
    assert len(shown_before) == 1
    workbench.player.pause()
    assert not speaker.played
    starts = speaker.starts
    workbench.sound.set_muted(True)
    workbench.player.play()
    assert speaker.starts == starts
    workbench.sound.set_muted(False)
    assert speaker.starts == starts + 1


def test_the_picture_is_painted_before_sound_is_looked_for(
    workbench: Workbench, screen: Screen, folder: Path, monkeypatch: pytest.MonkeyPatch, qtbot: QtBot
) -> None:
    """Loading the system's sound takes longer than a frame; Qt paints before it looks at timers."""
    order: list[str] = []

    def open_output() -> Speaker:
        order.append("sound")
        return Speaker()

    monkeypatch.setattr(sound_module, "open_output", open_output)
    screen.player.frame_shown.connect(lambda _image, _info: order.append("frame"))
    screen.player.sought.connect(lambda _time: order.append("sought"))
    workbench.player.opened.connect(lambda _row: order.append("opened"))
    play(workbench, folder, qtbot)
    qtbot.waitUntil(lambda: "sound" in order, timeout=10_000)
    assert order[order.index("frame") : order.index("sound")][:2] == ["frame", "sought"]


def test_without_a_sound_device_the_program_says_so_once_and_plays(
    workbench: Workbench, screen: Screen, folder: Path, monkeypatch: pytest.MonkeyPatch, qtbot: QtBot
) -> None:
    def open_output() -> Speaker:
        raise RuntimeError("this computer has no sound device")

    monkeypatch.setattr(sound_module, "open_output", open_output)
    told: list[str] = []
    workbench.notice.connect(told.append)
    play(workbench, folder, qtbot)
    qtbot.waitUntil(lambda: any("without sound" in words for words in told), timeout=5000)
    workbench.player.seek_frame(10)
    workbench.library.next()
    screen.shown.clear()
    qtbot.waitUntil(lambda: len(screen.shown) > 20, timeout=10_000)
    assert [words for words in told if "sound" in words] == [
        "Playing without sound: this computer has no sound device."
    ]


def test_what_this_computer_has_is_opened_or_refused_in_words(qtbot: QtBot) -> None:
    """The real thing, whatever the machine is like: a device, none, or no library for it."""
    try:
        sink = sound_module.open_output()
    except RuntimeError as error:
        assert "sound device" in str(error) or "libpulse" in str(error)
    else:
        sink.reset()


def test_a_missing_library_is_named_with_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    # Python's own way of saying that a module is not to be found.
    monkeypatch.setitem(sys.modules, "PySide6.QtMultimedia", None)
    with pytest.raises(RuntimeError, match="Install libpulse0"):
        sound_module.open_output()
