"""What a run would learn from, before it is begun: counts, cautions and estimates. Off the GUI thread."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any

from vidlabel.core.errors import ModelError
from vidlabel.core.runs import RunFolder, TrainSettings
from vidlabel.core.snapshot import Snapshot, SplitKind

if TYPE_CHECKING:
    from vidlabel.store.project_store import ProjectStore

OFFICIAL = "official_splits"
"""Setting of a project: folder and number of the split that came with its labels."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What the person set: how it learns, and how clips are dealt to the parts."""

    settings: TrainSettings = field(default_factory=TrainSettings)
    split: SplitKind = "by-source"
    sources: str = "auto"


@dataclass(frozen=True, slots=True)
class LabelPlan:
    """Clips of one label by part; ``small``: too few to split, all of them train."""

    label: str
    train: int
    validation: int
    test: int
    small: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What would be begun. ``why_not``: what is missing, '' where it can begin."""

    wanted: Wanted
    parts: tuple[int, int, int] = (0, 0, 0)
    """Train, validation, test."""
    labels: tuple[LabelPlan, ...] = ()
    cautions: tuple[str, ...] = ()
    estimate: str = ""
    why_not: str = ""
    example: tuple[Path, int, int] | None = None
    """A training clip to look at: path, start and end in microseconds."""
    prepared: Any = None
    """What the run is begun with."""


def plan(project: Path, wanted: Wanted, *, stopping: Event, tell: Callable[[int, int], None]) -> Plan:
    """Prepares a snapshot through a connection of its own: hashing what is not hashed may take long.

    Args:
        project: its file.
        wanted: settings and split.
        stopping: set when the answer is not wanted any more.
        tell: gets (done, total) while files are hashed.

    Raises:
        VidlabelError: the project or the model cannot be read.
    """
    store_module: Any = importlib.import_module("vidlabel.store.project_store")
    snapshots: Any = importlib.import_module("vidlabel.learning.snapshots")
    store = store_module.ProjectStore.open(project)
    try:
        made = snapshots.prepare(
            store, split=wanted.split, sources=wanted.sources, official=_official(store, wanted),
            seed=wanted.settings.seed, should_stop=stopping.is_set, on_progress=tell,
        )  # fmt: skip
    finally:
        store.close()
    return _plan_of(wanted, made)


def _official(store: ProjectStore, wanted: Wanted) -> Any:
    """The split that came with the labels, as ``import`` noted it."""
    noted = store.setting(OFFICIAL) if wanted.split == "official" else None
    if not isinstance(noted, dict):
        return None
    splits: Any = importlib.import_module("vidlabel.learning.snapshots")
    return splits.OfficialSplit(Path(str(noted["folder"])), int(noted["number"]))


def has_official(store: ProjectStore) -> bool:
    """Whether the project knows an official split."""
    return isinstance(store.setting(OFFICIAL), dict)


def _plan_of(wanted: Wanted, made: Any) -> Plan:
    preflights: Any = importlib.import_module("vidlabel.learning.preflight")
    snapshot: Snapshot = made.snapshot
    report = made.preflight
    small = frozenset(report.too_small)
    train = snapshot.of("train")
    shown = train[len(train) // 2] if train else None
    estimate = "" if report.blockers else preflights.estimate(snapshot, wanted.settings).words
    return Plan(
        wanted=wanted,
        parts=(len(train), len(snapshot.of("validation")), len(snapshot.of("test"))),
        labels=tuple(
            LabelPlan(one.label, one.train, one.validation, one.test, one.label in small)
            for one in report.counts
        ),
        cautions=tuple(report.warnings),
        estimate=estimate,
        why_not=" ".join(report.blockers),
        example=None if shown is None else (shown.path, shown.start_us, shown.end_us),
        prepared=made,
    )


def begin(project: Path, plan_: Plan) -> RunFolder:
    """Writes the run's folder and its row; its process is started by who asked.

    Raises:
        VidlabelError: the model to start from is not installed, or the folder cannot be written.
    """
    store_module: Any = importlib.import_module("vidlabel.store.project_store")
    records: Any = importlib.import_module("vidlabel.learning.run_records")
    catalogue: Any = importlib.import_module("vidlabel.ml.catalogue")
    base = _base(catalogue.find_model(plan_.wanted.settings.base))
    store = store_module.ProjectStore.open(project)
    try:
        folder: RunFolder = records.begin_run(
            store, plan_.prepared, plan_.wanted.settings, base=base, active=_active(store, catalogue)
        )
        return folder
    finally:
        store.close()


def _base(info: Any) -> Any:
    records: Any = importlib.import_module("vidlabel.learning.run_records")
    return records.Base(path=info.path, name=info.name, hash=info.hash)


def _active(store: ProjectStore, catalogue: Any) -> Any:
    """The project's active model where it is installed: the proof compares with it."""
    active = store.active_model()
    if active is None:
        return None
    keys: Any = importlib.import_module("vidlabel.core.model_key")
    try:
        return _base(catalogue.find_model(keys.ModelKey.parse(active[0]).hash))
    except ModelError:
        return None


def go_on(project: Path, name: str) -> RunFolder:
    """Makes a stopped, failed or interrupted run ready to be started again.

    Raises:
        VidlabelError: it cannot be resumed.
    """
    store_module: Any = importlib.import_module("vidlabel.store.project_store")
    records: Any = importlib.import_module("vidlabel.learning.run_records")
    store = store_module.ProjectStore.open(project)
    try:
        folder: RunFolder = records.resume_run(store, name)
        return folder
    finally:
        store.close()
