"""The train page in a real window over a real project; the run's process is real, but learns nothing."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from tests.helpers.model_files import other_model
from tests.helpers.projects import MODEL_HASH, relative_of, write_project
from tests.ui.conftest import close_window, show_window
from tests.ui.test_names import nameless
from vidlabel.core.paths import models_folder
from vidlabel.core.runs import RunState
from vidlabel.core.words import DecisionKind, NewDecision
from vidlabel.services import run_process
from vidlabel.services.workbench import Workbench
from vidlabel.store.project_store import ProjectStore
from vidlabel.ui.main_window import MainWindow
from vidlabel.ui.train.dialogs import ClosingDialog, WorseDialog
from vidlabel.ui.train.page import TrainPage

KEY = Qt.Key
CONTROL = Qt.KeyboardModifier.ControlModifier
CLIPS, LABELS = 60, ("walk", "run", "jump", "wave")
WORKER = Path(__file__).parents[1] / "helpers" / "train_worker.py"


def write_clips(folder: Path, one_clip: Path) -> Path:
    """A project of clips that differ in their last bytes only: each is a source of its own."""
    path = folder / "work.vidlabel"
    write_project(path, folder / "media", clips=CLIPS)
    content = one_clip.read_bytes()
    for number in range(1, CLIPS + 1):
        clip = folder / "media" / relative_of(number)
        clip.parent.mkdir(parents=True, exist_ok=True)
        clip.write_bytes(content + b"\0\0\0\x0cfree%04d" % number)
    return path


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch, home: Path) -> str:
    """Hash of the model that a run makes; its process is the one without torch."""
    model = other_model(models_folder() / "made.safetensors", "work run-1")
    digest = hashlib.sha256(model.read_bytes()).hexdigest()
    monkeypatch.setenv("FAKE_MODEL", f"{digest}|work run-1|{model}")
    monkeypatch.setattr(
        run_process, "worker_command", lambda _kind, *arguments: [sys.executable, str(WORKER), *arguments]
    )
    return digest


@pytest.fixture
def undecided(qtbot: QtBot, tmp_path: Path, one_clip: Path, made: str) -> Iterator[MainWindow]:
    window = show_window(qtbot, write_clips(tmp_path, one_clip))
    qtbot.waitUntil(lambda: window.workbench.deciding.can_act, timeout=20_000)
    yield window
    end(qtbot, window)


@pytest.fixture
def curated(qtbot: QtBot, tmp_path: Path, one_clip: Path, made: str) -> Iterator[MainWindow]:
    path = write_clips(tmp_path, one_clip)
    with ProjectStore.open(path) as store:
        store.decide(
            [
                NewDecision(clip_id=number, kind=DecisionKind.CORRECTED, label=LABELS[number % 4])
                for number in range(1, CLIPS - 3)
            ],
            annotator="me",
        )
    window = show_window(qtbot, path)
    qtbot.waitUntil(lambda: window.workbench.deciding.can_act, timeout=20_000)
    yield window
    end(qtbot, window)


def end(qtbot: QtBot, window: MainWindow) -> None:
    """No run outlives its test."""
    bench = window.workbench
    if bench.session.is_open and bench.runs_at_work:
        bench.end_runs(stop=True)
        qtbot.waitUntil(lambda: not bench.runs_at_work, timeout=15_000)
    close_window(qtbot, window)


def train_page(qtbot: QtBot, window: MainWindow) -> TrainPage:
    qtbot.keyClick(window.focusWidget() or window, KEY.Key_T, CONTROL)
    page = window.places.page("train")
    assert isinstance(page, TrainPage)
    qtbot.waitUntil(lambda: page.is_built, timeout=10_000)
    qtbot.waitUntil(lambda: window.workbench.training.known, timeout=10_000)
    return page


def ready(qtbot: QtBot, window: MainWindow) -> TrainPage:
    page = train_page(qtbot, window)
    qtbot.waitUntil(page.new_run.start.isEnabled, timeout=30_000)
    return page


def started(qtbot: QtBot, window: MainWindow, monkeypatch: pytest.MonkeyPatch, *, pace: str) -> TrainPage:
    monkeypatch.setenv("FAKE_PACE", pace)
    page = ready(qtbot, window)
    page.new_run.start.click()
    qtbot.waitUntil(lambda: page.run is not None, timeout=20_000)
    return page


def story_of(bench: Workbench, name: str = "run-1") -> RunState | None:
    story = bench.training.story(name)
    return None if story is None else story.state


def test_says_what_is_missing_where_too_little_is_decided(qtbot: QtBot, undecided: MainWindow) -> None:
    page = train_page(qtbot, undecided)
    qtbot.waitUntil(lambda: bool(page.new_run.plan), timeout=30_000)
    assert not page.new_run.start.isEnabled()
    assert page.new_run.start_words.text() == "No clip has a label yet. Label some first."
    assert "0 decided clips with 0 labels so far" in page.plan_view.summary.text()
    assert "at least 2 labels" in page.plan_view.summary.text()


def test_the_set_up_shows_what_a_run_would_learn_from(qtbot: QtBot, curated: MainWindow) -> None:
    page = ready(qtbot, curated)
    assert page.new_run.plan is not None and sum(page.new_run.plan.parts) == CLIPS - 4
    assert {cells[0].text for cells in page.plan_view.table.cells.rows} >= set(LABELS)
    page.new_run.form.split.setCurrentIndex(1)
    assert not page.new_run.start.isEnabled() or page.new_run.plan.wanted.split == "by-source"
    qtbot.waitUntil(
        lambda: page.new_run.plan is not None and page.new_run.plan.wanted.split == "random", timeout=20_000
    )
    assert nameless(page) == []


def test_a_run_is_begun_by_keyboard_followed_and_proven(
    qtbot: QtBot, curated: MainWindow, monkeypatch: pytest.MonkeyPatch, made: str
) -> None:
    monkeypatch.setenv("FAKE_PACE", "0.01")
    bench = curated.workbench
    page = ready(qtbot, curated)
    page.focus_first()
    assert page.new_run.start.hasFocus()
    qtbot.keyClick(page.new_run.start, KEY.Key_Return)
    qtbot.waitUntil(page.one_run.proof.isVisible, timeout=30_000)
    qtbot.waitUntil(lambda: story_of(bench) is RunState.FINISHED, timeout=5_000)
    assert [line.name for line in page.run_view.loss.lines] == ["train", "validation"]
    assert all(len(line.points) > 5 for line in page.run_view.loss.lines)
    qtbot.waitUntil(lambda: page.one_run.proof.figure.text() == "74.1\u00a0%", timeout=10_000)
    assert page.one_run.proof.change.text() == "+11.2"
    assert "McNemar p\u00a0<\u00a00.001" in page.one_run.proof.measured.text()
    assert "74.1" not in page.one_run.proof.verdict.text() and "p " not in page.one_run.proof.verdict.text()
    qtbot.waitUntil(lambda: not bench.background.jobs, timeout=5_000)
    assert nameless(page) == []
    # A label got worse, so it asks; Enter keeps what is.
    page.one_run.proof.promote.click()
    qtbot.waitUntil(lambda: isinstance(QApplication.activeModalWidget(), WorseDialog), timeout=5_000)
    dialog = QApplication.activeModalWidget()
    assert isinstance(dialog, WorseDialog)
    assert "loses more than 10 points" in dialog.words.text() or "lose more than 10" in dialog.words.text()
    qtbot.keyClick(dialog, KEY.Key_Return)
    assert bench.training.in_use.active == MODEL_HASH
    page.one_run.proof.promote.click()
    qtbot.waitUntil(lambda: isinstance(QApplication.activeModalWidget(), WorseDialog), timeout=5_000)
    again = QApplication.activeModalWidget()
    assert isinstance(again, WorseDialog)
    again.buttons["promote"].click()
    qtbot.waitUntil(lambda: bench.training.in_use.active == made, timeout=10_000)
    qtbot.waitUntil(lambda: not page.one_run.proof.promote.isVisible(), timeout=5_000)
    # The clips won, in the labelling page.
    found = page.one_run.found
    won = found.proof.won if found is not None and found.proof is not None else ()
    page.one_run.proof.won.click()
    qtbot.waitUntil(lambda: curated.places.place == "label", timeout=5_000)
    qtbot.waitUntil(lambda: tuple(bench.library.ids) == won, timeout=10_000)


def test_the_keyboard_waits_for_the_start_button_while_a_plan_is_made(
    qtbot: QtBot, curated: MainWindow
) -> None:
    page = ready(qtbot, curated)
    page.focus_first()
    page.new_run.ask()
    assert not page.new_run.start.isEnabled() and page.new_run.hasFocus()
    qtbot.waitUntil(page.new_run.start.hasFocus, timeout=20_000)


def test_pauses_and_stops_with_what_is_best(
    qtbot: QtBot, curated: MainWindow, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = curated.workbench
    page = started(qtbot, curated, monkeypatch, pace="0.08")
    qtbot.waitUntil(page.one_run.card.keep.isVisible, timeout=20_000)
    assert any(job.name.startswith("Training run-1 · epoch") for job in bench.background.jobs)
    page.one_run.card.pause.click()
    qtbot.waitUntil(lambda: story_of(bench) is RunState.PAUSED, timeout=5_000)
    assert page.one_run.card.pause.words == "Go on" and "Paused" in page.one_run.card.progress.text()
    page.one_run.card.pause.click()
    qtbot.waitUntil(lambda: story_of(bench) is RunState.RUNNING, timeout=5_000)
    page.one_run.card.stop.setFocus()
    page.one_run.card.keep.click()
    qtbot.waitUntil(page.one_run.proof.isVisible, timeout=20_000)
    # The button that had the keyboard is gone: it goes to what one wants next, not to the bar of pages.
    focused = QApplication.focusWidget()
    assert focused is not None and page.isAncestorOf(focused)


def test_a_failed_run_says_why_and_goes_on(
    qtbot: QtBot, curated: MainWindow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAKE_FAILS", "1")
    page = started(qtbot, curated, monkeypatch, pace="0.01")
    qtbot.waitUntil(page.one_run.card.go_on.isVisible, timeout=20_000)
    assert "CUDA ran out of memory" in page.one_run.card.ending.text()
    assert "smaller batch" in page.one_run.card.ending.text()
    monkeypatch.delenv("FAKE_FAILS")
    page.one_run.card.go_on.click()
    qtbot.waitUntil(page.one_run.proof.isVisible, timeout=30_000)
    assert page.run_view.loss.lines[0].points[-1][0] == pytest.approx(8.0)


def test_closing_asks_and_a_run_that_goes_on_is_found_again(
    qtbot: QtBot, curated: MainWindow, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    page = started(qtbot, curated, monkeypatch, pace="0.25")
    qtbot.waitUntil(lambda: page.run_view.loss.lines[0].points != (), timeout=20_000)
    curated.close()
    qtbot.waitUntil(lambda: isinstance(QApplication.activeModalWidget(), ClosingDialog), timeout=5_000)
    dialog = QApplication.activeModalWidget()
    assert isinstance(dialog, ClosingDialog)
    dialog.buttons["stay"].click()
    qtbot.wait(50)
    assert curated.isVisible() and curated.isEnabled()
    curated.close()
    qtbot.waitUntil(lambda: isinstance(QApplication.activeModalWidget(), ClosingDialog), timeout=5_000)
    dialog = QApplication.activeModalWidget()
    assert isinstance(dialog, ClosingDialog)
    with qtbot.waitSignal(curated.workbench.closed, timeout=15_000):
        dialog.buttons["go-on"].click()
    other = show_window(qtbot, tmp_path / "work.vidlabel")
    try:
        qtbot.waitUntil(lambda: other.workbench.runs_at_work == ("run-1",), timeout=20_000)
        found = train_page(qtbot, other)
        qtbot.waitUntil(lambda: found.run is not None, timeout=5_000)
        assert found.run_view.isVisible()
    finally:
        end(qtbot, other)


def test_suggestions_wait_for_the_run_but_not_those_on_screen(
    qtbot: QtBot, curated: MainWindow, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = curated.workbench
    started(qtbot, curated, monkeypatch, pace="1")
    qtbot.waitUntil(lambda: bench.runs_at_work != (), timeout=10_000)
    bench.suggesting.start("bundled")
    qtbot.waitUntil(lambda: bench.suggesting.state == "held", timeout=60_000)
    bench.end_runs(stop=True)
    qtbot.waitUntil(lambda: bench.suggesting.state in {"running", "idle"}, timeout=20_000)
    bench.suggesting.stop()


def test_values_stand_under_the_pointer_and_the_arrow_keys(
    qtbot: QtBot, curated: MainWindow, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = started(qtbot, curated, monkeypatch, pace="0.01")
    qtbot.waitUntil(page.one_run.proof.isVisible, timeout=30_000)
    plot = page.run_view.top1
    QTest.mouseMove(plot, QPoint(plot.width() // 2, plot.height() // 2))
    qtbot.waitUntil(
        lambda: plot.value_words().startswith("epoch 3") or plot.value_words()[6] == "4", timeout=2_000
    )
    plot.setFocus()
    qtbot.keyClick(plot, KEY.Key_Home)
    assert plot.value_words().startswith("epoch 0.0")

    def at_the_end() -> bool:
        qtbot.keyClick(plot, KEY.Key_End)
        return plot.value_words() == "epoch 8.0: train 80\u00a0%, validation 70\u00a0%"

    # The curves follow the run's events, the proof its folder: the last epoch may come after it.
    qtbot.waitUntil(at_the_end, timeout=10_000)
    assert plot.accessibleDescription() == plot.value_words()


def is_made(bench: Workbench, name: str) -> bool:
    """Whether the project knows the model of a run."""
    run = bench.training.run(name)
    return run is not None and bool(run.model)


def test_rolls_back_and_shows_the_clips_of_a_label(
    qtbot: QtBot, curated: MainWindow, monkeypatch: pytest.MonkeyPatch, made: str
) -> None:
    bench = curated.workbench
    page = started(qtbot, curated, monkeypatch, pace="0.01")
    qtbot.waitUntil(page.one_run.proof.isVisible, timeout=30_000)
    # The proof is read from the run's folder, the model from the project: either may be first.
    qtbot.waitUntil(lambda: is_made(bench, "run-1"), timeout=30_000)
    bench.training.promote("run-1")
    qtbot.waitUntil(lambda: bench.training.in_use.active == made, timeout=30_000)
    qtbot.waitUntil(page.one_run.proof.roll_back.isVisible, timeout=5_000)
    told: list[str] = []
    bench.training.failed.connect(told.append)
    page.one_run.proof.roll_back.click()
    qtbot.waitUntil(lambda: bench.training.in_use.active != made or bool(told), timeout=10_000)
    # The model before it is installed nowhere here: that is said, and the active one stays.
    assert told == [] or "installed" in told[0]
    assert told == [] or bench.training.in_use.active == made
    found = page.one_run.found
    assert found is not None
    label = next(iter({**found.won, **found.lost}))
    wanted = {*found.won.get(label, ()), *found.lost.get(label, ())}
    page.run_view.table.label_wished.emit(label)
    qtbot.waitUntil(lambda: curated.places.place == "label", timeout=5_000)
    qtbot.waitUntil(lambda: set(bench.library.ids) == wanted, timeout=10_000)


def test_the_closing_dialog_stops_a_run(
    qtbot: QtBot, curated: MainWindow, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    page = started(qtbot, curated, monkeypatch, pace="0.25")
    qtbot.waitUntil(lambda: page.run_view.loss.lines[0].points != (), timeout=20_000)
    curated.close()
    qtbot.waitUntil(lambda: isinstance(QApplication.activeModalWidget(), ClosingDialog), timeout=5_000)
    dialog = QApplication.activeModalWidget()
    assert isinstance(dialog, ClosingDialog)
    with qtbot.waitSignal(curated.workbench.closed, timeout=15_000):
        dialog.buttons["stop"].click()
    events = tmp_path / "work.vidlabel.runs" / "run-1" / "events.jsonl"
    qtbot.waitUntil(lambda: '"stopped"' in events.read_text(encoding="utf-8"), timeout=15_000)
