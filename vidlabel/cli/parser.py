"""All arguments of all commands. Light on purpose: ``vidlabel --help`` answers at once."""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from vidlabel import __version__
from vidlabel.core.errors import UsageError
from vidlabel.core.model_key import PRECISIONS
from vidlabel.core.sweeps import LONG_S, STEP_S, WINDOW_S, ProposalSettings
from vidlabel.core.words import MOST_VIEWS, QueueOrder

_PROJECT = "a *.vidlabel file, or a folder of videos (its own project is then opened or created)"
SORTS = ("queue", "path", "name", "duration", "state", "label", "probability", "decided")
EXPORT_FORMATS = ("csv", "jsonl", "class-folders")
IMPORT_FORMATS = ("csv",)
MODEL_ACTIONS = ("list", "info", "install", "import", "export", "remove", "promote", "rollback")
EXPORT_KINDS = ("safetensors", "state-dict", "onnx")
DEVICES = ("auto", "cpu", "cuda", "mps")
_SHORTEST_S = 0.1
"""Windows and steps below this look at nearly the same frames over and over."""


def parse(argv: Sequence[str]) -> argparse.Namespace:
    """The arguments of one command, options and names in any order.

    Raises:
        UsageError: they are wrong.
        SystemExit: after ``--help`` and ``--version``.
    """
    if argv and argv[0] in _COMMANDS:
        command = _command_parser(argv[0])
        found = command.parse_intermixed_args(argv[1:])
        found.command = argv[0]
        return found
    return _overview().parse_args(argv)


@dataclass(frozen=True)
class _Command:
    says: str
    example: str
    arguments: Callable[[argparse.ArgumentParser], None]
    more: str = ""


class _Parser(argparse.ArgumentParser):
    """Raises what is wrong instead of ending the process, so that ``--json`` can answer it too."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message}\n{self.format_usage().rstrip()}")


def _overview() -> argparse.ArgumentParser:
    width = max(map(len, _COMMANDS))
    listed = "\n".join(f"  {name:{width}}  {command.says}" for name, command in _COMMANDS.items())
    parser = _Parser(
        prog="vidlabel",
        usage="vidlabel [PROJECT]\n       vidlabel COMMAND ...",
        description="Review and tag folders of video. Without a command the window opens.\n\n"
        f"commands:\n{listed}",
        epilog="A folder named like a command is written ./scan.\n"
        "Exit codes: 0 done, 1 failed, 2 wrong usage, 130 stopped with Ctrl+C.\n"
        "`vidlabel COMMAND --help` tells its options and has an example.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"vidlabel {__version__}")
    return parser


def _command_parser(name: str) -> argparse.ArgumentParser:
    command = _COMMANDS[name]
    parser = _Parser(
        prog=f"vidlabel {name}",
        description=f"{command.says[:1].upper()}{command.says[1:]}.{command.more}",
        epilog=f"example:\n  {command.example}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout, logs on stderr")
    command.arguments(parser)
    return parser


def _with_project(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("project", metavar="PROJECT", help=_PROJECT)


def _scan(parser: argparse.ArgumentParser) -> None:
    _with_project(parser)
    parser.add_argument(
        "folders",
        metavar="FOLDER",
        nargs="*",
        type=Path,
        default=[],
        help="a folder to watch from now on (none: those it has)",
    )


def _suggest(parser: argparse.ArgumentParser) -> None:
    _with_project(parser)
    parser.add_argument(
        "--model", metavar="M", help="name, hash or path (default: the project's active model)"
    )
    parser.add_argument("--device", choices=DEVICES, default="auto", help="where to compute (default: auto)")
    parser.add_argument(
        "--top-k", metavar="N", type=_positive, default=5, help="labels a clip in the answer (default: 5)"
    )
    parser.add_argument(
        "--batch-size", metavar="N", type=_positive, help="clips at a time (default: measured)"
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
        type=_views,
        help="looks at each clip, averaged; their cost is told (default: the project's, at first 1)",
    )
    parser.add_argument("--flip", action="store_true", help="look at each clip mirrored as well")
    parser.add_argument(
        "--compile", action="store_true", help="try torch.compile first; used only where it is faster"
    )


def _sweep(parser: argparse.ArgumentParser) -> None:
    _with_project(parser)
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
        type=_seconds,
        default=LONG_S,
        help=f"without VIDEO: videos of at least so many seconds (default: {LONG_S:g})",
    )
    parser.add_argument(
        "--window", metavar="S", type=_length, help=f"seconds looked at at a time (default: {WINDOW_S:g})"
    )
    parser.add_argument("--step", metavar="S", type=_length, help=f"then on by so much (default: {STEP_S:g})")
    usual = ProposalSettings()
    for name, kind, meaning, value in (
        ("start-sure", _share, "a clip needs a moment at least so sure", usual.start_sure),
        ("end-sure", _share, "it reaches as far as the model is at least so sure", usual.end_sure),
        ("join-gaps", _seconds, "clips of one label no further apart are one", usual.join_gaps_s),
        ("min-length", _seconds, "what is shorter is not proposed", usual.shortest_s),
        ("smooth", _seconds, "average the model's word over so long", usual.smooth_s),
    ):
        what = "P" if kind is _share else "S"
        shown = f"{value:.0%}".replace("%", "%%") if kind is _share else f"{value:g}"
        parser.add_argument(
            f"--{name}", metavar=what, type=kind, help=f"{meaning} (default: the project's, at first {shown})"
        )


def _calibrate(parser: argparse.ArgumentParser) -> None:
    _with_project(parser)
    parser.add_argument(
        "--model", metavar="M", help="name, hash or path (default: the project's active model)"
    )
    parser.add_argument(
        "--plot", metavar="OUT.svg", type=Path, help="draw confidence against being right, before and after"
    )


def _list(parser: argparse.ArgumentParser) -> None:
    _with_project(parser)
    parser.add_argument("--filter", metavar="EXPR", default="", help="which clips (default: all)")
    parser.add_argument("--sort", choices=SORTS, default="queue", help="in which order (default: queue)")
    parser.add_argument(
        "--order",
        choices=[order.value for order in QueueOrder],
        default=QueueOrder.LEAST_SURE.value,
        help="of the queue (default: least-sure)",
    )
    parser.add_argument("--descending", action="store_true", help="the other way round")


def _label(parser: argparse.ArgumentParser) -> None:
    _with_project(parser)
    parser.add_argument("video", metavar="VIDEO", help="absolute, or relative to this folder or to a root")
    parser.add_argument("label", metavar="LABEL", help="of the project's label set")
    parser.add_argument("--start", metavar="S", type=_seconds, help="of a part of the video, in seconds")
    parser.add_argument("--end", metavar="S", type=_seconds, help="of the part, exclusive")
    parser.add_argument("--annotator", metavar="NAME", help="who decides (default: the system's user)")


def _import(parser: argparse.ArgumentParser) -> None:
    _with_project(parser)
    parser.add_argument("source", metavar="SOURCE", type=Path, help="the file to read")
    parser.add_argument("--format", choices=IMPORT_FORMATS, required=True, help="what it is")
    parser.add_argument("--dry-run", action="store_true", help="say what would be done, write nothing")
    parser.add_argument(
        "--known-labels-only", action="store_true", help="leave out rows whose label the label set lacks"
    )
    parser.add_argument(
        "--annotator", metavar="NAME", help="of rows that name none (default: the system's user)"
    )


def _export(parser: argparse.ArgumentParser) -> None:
    _with_project(parser)
    parser.add_argument("out", metavar="OUT", type=Path, help="the file to write; a folder for class-folders")
    parser.add_argument("--format", choices=EXPORT_FORMATS, required=True, help="what to write")
    parser.add_argument(
        "--filter", metavar="EXPR", default="", help="which clips, as in `list` (default: all)"
    )
    parser.add_argument(
        "--cut-clips", action="store_true", help="class-folders: cut marked clips out, re-encoded"
    )
    parser.add_argument(
        "--copy", action="store_true", help="class-folders: copy videos instead of linking them"
    )
    parser.add_argument(
        "--force", action="store_true", help="replace a foreign file, add to a folder that is not empty"
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


def _check(parser: argparse.ArgumentParser) -> None:
    _with_project(parser)
    parser.add_argument(
        "--repair", action="store_true", help="repair what can be repaired without losing anything"
    )


def _backup(parser: argparse.ArgumentParser) -> None:
    _with_project(parser)
    parser.add_argument(
        "out", metavar="OUT", type=Path, nargs="?", help="file or folder (default: beside the project)"
    )


def _where(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", metavar="FOLDER", type=Path, help="a folder of videos")


def _nothing(parser: argparse.ArgumentParser) -> None:
    """The command takes no further arguments."""


def _positive(text: str) -> int:
    try:
        number = int(text)
    except ValueError:
        number = 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"'{text}' is not a whole number of 1 or more")
    return number


def _views(text: str) -> int:
    number = _positive(text)
    if number > MOST_VIEWS:
        raise argparse.ArgumentTypeError(f"'{text}' is more than {MOST_VIEWS} looks at a clip")
    return number


def _seconds(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not math.isfinite(number) or number < 0:
        raise argparse.ArgumentTypeError(f"'{text}' is no time in seconds")
    return number


def _length(text: str) -> float:
    number = _seconds(text)
    if number < _SHORTEST_S:
        raise argparse.ArgumentTypeError(f"'{text}' is less than {_SHORTEST_S:g} seconds")
    return number


def _share(text: str) -> float:
    """'0.4' and '40%' alike."""
    try:
        number = float(text[:-1]) / 100 if text.endswith("%") else float(text)
    except ValueError:
        number = -1.0
    if not 0 < number <= 1:
        raise argparse.ArgumentTypeError(f"'{text}' is no share between 0 and 1 (or 0% and 100%)")
    return number


_COMMANDS = {
    "scan": _Command(
        "find videos, probe them, hash them",
        "vidlabel scan work.vidlabel ~/footage",
        _scan,
    ),
    "suggest": _Command(
        "let a model suggest labels for every readable clip",
        "vidlabel suggest ~/footage --device cpu --json",
        _suggest,
    ),
    "sweep": _Command(
        "let a model look through long videos and propose clips in them",
        "vidlabel sweep ~/footage day1/gate.mp4 --start-sure 60% --min-length 2",
        _sweep,
        "\n\nStopped with Ctrl+C, it goes on there the next time. Run again with other settings it proposes anew:\n"
        "clips that somebody marked or decided about stay as they are.",
    ),
    "calibrate": _Command(
        "measure a model's confidence on decided clips, and show it as what it is worth",
        "vidlabel calibrate ~/footage --plot reliability.svg",
        _calibrate,
        " Clips it was trained on do not count.",
    ),
    "list": _Command(
        "list clips with state, label and suggestion",
        "vidlabel list ~/footage --filter 'state:suggested conf<0.4' --sort path",
        _list,
        "\n\nEXPR: words match the path; state:suggested, state:decided, label:wave, suggested:kick,\n"
        'folder:sub/dir, conf<0.4, conf>=80%; all must hold; "quotes" hold spaces together.',
    ),
    "label": _Command(
        "give a clip a label",
        "vidlabel label ~/footage day1/gate.mp4 wave --start 12.5 --end 14",
        _label,
    ),
    "import": _Command(
        "take over labels from elsewhere",
        "vidlabel import ~/footage labels.csv --format csv --dry-run",
        _import,
        " A csv needs the columns video,label.",
    ),
    "export": _Command(
        "write clips and labels for other programs",
        "vidlabel export ~/footage labels.csv --format csv",
        _export,
    ),
    "models": _Command(
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
    "check": _Command(
        "check the integrity of the database and of the files it names",
        "vidlabel check work.vidlabel --repair",
        _check,
    ),
    "backup": _Command(
        "copy the project, safely also while it is in use",
        "vidlabel backup ~/footage /mnt/disk",
        _backup,
    ),
    "where": _Command(
        "print where a folder's own project lies",
        "vidlabel where ~/footage",
        _where,
    ),
    "doctor": _Command(
        "look at GPU, codecs, disk, Qt and models, with remedies",
        "vidlabel doctor",
        _nothing,
    ),
}
