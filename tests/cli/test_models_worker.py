"""The process in which the window has models installed, imported, exported and removed."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from time import perf_counter
from typing import Any

import pytest

from tests.cli.conftest import CommandLine, python
from tests.helpers.tiny_models import TORCHVISION, Published
from tests.helpers.weights_server import hangs_after
from vidlabel.core.worker import worker_command
from vidlabel.ml.catalogue import find_model
from vidlabel.ml.install import downloads_folder
from vidlabel.ml.modelfile import load_model


class Worker:
    """The process the window starts."""

    def __init__(self, *arguments: object) -> None:
        _python, *command = worker_command("models", *map(str, arguments))
        self.process = subprocess.Popen(
            [_python, *command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            text=True, cwd=Path(__file__).resolve().parents[2],
        )  # fmt: skip

    def __enter__(self) -> Worker:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.communicate()

    def line(self) -> dict[str, Any]:
        """The next line."""
        assert self.process.stdout is not None
        event = json.loads(self.process.stdout.readline())
        assert event.pop("v") == 1
        return dict(event)

    def until(self, kind: str) -> dict[str, Any]:
        """The next line of this kind."""
        while (event := self.line())["event"] != kind:
            assert event["event"] not in ("finished", "failed", "stopped"), event
        return event

    def say(self, text: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(text)
        self.process.stdin.flush()


def test_the_worker_installs_imports_exports_and_removes(
    vidlabel: CommandLine, published: Published, own: Path, tmp_path: Path
) -> None:
    with Worker("install", TORCHVISION) as worker:
        assert worker.until("started") == {
            "event": "started",
            "name": TORCHVISION,
            "bytes": len(published.content),
        }
        progress = worker.until("progress")
        assert progress["total"] == len(published.content) and progress["rate"] >= 0
        done = worker.until("finished")
        assert worker.process.wait(10) == 0
    model = find_model(TORCHVISION)
    assert (done["model"], done["hash"], done["path"]) == (TORCHVISION, model.hash, str(model.path))
    with Worker("export", model.hash, tmp_path / "out.safetensors", "--kind", "safetensors") as worker:
        assert worker.until("finished")["path"] == str(tmp_path / "out.safetensors")
    with Worker("remove", model.hash) as worker:
        assert worker.until("finished") == {
            "event": "finished", "model": TORCHVISION, "hash": model.hash, "path": str(model.path),
            "active_in": [],
        }  # fmt: skip
    with Worker("import", own, "--name", "mine") as worker:
        assert worker.until("finished")["model"] == "mine"
    assert load_model(find_model("mine").path).info.labels == ("wave", "jump", "sit")


def test_the_worker_stops_when_told_and_when_the_window_is_gone(published: Published) -> None:
    for leave in ("stop\n", None):
        # The second goes on where the first left: both together must not be the whole file.
        published.server.trouble(published.file, hangs_after(len(published.content) // 4))
        with Worker("install", TORCHVISION) as worker:
            while worker.until("progress")["done"] == 0:
                continue
            begin = perf_counter()
            if leave is None:
                assert worker.process.stdin is not None
                worker.process.stdin.close()
            else:
                worker.say(leave)
            assert worker.until("stopped") == {"event": "stopped"}
            assert perf_counter() - begin < 1.5
            assert worker.process.wait(5) == 130
            if leave is None:
                worker.process.stdin = None
    assert list(downloads_folder().rglob("*.part"))


@pytest.mark.parametrize(
    ("arguments", "kind", "words", "code"),
    [
        (["install", "nonesuch"], "model", "nonesuch", 1),
        (["install", "missing"], "network", "HTTP 404", 1),
        (["import", "nowhere.pth"], "usage", "no file", 2),
        (["dance"], "usage", "dance", 2),
    ],
)
def test_the_worker_says_what_failed(
    published: Published, arguments: list[str], kind: str, words: str, code: int
) -> None:
    if arguments[1:] == ["missing"]:
        del published.server.files[f"/{published.file}"]
        arguments = ["install", TORCHVISION]
    with Worker(*arguments) as worker:
        failed = worker.until("failed")
        assert failed["kind"] == kind and words in failed["words"]
        assert worker.process.wait(10) == code


def test_the_worker_waits_for_nothing_heavy_to_fetch(published: Published) -> None:
    script = (
        "import sys, vidlabel.cli.models_worker\n"
        "print([n for n in ('torch', 'sqlalchemy', 'av', 'cv2', 'PySide6') if n in sys.modules])"
    )
    out, err = python("-c", script).communicate()
    assert out.strip() == "[]", err
