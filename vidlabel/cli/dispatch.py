"""From arguments to an exit code: finds the command, runs it, and turns errors into words."""

from __future__ import annotations

import errno
import importlib
import os
import sys
from collections.abc import Sequence
from typing import cast

from vidlabel.cli import MODULES
from vidlabel.cli.output import Output, make_printable
from vidlabel.cli.parser import parse
from vidlabel.core.errors import UsageError, VidlabelError

DONE, FAILED, WRONG_USAGE, INTERRUPTED = 0, 1, 2, 130


def run_command(argv: Sequence[str]) -> int:
    """Runs one command and answers its exit code: 0 done, 1 failed, 2 wrong usage, 130 stopped."""
    make_printable()
    output = Output(as_json="--json" in argv)
    try:
        arguments = parse(argv)
        # Only now: SQLAlchemy, av and torch take their time, and most commands need only some of them.
        command = importlib.import_module(f"vidlabel.cli.commands.{MODULES[arguments.command]}")
        return cast(int, command.run(arguments, output))
    except SystemExit as end:  # argparse ends so after --help and --version.
        return end.code if isinstance(end.code, int) else DONE
    except UsageError as error:
        return _failed(output, str(error), code=WRONG_USAGE)
    except VidlabelError as error:
        return _failed(output, str(error), code=FAILED)
    except KeyboardInterrupt:
        return _failed(output, "Stopped. What was done until now is kept.", code=INTERRUPTED)
    except BrokenPipeError:
        return _reader_gone()
    except OSError as error:
        return _failed(output, _words(error), code=FAILED)


def _failed(output: Output, message: str, *, code: int) -> int:
    print(f"vidlabel: {message}", file=sys.stderr)
    if output.as_json and not output.answered:
        output.answer({"error": message}, ())
    return code


_REMEDIES = {
    errno.ENOSPC: "Make room on that disk, or choose another place.",
    errno.EDQUOT: "Make room on that disk, or choose another place.",
    errno.EACCES: "Give yourself the right to it, or choose another place.",
    errno.EPERM: "Give yourself the right to it, or choose another place.",
    errno.EROFS: "This disk can only be read: choose another place.",
    errno.ENOENT: "Check the path.",
    errno.ENOTDIR: "Check the path.",
    errno.EIO: "Is the disk still connected?",
}


def _words(error: OSError) -> str:
    what = error.strerror or str(error)
    remedy = _REMEDIES.get(error.errno or 0, "")
    return f"{error.filename}: {what}. {remedy}".rstrip() if error.filename else f"{what}. {remedy}".rstrip()


def _reader_gone() -> int:
    """``vidlabel list … | head``: nobody reads on. Python would complain when it flushes at its end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return FAILED
