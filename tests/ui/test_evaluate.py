"""The evaluate page in a real window, by keyboard; the worker is a process that says the same of every clip."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from tests.ui.conftest import CLIPS, close_window, show_window
from tests.ui.test_models import press
from tests.ui.test_names import nameless
from vidlabel.core.words import DecisionKind, NewDecision
from vidlabel.store.project_store import ProjectStore
from vidlabel.ui.evaluate.page import EvaluatePage
from vidlabel.ui.main_window import MainWindow

KEY = Qt.Key
CONTROL = Qt.KeyboardModifier.ControlModifier
LABELS = ("wave", "wave", "run", "run", "run", "wave")


@pytest.fixture
def decided(project: Path) -> Path:
    """The project with all its clips decided: 1, 2 and 6 are wave, 3 to 5 run."""
    with ProjectStore.open(project) as store:
        store.decide(
            [
                NewDecision(clip_id=clip, kind=DecisionKind.LABELLED, label=label)
                for clip, label in enumerate(LABELS, start=1)
            ],
            annotator="me",
        )
    return project


@pytest.fixture
def at_decided(qtbot: QtBot, decided: Path) -> Iterator[MainWindow]:
    window = show_window(qtbot, decided)
    qtbot.waitUntil(lambda: window.workbench.session.is_open, timeout=10_000)
    yield window
    close_window(qtbot, window)


@pytest.fixture(autouse=True)
def temporary(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where job files go; nothing may be left there."""
    folder = tmp_path_factory.mktemp("temporary")
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def evaluate_page(qtbot: QtBot, window: MainWindow, way: str = "works") -> EvaluatePage:
    """The page, reached by its key, when it knows the models and the clips."""
    worker = [sys.executable, "-m", "tests.helpers.evaluate_worker", way]
    window.workbench.evaluating._command = lambda file: [*worker, file]
    press(qtbot, window, KEY.Key_3, CONTROL)
    page = window.places.page("evaluate")
    assert isinstance(page, EvaluatePage)
    qtbot.waitUntil(lambda: page.setup.model.count() > 0 and page._decided >= 0, timeout=10_000)
    return page


def evaluated(qtbot: QtBot, window: MainWindow) -> EvaluatePage:
    page = evaluate_page(qtbot, window)
    with qtbot.waitSignal(window.workbench.evaluating.finished, timeout=20_000):
        page.setup.go.click()
    qtbot.waitUntil(lambda: page.report.filled, timeout=5_000)
    return page


def words_of_cautions(page: EvaluatePage) -> str:
    return "\n".join(words.text() for words in page.setup._notes)


def test_without_decisions_the_page_says_what_to_do(qtbot: QtBot, at_work: MainWindow) -> None:
    page = evaluate_page(qtbot, at_work)
    assert page.message.isVisible() and "No clip is decided yet" in page.message.title.text()
    assert not page.setup.go.isEnabled()
    assert nameless(at_work) == []


def test_figures_cautions_and_names(qtbot: QtBot, at_decided: MainWindow, temporary: Path) -> None:
    page = evaluated(qtbot, at_decided)
    assert page.report.isVisible() and page.message.isHidden()
    assert "6 decided clips" in page.report.title.text()
    assert page.report.top1.value.text() == "50.0 %"
    assert "3 of 6 clips" in page.report.top1.detail.text() and "interval" in page.report.top1.detail.text()
    assert "trained on 2 of these 6 clips" in words_of_cautions(page)
    assert nameless(at_decided) == []
    assert list(temporary.iterdir()) == []


def test_a_cell_reached_by_keyboard_opens_its_clips(qtbot: QtBot, at_decided: MainWindow) -> None:
    page = evaluated(qtbot, at_decided)
    matrix = page.report.matrix
    matrix.setFocus()
    assert matrix.current == ("run", "run")
    press(qtbot, at_decided, KEY.Key_Return)
    assert at_decided.places.place == "evaluate", "an empty cell leads nowhere"
    press(qtbot, at_decided, KEY.Key_Right)
    assert "3 of 3 run clips suggested as wave (100 %)" in page.report.cell.text()
    press(qtbot, at_decided, KEY.Key_Down)
    assert matrix.current == ("wave", "wave") and "recognised" in matrix.accessibleDescription()
    press(qtbot, at_decided, KEY.Key_Up)
    press(qtbot, at_decided, KEY.Key_Return)
    assert at_decided.places.place == "label"
    qtbot.waitUntil(lambda: list(at_decided.workbench.library.ids) == [3, 4, 5], timeout=5_000)
    press(qtbot, at_decided, KEY.Key_3, CONTROL)
    assert page.report.isVisible() and matrix.current == ("run", "wave")


def test_a_click_on_a_cell_opens_its_clips(qtbot: QtBot, at_decided: MainWindow) -> None:
    page = evaluated(qtbot, at_decided)
    matrix = page.report.matrix
    qtbot.mouseClick(matrix, Qt.MouseButton.LeftButton, pos=matrix.place_of("wave", "wave"))
    qtbot.waitUntil(lambda: list(at_decided.workbench.library.ids) == [1, 2, 6], timeout=5_000)


def test_doubtful_clips_and_labels_lead_to_their_clips(qtbot: QtBot, at_decided: MainWindow) -> None:
    page = evaluated(qtbot, at_decided)
    table = page.report.doubtful
    assert table.model().rowCount() == 3
    table.setFocus()
    press(qtbot, at_decided, KEY.Key_Down)
    press(qtbot, at_decided, KEY.Key_Return)
    qtbot.waitUntil(lambda: list(at_decided.workbench.library.ids) == [4, 5, 3], timeout=5_000)
    press(qtbot, at_decided, KEY.Key_3, CONTROL)
    labels = page.report.labels
    assert [labels.topLevelItem(row).text(0) for row in range(2)] == ["run", "wave"]
    labels.setFocus()
    press(qtbot, at_decided, KEY.Key_Return)
    qtbot.waitUntil(lambda: list(at_decided.workbench.library.ids) == [3, 4, 5], timeout=5_000)


def test_a_decision_afterwards_outdates_the_result(qtbot: QtBot, at_decided: MainWindow) -> None:
    page = evaluated(qtbot, at_decided)
    bench = at_decided.workbench
    at_decided.show_clips((3,), "of run")
    qtbot.waitUntil(lambda: bench.library.current_id == 3 and bench.deciding.can_act, timeout=10_000)
    qtbot.keyClick(at_decided.player.view, KEY.Key_U)
    qtbot.waitUntil(lambda: bench.evaluating.outdated == 1, timeout=5_000)
    assert "1 clip decided anew since" in words_of_cautions(page)


def test_a_filter_narrows_and_a_wrong_one_says_why(qtbot: QtBot, at_decided: MainWindow) -> None:
    page = evaluate_page(qtbot, at_decided)
    page.setup.filter.setText("label:")
    page.setup.go.click()
    assert not at_decided.workbench.evaluating.running
    assert not page.setup.filter_trouble.isHidden()
    page.setup.filter.setText("label:run")
    with qtbot.waitSignal(at_decided.workbench.evaluating.finished, timeout=20_000):
        page.setup.go.click()
    assert at_decided.workbench.evaluating.result.evaluated.clips == 3
    page.setup.filter.setText("label:kick")
    with qtbot.waitSignal(at_decided.workbench.evaluating.failed, timeout=20_000):
        page.setup.go.click()
    assert "No decided clip matches label:kick" in page.setup.trouble.text()


def test_an_evaluation_can_be_stopped(qtbot: QtBot, at_decided: MainWindow, temporary: Path) -> None:
    page = evaluate_page(qtbot, at_decided, "slow")
    page.setup.go.click()
    qtbot.waitUntil(lambda: "3 of 6 clips" in page.setup.progress.text(), timeout=20_000)
    with qtbot.waitSignal(at_decided.workbench.evaluating.stopped, timeout=10_000):
        page.setup.stop.click()
    assert page.message.isVisible() and page.setup.go.isVisible()
    qtbot.waitUntil(lambda: list(temporary.iterdir()) == [], timeout=5_000)


@pytest.mark.parametrize(
    ("way", "words"), [("fails", "its file is gone"), ("crashes", "MemoryError: no room")]
)
def test_failures_say_why(qtbot: QtBot, at_decided: MainWindow, way: str, words: str) -> None:
    page = evaluate_page(qtbot, at_decided, way)
    with qtbot.waitSignal(at_decided.workbench.evaluating.failed, timeout=20_000):
        page.setup.go.click()
    assert words in page.setup.trouble.text()


def test_closing_the_window_while_it_runs_stops_it(qtbot: QtBot, at_decided: MainWindow) -> None:
    page = evaluate_page(qtbot, at_decided, "slow")
    page.setup.go.click()
    qtbot.waitUntil(lambda: "3 of 6 clips" in page.setup.progress.text(), timeout=20_000)
    close_window(qtbot, at_decided)
    assert not at_decided.workbench.evaluating.busy


def test_the_export_writes_tables_and_figures(qtbot: QtBot, at_decided: MainWindow, tmp_path: Path) -> None:
    assert len(LABELS) == CLIPS
    evaluated(qtbot, at_decided)
    evaluating = at_decided.workbench.evaluating
    for kind, out in (("csv", tmp_path / "e.csv"), ("json", tmp_path / "e.json"), ("folder", tmp_path / "e")):
        with qtbot.waitSignal(evaluating.exported, timeout=10_000):
            evaluating.export(out, kind)
        assert out.exists()
    assert {"confusion.svg", "reliability.svg"} <= {path.name for path in (tmp_path / "e").iterdir()}
