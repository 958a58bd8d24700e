"""Closing the window at a bad moment: in bounded time, with the project closed in good order."""

from __future__ import annotations

from pathlib import Path
from time import monotonic

import pytest
from pytestqt.qtbot import QtBot

from tests.helpers.projects import write_project
from vidlabel.services import project_opening
from vidlabel.services.workbench import Workbench
from vidlabel.store.places import lock_of
from vidlabel.store.project_store import ProjectStore


@pytest.mark.parametrize("turns", [0, 1, 50])
def test_closing_while_a_project_is_opened(
    turns: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, qtbot: QtBot
) -> None:
    """``turns`` ms after it was asked for: on its way in another thread, or just there."""
    project = tmp_path / "big.vidlabel"
    write_project(project, tmp_path / "media", clips=2000)
    opened: list[ProjectStore] = []
    real = project_opening.open_store

    def remember(path: Path, *, create: bool) -> tuple[ProjectStore, str]:
        store, words = real(path, create=create)
        opened.append(store)
        return store, words

    monkeypatch.setattr(project_opening, "open_store", remember)
    bench = Workbench()
    bench.settings.suggest_by_itself = bench.settings.scan_by_itself = False
    facts: list[object] = []
    bench.project_opened.connect(facts.append)
    bench.open_project(project)
    if turns:
        qtbot.wait(turns)
    began = monotonic()
    with qtbot.waitSignal(bench.closed, timeout=15_000):
        bench.close()
    assert monotonic() - began < 6
    assert len(opened) == 1
    # Nobody holds the project any more.
    assert not lock_of(project).exists()
    with ProjectStore.open(project) as store:
        store.claim_window()
        assert store.counts().total == 2000
    bench.open_project(project)
    assert len(opened) == 1
    bench.deleteLater()


def test_closing_before_the_project_turned_out_to_be_none_says_nothing(tmp_path: Path, qtbot: QtBot) -> None:
    (tmp_path / "no.vidlabel").write_text("no database")
    bench = Workbench()
    told: list[str] = []
    bench.trouble.connect(told.append)
    bench.open_project(tmp_path / "no.vidlabel")
    with qtbot.waitSignal(bench.closed, timeout=15_000):
        bench.close()
    assert told == []
    bench.deleteLater()
