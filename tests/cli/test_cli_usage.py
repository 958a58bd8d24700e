"""How the command line answers wrong use, and how fast it answers at all."""

from __future__ import annotations

import errno
import json
import os
import struct
import sys
from argparse import Namespace
from contextlib import suppress
from pathlib import Path

import pytest

from tests.cli.conftest import CommandLine, python, start
from vidlabel import __version__
from vidlabel.cli import MODULES
from vidlabel.cli.commands import where
from vidlabel.cli.output import Output


@pytest.mark.parametrize("command", list(MODULES))
def test_every_command_has_help_with_an_example(vidlabel: CommandLine, command: str) -> None:
    said = vidlabel(command, "--help").out
    assert f"example:\n  vidlabel {command}" in said
    assert "--json" in said


def test_help_names_every_command(vidlabel: CommandLine) -> None:
    said = vidlabel("--help").out
    assert all(f"\n  {command} " in said for command in MODULES)
    assert vidlabel("--version").out == f"vidlabel {__version__}\n"


def test_help_loads_nothing_heavy() -> None:
    script = (
        "import sys; from vidlabel.__main__ import main; main(['suggest', '--help'])\n"
        "print([n for n in ('torch', 'av', 'cv2', 'numpy', 'sqlalchemy', 'PySide6') if n in sys.modules])"
    )
    out, err = python("-c", script).communicate()
    assert out.splitlines()[-1] == "[]", err


def test_no_command_loads_qt(footage: Path) -> None:
    modules = [f"vidlabel.cli.commands.{module}" for module in MODULES.values()]
    script = f"import sys, {', '.join(modules)}\nprint([n for n in sys.modules if n.startswith('PySide6')])"
    out, err = python("-c", script).communicate()
    assert out.strip() == "[]", err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["sugest"], "vidlabel suggest"),
        (["nowhere"], "neither a command nor"),
        (["nowhere", "more"], "neither a command nor"),
        (["nowhere.vidlabel"], "vidlabel scan"),
        (["--frobnicate"], "unrecognized"),
        (["scan"], "PROJECT"),
        (["scan", "new.vidlabel"], "watches no folder"),
        (["scan", "new.vidlabel", "nowhere"], "no folder nowhere"),
        (["scan", "nowhere"], "no folder nowhere"),
        (["list", "nowhere.vidlabel"], "vidlabel scan"),
        (["list", ".", "--filter", "state:done"], "character 7"),
        (["list", ".", "--sort", "colour"], "invalid choice"),
        (["suggest", ".", "--top-k", "0"], "1 or more"),
        (["suggest", ".", "--device", "tpu"], "invalid choice"),
        (["label", ".", "a.mp4"], "LABEL"),
        (["label", ".", "a.mp4", "wave", "--start", "1"], "go together"),
        (["label", ".", "a.mp4", "wave", "--start", "2", "--end", "1"], "after"),
        (["label", ".", "a.mp4", "wave", "--annotator", " "], "name"),
        (["import", ".", "nowhere.csv", "--format", "csv"], "no file"),
        (["import", ".", "x.csv"], "--format"),
        (["export", ".", "x.csv", "--format", "csv", "--cut-clips"], "class-folders only"),
        (["export", ".", "x", "--format", "mmaction2"], "invalid choice"),
        (["models", "info"], "needs a model"),
        (["models", "list", "bundled"], "takes no model"),
        (["where", "nowhere"], "no folder"),
        (["learn", "."], "neither a command nor"),
        (["--worker", "nothing"], "no worker"),
    ],
)
def test_wrong_use_is_explained(vidlabel: CommandLine, arguments: list[str], words: str) -> None:
    said = vidlabel(*arguments, code=2)
    assert words in said.err
    assert said.out == ""


def test_wrong_use_is_explained_in_json_too(vidlabel: CommandLine) -> None:
    assert "1 or more" in vidlabel.json("suggest", ".", "--top-k", "no", code=2)["error"]


def test_a_file_that_is_no_project(vidlabel: CommandLine, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("hello")
    (tmp_path / "fake.vidlabel").write_text("hello")
    assert "neither a project" in vidlabel("list", "notes.txt", code=2).err
    assert "neither a project" in vidlabel("notes.txt", code=2).err
    assert "not a vidlabel project" in vidlabel("list", "fake.vidlabel", code=1).err
    assert "not a vidlabel project" in vidlabel.json("check", "fake.vidlabel", code=1)["error"]
    assert (tmp_path / "fake.vidlabel").read_text() == "hello"


def test_a_reader_that_leaves_early(footage: Path) -> None:
    assert start("scan", footage).communicate()[1] == ""
    listing = start("list", footage, "--json")
    assert listing.stdout is not None
    assert listing.stderr is not None
    listing.stdout.close()
    assert listing.stderr.read() == ""
    listing.stderr.close()
    assert listing.wait() == 1


def test_an_answer_is_one_document_also_in_another_process(footage: Path) -> None:
    scanning = start("scan", footage, "--json")
    out, err = scanning.communicate()
    assert scanning.returncode == 0
    assert json.loads(out)["files"] == 7
    assert err == ""


def test_json_may_stand_before_the_command(vidlabel: CommandLine, footage: Path) -> None:
    assert json.loads(vidlabel("--json", "where", footage).out)["exists"] is False


def test_a_word_that_is_no_command_is_answered_in_json_too(vidlabel: CommandLine) -> None:
    assert "neither a command" in vidlabel.json("scann", code=2)["error"]


def test_ctrl_c_after_the_answer_adds_no_second_document(
    vidlabel: CommandLine, footage: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = where.run

    def interrupted(arguments: Namespace, output: Output) -> int:
        answer(arguments, output)
        raise KeyboardInterrupt

    monkeypatch.setattr(where, "run", interrupted)
    assert vidlabel.json("where", footage, code=130)["folder"] == str(footage)


def test_a_full_disk_is_named_with_what_to_do(
    vidlabel: CommandLine, footage: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(arguments: Namespace, output: Output) -> int:
        raise OSError(errno.ENOSPC, "No space left on device", "/disk/labels.csv")

    monkeypatch.setattr(where, "run", full)
    assert vidlabel.json("where", footage, code=1)["error"].startswith("/disk/labels.csv: No space left")
    assert "Make room" in vidlabel("where", footage, code=1).err


@pytest.mark.skipif(sys.platform == "win32", reason="terminals of Unix")
@pytest.mark.parametrize("columns", [0, 120])
def test_progress_is_shown_on_a_terminal_and_nowhere_else(footage: Path, columns: int) -> None:
    import fcntl
    import termios

    ours, theirs = os.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    with start("scan", footage, "--json", stderr=theirs) as process:
        os.close(theirs)
        shown = b""
        # Linux ends the reading of a terminal that nobody has open any more with an error.
        with suppress(OSError):
            while part := os.read(ours, 4096):
                shown += part
        out, _ = process.communicate()
    os.close(ours)
    assert json.loads(out)["clips"] == 6
    assert b"Scanning footage" in shown
    with start("scan", footage, "--json") as process:
        assert process.communicate()[1] == ""
