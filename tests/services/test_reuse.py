"""The window keeps what the model saw, and asks it again without opening a video."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from vidlabel.core.resources import resources_root
from vidlabel.core.words import ClipQuery, Suggestion
from vidlabel.ml.catalogue import find_model
from vidlabel.ml.trunk import trunk_of
from vidlabel.services.workbench import Workbench
from vidlabel.store.project_store import ProjectStore

pytestmark = pytest.mark.skipif(
    not (resources_root() / "models" / "bundled.safetensors").exists(), reason="without the bundled model"
)


@pytest.fixture
def project(tmp_path: Path, footage: Path) -> Path:
    """Five clips that no model has seen."""
    path = tmp_path / "fresh.vidlabel"
    media = tmp_path / "media"
    media.mkdir()
    for clip in footage.iterdir():
        (media / clip.name).write_bytes(clip.read_bytes())
    with ProjectStore.open(path, create=True) as store:
        store.add_root(media)
    return path


def suggest_all(workbench: Workbench, project: Path, qtbot: QtBot) -> None:
    workbench.settings.scan_by_itself = True
    if not workbench.session.is_open:
        workbench.open_project(project)
        qtbot.waitUntil(lambda: workbench.session.is_open, timeout=20_000)
    qtbot.waitUntil(lambda: workbench.session.counts.total == 5, timeout=30_000)
    workbench.suggesting.start()
    qtbot.waitUntil(lambda: workbench.suggesting.state == "idle", timeout=60_000)


def stored(project: Path) -> dict[int, Suggestion]:
    with ProjectStore.open(project, read_only=True) as store:
        active = store.active_model()
        assert active is not None
        return store.suggestions(store.clip_ids(ClipQuery()), active[0])


def test_what_was_seen_once_is_not_decoded_again(
    workbench: Workbench, project: Path, qtbot: QtBot, tmp_path: Path
) -> None:
    suggest_all(workbench, project, qtbot)
    first = stored(project)
    assert len(first) == 5 and {len(one.scores) for one in first.values()} == {10}
    trunk = trunk_of(find_model("bundled"))
    with ProjectStore.open(project, read_only=True) as store:
        qtbot.waitUntil(lambda: len(store.embeddings.find(trunk, list(first))) == 5, timeout=10_000)
        matrix = store.embeddings.matrix(trunk)
    assert matrix is not None and matrix.values.shape[0] == 5 and np.isfinite(matrix.values).all()

    workbench.suggesting.stop()
    with closing(sqlite3.connect(project)) as raw, raw:
        raw.execute("DELETE FROM suggestions")
        raw.execute("UPDATE clips SET model_id = NULL, suggested = NULL, probability = NULL, margin = NULL")
    for clip in (tmp_path / "media").iterdir():
        clip.unlink()
    workbench.suggesting.resume()
    qtbot.waitUntil(lambda: len(stored(project)) == 5, timeout=30_000)
    assert stored(project) == first
    with ProjectStore.open(project, read_only=True) as store:
        assert {row.reason for row in store.clip_rows(list(first))} == {None}, "no file was missed"


def test_a_folder_that_cannot_be_written_is_told_once(
    workbench: Workbench, project: Path, qtbot: QtBot
) -> None:
    told: list[str] = []
    workbench.suggesting.told.connect(told.append)
    project.with_name(project.name + ".embeddings").write_text("in the way")
    suggest_all(workbench, project, qtbot)
    qtbot.waitUntil(lambda: bool(told), timeout=10_000)
    assert len(told) == 1 and "suggestions go on" in told[0]
    assert len(stored(project)) == 5
