"""A run: its states, its settings, and the folder through which its process is told and tells."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from enum import StrEnum
from pathlib import Path
from typing import Any, Literal

from vidlabel.core.errors import UsageError

PROTOCOL = 1
"""``"v"`` of every line in ``events.jsonl``."""


class RunState(StrEnum):
    """Where a run stands. ``interrupted``: its process is gone without a last word; it can be resumed."""

    PREPARING = "preparing"
    RUNNING = "running"
    PAUSED = "paused"
    STOPPED = "stopped"
    FAILED = "failed"
    INTERRUPTED = "interrupted"
    FINISHED = "finished"


LIVE = frozenset({RunState.PREPARING, RunState.RUNNING, RunState.PAUSED})
RESUMABLE = frozenset({RunState.STOPPED, RunState.FAILED, RunState.INTERRUPTED})


class Tunes(StrEnum):
    """Which weights learn."""

    HEAD = "head"
    LAST = "last"
    ALL = "all"


Precision = Literal["auto", "float32", "bfloat16", "float16"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainSettings:
    """How a run learns. Every default needs no knowledge.

    Attributes:
        base: model to start from, by name, hash or path.
        tunes: the head only, the last two stages too, or everything.
        epochs: passes over the training clips, at most.
        patience: epochs without a better validation result after which it ends; 0 never ends early.
        rate: highest learning rate; 0 takes the one that suits ``tunes``.
        layer_decay: by how much slower each layer learns than the one above it, 0..1.
        batch: clips a step; 0 finds out what fits.
        accumulate: steps whose gradients are added up before the weights move.
        balance: how rare labels are helped: not at all, by weighing the loss, or by showing them more often.
        augment: how much training clips are changed: not at all, a little, or more.
        average: decay of the running average of the weights that is measured and kept; 0 is none.
        label_smoothing: 0..1.
        mixup: alpha; 0 is none.
        weight_decay: of AdamW.
        precision: of the arithmetic; ``auto`` is bfloat16 or float16 on a GPU, float32 on a CPU.
        device: ``auto``, ``cpu``, ``cuda``, ``cuda:1``, ``mps``.
        workers: decoding threads; 0 takes what the machine has.
        seed: of everything left to chance.
        cache_gb: the most that decoded clips may take on the disk, in GB; 0 decodes anew each epoch.
    """

    base: str = "bundled"
    tunes: Tunes = Tunes.HEAD
    epochs: int = 20
    patience: int = 6
    rate: float = 0.0
    layer_decay: float = 0.75
    batch: int = 0
    accumulate: int = 1
    balance: Literal["none", "loss", "sampling"] = "loss"
    augment: Literal["none", "light", "strong"] = "light"
    average: float = 0.99
    label_smoothing: float = 0.1
    mixup: float = 0.0
    weight_decay: float = 0.05
    precision: Precision = "auto"
    device: str = "auto"
    workers: int = 0
    seed: int = 0
    cache_gb: float = 20.0

    def __post_init__(self) -> None:
        if self.epochs < 1 or self.accumulate < 1:
            raise UsageError("A run needs at least one epoch, and at least one step before the weights move.")
        if min(self.patience, self.batch, self.workers, self.seed) < 0 or min(self.rate, self.cache_gb) < 0:
            raise UsageError("patience, batch, workers, seed, rate and cache size are not below 0.")
        if not 0 < self.layer_decay <= 1:
            raise UsageError("The layer decay is above 0 and at most 1.")
        if not (0 <= self.average < 1 and 0 <= self.label_smoothing < 1):
            raise UsageError("Average and label smoothing are at least 0 and below 1.")

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {**asdict(self), "tunes": self.tunes.value}

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> TrainSettings:
        """The reverse of ``to_json``; names it does not know are left out."""
        known = {one.name for one in fields(cls)}
        chosen = {name: value for name, value in content.items() if name in known}
        if "tunes" in chosen:
            chosen["tunes"] = Tunes(chosen["tunes"])
        return cls(**chosen)


@dataclass(frozen=True, slots=True)
class RunFolder:
    """The files of one run; ``path`` is ``<project>.runs/<run>``, beside the project.

    The process of a run writes ``events.jsonl`` (and the same lines to standard output) and reads ``wish``. It holds
    ``lock`` as long as it lives, so anybody can see whether it does.
    """

    path: Path

    @property
    def name(self) -> str:
        return self.path.name

    @property
    def snapshot(self) -> Path:
        """``Snapshot.to_json``, without which there is no run."""
        return self.path / "snapshot.json"

    @property
    def settings(self) -> Path:
        """``TrainSettings.to_json``, with ``base_path``: the model file to start from."""
        return self.path / "settings.json"

    @property
    def events(self) -> Path:
        """Everything that was told, a line of JSON each, through all times it was resumed."""
        return self.path / "events.jsonl"

    @property
    def log(self) -> Path:
        """What the process wrote to standard error."""
        return self.path / "log.txt"

    @property
    def wish(self) -> Path:
        """One word from outside: ``stop``, ``keep`` (stop and keep the best so far), ``pause`` or ``resume``."""
        return self.path / "wish"

    @property
    def lock(self) -> Path:
        return self.path / "lock"

    @property
    def checkpoint(self) -> Path:
        return self.path / "checkpoint.pt"

    @property
    def model(self) -> Path:
        """The model it made, once it is finished or stopped with the best kept."""
        return self.path / "model.safetensors"

    @property
    def proof(self) -> Path:
        """``Proof.to_json``: candidate and active model on the frozen test clips."""
        return self.path / "proof.json"


def runs_folder(project: Path) -> Path:
    """Where the runs of a project lie."""
    return project.with_name(f"{project.name}.runs")
