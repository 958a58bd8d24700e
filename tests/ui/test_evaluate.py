"""The evaluate page in a real window, by keyboard; the worker is a process that says the same of every clip."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractItemView
from pytestqt.qtbot import QtBot

from tests.ui.conftest import CLIPS, close_window, show_window
from tests.ui.test_models import press
from tests.ui.test_names import nameless
from vidlabel.core.kept_evaluation import evaluations_folder
from vidlabel.core.snapshot import Snapshot, SnapshotClip
from vidlabel.core.words import Calibration, ClipQuery, DecisionKind, NewDecision, ReliabilityBin
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


@contextmanager
def opened(qtbot: QtBot, project: Path) -> Iterator[MainWindow]:
    """A window of its own, for what outlives one."""
    window = show_window(qtbot, project)
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


def decide(project: Path, clip: int, label: str) -> None:
    """As another person would, with the window closed."""
    with ProjectStore.open(project) as store:
        store.decide(
            [NewDecision(clip_id=clip, kind=DecisionKind.LABELLED, label=label)], annotator="another"
        )


def names_in(table: QAbstractItemView) -> list[str]:
    """The first column, from the top."""
    model = table.model()
    return [str(model.index(row, 0).data()) for row in range(model.rowCount())]


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


def test_every_row_of_the_matrix_is_in_sight(qtbot: QtBot, at_decided: MainWindow) -> None:
    page = evaluated(qtbot, at_decided)
    matrix = page.report.matrix
    qtbot.waitUntil(lambda: matrix.height() == matrix.heightForWidth(matrix.width()), timeout=2_000)
    assert matrix.place_of("wave", "wave").y() < matrix.height()


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
    assert names_in(labels) == ["run", "wave"]
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
    assert "1 clip decided otherwise since" in words_of_cautions(page)


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


# --- what stays ------------------------------------------------------------------------------------
def kept_files(project: Path) -> list[str]:
    return sorted(path.name for path in evaluations_folder(project).iterdir())


def test_an_evaluation_is_there_again_after_a_restart(qtbot: QtBot, decided: Path) -> None:
    with opened(qtbot, decided) as window:
        page = evaluated(qtbot, window)
        assert "Measured today" in page.report.made.text()
    assert len(kept_files(decided)) == 1
    decide(decided, 4, "wave")
    with opened(qtbot, decided) as window:
        page = evaluate_page(qtbot, window)
        qtbot.waitUntil(lambda: page.report.filled, timeout=10_000)
        assert page.report.isVisible() and page.report.top1.value.text() == "50.0 %"
        assert "1 clip decided otherwise since this was measured" in words_of_cautions(page)
        assert (
            page.setup.kept.count() == 1
            and "50.0 % · fixed on decided clips" in page.setup.kept.currentText()
        )
        page.report.labels.setFocus()
        press(qtbot, window, KEY.Key_Return)
        qtbot.waitUntil(lambda: list(window.workbench.library.ids) == [3, 4, 5], timeout=5_000)


def test_clips_decided_since_are_told_after_a_restart(qtbot: QtBot, decided: Path) -> None:
    with opened(qtbot, decided) as window:
        page = evaluate_page(qtbot, window)
        page.setup.filter.setText("label:run")
        with qtbot.waitSignal(window.workbench.evaluating.finished, timeout=20_000):
            page.setup.go.click()
    decide(decided, 1, "run")
    with opened(qtbot, decided) as window:
        page = evaluate_page(qtbot, window)
        qtbot.waitUntil(lambda: page.report.filled, timeout=10_000)
        assert "1 clip decided since, and not among these" in words_of_cautions(page)
        assert "label:run" in page.report.title.text()


def test_an_undone_decision_outdates_nothing(qtbot: QtBot, at_decided: MainWindow) -> None:
    evaluated(qtbot, at_decided)
    bench = at_decided.workbench
    at_decided.show_clips((3,), "of run")
    qtbot.waitUntil(lambda: bench.library.current_id == 3 and bench.deciding.can_act, timeout=10_000)
    qtbot.keyClick(at_decided.player.view, KEY.Key_U)
    qtbot.waitUntil(lambda: bench.evaluating.outdated == 1, timeout=5_000)
    press(qtbot, at_decided, KEY.Key_Z, CONTROL)
    qtbot.waitUntil(lambda: bench.evaluating.outdated == 0, timeout=5_000)


def test_an_earlier_evaluation_can_be_shown_again(qtbot: QtBot, at_decided: MainWindow) -> None:
    page = evaluated(qtbot, at_decided)
    page.setup.filter.setText("label:run")
    with qtbot.waitSignal(at_decided.workbench.evaluating.finished, timeout=20_000):
        page.setup.go.click()
    qtbot.waitUntil(lambda: page.setup.kept.count() == 2, timeout=5_000)
    assert page.setup.kept.currentIndex() == 0
    assert page.report.top1.value.text() == "0.0 %"
    page.setup.kept.setCurrentIndex(1)
    with qtbot.waitSignal(at_decided.workbench.evaluating.finished, timeout=5_000):
        page.setup.kept.activated.emit(1)
    assert page.report.top1.value.text() == "50.0 %" and page.setup.kept.currentIndex() == 1


def test_the_evaluation_of_another_project_is_refused(qtbot: QtBot, decided: Path) -> None:
    with opened(qtbot, decided) as window:
        evaluated(qtbot, window)
    (name,) = kept_files(decided)
    file = evaluations_folder(decided) / name
    file.write_text(file.read_text("utf-8").replace("clip_0000002", "other"), "utf-8")
    with opened(qtbot, decided) as window:
        with qtbot.waitSignal(window.workbench.evaluating.failed, timeout=10_000):
            page = evaluate_page(qtbot, window)
        assert "another project" in page.setup.trouble.text() and page.message.isVisible()


# --- parts of a snapshot ---------------------------------------------------------------------------
@pytest.fixture
def dealt(decided: Path) -> Path:
    """Clips 1 to 4 are the test part of a snapshot; clip 1 was decided otherwise since, clip 2 is not decided."""
    with ProjectStore.open(decided) as store:
        clips = tuple(
            SnapshotClip(
                content_hash=one.content_hash or "", start_us=one.start_us, end_us=one.end_us, label=one.label,
                part="test" if one.clip_id <= 4 else "train", source="", path=one.path, clip_id=one.clip_id,
            )
            for one in store.snapshots.curated(ClipQuery())
        )  # fmt: skip
        store.snapshots.keep(Snapshot(clips=clips, labels=("wave", "run"), split="by-source", made_at_us=1))
        store.decide([NewDecision(clip_id=2, kind=DecisionKind.UNSURE, label=None)], annotator="me")
    decide(decided, 1, "run")
    return decided


def test_a_part_is_measured_under_the_labels_it_was_frozen_with(qtbot: QtBot, dealt: Path) -> None:
    with opened(qtbot, dealt) as window:
        page = evaluate_page(qtbot, window)
        place = page.setup.on.findData("test")
        assert "Test clips of the newest snapshot (4)" in page.setup.on.itemText(place)
        page.setup.on.setFocus()
        press(qtbot, window, KEY.Key_Down)
        assert page.setup.on.currentIndex() == place
        with qtbot.waitSignal(window.workbench.evaluating.finished, timeout=20_000):
            page.setup.go.click()
        qtbot.waitUntil(lambda: page.report.filled, timeout=5_000)
        assert "4 test clips of the newest snapshot" in page.report.title.text()
        assert "labels of the snapshot" in page.report.made.text()
        assert page.report.top1.value.text() == "50.0 %", "as frozen: two of wave, two of run"
        assert "2 clips decided otherwise since the snapshot" in words_of_cautions(page)


# --- which confidence ------------------------------------------------------------------------------
def test_own_and_calibrated_confidence_stand_side_by_side(qtbot: QtBot, decided: Path) -> None:
    bins = (ReliabilityBin(low=0.0, high=1.0, clips=40, confidence=0.7, accuracy=0.6),)
    with opened(qtbot, decided) as window:
        page = evaluate_page(qtbot, window)
        model = page.setup.model.currentData()
        with ProjectStore.open(decided) as store:
            store.register_model(model, "bundled", ["wave", "run"], {})
            store.calibrations.keep(
                Calibration(model=model, temperature=1.5, clips=40, ece_before=0.2, ece_after=0.1,
                            bins_before=bins, bins_after=bins, fitted_at_us=1)
            )  # fmt: skip
        with qtbot.waitSignal(window.workbench.evaluating.finished, timeout=20_000):
            page.setup.go.click()
        qtbot.waitUntil(lambda: page.report.filled, timeout=5_000)
        report = page.report
        assert "own confidence · ECE 40.0 %" in report.own_words.text()
        assert "Calibrated, as shown" in report.calibrated_words.text()
        assert "ECE 25.0 %" in report.calibrated_words.text() and "1.50" in report.calibrated_words.text()
        assert report.calibrated.isVisible() and report.calibrated.bins[0].confidence == 0.75
        assert "own confidence" in report.ece.accessibleName() and "25.0 %" in report.ece.detail.text()
        assert not report.doubtful.isColumnHidden(4)


def test_without_a_calibration_it_says_so(qtbot: QtBot, at_decided: MainWindow) -> None:
    page = evaluated(qtbot, at_decided)
    assert page.report.calibrated.isHidden() and "no calibration" in page.report.calibrated_words.text()
    assert page.report.doubtful.isColumnHidden(4)


# --- tables and focus ------------------------------------------------------------------------------
def test_the_labels_sort_by_a_click_on_a_head(qtbot: QtBot, at_decided: MainWindow) -> None:
    page = evaluated(qtbot, at_decided)
    labels = page.report.labels
    head = labels.horizontalHeader()
    labels.sortByColumn(0, Qt.SortOrder.DescendingOrder)
    assert names_in(labels) == ["wave", "run"]
    labels.sortByColumn(3, Qt.SortOrder.AscendingOrder)
    assert names_in(labels) == ["run", "wave"] and head.sortIndicatorSection() == 3


def test_the_focus_stays_with_what_can_be_done(qtbot: QtBot, at_decided: MainWindow) -> None:
    page = evaluate_page(qtbot, at_decided, "slow")
    page.setup.go.setFocus()
    press(qtbot, at_decided, KEY.Key_Space)
    qtbot.waitUntil(page.setup.stop.isVisible, timeout=5_000)
    assert page.setup.stop.hasFocus()
    qtbot.waitUntil(lambda: "3 of 6 clips" in page.setup.progress.text(), timeout=20_000)
    with qtbot.waitSignal(at_decided.workbench.evaluating.stopped, timeout=10_000):
        press(qtbot, at_decided, KEY.Key_Space)
    assert page.setup.go.hasFocus()
