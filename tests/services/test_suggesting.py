"""Which model suggests: the project's own, and the bundled one where a newer program carries another."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from vidlabel.core.resources import resources_root
from vidlabel.services.workbench import Workbench


def rename_model(project: Path, name: str) -> None:
    with closing(sqlite3.connect(project)) as raw, raw:
        raw.execute("UPDATE models SET name = ?", (name,))


@pytest.mark.skipif(
    not (resources_root() / "models" / "bundled.safetensors").exists(), reason="without the bundled model"
)
def test_another_bundled_model_takes_over(workbench: Workbench, project: Path, qtbot: QtBot) -> None:
    rename_model(project, "bundled")
    workbench.open_project(project)
    qtbot.waitUntil(lambda: workbench.session.is_open, timeout=10_000)
    with qtbot.waitSignal(workbench.suggesting.model_ready, timeout=60_000) as ready:
        workbench.suggesting.start()
    assert ready.args[0] == "bundled"
    facts = workbench.session.facts
    assert facts is not None and facts.model is not None
    assert workbench.suggesting.model_hash != facts.model[0]


def test_a_model_that_is_gone_is_called_by_its_name(
    workbench: Workbench, project: Path, qtbot: QtBot
) -> None:
    workbench.open_project(project)
    qtbot.waitUntil(lambda: workbench.session.is_open, timeout=10_000)
    facts = workbench.session.facts
    assert facts is not None and facts.model is not None
    with qtbot.waitSignal(workbench.suggesting.failed, timeout=60_000) as told:
        workbench.suggesting.start()
    assert facts.model[1] in told.args[0]
    assert facts.model[0] not in told.args[0]
