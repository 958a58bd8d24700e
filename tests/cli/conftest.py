"""A command line with a home of its own, and footage to use it on."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.helpers.clips import audio_only, empty_file, numbered_clip, text_file, tone
from vidlabel.__main__ import main

if TYPE_CHECKING:
    from tests.helpers.tiny_models import Published

LABELS = [f"label_{number}" for number in range(12)]

CHECKOUT = Path(__file__).resolve().parents[2]


def start(*arguments: object, stderr: int = subprocess.PIPE, **environment: str) -> subprocess.Popen[str]:
    """The command line in a process of its own; ``stderr`` may be a terminal."""
    return python("-m", "vidlabel", *arguments, stderr=stderr, **environment)


def python(*arguments: object, stderr: int = subprocess.PIPE, **environment: str) -> subprocess.Popen[str]:
    """A Python that finds the checkout from any folder."""
    return subprocess.Popen(
        [sys.executable, *map(str, arguments)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=stderr,
        text=True,
        env=os.environ | {"PYTHONPATH": str(CHECKOUT), "OMP_NUM_THREADS": "1"} | environment,
    )


@dataclass(frozen=True)
class Answer:
    """What a command said."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        """The one document on stdout."""
        found = json.loads(self.out)
        assert isinstance(found, dict)
        return found


class CommandLine:
    """Runs the real ``main`` in this process."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def __call__(self, *arguments: object, code: int = 0) -> Answer:
        self._capsys.readouterr()
        found = main([str(argument) for argument in arguments])
        said = self._capsys.readouterr()
        assert found == code, said.err
        assert "Traceback" not in said.err
        return Answer(found, said.out, said.err)

    def json(self, *arguments: object, code: int = 0) -> dict[str, Any]:
        """The same with ``--json``, answering the document."""
        return self(*arguments, "--json", code=code).json


@pytest.fixture(autouse=True)
def current_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def vidlabel(capsys: pytest.CaptureFixture[str]) -> CommandLine:
    return CommandLine(capsys)


@pytest.fixture(scope="session")
def made_clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Made once; tests work on copies."""
    folder = tmp_path_factory.mktemp("clips")
    numbered_clip(folder / "a.mp4", 50)
    numbered_clip(folder / "b.avi", 30)
    numbered_clip(folder / "with sound.mp4", 25, sound=tone(1.0))
    audio_only(folder / "audio.mp4")
    return folder


@pytest.fixture
def footage(tmp_path: Path, made_clips: Path) -> Path:
    """Three readable videos (50, 30 and 25 frames at 25 fps), one of them twice, and three that are none."""
    folder = tmp_path / "footage"
    places = {
        "a.mp4": "a.mp4",
        "b.avi": "day 1/b.avi",
        "with sound.mp4": "day 1/with sound.mp4",
        "audio.mp4": "audio.mp4",
    }
    for name, place in places.items():
        (folder / place).parent.mkdir(parents=True, exist_ok=True)
        (folder / place).write_bytes((made_clips / name).read_bytes())
    (folder / "copy.mp4").write_bytes((made_clips / "a.mp4").read_bytes())
    empty_file(folder / "empty.mp4")
    text_file(folder / "text.mp4")
    return folder


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An untrained network: what it says means nothing, but it says it every time."""
    # Here, because most commands are tested without torch.
    import torch

    from vidlabel.ml.modelfile import save_model
    from vidlabel.ml.networks import build
    from vidlabel.ml.preprocess import Preprocessing

    path = tmp_path_factory.mktemp("model") / "tiny.safetensors"
    torch.manual_seed(1)
    network = build("compact3d", labels=len(LABELS))
    small = Preprocessing(frames=4, height=32, width=32)
    save_model(path, network, name="tiny", network="compact3d", labels=LABELS, preprocessing=small,
               card={"about": {"purpose": "a test"}})  # fmt: skip
    return path


@pytest.fixture
def published(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Published]:
    """A server with a published model of torchvision's kind and one of the hub's."""
    from tests.helpers.tiny_models import convert_here, publish
    from tests.helpers.weights_server import serving
    from vidlabel.ml import install

    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "VIDLABEL_OFFLINE", "HF_HUB_OFFLINE", "HF_TOKEN"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    with serving() as server:
        made = publish(server, tmp_path)
        for name, value in made.environment.items():
            monkeypatch.setenv(name, value)
        # In the processes that tests start it is as in the program; here torch is loaded already.
        monkeypatch.setattr(install, "convert_apart", convert_here)
        yield made


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """A person's own model file."""
    import torch

    from tests.helpers.tiny_models import SMALL
    from vidlabel.ml.modelfile import save_model
    from vidlabel.ml.networks import build
    from vidlabel.ml.preprocess import Preprocessing

    torch.manual_seed(1)
    path = tmp_path / "own.safetensors"
    save_model(path, build("compact3d", labels=3, **SMALL), name="own", network="compact3d", network_args=SMALL,
               labels=["wave", "jump", "sit"], preprocessing=Preprocessing(frames=4, height=16, width=16))  # fmt: skip
    return path
