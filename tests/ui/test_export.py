"""Ctrl+E: what was decided comes out of the window as a file, and what did not fit is said."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QFileDialog
from pytestqt.qtbot import QtBot

from vidlabel.core.words import ClipQuery
from vidlabel.ui.export_dialog import ExportDialog
from vidlabel.ui.main_window import MainWindow


def opened(qtbot: QtBot, window: MainWindow) -> ExportDialog:
    qtbot.keyClick(window.player.view, Qt.Key.Key_E, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: isinstance(QApplication.activeModalWidget(), ExportDialog), timeout=5_000)
    dialog = QApplication.activeModalWidget()
    assert isinstance(dialog, ExportDialog)
    return dialog


def test_a_decision_comes_out_as_csv_and_what_is_left_out_is_said(
    qtbot: QtBot, at_work: MainWindow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench, out = at_work.workbench, tmp_path / "labels.csv"
    qtbot.keyClick(at_work.player.view, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: bench.session.counts.decided == 1, timeout=10_000)
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(out.with_suffix("")), ""))
    dialog = opened(qtbot, at_work)
    with qtbot.waitSignal(bench.exporting.finished, timeout=20_000):
        qtbot.keyClick(dialog, Qt.Key.Key_Return)
    with out.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 6
    assert [row["state"] for row in rows].count("accepted") == 1
    assert at_work.banner.isVisible()
    assert f"6 clips written to {out}." in at_work.banner.words.text()
    assert "Not held: " in at_work.banner.words.text()
    assert at_work.focusWidget() is at_work.player.view


def test_only_the_clips_of_the_filter(
    qtbot: QtBot, at_work: MainWindow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench, out = at_work.workbench, tmp_path / "some.jsonl"
    row = bench.library.row(2)
    assert row is not None
    at_work.library.filters.field.setText(row.name)
    qtbot.waitUntil(lambda: len(bench.library) == 1, timeout=5_000)
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(out), ""))
    dialog = opened(qtbot, at_work)
    dialog.choose_format("jsonl")
    dialog.only_view.setChecked(True)
    with qtbot.waitSignal(bench.exporting.finished, timeout=20_000):
        dialog.go.click()
    [line] = out.read_text(encoding="utf-8").splitlines()
    assert row.name in line


def test_class_folders_do_not_go_where_they_would_be_scanned(
    qtbot: QtBot, at_work: MainWindow, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = at_work.workbench
    inside = Path(bench.session.roots[0].path) / "out"
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(inside))
    dialog = opened(qtbot, at_work)
    dialog.choose_format("class-folders")
    with qtbot.waitSignal(bench.exporting.failed, timeout=20_000):
        dialog.go.click()
    assert "inside" in at_work.banner.words.text()
    assert not inside.exists()


def test_a_stopped_export_leaves_no_file(qtbot: QtBot, at_work: MainWindow, tmp_path: Path) -> None:
    exporting, out = at_work.workbench.exporting, tmp_path / "labels.csv"
    with qtbot.waitSignal(exporting.finished, timeout=20_000) as told:
        exporting.start(out, "csv", query=ClipQuery(sort="path"))
        exporting.stop()
    assert told.args == ["Exporting was stopped."]
    assert list(tmp_path.glob("*labels*")) == []
