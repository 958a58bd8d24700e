"""The strip under the timeline: what it shows, where a click leads, and what it hides."""

from __future__ import annotations

from array import array
from dataclasses import replace
from math import nan

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from pytestqt.qtbot import QtBot

from vidlabel.core.words import ClipRow, ClipState
from vidlabel.services.sweep_jobs import Curve, StripData
from vidlabel.ui.player.strip import ProbabilityStrip, bar_words

SECOND = 1_000_000


def clip(clip_id: int, start_s: float, end_s: float, state: ClipState = ClipState.SUGGESTED) -> ClipRow:
    return ClipRow(
        clip_id=clip_id, video_id=1, path="/films/day.mp4", relative="day.mp4", start_us=int(start_s * SECOND),
        end_us=int(end_s * SECOND), start_frame=0, end_frame=1, whole=False, state=state, label=None, annotator=None,
        decided_at_us=None, suggested="wave", probability=0.81, margin=0.5, model=None, fingerprint="f", fps=25.0,
        frames=2500, width=320, height=240, audio=False,
    )  # fmt: skip


@pytest.fixture
def data() -> StripData:
    """100 s, of which 80 are looked at, 20 to 30 could not be read."""
    wave = array("d", [0.1, 0.9, nan, 0.2, 0.2, 0.2, 0.2, 0.2, nan, nan])
    return StripData(
        video_id=1,
        whole_id=5,
        duration_us=100 * SECOND,
        looked_us=80 * SECOND,
        finished=False,
        curves=(Curve("wave", wave), Curve("walk", array("d", [0.0] * 8 + [nan] * 2))),
        clips=(clip(7, 10, 20), clip(8, 12, 14, ClipState.ACCEPTED)),
        unread=((20 * SECOND, 30 * SECOND),),
    )


@pytest.fixture
def strip(qtbot: QtBot, data: StripData) -> ProbabilityStrip:
    strip = ProbabilityStrip()
    qtbot.addWidget(strip)
    strip.resize(1016, 80)
    strip.show_data(data)
    assert strip.isVisible()
    return strip


def at(strip: ProbabilityStrip, seconds: float, y: int = 60) -> QPoint:
    return QPoint(round(strip._x(seconds * SECOND)), y)


def test_a_click_on_a_bar_goes_to_its_clip_and_elsewhere_to_the_time(
    strip: ProbabilityStrip, qtbot: QtBot
) -> None:
    clips: list[int] = []
    times: list[int] = []
    strip.clip_wished.connect(clips.append)
    strip.time_wished.connect(times.append)
    qtbot.mouseClick(strip, Qt.MouseButton.LeftButton, pos=at(strip, 18, 12))
    # Where two lie over each other it is the shorter, which could not be reached otherwise.
    qtbot.mouseClick(strip, Qt.MouseButton.LeftButton, pos=at(strip, 13, 12))
    assert clips == [7, 8]
    qtbot.mouseClick(strip, Qt.MouseButton.LeftButton, pos=at(strip, 50, 12))
    qtbot.mouseClick(strip, Qt.MouseButton.LeftButton, pos=at(strip, 13, 60))
    assert times == pytest.approx([50 * SECOND, 13 * SECOND], abs=SECOND // 10)
    qtbot.mouseClick(strip, Qt.MouseButton.LeftButton, pos=QPoint(1015, 60))
    assert times[-1] == 100 * SECOND - 1


def test_it_says_what_is_where(strip: ProbabilityStrip) -> None:
    assert strip.words_at(QPointF(at(strip, 15, 60))).splitlines() == ["00:15.000", "wave 90 %", "walk 0 %"]
    assert "could not be read" in strip.words_at(QPointF(at(strip, 25, 60)))
    assert "not looked at yet" in strip.words_at(QPointF(at(strip, 90, 60)))
    assert "wave 81 %" in strip.words_at(QPointF(at(strip, 18, 12)))
    assert "wave, walk" in strip.accessibleDescription()


def test_a_decided_clip_says_its_label(data: StripData) -> None:
    assert bar_words(replace(data.clips[0], label="jump", state=ClipState.CORRECTED)) == "jump"
    assert bar_words(data.clips[0]) == "wave 81 %"


def test_blind_hides_what_the_model_thinks(strip: ProbabilityStrip, data: StripData) -> None:
    strip.set_blind(True)
    assert not strip.isVisible()
    strip.show_data(data)
    assert not strip.isVisible()
    strip.set_blind(False)
    assert strip.isVisible()
    strip.show_data(None)
    assert not strip.isVisible()


def test_the_play_head_moves_over_the_picture_without_drawing_it_again(
    strip: ProbabilityStrip, qtbot: QtBot
) -> None:
    before = strip.grab().toImage()
    picture = strip._picture
    strip.show_time(70 * SECOND)
    after = strip.grab().toImage()
    assert before != after
    assert strip._picture is picture
    x = round(strip._x(70 * SECOND) * after.devicePixelRatio())
    assert after.pixelColor(x, 40) != before.pixelColor(x, 40)
