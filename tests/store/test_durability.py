from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.helpers.projects import write_project
from tests.store.conftest import Footage
from vidlabel.core.errors import DiskFullError
from vidlabel.core.words import ClipQuery, DecisionKind, NewDecision
from vidlabel.store.check import FaultKind
from vidlabel.store.project_store import ProjectStore
from vidlabel.store.sqlite import project_error

_DECIDE_FOR_EVER = """
import sys
from pathlib import Path
from vidlabel.core.words import ClipQuery, DecisionKind, NewDecision
from vidlabel.store.project_store import ProjectStore
store = ProjectStore.open(Path(sys.argv[1]))
ids = store.clip_ids(ClipQuery(sort="path"))
while True:
    for clip in ids:
        new = NewDecision(clip_id=clip, kind=DecisionKind.LABELLED, label="wave")
        print(store.decide([new], annotator="me").decisions[0].id, flush=True)
"""


def test_every_acknowledged_decision_survives_sigkill(tmp_path: Path) -> None:
    project = tmp_path / "p.vidlabel"
    write_project(project, tmp_path / "media", clips=40, suggested=False)
    acknowledged: set[int] = set()
    for _ in range(3):
        command = [sys.executable, "-c", _DECIDE_FOR_EVER, str(project)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
            assert child.stdout is not None
            for _ in range(30):
                acknowledged.add(int(child.stdout.readline()))
            child.kill()
            acknowledged.update(int(line) for line in child.stdout if line.endswith("\n"))
    assert project.with_name("p.vidlabel-wal").exists()
    with ProjectStore.open(project) as store:
        kept = {decision.id for clip in store.clip_ids(ClipQuery()) for decision in store.history(clip)}
        assert acknowledged <= kept
        assert [fault for fault in store.check() if fault.kind is not FaultKind.FILE] == []
        assert store.can_undo() is not None


def test_six_threads_through_two_stores_never_fail(tmp_path: Path) -> None:
    project = tmp_path / "p.vidlabel"
    write_project(project, tmp_path / "media", clips=60, suggested=False)
    failures: list[BaseException] = []
    with ProjectStore.open(project) as one, ProjectStore.open(project) as two:

        def work(store: ProjectStore, first: int) -> None:
            try:
                for clip in range(first, 61, 6):
                    store.decide(
                        [NewDecision(clip_id=clip, kind=DecisionKind.LABELLED, label="run")], annotator="t"
                    )
                    store.undo(annotator="t")  # whichever step is newest, perhaps another thread's
                    store.decide(
                        [NewDecision(clip_id=clip, kind=DecisionKind.LABELLED, label="wave")], annotator="t"
                    )
            except BaseException as error:  # noqa: BLE001 - shown below, in the main thread
                failures.append(error)

        threads = [threading.Thread(target=work, args=((one, two)[n % 2], n + 1)) for n in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert failures == []
        decisions = [decision for clip in range(1, 61) for decision in one.history(clip)]
        assert len(decisions) == 180
        assert sum(decision.undoes is None for decision in decisions) == 120
        assert [fault for fault in two.check() if fault.kind is not FaultKind.FILE] == []


def test_a_full_disk_says_so_and_loses_nothing(footage: Footage) -> None:
    store = footage.store
    clip = footage.clip("a.mp4")
    new = NewDecision(clip_id=clip, kind=DecisionKind.LABELLED, label="wave")
    raw = store._database.raw_writer()
    (pages,) = raw.execute("PRAGMA page_count").fetchone()
    raw.execute(f"PRAGMA max_page_count={pages}")
    acknowledged = 0
    with pytest.raises(DiskFullError, match="disk is full"):
        while acknowledged < 10_000:
            store.decide([new] * 50, annotator="me" * 50)
            acknowledged += 50
    assert len(store.history(clip)) == acknowledged
    raw.execute(f"PRAGMA max_page_count={pages + 1000}")
    store.decide([new], annotator="me")
    assert len(store.history(clip)) == acknowledged + 1
    assert store.check() == []


def test_decisions_are_flushed_to_the_disk_and_facts_need_not_be(footage: Footage) -> None:
    raw = footage.store._database.raw_writer()

    def synchronous() -> int:
        return int(raw.execute("PRAGMA synchronous").fetchone()[0])

    clip = footage.clip("a.mp4")
    footage.store.decide([NewDecision(clip_id=clip, kind=DecisionKind.SKIPPED)], annotator="me")
    assert synchronous() == 2  # FULL
    footage.store.mark_trouble(clip, "damaged", missing=False)
    assert synchronous() == 1  # NORMAL
    footage.store.undo(annotator="me")
    assert synchronous() == 2
    assert raw.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_a_disk_without_room_to_open_a_project_is_called_full(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    error = sqlite3.OperationalError("disk I/O error")
    error.sqlite_errorcode = sqlite3.SQLITE_IOERR_SHMSIZE
    known = project_error(tmp_path / "p.vidlabel", error)
    assert known is not None
    assert "connected" in str(known)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=4096))
    assert isinstance(project_error(tmp_path / "p.vidlabel", error), DiskFullError)
