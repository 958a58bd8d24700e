"""The whole program as the command line starts it, and a small trained-for-nothing model where none ships."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from tests.helpers.clips import numbered_clip
from vidlabel.app import Program, build
from vidlabel.core.errors import MissingResourceError
from vidlabel.core.resources import resource_path

CHECKOUT = Path(__file__).resolve().parent.parent.parent

_MAKE_MODEL = """
import json, sys
from pathlib import Path
import torch
from vidlabel.ml.modelfile import save_model
from vidlabel.ml.networks import build
from vidlabel.ml.preprocess import Preprocessing
out, label_set = Path(sys.argv[1]), Path(sys.argv[2])
labels = json.loads(label_set.read_text(encoding="utf-8"))["labels"]
small = {"widths": [8, 12, 16], "blocks": [1, 1], "time_strides": [1, 2]}
torch.manual_seed(1)
network = build("compact3d", labels=len(labels), **small).eval()
save_model(out, network, name="made by a test", network="compact3d", network_args=small, labels=labels,
           preprocessing=Preprocessing(frames=4, height=16, width=16), card={"top1": "chance: its weights are random"})
"""


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What to load: the bundled model, or, in a checkout without it, one with random weights."""
    try:
        resource_path("models/bundled.safetensors")
    except MissingResourceError:
        file = tmp_path_factory.mktemp("model") / "test.safetensors"
        # In a process of its own: this one is the window's and never imports torch.
        subprocess.run(
            [sys.executable, "-c", _MAKE_MODEL, str(file), str(resource_path("label_sets/hmdb51.json"))],
            check=True, cwd=CHECKOUT, timeout=100,
        )  # fmt: skip
        return str(file)
    return "bundled"


@pytest.fixture(scope="session")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eight real videos of different content."""
    folder = tmp_path_factory.mktemp("clips")
    for number in range(8):
        numbered_clip(folder / f"clip_{number}.mp4", 24 + number, fps=24)
    return folder


@pytest.fixture
def folder(clips: Path, tmp_path: Path) -> Path:
    """A media folder of this test's own."""
    return Path(shutil.copytree(clips, tmp_path / "day 1 – läuft"))


@pytest.fixture
def start(qtbot: QtBot) -> Iterator[Callable[[Path], Program]]:
    """Starts the program on a folder or project through its composition root; ends it in good order."""
    programs: list[Program] = []

    def begin(project: Path) -> Program:
        program = build(project)
        programs.append(program)
        program.workbench.settings.suggest_by_itself = False
        with qtbot.waitSignal(program.startup.painted, timeout=20_000):
            program.window.show()
            program.window.activateWindow()
        return program

    yield begin
    for program in programs:
        with qtbot.waitSignal(program.workbench.closed, timeout=15_000):
            program.window.close()
        program.window.deleteLater()
        program.workbench.deleteLater()
