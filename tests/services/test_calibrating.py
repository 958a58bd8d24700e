"""The confidence follows what people decide, off the GUI thread, and never under their eyes."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from PySide6.QtCore import QTimer
from pytestqt.qtbot import QtBot

from tests.helpers.projects import MODEL_HASH, write_project
from vidlabel.core.words import CalibrationState, Changes, DecisionKind, NewDecision, Suggestion
from vidlabel.services import calibrating
from vidlabel.services.workbench import Workbench
from vidlabel.store.project_store import ProjectStore

CLIPS = 3000


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Many clips with suggestions, 40 of them decided: the first suggestion was right for every fourth."""
    path = tmp_path / "work.vidlabel"
    write_project(path, tmp_path / "media", clips=CLIPS)
    with ProjectStore.open(path) as store:
        decide(store, range(1, 41))
    return path


def decide(store: ProjectStore, numbers: range) -> Changes:
    said = store.suggestions(numbers, MODEL_HASH)
    new = [
        NewDecision(
            clip_id=number,
            kind=DecisionKind.ACCEPTED if number % 4 == 0 else DecisionKind.CORRECTED,
            label=said[number].scores[0 if number % 4 == 0 else 1].label,
        )
        for number in numbers
    ]
    return store.decide(new, annotator="me")


def opened(workbench: Workbench, project: Path, qtbot: QtBot) -> list[CalibrationState]:
    told: list[CalibrationState] = []
    workbench.calibrating.state_changed.connect(told.append)
    workbench.open_project(project)
    qtbot.waitUntil(lambda: bool(told), timeout=20_000)
    return told


def test_it_is_fitted_shown_and_kept(workbench: Workbench, project: Path, qtbot: QtBot) -> None:
    told = opened(workbench, project, qtbot)
    state = told[-1]
    assert state.words == "calibrated on 40 decided clips"
    assert state.calibration is not None and state.calibration.temperature > 1
    with ProjectStore.open(project, read_only=True) as store:
        assert store.calibrations.newest(MODEL_HASH) == state.calibration
        assert store.calibrations.is_shown(MODEL_HASH)
        assert all(row.calibrated is not None for row in store.clip_rows(range(1, CLIPS + 1)))


def test_it_follows_decisions_and_undoing(
    workbench: Workbench, project: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = opened(workbench, project, qtbot)
    workbench.calibrating._timer.setInterval(10)
    workbench.session.write(lambda store: store.undo(annotator="me"))
    qtbot.waitUntil(lambda: told[-1].words == "not calibrated: 30 more decisions needed", timeout=20_000)
    workbench.session.write(lambda store: store.redo(annotator="me"))
    qtbot.waitUntil(lambda: told[-1].words == "calibrated on 40 decided clips", timeout=20_000)


def test_the_suggestion_on_screen_stays_and_the_next_one_is_calibrated(
    workbench: Workbench, project: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown: list[Suggestion | None] = []
    workbench.deciding.suggestions_changed.connect(shown.append)
    told: list[CalibrationState] = []
    workbench.calibrating.state_changed.connect(told.append)
    workbench.calibrating._timer.setInterval(600)
    workbench.open_project(project)
    qtbot.waitUntil(lambda: workbench.deciding.suggestion is not None, timeout=20_000)
    before = workbench.deciding.suggestion
    assert before is not None and before.scores[0].calibrated is None and not told
    qtbot.waitUntil(lambda: bool(told), timeout=20_000)
    qtbot.wait(200)
    assert workbench.deciding.suggestion == before
    with qtbot.waitSignal(workbench.library.current_chosen, timeout=10_000):
        workbench.library.next()
    qtbot.waitUntil(lambda: workbench.deciding.suggestion is not None, timeout=10_000)
    after = workbench.deciding.suggestion
    assert after is not None and after.clip_id != before.clip_id
    assert after.scores[0].calibrated is not None


def test_rows_on_screen_follow(workbench: Workbench, project: Path, qtbot: QtBot) -> None:
    told: list[CalibrationState] = []
    workbench.calibrating.state_changed.connect(told.append)
    workbench.calibrating._timer.setInterval(600)
    workbench.open_project(project)
    qtbot.waitUntil(
        lambda: len(workbench.library) > 0 and workbench.library.row(0) is not None, timeout=20_000
    )
    row = workbench.library.row(0)
    assert row is not None
    qtbot.waitUntil(
        lambda: (found := workbench.library.row_of(row.clip_id)) is not None and found.calibrated is not None,
        timeout=20_000,
    )


def test_the_gui_thread_is_not_held_up(workbench: Workbench, project: Path, qtbot: QtBot) -> None:
    """Never more than 50 ms of the GUI thread's own time at once, however busy the machine is."""
    told = opened(workbench, project, qtbot)
    gaps: list[float] = []
    last = time.thread_time()

    def tick() -> None:
        nonlocal last
        now = time.thread_time()
        gaps.append(now - last)
        last = now

    clock = QTimer(workbench)
    clock.setInterval(2)
    clock.timeout.connect(tick)
    clock.start()
    workbench.session.write(lambda store: decide(store, range(41, 1041)))
    qtbot.waitUntil(lambda: told[-1].words == "calibrated on 1,040 decided clips", timeout=20_000)
    clock.stop()
    assert gaps and max(gaps) < 0.05


def test_several_wishes_at_once_are_one_more_fit(
    workbench: Workbench, project: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = opened(workbench, project, qtbot)
    fits: list[object] = []
    real = calibrating._gathered
    monkeypatch.setattr(calibrating, "_gathered", lambda store: fits.append(1) or real(store))
    for _ in range(5):
        workbench.calibrating.refit()
    qtbot.waitUntil(lambda: len(fits) >= 2, timeout=20_000)
    qtbot.wait(300)
    assert len(fits) == 2
    assert told[-1].calibration is not None
