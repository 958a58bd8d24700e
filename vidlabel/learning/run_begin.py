"""Begins runs: the folder with all that their process needs, the snapshot that is kept, and the project's row.

No torch: the window and the command line come here, too.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from vidlabel.core.errors import TrainingError
from vidlabel.core.runs import RunFolder, TrainSettings, runs_folder
from vidlabel.core.snapshot import Snapshot
from vidlabel.core.time import now_us
from vidlabel.learning.preflight import blockers_of, count_labels
from vidlabel.learning.run_files import unwritable, write_json
from vidlabel.learning.snapshots import Prepared
from vidlabel.store.project_store import ProjectStore

SINCE = "since_us"
"""Of a row's details: when the run was begun, or last told to go on."""


@dataclass(frozen=True, slots=True)
class Base:
    """A model file: the one to start from, or the active one that the result has to beat."""

    path: Path
    name: str
    hash: str
    card_license: str = ""


def begin_run(
    store: ProjectStore,
    prepared: Prepared | Snapshot,
    settings: TrainSettings,
    *,
    base: Base,
    active: Base | None = None,
    new_test: bool = False,
) -> RunFolder:
    """Makes the folder and the row of a run and keeps its snapshot; its process is started by the caller.

    Args:
        store: an open project.
        prepared: what it learns from.
        settings: how.
        base: the model to start from.
        active: the model its result is compared with.
        new_test: the snapshot was prepared with it.

    Raises:
        TrainingError: too little is labelled, another run has taken test clips since it was prepared, or the folder
            beside the project cannot be written.
        ProjectError: the project cannot be written; there is no run then.
    """
    snapshot = prepared.snapshot if isinstance(prepared, Prepared) else prepared
    new_test = new_test or (isinstance(prepared, Prepared) and prepared.new_test)
    blockers = blockers_of(count_labels(snapshot))
    if blockers:
        raise TrainingError(" ".join(blockers))
    if not new_test:
        _refuse_taken(store, snapshot)
    store.snapshots.keep(snapshot, deal_anew=new_test)
    folder = _new_folder(store)
    try:
        told = {
            **settings.to_json(),
            "base_path": str(base.path), "base_name": base.name, "base_hash": base.hash,
            "base_license": base.card_license, "project": str(store.path),
            "active_path": None if active is None else str(active.path),
            "active_name": "" if active is None else active.name,
            "active_hash": "" if active is None else active.hash,
            "aliases": store.snapshots.aliases(),
        }  # fmt: skip
        write_json(folder.snapshot, snapshot.to_json())
        write_json(folder.settings, told)
        details = {"settings": settings.to_json(), "base": base.name, "base_hash": base.hash, SINCE: now_us()}
        store.runs.add(folder.name, snapshot=snapshot.hash, base=base.hash, details=details)
    except BaseException as error:
        shutil.rmtree(folder.path, ignore_errors=True)
        if isinstance(error, OSError):
            raise unwritable(folder.path, error) from error
        raise
    return folder


def _refuse_taken(store: ProjectStore, snapshot: Snapshot) -> None:
    dealt = store.snapshots.dealt()
    taken = sum(
        clip.part != "test" and (known := dealt.get(clip.key)) is not None and known.part == "test"
        for clip in snapshot.clips
    )
    if taken:
        raise TrainingError(
            f"{taken:,} clips of this snapshot have become test clips of another run since it was prepared. "
            "Prepare it again."
        )


def _new_folder(store: ProjectStore) -> RunFolder:
    parent = runs_folder(store.path)
    taken = {row.name for row in store.runs.all()}
    number = len(taken) + 1
    while True:
        name = f"run-{number}"
        try:
            if name not in taken:
                (parent / name).mkdir(parents=True)
                return RunFolder(parent / name)
        except FileExistsError:
            pass  # of a project that was here before, or begun by somebody else just now
        except OSError as error:
            raise unwritable(parent, error) from error
        number += 1
