"""What the percentages mean is always said beside them."""

from __future__ import annotations

from pytestqt.qtbot import QtBot

from tests.helpers.projects import MODEL_HASH
from vidlabel.core.words import Calibration, CalibrationState, Changes, ReliabilityBin
from vidlabel.store.project_store import ProjectStore
from vidlabel.ui.library.texts import second_line
from vidlabel.ui.main_window import MainWindow

BIN = ReliabilityBin(low=0.0, high=1.0, clips=84, confidence=0.8, accuracy=0.5)
CALIBRATION = Calibration(
    model=MODEL_HASH, temperature=2.0, clips=84, ece_before=0.3, ece_after=0.05, bins_before=(BIN,),
    bins_after=(BIN,), fitted_at_us=7,
)  # fmt: skip


def put_in_force(store: ProjectStore) -> Changes:
    store.calibrations.keep(CALIBRATION)
    assert store.calibrations.show_some(MODEL_HASH, after=0, limit=100) is None
    return Changes(models=True, library=True)


def test_how_many_decisions_are_missing_is_said(qtbot: QtBot, at_work: MainWindow) -> None:
    note = at_work.decide.note
    qtbot.waitUntil(lambda: "30 more decisions needed" in note.text(), timeout=10_000)
    assert note.text().startswith("Not calibrated: 30 more decisions needed.")
    assert "30 more decisions" in at_work.decide.suggestions.rows[0].toolTip()


def test_calibrated_percentages_come_with_the_next_clip(qtbot: QtBot, at_work: MainWindow) -> None:
    bench, panel = at_work.workbench, at_work.decide
    qtbot.waitUntil(lambda: bench.calibrating.state is not None, timeout=10_000)
    # From here on this test says what is fitted: six clips nobody decided about have no calibration.
    bench.calibrating._timer.setInterval(600_000)
    bench.calibrating._on_closed()
    before = panel.suggestions.rows[0].score
    assert before is not None and before.calibrated is None
    bench.session.write(put_in_force)
    qtbot.waitUntil(lambda: panel.note.text().startswith("Not calibrated"), timeout=10_000)
    qtbot.wait(100)
    assert panel.suggestions.rows[0].score == before, "what is on screen stays until the clip is left"

    state = CalibrationState(
        model=MODEL_HASH,
        calibration=CALIBRATION,
        usable=84,
        missing=0,
        words="calibrated on 84 decided clips",
    )
    bench.calibrating._ended(state)
    assert "from the next one on" in panel.note.text()
    at_work.actions_table["move.next"].trigger()
    qtbot.waitUntil(lambda: panel.note.text() == "Calibrated on 84 decided clips.", timeout=10_000)
    first = panel.suggestions.rows[0]
    assert first.score is not None and first.score.calibrated is not None
    assert first.score.calibrated < first.score.probability
    own = round(first.score.probability * 100)
    assert f"The model's own: {own} %" in first.toolTip()
    assert "84 decided clips" in first.accessibleDescription()
    row = bench.library.current
    assert row is not None and row.calibrated == first.score.calibrated
    assert f"{round(row.calibrated * 100)} %" in second_line(row)
