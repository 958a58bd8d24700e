"""train under torchrun: two processes make the model that one makes, and where one dies both end."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from safetensors.torch import load_file

from tests.cli.conftest import CommandLine, python
from tests.helpers import hmdb51
from tests.helpers.tiny_run import base_model
from vidlabel.core.runs import RunFolder, runs_folder

# Sums of float32 in another order, twelve epochs of a network with batch norms and dropout; 1e-6 was measured.
BOUND = 1e-5
END_S = 60
WITHOUT_S = 25  # torchrun itself ends after 30 s what does not end by then

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="gloo's loopback is named so on Linux only")


def torchrun(*arguments: object) -> subprocess.Popen[str]:
    """``torchrun --standalone --nproc-per-node 2 -m vidlabel ...``"""
    two = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node", 2)
    return python(*two, "-m", "vidlabel", *arguments, GLOO_SOCKET_IFNAME="lo")


def said_until(process: subprocess.Popen[str], beginning: str) -> str:
    assert process.stderr is not None
    said = ""
    for line in process.stderr:
        said += line
        if line.startswith(beginning):
            return said
    raise AssertionError(said)


def first_worker(process: subprocess.Popen[str]) -> int:
    """Of torchrun's processes the one that is the first of the run."""
    for child in Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split():
        if b"\0RANK=0\0" in b"\0" + Path(f"/proc/{child}/environ").read_bytes():
            return int(child)
    raise AssertionError("torchrun has started no first process")


@pytest.fixture
def say(vidlabel: CommandLine, tmp_path: Path) -> tuple[object, ...]:
    """What trains a small network on a new project."""
    clips, splits = hmdb51.make(tmp_path / "clips")
    project, base = tmp_path / "work.vidlabel", base_model(tmp_path / "base.safetensors")
    vidlabel("import", project, clips, "--format", "hmdb51", "--splits", splits)
    return ("train", project, "--base", base.path, "--split", "official", "--tunes", "all", "--epochs", 12,
            "--patience", 0, "--batch-size", 5, "--workers", 1, "--device", "cpu", "--precision", "float32",
            "--json")  # fmt: skip


def test_two_processes_stopped_and_resumed_make_the_model_of_one(
    vidlabel: CommandLine, say: tuple[object, ...], tmp_path: Path
) -> None:
    project = tmp_path / "work.vidlabel"
    together = torchrun(*say)
    said_until(together, "Epoch 2")
    assert vidlabel.json("runs", "stop", project)["state"] == "stopped"
    out, said = together.communicate(timeout=END_S)
    assert json.loads(out)["state"] == "stopped", said

    together = torchrun("train", project, "--resume", "run-1", "--json")
    out, said = together.communicate(timeout=END_S)
    assert together.returncode == 0, said
    assert "It goes on at step" in said
    two = json.loads(out)
    assert two["state"] == "finished"

    one = vidlabel.json(*say)
    assert (one["run"], one["state"]) == ("run-2", "finished")
    mine, theirs = (load_file(RunFolder(runs_folder(project) / run).model) for run in ("run-1", "run-2"))
    assert mine.keys() == theirs.keys()
    assert max(float((mine[name].double() - theirs[name].double()).abs().max()) for name in mine) < BOUND
    assert two["metrics"]["top1"] == one["metrics"]["top1"]


@pytest.mark.slow
def test_where_the_first_process_is_killed_the_second_ends_and_the_run_can_be_resumed(
    vidlabel: CommandLine, say: tuple[object, ...], tmp_path: Path
) -> None:
    project = tmp_path / "work.vidlabel"
    together = torchrun(*say)
    said_until(together, "Epoch 2")
    os.kill(first_worker(together), signal.SIGKILL)
    began = time.monotonic()
    out, said = together.communicate(timeout=END_S)
    assert time.monotonic() - began < WITHOUT_S
    assert together.returncode != 0
    assert out == ""
    (listed,) = vidlabel.json("runs", "list", project)["runs"]
    assert (listed["run"], listed["state"]) == ("run-1", "interrupted"), said
    assert vidlabel.json("train", project, "--resume", "run-1")["state"] == "finished", (
        "one alone goes on with it"
    )
