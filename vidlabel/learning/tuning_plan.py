"""What a run decides by itself when it begins: device, precision, batch. It keeps to it when it goes on."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from vidlabel.core.errors import DeviceError
from vidlabel.core.runs import RunFolder, Tunes
from vidlabel.learning.run_order import RunOrder
from vidlabel.learning.tuning_recipe import suitable_batch
from vidlabel.ml.files import write_whole

if TYPE_CHECKING:
    from vidlabel.learning.distributed import Ranks
    from vidlabel.learning.options import FitOptions
    from vidlabel.ml.networks import Embedder
    from vidlabel.ml.preprocess import Preprocessing


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How a run computes.

    Attributes:
        device: torch's name of it; chosen anew each time, since a GPU may be gone.
        precision: of the arithmetic.
        batch: clips a step.
        pieces: parts in which a batch goes through the network; 0 until that was found out.
    """

    device: str
    precision: str
    batch: int
    pieces: int = 0

    def fitting(
        self,
        folder: RunFolder,
        network: Embedder,
        preprocessing: Preprocessing,
        *,
        options: FitOptions,
        ranks: Ranks,
    ) -> Plan:
        """The same with the pieces that fit into memory; found out once and then kept.

        Raises:
            TrainingError: not even one clip fits.
            OSError: the plan cannot be written.
        """
        from vidlabel.learning.backoff import find_batch

        plan = self
        if not plan.pieces and options.tunes is Tunes.HEAD:
            plan = replace(plan, pieces=1)
        elif not plan.pieces:
            each = -(-plan.batch // ranks.world)
            pieces = find_batch(
                network, preprocessing, options=options, device=plan.device, wanted=each
            ).pieces
            plan = replace(plan, pieces=ranks.most([pieces])[0])
        if ranks.is_first and plan != self:
            kept = {name: value for name, value in asdict(plan).items() if name != "device"}
            write_whole(_path(folder), json.dumps(kept).encode())
        return plan


def make_plan(folder: RunFolder, order: RunOrder) -> Plan:
    """The plan of a run that begins, or the one it was begun with.

    Raises:
        DeviceError: the device asked for cannot be used.
    """
    device = find_device(order.settings.device)
    try:
        told = json.loads(_path(folder).read_text(encoding="utf-8"))
        kept = Plan(
            device=device,
            precision=str(told["precision"]),
            batch=int(told["batch"]),
            pieces=int(told["pieces"]),
        )
    except (OSError, ValueError, KeyError, TypeError):
        pass  # It has not begun yet, or was killed while it did: the same is decided again.
    else:
        if (
            kept.precision == "float16"
            and order.settings.tunes is not Tunes.HEAD
            and not device.startswith("cuda")
        ):
            raise DeviceError(
                f"The run was begun in float16, which needs a GPU to learn in, and would go on on {device}. Resume "
                "it with --device cuda, or begin a new one."
            )
        return kept
    settings = order.settings
    batch = settings.batch or suitable_batch(len(order.snapshot.of("train")), settings.tunes)
    return Plan(device=device, precision=_precision(settings.precision, device), batch=max(2, batch))


def find_device(choice: str) -> str:
    """torch's name of the device: ``auto`` and kinds as everywhere, and one of several GPUs as ``cuda:1``.

    Raises:
        DeviceError: it cannot be used.
    """
    import torch

    from vidlabel.ml.devices import choose_device

    kind, _, number = choice.partition(":")
    device = choose_device(kind)
    if not number:
        return device.kind
    if device.kind != "cuda" or not number.isdigit() or int(number) >= torch.cuda.device_count():
        raise DeviceError(f"There is no device {choice}. `vidlabel doctor` lists those there are.")
    return choice


def _precision(wanted: str, device: str) -> str:
    from vidlabel.ml.devices import choose_device
    from vidlabel.ml.precision import dtype_for

    kind = device.partition(":")[0]
    if kind != "cuda" and wanted == "float16":
        raise DeviceError("float16 needs a GPU to learn in. Take --precision auto.")
    return str(dtype_for(wanted, choose_device(kind))).removeprefix("torch.")


def _path(folder: RunFolder) -> Path:
    return folder.path / "plan.json"
