"""Pretrains the network on procedural video: no person, no film, no label of the 51.

    python -m training.pretrain --work WORK --out RUN
    python -m training.train --work WORK --out OTHER --start-from RUN/model.safetensors

It learns which of 20 movements a shape makes and where that shape is. Writes the same files as training.train, and goes
on where it was stopped when started again with the same flags.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

import cv2
import torch

from training.losses import LabelsAndPerson
from training.online import Mixture, OnlineBatches, falling
from training.render.compose import Stage, grey_textures
from training.render.shapes import KINDS, shape_actors
from training.runlog import RunLog
from vidlabel.learning.fit import FitOptions, fit
from vidlabel.ml import networks
from vidlabel.ml.modelfile import save_model
from vidlabel.ml.preprocess import Preprocessing


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--work", type=Path, required=True, help="folder of training.prepare (its textures)")
    add("--out", type=Path, required=True, help="folder of this run")
    add("--shapes", type=int, default=3000, help="moving shapes, each composed anew whenever it comes up")
    add("--epochs", type=int, default=8)
    add("--steps", type=int, default=100, help="batches an epoch")
    add("--batch", type=int, default=32)
    add("--rate", type=float, default=3e-3, help="peak learning rate of AdamW")
    add("--label", type=float, default=1.0, help="weight of which movement it is; 0: only where the shape is")
    add("--network", choices=("motion3d", "compact3d"), default="motion3d")
    add("--size", type=int, default=40, help="height and width of the network input in px")
    add("--threads", type=int, default=1)
    add("--precision", choices=("float32", "bfloat16"), default="float32", help="of the arithmetic")
    add("--device", default="cpu")
    add("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    cv2.setNumThreads(1)
    options.out.mkdir(parents=True, exist_ok=True)
    network_args: dict[str, Any] = {"dropout": 0.1}
    if options.network == "compact3d":
        network_args["widths"] = [16, 32, 64, 192]
    network = networks.build(options.network, labels=len(KINDS), **network_args)
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm3d):
            torch.nn.init.ones_(module.weight)  # as training.train does, for the same reason
    network = network.to(memory_format=torch.channels_last_3d)
    actors = shape_actors(options.shapes, seed=options.seed)
    stage = Stage(grey_textures(options.work), None, actors, size=options.size)
    batches = OnlineBatches(
        [Mixture(actors, 1.0)], stage, steps=options.steps, size=options.batch, epochs=options.epochs,
        plain=falling(0.3, 0.05, until=0.5), told=falling(0.8, 0.0, until=0.6), seed=options.seed,
    )  # fmt: skip
    checkpoint = options.out / "checkpoint.pt"
    began = time.process_time()
    result = fit(
        network,
        batches,
        preprocessing=Preprocessing(height=options.size, width=options.size),
        options=FitOptions(
            epochs=options.epochs, peak_rate=options.rate, average=0.995, precision=options.precision,
            clip_norm=5.0, seed=options.seed, checkpoint_steps=200,
        ),
        device=options.device,
        loss=LabelsAndPerson(smoothing=0.05, label=options.label, person=1.0),
        checkpoint=checkpoint,
        resume=checkpoint if checkpoint.exists() else None,
        on_progress=RunLog(options.out / "log.jsonl"),
    )  # fmt: skip
    stage_done = {
        "px": options.size,
        "epochs": options.epochs,
        "clips_seen": result.step * options.batch,
        "rate": options.rate,
        "seed": options.seed,
        "minutes": round((time.process_time() - began) / 60, 1),
        "device": options.device,
        "threads": options.threads,
        "clips": "shapes",
        "label": options.label,
    }
    recipe = {"kinds": {"shapes": len(actors)}, "stages": [stage_done], "labels_seen": []}
    model = options.out / "model.safetensors"
    save_model(
        model, network, name="pretrained", network=options.network, network_args=network_args, labels=KINDS,
        preprocessing=Preprocessing(height=options.size, width=options.size), card={"recipe": recipe},
    )  # fmt: skip
    print(json.dumps({"model": str(model), **recipe}))


if __name__ == "__main__":
    main()
