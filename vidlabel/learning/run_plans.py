"""From what a person set to a run that is begun: the clips it would learn from, what it may take, and its folder.

No torch. The window has this done by a process of its own; see ``vidlabel.cli.plan_worker``.
"""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vidlabel.core.errors import ModelError
from vidlabel.core.filters import parse
from vidlabel.core.model_key import ModelKey
from vidlabel.core.runs import RunFolder, TrainSettings
from vidlabel.core.snapshot import PARTS, SplitKind
from vidlabel.core.words import ClipQuery
from vidlabel.learning.preflight import estimate
from vidlabel.learning.run_begin import Base, begin_run
from vidlabel.learning.run_records import reconcile
from vidlabel.learning.snapshots import OfficialSplit, Prepared, prepare
from vidlabel.ml.catalogue import BUNDLED, find_model
from vidlabel.ml.modelfile import ModelInfo
from vidlabel.store.project_store import ProjectStore

OFFICIAL = "official_splits"
"""Setting of a project: folder and number of the split that came with its labels."""
_DRIVERS = {"linux": "libcuda.so.1", "win32": "nvcuda.dll"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """A run as it is ordered.

    Attributes:
        settings: how it learns.
        split, sources, new_test: how clips are dealt to the parts; as for ``prepare``.
        expression: a filter; only clips that fit are learned from.
    """

    settings: TrainSettings
    split: SplitKind = "by-source"
    sources: str = "auto"
    expression: str = ""
    new_test: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RunPlan:
    """What would be begun; nothing of it is kept yet."""

    order: Order
    base: Base
    prepared: Prepared
    estimate: str
    """A sentence; '' where no run can begin."""

    def to_json(self) -> dict[str, Any]:
        """What a person should know of it: counts by part and label, cautions, the estimate, what is missing."""
        snapshot, report = self.prepared.snapshot, self.prepared.preflight
        train = snapshot.of("train")
        shown = train[len(train) // 2] if train else None
        small = frozenset(report.too_small)
        return {
            "parts": [len(snapshot.of(part)) for part in PARTS],
            "labels": [
                [one.label, one.train, one.validation, one.test, one.label in small] for one in report.counts
            ],
            # The counts are shown as such, what forbids the run in a place of its own.
            "cautions": list(report.words()[len(report.blockers) + 1 :]),
            "estimate": self.estimate,
            "why_not": " ".join(report.blockers),
            "example": None if shown is None else [str(shown.path), shown.start_us, shown.end_us],
        }


def plan_run(
    store: ProjectStore,
    order: Order,
    *,
    should_stop: Callable[[], bool] = lambda: False,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
) -> RunPlan:
    """Prepares a snapshot; writes nothing but the hashes of contents not hashed yet.

    Args:
        store: an open project.
        order: what is wanted.
        should_stop: asked now and then.
        on_progress: files hashed, and how many there are to hash.

    Raises:
        StoppedError: ``should_stop`` said so.
        FilterError: the filter cannot be understood.
        ModelError: the model to start from is not installed.
        TrainingError: an official split is wanted and the project knows none.
    """
    base = base_of(find_model(order.settings.base))
    settings = TrainSettings.from_json({**order.settings.to_json(), "base": base.name})
    prepared = prepare(
        store, parse(order.expression, base=ClipQuery(sort="path")),
        split=order.split, sources=order.sources, official=_official(store, order), seed=settings.seed,
        new_test=order.new_test, should_stop=should_stop, on_progress=on_progress,
    )  # fmt: skip
    words = ""
    if not prepared.preflight.blockers:
        guess = estimate(
            prepared.snapshot, settings, records=reconcile(store), cpus=os.cpu_count() or 1,
            gpu=settings.device != "cpu" and has_cuda(),
        )  # fmt: skip
        words = f"It takes {guess.words}."
    return RunPlan(order=order, base=base, prepared=prepared, estimate=words)


def begin_plan(store: ProjectStore, plan: RunPlan) -> RunFolder:
    """Writes the run's folder and its row; its process is started by who asked.

    Raises:
        TrainingError: too little is labelled, or another run has taken test clips meanwhile.
    """
    settings = TrainSettings.from_json({**plan.order.settings.to_json(), "base": plan.base.name})
    return begin_run(store, plan.prepared, settings, base=plan.base, active=active_base(store))


def base_of(model: ModelInfo) -> Base:
    """A model as a run is begun with it; its licence goes on to the card of what the run makes."""
    return Base(path=model.path, name=model.name, hash=model.hash, card_license=model.license)


def active_base(store: ProjectStore) -> Base | None:
    """The model the new one has to beat; None where the project's is not on this computer."""
    active = store.active_model()
    try:
        return base_of(find_model(BUNDLED if active is None else ModelKey.parse(active[0]).hash))
    except ModelError:
        return None


def has_cuda() -> bool:
    """Whether a driver here answers that there is a CUDA GPU; without torch, for a guess only."""
    try:
        driver = ctypes.CDLL(_DRIVERS.get(sys.platform, "libcuda.so.1"))
        found = ctypes.c_int(0)
        return driver.cuInit(0) == 0 and driver.cuDeviceGetCount(ctypes.byref(found)) == 0 and found.value > 0
    except (OSError, AttributeError):
        return False


def _official(store: ProjectStore, order: Order) -> OfficialSplit | None:
    """The split that came with the labels, as ``import`` noted it."""
    noted = store.setting(OFFICIAL) if order.split == "official" else None
    if not isinstance(noted, Mapping):
        return None
    return OfficialSplit(Path(str(noted["folder"])), int(noted["number"]))
