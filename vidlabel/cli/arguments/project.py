"""Arguments of the commands about a project: its videos, its clips and their labels."""

from __future__ import annotations

import argparse
from pathlib import Path

from vidlabel.cli.arguments.values import Command, seconds, with_project
from vidlabel.core.words import QueueOrder

SORTS = ("queue", "path", "name", "duration", "state", "label", "probability", "decided")
EXPORT_FORMATS = ("csv", "jsonl", "class-folders")
IMPORT_FORMATS = ("csv", "class-folders", "hmdb51")


def _scan(parser: argparse.ArgumentParser) -> None:
    with_project(parser)
    parser.add_argument(
        "folders",
        metavar="FOLDER",
        nargs="*",
        type=Path,
        default=[],
        help="a folder to watch from now on (none: those it has)",
    )


def _list(parser: argparse.ArgumentParser) -> None:
    with_project(parser)
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
    with_project(parser)
    parser.add_argument("video", metavar="VIDEO", help="absolute, or relative to this folder or to a root")
    parser.add_argument("label", metavar="LABEL", help="of the project's label set")
    parser.add_argument("--start", metavar="S", type=seconds, help="of a part of the video, in seconds")
    parser.add_argument("--end", metavar="S", type=seconds, help="of the part, exclusive")
    parser.add_argument("--annotator", metavar="NAME", help="who decides (default: the system's user)")


def _import(parser: argparse.ArgumentParser) -> None:
    with_project(parser)
    parser.add_argument(
        "source", metavar="SOURCE", type=Path, help="the file to read; a folder for class-folders and hmdb51"
    )
    parser.add_argument("--format", choices=IMPORT_FORMATS, required=True, help="what it is")
    parser.add_argument("--dry-run", action="store_true", help="say what would be done, write nothing")
    parser.add_argument(
        "--known-labels-only", action="store_true", help="leave out rows whose label the label set lacks"
    )
    parser.add_argument(
        "--annotator", metavar="NAME", help="of rows that name none (default: the system's user)"
    )
    parser.add_argument(
        "--splits",
        metavar="FOLDER",
        type=Path,
        help="hmdb51: the folder with <class>_test_split1.txt and so on, for `train --split official`",
    )
    parser.add_argument(
        "--split-number", metavar="N", type=int, choices=(1, 2, 3), help="hmdb51: 1, 2 or 3 (default: 1)"
    )


def _export(parser: argparse.ArgumentParser) -> None:
    with_project(parser)
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


def _check(parser: argparse.ArgumentParser) -> None:
    with_project(parser)
    parser.add_argument(
        "--repair", action="store_true", help="repair what can be repaired without losing anything"
    )


def _backup(parser: argparse.ArgumentParser) -> None:
    with_project(parser)
    parser.add_argument(
        "out", metavar="OUT", type=Path, nargs="?", help="file or folder (default: beside the project)"
    )


def _where(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", metavar="FOLDER", type=Path, help="a folder of videos")


def _nothing(parser: argparse.ArgumentParser) -> None:
    """The command takes no further arguments."""


COMMANDS = {
    "scan": Command(
        "find videos, probe them, hash them",
        "vidlabel scan work.vidlabel ~/footage",
        _scan,
    ),
    "list": Command(
        "list clips with state, label and suggestion",
        "vidlabel list ~/footage --filter 'state:suggested conf<0.4' --sort path",
        _list,
        "\n\nEXPR: words match the path; state:suggested, state:decided, label:wave, suggested:kick,\n"
        'folder:sub/dir, conf<0.4, conf>=80%; all must hold; "quotes" hold spaces together.',
    ),
    "label": Command(
        "give a clip a label",
        "vidlabel label ~/footage day1/gate.mp4 wave --start 12.5 --end 14",
        _label,
    ),
    "import": Command(
        "take over labels from elsewhere",
        "vidlabel import ~/footage labels.csv --format csv --dry-run",
        _import,
        " A csv needs the columns video,label.\n\n"
        "class-folders: SOURCE/<label>/<video>; hmdb51: the same, and names that say class and source.\n"
        "A folder that is not watched yet is watched from then on.",
    ),
    "export": Command(
        "write clips and labels for other programs",
        "vidlabel export ~/footage labels.csv --format csv",
        _export,
    ),
    "check": Command(
        "check the integrity of the database and of the files it names",
        "vidlabel check work.vidlabel --repair",
        _check,
    ),
    "backup": Command(
        "copy the project, safely also while it is in use",
        "vidlabel backup ~/footage /mnt/disk",
        _backup,
    ),
    "where": Command(
        "print where a folder's own project lies",
        "vidlabel where ~/footage",
        _where,
    ),
    "doctor": Command(
        "look at GPU, codecs, disk, Qt and models, with remedies",
        "vidlabel doctor",
        _nothing,
    ),
}
