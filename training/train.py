"""Trains the compact 3D network on rendered shards, from scratch.

    python -m training.train --work WORK --out RUN --epochs 8

Writes RUN/checkpoint.pt after every epoch (and every 200 steps), RUN/log.jsonl, and RUN/model.safetensors with a card
that says only how it was trained; training.export measures it and writes the final card. Started again with the same
flags it goes on where it was stopped.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

import cv2
import torch

from training.augment import Augment
from training.shards import BalancedBatches, Shards
from training.sources import hmdb51_labels
from vidlabel.learning.fit import FitOptions, FitProgress, fit
from vidlabel.ml import networks
from vidlabel.ml.modelfile import load_model, save_model
from vidlabel.ml.preprocess import Preprocessing

NETWORK = "compact3d"


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--work", type=Path, required=True, help="folder with the shards")
    parser.add_argument("--out", type=Path, required=True, help="folder of this run")
    parser.add_argument(
        "--kinds", nargs="+", default=["figures", "silhouettes"], help="which shards to train on"
    )
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--per-label", type=int, default=96, help="clips of a label and kind an epoch")
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--rate", type=float, default=3e-3, help="peak learning rate of AdamW")
    parser.add_argument("--mixup", type=float, default=0.0)
    parser.add_argument("--smoothing", type=float, default=0.05)
    parser.add_argument("--dropout", type=float, default=0.2)
    parser.add_argument(
        "--average", type=float, default=0.998, help="decay of the running average of the weights"
    )
    parser.add_argument("--widths", type=int, nargs=4, default=[16, 32, 64, 192])
    parser.add_argument(
        "--vary", action="store_true", help="vary framing and colours of the rendered clips as well"
    )
    parser.add_argument("--size", type=int, default=48, help="height and width of the network input in px")
    parser.add_argument(
        "--span", type=float, default=2.0, help="seconds in the middle of a clip the network looks at; 0: all"
    )
    parser.add_argument(
        "--start-from",
        type=Path,
        help="a model file whose weights to start from, such as one trained at a smaller size",
    )
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument(
        "--precision", choices=("float32", "bfloat16"), default="float32", help="of the arithmetic"
    )
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    cv2.setNumThreads(1)
    options.out.mkdir(parents=True, exist_ok=True)
    labels = hmdb51_labels()
    kinds = [Shards(options.work, kind) for kind in options.kinds]
    batches = BalancedBatches(
        kinds,
        per_label=options.per_label,
        size=options.batch,
        seed=options.seed,
        augment=Augment(options.size, strong=options.vary),
    )
    network_args = {"widths": list(options.widths), "dropout": options.dropout}
    network = networks.build(NETWORK, labels=len(labels), **network_args)
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm3d):
            # The network starts with its residual branches shut, which pays in long runs; this one is short.
            torch.nn.init.ones_(module.weight)
    network = network.to(
        memory_format=torch.channels_last_3d
    )  # as the clips lie: about a quarter faster on a CPU
    earlier: dict[str, Any] = {}
    if options.start_from is not None:
        start = load_model(options.start_from)
        network.load_state_dict(start.module.state_dict())
        earlier = start.info.card["recipe"]
    preprocessing = Preprocessing(height=options.size, width=options.size, span_s=options.span or None)
    checkpoint = options.out / "checkpoint.pt"
    began = time.monotonic()
    result = fit(
        network,
        batches,
        preprocessing=preprocessing,
        options=FitOptions(
            epochs=options.epochs,
            peak_rate=options.rate,
            mixup=options.mixup,
            label_smoothing=options.smoothing,
            average=options.average,
            precision=options.precision,
            clip_norm=5.0,
            seed=options.seed,
            checkpoint_steps=200,
        ),
        device=options.device,
        checkpoint=checkpoint,
        resume=checkpoint if checkpoint.exists() else None,
        on_progress=_Log(options.out / "log.jsonl"),
    )
    minutes = (time.monotonic() - began) / 60
    stage = {
        "px": options.size,
        "epochs": options.epochs,
        "clips_seen": result.step * options.batch,
        "rate": options.rate,
        "vary": options.vary,
        "seed": options.seed,
        "minutes": round(minutes, 1),
        "device": options.device,
        "threads": options.threads,
    }
    seen = {labels[int(number)] for shards in kinds for number in shards.labels}
    recipe = {
        "kinds": {kind: len(shards) for kind, shards in zip(options.kinds, kinds, strict=True)},
        "stages": [*earlier.get("stages", []), stage],
        "labels_seen": sorted(seen | set(earlier.get("labels_seen", []))),
    }
    model = options.out / "model.safetensors"
    save_model(
        model, network, name="bundled", network=NETWORK, network_args=network_args, labels=labels,
        preprocessing=preprocessing, card={"recipe": recipe},
    )  # fmt: skip
    print(json.dumps({"model": str(model), **recipe}))


class _Log:
    """Progress as JSON lines and on the screen."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._began = time.monotonic()

    def __call__(self, progress: FitProgress) -> None:
        if progress.kind == "step" and progress.step % 50:
            return
        line = {
            "kind": progress.kind, "epoch": progress.epoch, "step": progress.step, "steps": progress.steps,
            "loss": round(progress.loss, 4) if progress.loss == progress.loss else None, "rate": progress.rate,
            "seconds": round(time.monotonic() - self._began),
        }  # fmt: skip
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
        print(line, flush=True)


if __name__ == "__main__":
    main()
