"""Trains the bundled model's network: on clips composed as it goes, or on rendered shards.

    python -m training.train --work WORK --out RUN                                       # composed, as version 3
    python -m training.train --work WORK --out RUN --clips shards --network compact3d    # rendered, as versions 1 and 2

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
from training.grey import see_grey
from training.losses import LabelsAndPerson
from training.online import Mixture, OnlineBatches, falling
from training.render.actors import figure_actors, silhouette_actors
from training.render.compose import Stage, grey_textures
from training.render.footage import Footage
from training.runlog import RunLog
from training.shards import BalancedBatches, Shards
from training.sources import hmdb51_labels
from vidlabel.learning.batches import Batches
from vidlabel.learning.fit import FitOptions, fit
from vidlabel.ml import networks
from vidlabel.ml.modelfile import load_model, save_model
from vidlabel.ml.networks import Embedder
from vidlabel.ml.networks.compact import Compact3D
from vidlabel.ml.networks.motion import Motion3D
from vidlabel.ml.preprocess import Preprocessing


def main(arguments: list[str] | None = None) -> None:
    options = parsed(arguments)
    torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    cv2.setNumThreads(1)
    options.out.mkdir(parents=True, exist_ok=True)
    labels = hmdb51_labels()
    batches, kinds, seen = clips_for(options)
    network, network_args, earlier = network_for(options, labels=len(labels))
    preprocessing = Preprocessing(height=options.size, width=options.size, span_s=options.span or None)
    checkpoint = options.out / "checkpoint.pt"
    began = time.process_time()
    result = fit(
        network,
        batches,
        preprocessing=preprocessing,
        options=fit_options(options),
        device=options.device,
        loss=LabelsAndPerson(smoothing=options.smoothing, label=options.label, person=options.person)
        if options.clips == "composed"
        else None,
        checkpoint=checkpoint,
        resume=checkpoint if checkpoint.exists() else None,
        on_progress=RunLog(options.out / "log.jsonl"),
    )
    stage = {
        "px": options.size,
        "epochs": options.epochs,
        "clips_seen": result.step * options.batch,
        "rate": options.rate,
        "seed": options.seed,
        "minutes": round((time.process_time() - began) / 60, 1),
        "device": options.device,
        "threads": options.threads,
        "clips": options.clips,
    }
    if options.clips == "composed":
        stage |= {
            "places": options.places,
            "person": options.person,
            "label": options.label,
            "silhouettes": options.silhouettes,
        }
        stage |= {"plain": options.plain, "told": options.told}
    else:
        stage |= {"vary": options.vary}
    recipe = {
        "kinds": kinds,
        "stages": [*earlier.get("stages", []), stage],
        "labels_seen": sorted({labels[number] for number in seen} | set(earlier.get("labels_seen", []))),
    }
    if options.clips == "composed" and isinstance(network, Compact3D):
        see_grey(network)
    model = options.out / "model.safetensors"
    save_model(
        model, network, name="bundled", network=options.network, network_args=network_args, labels=labels,
        preprocessing=preprocessing, card={"recipe": recipe},
    )  # fmt: skip
    print(json.dumps({"model": str(model), **recipe}))


def parsed(arguments: list[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--work", type=Path, required=True, help="folder of training.prepare and training.render")
    add("--out", type=Path, required=True, help="folder of this run")
    add("--clips", choices=("composed", "shards"), default="composed")
    add("--epochs", type=int, default=8)
    add("--batch", type=int, default=32)
    add("--rate", type=float, default=3e-3, help="peak learning rate of AdamW")
    add("--smoothing", type=float, default=0.05)
    add("--dropout", type=float, default=0.1)
    add("--average", type=float, default=0.998, help="decay of the running average of the weights")
    add("--network", choices=("motion3d", "compact3d"), default="motion3d")
    add("--widths", type=int, nargs=4, default=[16, 32, 64, 192], help="of compact3d")
    add("--size", type=int, default=40, help="height and width of the network input in px")
    add("--span", type=float, default=1.33, help="seconds in a clip's middle the network looks at; 0: all")
    add("--start-from", type=Path, help="a model file whose weights to start from (its head if it fits)")
    add("--threads", type=int, default=1)
    add("--precision", choices=("float32", "bfloat16"), default="float32", help="of the arithmetic")
    add("--device", default="cpu")
    add("--seed", type=int, default=0)
    composed = parser.add_argument_group("composed clips")
    add = composed.add_argument
    add("--steps", type=int, default=200, help="batches an epoch")
    add("--silhouettes", type=float, default=0.5, help="share of silhouettes, 0 to 1; the rest is drawn")
    add("--places", choices=("footage", "textures"), default="footage", help="what is behind people")
    add(
        "--plain",
        type=float,
        nargs=2,
        default=[0.3, 0.05],
        help="share of easy clips at first and from half-way",
    )
    add("--person", type=float, default=1.0, help="weight of finding the actor; 0: always told")
    add("--label", type=float, default=1.0, help="weight of the labels; 0: only finding is taught")
    add("--read-like", type=Path, help="a compact3d model file whose reading of movement to start from")
    add(
        "--told",
        type=float,
        nargs=2,
        default=[0.8, 0.0],
        help="share of clips told where the actor is, likewise",
    )
    shards = parser.add_argument_group("clips in shards")
    add = shards.add_argument
    add("--kinds", nargs="+", default=["figures", "silhouettes"], help="which shards to train on")
    add("--per-label", type=int, default=96, help="clips of a label and kind an epoch")
    add("--vary", action="store_true", help="vary framing and colours of the rendered clips as well")
    add("--mixup", type=float, default=0.0)
    return parser.parse_args(arguments)


def clips_for(options: argparse.Namespace) -> tuple[Batches, dict[str, int], set[int]]:
    """What to train on, how much of it there is, and the labels in it."""
    if options.clips == "shards":
        kinds = [Shards(options.work, kind) for kind in options.kinds]
        augment = Augment(options.size, strong=options.vary)
        batches = BalancedBatches(
            kinds, per_label=options.per_label, size=options.batch, seed=options.seed, augment=augment
        )
        counts = {kind: len(shards) for kind, shards in zip(options.kinds, kinds, strict=True)}
        return batches, counts, {int(number) for shards in kinds for number in shards.labels}
    outlines = silhouette_actors(options.work, part="train")
    mixtures = [Mixture(outlines, options.silhouettes)] if options.silhouettes else []
    if options.silhouettes < 1:
        mixtures.append(Mixture(figure_actors(options.work, "figures-drawn"), 1 - options.silhouettes))
    stage = Stage(
        grey_textures(options.work),
        Footage.load(options.work, held_out=False) if options.places == "footage" else None,
        outlines if options.silhouettes else mixtures[0].actors,
        size=options.size,
    )
    online = OnlineBatches(
        mixtures, stage, steps=options.steps, size=options.batch, epochs=options.epochs, seed=options.seed,
        plain=falling(*options.plain, until=0.5), told=falling(*options.told, until=0.6),
    )  # fmt: skip
    names = ("silhouettes", "figures") if options.silhouettes else ("figures",)
    counts = {name: len(mixture.actors) for name, mixture in zip(names, mixtures, strict=False)}
    return online, counts, {actor.label for mixture in mixtures for actor in mixture.actors}


def network_for(
    options: argparse.Namespace, *, labels: int
) -> tuple[Embedder, dict[str, Any], dict[str, Any]]:
    """The network to train, the arguments to build it again, and the recipe of the weights it starts from."""
    arguments: dict[str, Any] = {"dropout": options.dropout}
    if options.network == "compact3d":
        arguments["widths"] = list(options.widths)
    network = networks.build(options.network, labels=labels, **arguments)
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm3d):
            # The network starts with its residual branches shut, which pays in long runs; this one is short.
            torch.nn.init.ones_(module.weight)
    # As the clips lie: about a quarter faster on a CPU.
    network = network.to(memory_format=torch.channels_last_3d)
    earlier: dict[str, Any] = {}
    if options.start_from is not None:
        start = load_model(options.start_from)
        state = start.module.state_dict()
        if start.module.labels != labels:
            state = {key: value for key, value in state.items() if not key.startswith("head.")}
        network.load_state_dict(state, strict=start.module.labels == labels)
        earlier = start.info.card["recipe"]
    if options.read_like is not None and isinstance(network, Motion3D):
        reader = load_model(options.read_like)
        assert isinstance(reader.module, Compact3D)
        network.read_like(reader.module)
        read = reader.info.card["recipe"]
        earlier = {
            "stages": [*read["stages"], *earlier.get("stages", [])],
            "labels_seen": [*read["labels_seen"], *earlier.get("labels_seen", [])],
        }
    return network, arguments, earlier


def fit_options(options: argparse.Namespace) -> FitOptions:
    """How to fit."""
    return FitOptions(
        epochs=options.epochs,
        peak_rate=options.rate,
        mixup=options.mixup,
        label_smoothing=options.smoothing,
        average=options.average,
        precision=options.precision,
        clip_norm=5.0,
        seed=options.seed,
        checkpoint_steps=200,
    )


if __name__ == "__main__":
    main()
