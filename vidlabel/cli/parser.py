"""All arguments of all commands. Light on purpose: ``vidlabel --help`` answers at once."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import NoReturn

from vidlabel import __version__
from vidlabel.cli import MODULES
from vidlabel.cli.arguments import learning, models, project
from vidlabel.core.errors import UsageError

_GROUPS = project.COMMANDS | models.COMMANDS | learning.COMMANDS
_COMMANDS = {name: _GROUPS[name] for name in MODULES}


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
