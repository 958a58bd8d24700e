"""Arguments of the commands that let a model speak, or change which models there are."""

from __future__ import annotations

import argparse
from pathlib import Path

from vidlabel.cli.arguments.values import (
    DEVICES,
    Command,
    length,
    positive,
    seconds,
    share,
    views,
    with_project,
)
from vidlabel.core.model_key import PRECISIONS
from vidlabel.core.sweeps import LONG_S, STEP_S, WINDOW_S, ProposalSettings

MODEL_ACTIONS = ("list", "info", "install", "import", "export", "remove", "promote", "rollback")
EXPORT_KINDS = ("safetensors", "state-dict", "onnx")


def _suggest(parser: argparse.ArgumentParser) -> None:
    with_project(parser)
    parser.add_argument(
        "--model", metavar="M", help="name, hash or path (default: the project's active model)"
    )
    parser.add_argument("--device", choices=DEVICES, default="auto", help="where to compute (default: auto)")
    parser.add_argument(
        "--top-k", metavar="N", type=positive, default=5, help="labels a clip in the answer (default: 5)"
    )
    parser.add_argument(
        "--batch-size", metavar="N", type=positive, help="clips at a time (default: measured)"
    )
    parser.add_argument(
        "--precision",
        choices=PRECISIONS,
        help="auto: float32 on the CPU, mixed on a CUDA GPU; others must be measured faster and agree "
        "(default: the project's, at first auto)",
    )
    parser.add_argument(
        "--views",
        metavar="N",
        type=views,
        help="looks at each clip, averaged; their cost is told (default: the project's, at first 1)",
    )
    parser.add_argument("--flip", action="store_true", help="look at each clip mirrored as well")
    parser.add_argument(
        "--compile", action="store_true", help="try torch.compile first; used only where it is faster"
    )


def _sweep(parser: argparse.ArgumentParser) -> None:
    with_project(parser)
    parser.add_argument(
        "videos",
        metavar="VIDEO",
        nargs="*",
        default=[],
        help="absolute, or relative to this folder or to a root (none: all that are long)",
    )
    parser.add_argument(
        "--model", metavar="M", help="name, hash or path (default: the project's active model)"
    )
    parser.add_argument("--device", choices=DEVICES, default="auto", help="where to compute (default: auto)")
    parser.add_argument(
        "--longer-than",
        metavar="S",
        type=seconds,
        default=LONG_S,
        help=f"without VIDEO: videos of at least so many seconds (default: {LONG_S:g})",
    )
    parser.add_argument(
        "--window", metavar="S", type=length, help=f"seconds looked at at a time (default: {WINDOW_S:g})"
    )
    parser.add_argument("--step", metavar="S", type=length, help=f"then on by so much (default: {STEP_S:g})")
    usual = ProposalSettings()
    for name, kind, meaning, value in (
        ("start-sure", share, "a clip needs a moment at least so sure", usual.start_sure),
        ("end-sure", share, "it reaches as far as the model is at least so sure", usual.end_sure),
        ("join-gaps", seconds, "clips of one label no further apart are one", usual.join_gaps_s),
        ("min-length", seconds, "what is shorter is not proposed", usual.shortest_s),
        ("smooth", seconds, "average the model's word over so long", usual.smooth_s),
    ):
        what = "P" if kind is share else "S"
        shown = f"{value:.0%}".replace("%", "%%") if kind is share else f"{value:g}"
        parser.add_argument(
            f"--{name}", metavar=what, type=kind, help=f"{meaning} (default: the project's, at first {shown})"
        )


def _calibrate(parser: argparse.ArgumentParser) -> None:
    with_project(parser)
    parser.add_argument(
        "--model", metavar="M", help="name, hash or path (default: the project's active model)"
    )
    parser.add_argument(
        "--plot", metavar="OUT.svg", type=Path, help="draw confidence against being right, before and after"
    )


def _models(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("action", choices=MODEL_ACTIONS, help="what to do; see above")
    parser.add_argument("what", metavar="WHAT", nargs="*", default=[], help="what the action takes")
    parser.add_argument(
        "--keep-download", action="store_true", help="install: keep the published file, too, and say where"
    )
    parser.add_argument("--name", metavar="NAME", help="import: what to call the model (default: its file)")
    parser.add_argument(
        "--labels", metavar="FILE", type=Path, help="import: its labels, one a line, in the network's order"
    )
    parser.add_argument("--network", metavar="N", help="import: the network the weights are of")
    parser.add_argument(
        "--kind", "--format", choices=EXPORT_KINDS, help="export: what to write (default: by the name of OUT)"
    )
    parser.add_argument("--force", action="store_true", help="export: replace a file that is there")
    parser.add_argument(
        "--strict", action="store_true", help="promote: not if a label got worse than the active model has it"
    )


COMMANDS = {
    "suggest": Command(
        "let a model suggest labels for every readable clip",
        "vidlabel suggest ~/footage --device cpu --json",
        _suggest,
    ),
    "sweep": Command(
        "let a model look through long videos and propose clips in them",
        "vidlabel sweep ~/footage day1/gate.mp4 --start-sure 60% --min-length 2",
        _sweep,
        "\n\nStopped with Ctrl+C, it goes on there the next time. Run again with other settings it proposes anew:\n"
        "clips that somebody marked or decided about stay as they are.",
    ),
    "calibrate": Command(
        "measure a model's confidence on decided clips, and show it as what it is worth",
        "vidlabel calibrate ~/footage --plot reliability.svg",
        _calibrate,
        " Clips it was trained on do not count.",
    ),
    "models": Command(
        "show, install, import, export and remove models; choose a project's",
        "vidlabel models install r2plus1d_18",
        _models,
        "\n\n"
        "list                    what is here and what can be installed\n"
        "info MODEL              all about one, installed or not (name, hash or path)\n"
        "install MODEL           fetch a published one; stopped with Ctrl+C it goes on the next time\n"
        "import PATH             take over safetensors or a state dict\n"
        "export MODEL OUT        write safetensors, a state dict or ONNX\n"
        "remove MODEL            take it off this computer\n"
        "promote PROJECT MODEL   make it the project's active model\n"
        "rollback PROJECT        make the one before the active model again",
    ),
}
