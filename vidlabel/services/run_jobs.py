"""What the Train page asks of run folders and of the store, off the GUI thread, and without torch."""

from __future__ import annotations

import importlib
import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vidlabel.core.errors import ModelError, VidlabelError
from vidlabel.core.proof import Proof
from vidlabel.core.runs import LIVE, RunFolder, RunState, TrainSettings, runs_folder
from vidlabel.core.snapshot import Snapshot

if TYPE_CHECKING:
    from vidlabel.store.project_store import ProjectStore

FORMER_MODELS = "former_models"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunEntry:
    """One run in the list.

    ``model``: hash of what it made, '' for nothing; ``words``: why it failed; ``proof``: as the project keeps it,
    also where the run's folder is gone (``Proof.to_json``), None without one.
    """

    name: str
    folder: RunFolder
    state: RunState
    model: str = ""
    started_at_us: int = 0
    words: str = ""
    proof: Mapping[str, Any] | None = None

    @property
    def live(self) -> bool:
        return self.state in LIVE


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFacts:
    """What a run learns from and how, as its folder says."""

    name: str
    settings: TrainSettings
    base: str
    snapshot: str
    split: str
    sources: str
    parts: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProofFound:
    """The proof of a run, or why there is none; clip ids won and lost by label."""

    name: str
    proof: Proof | None = None
    won: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    lost: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    trouble: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class InUse:
    """Which model the project uses, and how far back one can go."""

    active: str = ""
    active_name: str = ""
    former: tuple[str, ...] = ()


def runs_of(store: ProjectStore) -> tuple[RunEntry, ...]:
    """All runs of the project, newest first, as they really stand."""
    records: Any = importlib.import_module("vidlabel.learning.run_records")
    return tuple(reversed([_entry(store.path, record) for record in records.reconcile(store)]))


def known_runs(store: ProjectStore) -> tuple[RunEntry, ...]:
    """The same of a project that is only read: as they were last known."""
    return tuple(reversed([_entry(store.path, row) for row in store.runs.all()]))


def _entry(project: Path, record: Any) -> RunEntry:
    kept = getattr(record, "details", None)
    proof = kept.get("proof") if kept is not None else record.proof
    return RunEntry(
        name=record.name, folder=RunFolder(runs_folder(project) / record.name),
        state=RunState(record.state), model=record.model or "", started_at_us=record.started_at_us,
        words=str(getattr(record, "words", "") or ""), proof=proof or None,
    )  # fmt: skip


def facts_of(folder: RunFolder) -> RunFacts:
    """Reads settings and snapshot of a run; both may be large, so in the pool."""
    content = json.loads(folder.settings.read_text(encoding="utf-8"))
    snapshot = Snapshot.from_json(json.loads(folder.snapshot.read_text(encoding="utf-8")), folder.snapshot)
    settings = TrainSettings.from_json(content)
    return RunFacts(
        name=folder.name, settings=settings, base=str(content.get("base_name") or settings.base),
        snapshot=snapshot.hash, split=snapshot.split, sources=snapshot.sources,
        parts={part: len(snapshot.of(part)) for part in ("train", "validation", "test")},
    )  # fmt: skip


def proof_of(run: RunEntry) -> ProofFound:
    """The proof with the clips won and lost by label; a folder that is gone leaves what the project keeps."""
    folder = run.folder
    files: Any = importlib.import_module("vidlabel.learning.run_files")
    proof: Proof | None = files.read_proof(folder, run.proof)
    if proof is None:
        broken = folder.proof.is_file()
        words = f"{folder.proof} cannot be read, and the project keeps no copy of it." if broken else ""
        return ProofFound(name=run.name, trouble=words)
    label_of: dict[int, str] = {}
    with suppress(OSError, ValueError, KeyError, TypeError, VidlabelError):
        snapshot = Snapshot.from_json(
            json.loads(folder.snapshot.read_text(encoding="utf-8")), folder.snapshot
        )
        label_of = {clip.clip_id: clip.label for clip in snapshot.clips}
    return ProofFound(
        name=run.name, proof=proof,
        won=_by_label(proof.won, label_of), lost=_by_label(proof.lost, label_of),
    )  # fmt: skip


def _by_label(clip_ids: tuple[int, ...], label_of: Mapping[int, str]) -> dict[str, tuple[int, ...]]:
    found: dict[str, tuple[int, ...]] = {}
    for clip_id in clip_ids:
        label = label_of.get(clip_id)
        if label is not None:
            found[label] = (*found.get(label, ()), clip_id)
    return found


def send_wish(folder: RunFolder, wish: str) -> None:
    """``stop``, ``keep``, ``pause`` or ``resume``, to whatever process works on the run."""
    records: Any = importlib.import_module("vidlabel.learning.run_records")
    records.send_wish(folder, wish)


def in_use(store: ProjectStore) -> InUse:
    """On the reading thread."""
    active = store.active_model()
    former = store.former_models()
    if active is None:
        return InUse(former=former)
    return InUse(active=active[0], active_name=active[1], former=former)


def promote(model_hash: str, store: ProjectStore) -> Any:
    """Makes a run's model the active one. On the writing thread."""
    return store.set_active_model(model_hash)


def roll_back(store: ProjectStore) -> Any:
    """Makes the model the active one that was it before, of those that are still installed.

    Raises:
        ModelError: there is none.
    """
    catalogue: Any = importlib.import_module("vidlabel.ml.catalogue")
    keys: Any = importlib.import_module("vidlabel.core.model_key")
    former = store.former_models()
    for place in reversed(range(len(former))):
        try:
            catalogue.find_model(keys.ModelKey.parse(former[place]).hash)
        except ModelError:
            continue
        changes = store.set_active_model(former[place])
        store.set_setting(FORMER_MODELS, list(former[:place]))
        return changes
    raise ModelError(
        "the one before", "none of the models that were active here before is installed any more"
    )
