"""Fine-tunes a network on HMDB51, once for each split: the full recipe, for whoever has the data.

    python -m training.prepare --archive hmdb51_org.rar --splits test_train_splits.rar --out HMDB51
    vidlabel models install r2plus1d_18
    python -m training.finetune --data HMDB51 --base r2plus1d_18 --out RUN --device cuda --precision bfloat16
    python -m training.evaluate --official RUN --data HMDB51 --device cuda --views 10 --crops 3
    python -m training.finetune_export --run RUN --split official-1 --out hmdb51.safetensors

``--base`` is a model by name or path: an installed one with its Kinetics weights, ``bundled``, or any other; its head
is replaced unless it already tells the same labels apart. ``--network`` starts from scratch instead. For each split
there is RUN/<split>/checkpoint.pt, log.jsonl, model.safetensors and run.json. Stopped with Ctrl-C it notes where it
is; started again with the same flags it goes on there, on a CPU to the very same weights. Splits that are done are
left alone. The last weights (their running average) are the result: the test part chooses nothing.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import Any

import torch

from training.finetune_run import Plan, Start, finetune, start_of
from training.finetune_settings import settings_for
from training.hmdb51 import SPLITS, load_index
from vidlabel.core.errors import VidlabelError
from vidlabel.ml import networks
from vidlabel.ml.preprocess import Preprocessing


def main(arguments: list[str] | None = None) -> None:
    options = _parser().parse_args(arguments)
    torch.set_num_threads(options.threads)
    try:
        index = load_index(options.data)
        plan = _plan(options)
        stopped = _Stop()
        for split in SPLITS if options.splits == ["all"] else options.splits:
            if stopped() or not finetune(plan, index, split, options.out / split, should_stop=stopped):
                print("Stopped. Start it again with the same flags to go on.", flush=True)
                return
    except (VidlabelError, FileNotFoundError) as error:
        sys.exit(str(error))


def _plan(options: argparse.Namespace) -> Plan:
    if options.base is not None:
        start = start_of(options.base)
    else:
        start = Start(
            network=options.network,
            network_args=json.loads(options.network_args),
            preprocessing=Preprocessing(),
            base="from scratch",
        )
    changes: dict[str, Any] = {
        name: getattr(options, name) for name in ("frames", "span_s") if getattr(options, name) is not None
    }
    if options.size is not None:
        changes |= {"height": options.size, "width": options.size}
        if start.preprocessing.resize == "short_side":
            changes["short_side"] = round(options.size * 8 / 7)
    settings = settings_for(start.network).but(
        epochs=options.epochs, batch=options.batch, peak_rate=options.rate, layer_decay=options.layer_decay,
        weight_decay=options.weight_decay, mixup=options.mixup, cutmix=options.cutmix, average=options.average,
        label_smoothing=options.smoothing, dropout=options.dropout, smallest=options.smallest,
        pieces=options.pieces, precision=options.precision, seed=options.seed,
    )  # fmt: skip
    return Plan(
        start=replace(start, preprocessing=replace(start.preprocessing, **changes)),
        settings=settings,
        device=options.device,
        workers=options.workers,
        fresh_head=options.fresh_head,
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="folder of training.prepare --archive")
    parser.add_argument("--out", type=Path, required=True, help="folder of this run")
    begun = parser.add_mutually_exclusive_group(required=True)
    begun.add_argument("--base", help="a model to start from, by name or path")
    begun.add_argument("--network", choices=networks.names(), help="a network to train from scratch")
    parser.add_argument("--network-args", default="{}", help="its arguments as JSON, from scratch only")
    parser.add_argument("--fresh-head", action="store_true", help="drop the base's head in any case")
    parser.add_argument(
        "--splits", nargs="+", choices=(*SPLITS, "all"), default=["all"], help="all four unless named"
    )
    recipe = parser.add_argument_group(
        "the recipe (each network has its own; see training/finetune_settings.py)"
    )
    for name, kind, words in (
        ("epochs", int, "passes over the clips"),
        ("batch", int, "clips a step"),
        ("pieces", int, "parts a batch is computed in, where it does not fit into memory"),
        ("rate", float, "the highest learning rate, of AdamW"),
        ("layer-decay", float, "by how much slower each layer learns than the one above"),
        ("weight-decay", float, "of AdamW"),
        ("smoothing", float, "of the labels"),
        ("mixup", float, "alpha; 0 is none"),
        ("cutmix", float, "alpha; 0 is none"),
        ("average", float, "decay of the running average of the weights"),
        ("dropout", float, "before the head"),
        ("smallest", float, "the smallest share of the picture shown in training"),
    ):
        recipe.add_argument(f"--{name}", type=kind, help=words)
    recipe.add_argument("--frames", type=int, help="pictures a clip")
    recipe.add_argument("--size", type=int, help="height and width of the network's input in px")
    recipe.add_argument("--span-s", type=float, help="seconds of a clip that are looked at")
    recipe.add_argument("--precision", choices=("float32", "bfloat16"), help="of the arithmetic")
    recipe.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", default="cpu", help="cpu, cuda, cuda:1, mps")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="decoding threads")
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1, help="torch's threads on a CPU")
    return parser


class _Stop:
    """True once Ctrl-C was pressed; a second time ends at once."""

    def __init__(self) -> None:
        self._asked = False
        with suppress(ValueError):  # Not in the main thread: then nobody presses anything.
            signal.signal(signal.SIGINT, self._asked_for)

    def __call__(self) -> bool:
        return self._asked

    def _asked_for(self, number: int, frame: FrameType | None) -> None:
        if self._asked:
            raise KeyboardInterrupt
        self._asked = True


if __name__ == "__main__":
    main()
