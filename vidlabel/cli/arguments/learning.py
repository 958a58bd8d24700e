"""Arguments of the commands that make a model of what was decided, and measure one with it."""

from __future__ import annotations

import argparse
import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import get_args

from vidlabel.cli.arguments.values import DEVICES, Command, positive, with_project
from vidlabel.core.runs import Precision, TrainSettings, Tunes
from vidlabel.core.snapshot import PARTS, SPLIT_KINDS

RUN_ACTIONS = ("list", "info", "stop")
SPLIT_NUMBERS = (1, 2, 3)
_PRECISIONS = get_args(Precision)
_USUAL = TrainSettings()


def _train(parser: argparse.ArgumentParser) -> None:
    with_project(parser)
    parser.add_argument(
        "--resume",
        metavar="RUN",
        help="go on with a run that was stopped; of its settings only --device, --workers and --cache-gb may change",
    )
    parser.add_argument(
        "--dry-run", action="store_true", help="tell what would be learnt from, and begin nothing"
    )
    parser.add_argument(
        "--promote",
        action="store_true",
        help="make the new model the project's active one; warns of labels it loses",
    )
    parser.add_argument("--strict", action="store_true", help="--promote: not if a label got worse (exit 1)")
    _which_clips(parser.add_argument_group("which clips, and what for"))
    _how_to_learn(parser.add_argument_group("how to learn"))
    _where_to_compute(parser.add_argument_group("where and how fast"))


def _which_clips(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--filter", metavar="EXPR", default="", help="decided clips, as in `list` (default: all)"
    )
    group.add_argument(
        "--label", metavar="L", dest="labels", action="append", default=[],
        help="only clips of this label; again for each further one (default: all)",
    )  # fmt: skip
    group.add_argument(
        "--split", choices=SPLIT_KINDS,
        help="into train, validation and test (default: by-source)",
    )  # fmt: skip
    group.add_argument(
        "--source", metavar="S",
        help="what is never divided: auto, video, name, folder, or a FILE.csv with the columns video,source "
        "(default: auto)",
    )  # fmt: skip
    add_official(group)
    group.add_argument(
        "--new-test",
        action="store_true",
        help="deal the test clips anew; without it, clips once in test stay there for ever",
    )


def add_official(group: argparse._ArgumentGroup | argparse.ArgumentParser) -> None:
    """The folder of an official split, and which of the three."""
    group.add_argument(
        "--splits", metavar="FOLDER", type=Path,
        help="official: the folder with <class>_test_split1.txt and so on (default: the one given before)",
    )  # fmt: skip
    group.add_argument(
        "--split-number",
        metavar="N",
        type=int,
        choices=SPLIT_NUMBERS,
        help="official: 1, 2 or 3 (default: 1)",
    )


def _how_to_learn(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--base",
        metavar="M",
        help="model to start from, by name, hash or path (default: the project's active one)",
    )
    group.add_argument(
        "--tunes", choices=[one.value for one in Tunes],
        help=f"which weights learn: the head, the last two stages too, or all (default: {_USUAL.tunes.value})",
    )  # fmt: skip
    group.add_argument("--epochs", metavar="N", type=positive, help=f"at most (default: {_USUAL.epochs})")
    group.add_argument(
        "--patience", metavar="N", type=_whole,
        help=f"epochs without a better validation before it ends; 0: never (default: {_USUAL.patience})",
    )  # fmt: skip
    group.add_argument(
        "--rate", metavar="R", type=_rate, help="highest learning rate (default: what suits --tunes)"
    )
    group.add_argument(
        "--batch-size", metavar="N", dest="batch", type=positive, help="clips a step (default: what fits)"
    )
    group.add_argument(
        "--accumulate", metavar="N", type=positive, help="steps before the weights move (default: 1)"
    )
    group.add_argument(
        "--balance", choices=("none", "loss", "sampling"),
        help=f"rare labels count more, or are shown more often (default: {_USUAL.balance})",
    )  # fmt: skip
    group.add_argument(
        "--augment", choices=("none", "light", "strong"),
        help=f"how much training clips are changed (default: {_USUAL.augment})",
    )  # fmt: skip
    group.add_argument(
        "--average", metavar="D", type=_below_one,
        help=f"decay of the running average of the weights; 0: none (default: {_USUAL.average:g})",
    )  # fmt: skip
    group.add_argument(
        "--label-smoothing", metavar="S", type=_below_one, help=f"(default: {_USUAL.label_smoothing:g})"
    )
    group.add_argument("--mixup", metavar="A", type=_not_negative, help="alpha; 0: none (default: 0)")
    group.add_argument(
        "--weight-decay", metavar="W", type=_not_negative, help=f"of AdamW (default: {_USUAL.weight_decay:g})"
    )
    group.add_argument(
        "--layer-decay", metavar="D", type=_decay,
        help=f"each layer learns slower than the one above by so much (default: {_USUAL.layer_decay:g})",
    )  # fmt: skip
    group.add_argument("--seed", metavar="N", type=_whole, help="of split and learning (default: 0)")


def _where_to_compute(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--device", metavar="D", type=_device, help=f"{', '.join(DEVICES)}, or cuda:N (default: auto)"
    )
    group.add_argument("--precision", choices=_PRECISIONS, help="of the arithmetic (default: auto)")
    group.add_argument(
        "--workers", metavar="N", type=_whole, help="decoding threads; 0: what there is (default: 0)"
    )
    group.add_argument(
        "--cache-gb", metavar="GB", type=_not_negative,
        help=f"the most that decoded clips may take on the disk (default: {_USUAL.cache_gb:g})",
    )  # fmt: skip


def _runs(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("action", choices=RUN_ACTIONS, help="what to do; see above")
    with_project(parser)
    parser.add_argument("run", metavar="RUN", nargs="?", help="its name (default: the newest)")
    parser.add_argument("--keep", action="store_true", help="stop: make a model of the best so far")


def _evaluate(parser: argparse.ArgumentParser) -> None:
    with_project(parser)
    parser.add_argument(
        "--model", metavar="M", help="name, hash or path (default: the project's active model)"
    )
    parser.add_argument(
        "--split", choices=PARTS, help="only that part of the newest snapshot (default: all decided clips)"
    )
    parser.add_argument(
        "--filter", metavar="EXPR", default="", help="which clips, as in `list` (default: all)"
    )
    parser.add_argument(
        "--out",
        metavar="OUT",
        type=Path,
        help="write the figures: FILE.csv, FILE.json, or a folder for everything",
    )
    parser.add_argument("--device", choices=DEVICES, default="auto", help="where to compute (default: auto)")
    parser.add_argument(
        "--batch-size", metavar="N", type=positive, help="clips at a time (default: measured)"
    )


def _whole(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"'{text}' is not a whole number of 0 or more")
    return int(text)


def _not_negative(text: str) -> float:
    return _number(text, lambda number: number >= 0, "a number of 0 or more")


def _rate(text: str) -> float:
    return _number(text, lambda number: 0 < number <= 1, "a learning rate above 0 and at most 1")


def _below_one(text: str) -> float:
    return _number(text, lambda number: 0 <= number < 1, "a number of at least 0 and below 1")


def _decay(text: str) -> float:
    return _number(text, lambda number: 0 < number <= 1, "a number above 0 and at most 1")


def _number(text: str, fits: Callable[[float], bool], wanted: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not (math.isfinite(number) and fits(number)):
        raise argparse.ArgumentTypeError(f"'{text}' is not {wanted}")
    return number


def _device(text: str) -> str:
    if text not in DEVICES and not re.fullmatch(r"cuda:\d+", text):
        raise argparse.ArgumentTypeError(f"'{text}' is none of {', '.join(DEVICES)}, cuda:N")
    return text


COMMANDS = {
    "train": Command(
        "fine-tune a model on what was decided, and prove whether it got better",
        "vidlabel train ~/footage --epochs 20 --tunes last",
        _train,
        "\n\nStopped with Ctrl+C it keeps a checkpoint; `vidlabel train PROJECT --resume RUN` goes on there.\n"
        "Several GPUs: torchrun --nproc-per-node 2 -m vidlabel train PROJECT ...; see docs/fine-tuning.md.",
    ),
    "evaluate": Command(
        "measure a model on decided clips",
        "vidlabel evaluate ~/footage --split test --out figures.json",
        _evaluate,
    ),
    "runs": Command(
        "show the runs of a project, and stop one",
        "vidlabel runs list ~/footage",
        _runs,
        "\n\n"
        "list PROJECT            all runs, oldest first\n"
        "info PROJECT [RUN]      all about one: settings, epochs, proof\n"
        "stop PROJECT [RUN]      stop one that is under way, with a checkpoint; --keep makes a model of the best",
    ),
}  # fmt: skip
