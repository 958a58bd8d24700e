"""One fine-tuning of a network on one split of HMDB51: from where it starts to the model file."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch

from training.files import write_whole
from training.finetune_clips import VARIETY, training_batches
from training.finetune_settings import Settings
from training.hmdb51 import Index
from vidlabel.core.errors import TrainingError
from vidlabel.learning.augment import Augmentation
from vidlabel.learning.clip_batches import LabelledClip
from vidlabel.learning.fit import FitProgress, FitResult, fit
from vidlabel.ml import networks
from vidlabel.ml.catalogue import find_model
from vidlabel.ml.modelfile import load_model, save_model
from vidlabel.ml.networks import Embedder
from vidlabel.ml.preprocess import Preprocessing


@dataclass(frozen=True, kw_only=True)
class Start:
    """What a run begins with.

    Attributes:
        network: its name.
        network_args: for ``networks.build``.
        preprocessing: how clips are prepared for it.
        base: words for where the weights come from.
        license: of those weights; empty from scratch.
        model: the model file they come from; None from scratch.
    """

    network: str
    network_args: dict[str, Any]
    preprocessing: Preprocessing
    base: str
    license: str = ""
    model: Path | None = None


@dataclass(frozen=True, kw_only=True)
class Plan:
    """One fine-tuning, whatever the split.

    Attributes:
        start: what it begins with.
        settings: the recipe.
        variety: how much clips are changed; its ``smallest`` is the settings'.
        device: torch's name of it.
        workers: decoding threads.
        fresh_head: whether the base's head is dropped even where it knows the same labels.
    """

    start: Start
    settings: Settings
    variety: Augmentation = VARIETY
    device: str = "cpu"
    workers: int = 1
    fresh_head: bool = False


def finetune(
    plan: Plan,
    index: Index,
    split: str,
    out: Path,
    *,
    should_stop: Callable[[], bool] = lambda: False,
) -> bool:
    """Fits one split into its folder; goes on from a checkpoint there. False when it was stopped before its end.

    Raises:
        TrainingError: the split has no clips, the loss ran away, or the checkpoint is of another run.
        ModelError: the base does not suit its network.
    """
    model = out / "model.safetensors"
    if model.exists():
        return True
    clips = index.part(split, "train")
    if not clips:
        raise TrainingError(f"{split} has no clips to train on. Was the index made with --incomplete?")
    out.mkdir(parents=True, exist_ok=True)
    settings, start = plan.settings, plan.start
    batches = training_batches(
        [LabelledClip(path=index.file(clip), label=index.labels.index(clip.label)) for clip in clips],
        start.preprocessing,
        size=settings.batch,
        seed=settings.fit.seed,
        variety=replace(plan.variety, smallest=settings.smallest),
        workers=plan.workers,
    )
    network, fresh = begin(plan, index.labels)
    checkpoint = out / "checkpoint.pt"
    told = {
        "split": split,
        "base": start.base,
        "network": start.network,
        "network_args": start.network_args,
        "preprocessing": start.preprocessing.to_json(),
        "fresh_head": fresh,
        "clips": len(clips),
        "settings": asdict(settings),
        "variety": asdict(replace(plan.variety, smallest=settings.smallest)),
        "random_seed": index.random_seed,
    }
    _refuse_other_flags(out / "plan.json", told, goes_on=checkpoint.exists())
    log = _Log(out / "log.jsonl", split)
    result = fit(
        network,
        batches,
        preprocessing=start.preprocessing,
        options=settings.fit,
        device=plan.device,
        checkpoint=checkpoint,
        resume=checkpoint if checkpoint.exists() else None,
        should_stop=should_stop,
        on_progress=log,
    )
    if result.state == "stopped":
        return False
    recipe = {
        **told,
        "device": plan.device,
        "minutes": log.minutes,
        "loss": _last_loss(result),
    }
    write_whole(out / "run.json", lambda file: file.write(json.dumps(recipe, indent=1).encode()))
    save_model(
        model,
        network,
        name=f"{start.network} hmdb51 {split}",
        network=start.network,
        network_args=start.network_args,
        labels=index.labels,
        preprocessing=start.preprocessing,
        card={
            "summary": f"{start.network} fine-tuned on HMDB51, {split}; not measured yet.",
            "recipe": recipe,
        },
        license=start.license,
    )
    return True


def begin(plan: Plan, labels: tuple[str, ...]) -> tuple[Embedder, bool]:
    """The network with the weights it starts from, and whether its head is a fresh one."""
    start, dropout = plan.start, plan.settings.dropout
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(plan.settings.fit.seed)
        network = networks.build(start.network, labels=len(labels), **start.network_args)
    if dropout is not None:
        # Not among the arguments: the model that is written shall be built as its base was.
        network.dropout.p = dropout
    fresh = True
    if start.model is not None:
        loaded = load_model(start.model)
        fresh = plan.fresh_head or loaded.info.labels != labels or loaded.info.grouping is not None
        weights = {
            name: value
            for name, value in loaded.module.state_dict().items()
            if not (fresh and name.startswith("head."))
        }
        missing, foreign = network.load_state_dict(weights, strict=False)
        if foreign or any(not (fresh and name.startswith("head.")) for name in missing):
            raise TrainingError(f"The weights of {start.base} do not fit {start.network}.")
    if plan.device.startswith("cuda") and network.channels_last:
        network = network.to(memory_format=torch.channels_last_3d)
    return network, fresh


def start_of(base: str | Path) -> Start:
    """What a run on top of a model begins with.

    Raises:
        ModelError: there is no such model, or its file cannot be used.
    """
    info = find_model(base)
    return Start(
        network=info.network,
        network_args=dict(info.network_args),
        preprocessing=info.preprocessing,
        base=f"{info.name} ({info.hash[:12]})",
        license=info.license,
        model=info.path,
    )


def _refuse_other_flags(path: Path, told: dict[str, Any], *, goes_on: bool) -> None:
    """Notes how a run was begun; one that goes on must have been begun likewise.

    Raises:
        TrainingError: it was not.
    """
    asked = json.loads(json.dumps(told))
    if goes_on and path.is_file():
        before = json.loads(path.read_text(encoding="utf-8"))
        other = sorted(key for key in asked if before.get(key) != asked[key])
        if other:
            raise TrainingError(
                f"{path.parent}: this run was begun with other flags or data ({', '.join(other)}). "
                "Take the same ones to go on with it, or another folder."
            )
    write_whole(path, lambda file: file.write(json.dumps(asked, indent=1).encode()))


def _last_loss(result: FitResult) -> float | None:
    return round(result.history[-1]["loss"], 4) if result.history else None


class _Log:
    """Progress as JSON lines and on the screen, and the minutes of all the times it was started."""

    def __init__(self, path: Path, split: str) -> None:
        self._path, self._split = path, split
        self._before = _seconds(path)
        self._began = time.monotonic()

    @property
    def minutes(self) -> float:
        return round((self._before + time.monotonic() - self._began) / 60, 2)

    def __call__(self, progress: FitProgress) -> None:
        if progress.kind == "step" and progress.step % 50:
            return
        line = {
            "split": self._split, "kind": progress.kind, "epoch": progress.epoch, "step": progress.step,
            "steps": progress.steps, "rate": progress.rate,
            "loss": round(progress.loss, 4) if progress.loss == progress.loss else None,
            "seconds": round(self._before + time.monotonic() - self._began, 1),
        }  # fmt: skip
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
        print(json.dumps(line), flush=True)


def _seconds(log: Path) -> float:
    """The seconds noted by an earlier start."""
    if not log.is_file():
        return 0.0
    lines = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    return float(lines[-1]["seconds"]) if lines else 0.0
