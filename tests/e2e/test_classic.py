"""The classic experiment from the command line: HMDB51's folders and official split, a 3D-CNN and an RNN."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.helpers import hmdb51

CHECKOUT = Path(__file__).resolve().parent.parent.parent

_MAKE_BASE = """
import json, sys
from pathlib import Path
import torch
from vidlabel.ml.modelfile import save_model
from vidlabel.ml.networks import build
from vidlabel.ml.preprocess import Preprocessing
from vidlabel.ml.published import hmdb51_labels
path, arguments = Path(sys.argv[2]), json.loads(sys.argv[3])
torch.manual_seed(1)
network = build(path.stem, labels=51, **arguments).eval()
save_model(path, network, name=f"untrained {path.stem}", network=path.stem, network_args=arguments,
           labels=hmdb51_labels(), card={"limits": ["its weights are random"]},
           preprocessing=Preprocessing(frames=4, height=32, width=32))
"""
_IN_TURN = """
import json, sys
from vidlabel.__main__ import main
for arguments in json.loads(sys.argv[1]):
    if code := main([*arguments, "--json"]):
        raise SystemExit(code)
"""
_NETWORKS: dict[str, dict[str, Any]] = {
    "compact3d": {"widths": [8, 12, 16], "blocks": [1, 1], "time_strides": [1, 2]},
    "resnet18_lstm": {"hidden": 32},
}

Command = tuple[object, ...]
Vidlabel = Callable[..., list[dict[str, Any]]]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One place for the data, the project, and its runs."""
    return tmp_path_factory.mktemp("classic")


@pytest.fixture(scope="module")
def vidlabel(home: Path) -> Vidlabel:
    """Command lines, one after the other in one process, for torch takes its time; it stays out of this one."""

    def run(*commands: Command, first: str = "", given: tuple[str, ...] = ()) -> list[dict[str, Any]]:
        lines = [[str(word) for word in command] for command in commands]
        done = _python(home, "-c", first + _IN_TURN, json.dumps(lines), *given)
        assert done.returncode == 0, done.stderr + done.stdout
        answers, rest = [], done.stdout.lstrip()
        while rest:
            answer, end = json.JSONDecoder().raw_decode(rest)
            answers.append(answer)
            rest = rest[end:].lstrip()
        assert len(answers) == len(commands)
        return answers

    return run


def _python(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {
        "PYTHONPATH": str(CHECKOUT), "OMP_NUM_THREADS": "1", "VIDLABEL_HOME": str(home / "home")
    }  # fmt: skip
    return subprocess.run(
        [sys.executable, *arguments],
        env=environment, cwd=home, capture_output=True, text=True, check=False, timeout=150,
    )  # fmt: skip


@pytest.fixture(scope="module")
def splits(home: Path) -> Path:
    return hmdb51.make(home)[1]


@pytest.fixture(scope="module")
def project(vidlabel: Vidlabel, home: Path, splits: Path) -> Path:
    """HMDB51's folders, imported with their first split."""
    path = home / "classic.vidlabel"
    (imported,) = vidlabel(("import", path, home / "hmdb51", "--format", "hmdb51", "--splits", splits))
    assert (imported["imported"], imported["split"]["train"], imported["split"]["test"]) == (36, 24, 12)
    return path


@pytest.mark.parametrize("network", ["compact3d", pytest.param("resnet18_lstm", marks=pytest.mark.slow)])
def test_fine_tune_and_evaluate_on_the_official_split(
    home: Path, vidlabel: Vidlabel, project: Path, splits: Path, network: str
) -> None:
    # Untrained, for a test fetches no pretrained weights.
    base = home / f"{network}.safetensors"
    train = (
        "train", project, "--base", base, "--split", "official", "--tunes", "all",
        "--epochs", 8, "--patience", 0, "--rate", "0.003", "--batch-size", 6, "--augment", "none",
        "--average", "0", "--device", "cpu", "--precision", "float32", "--seed", 1, "--promote",
    )  # fmt: skip
    # Without a name `evaluate` takes the active model, which is the one just promoted.
    run, tested = vidlabel(
        train, ("evaluate", project, "--split", "test", "--device", "cpu"),
        first=_MAKE_BASE, given=(str(base), json.dumps(_NETWORKS[network])),
    )  # fmt: skip
    assert run["state"] == "finished"
    # The proof and `evaluate` measure the same model on the same clips, each in its own way.
    assert (tested["model"], tested["clips"]) == (run["model"], 12)
    for figure in ("top1", "mean_class"):
        assert tested[figure] == pytest.approx(run["metrics"][figure])
    # Classes that a glance tells apart, of films it has never seen; one in three would be chance.
    assert tested["top1"] >= 0.6
    # No clip of a test film was learnt from.
    manifest = json.loads((Path(run["folder"]) / "snapshot.json").read_text(encoding="utf-8"))
    parts: dict[str, set[str]] = {}
    for clip in manifest["clips"]:
        parts.setdefault(clip[5], set()).add(clip[4])
    assert all(len(own) == 1 for own in parts.values())
    listed = {Path(clip[6]).name for clip in manifest["clips"] if clip[4] == "test"}
    official = "".join(path.read_text(encoding="utf-8") for path in splits.glob("*_test_split1.txt"))
    assert listed == {line.rpartition(" ")[0] for line in official.splitlines() if line.endswith(" 2")}


@pytest.mark.slow
def test_the_head_of_the_bundled_model(vidlabel: Vidlabel, project: Path) -> None:
    (run,) = vidlabel(
        ("train", project, "--base", "bundled", "--split", "official", "--epochs", 5, "--device", "cpu")
    )
    assert run["state"] == "finished"
    assert run["proof"]["clips"] == 12
    (tested,) = vidlabel(("evaluate", project, "--model", run["model"], "--split", "test", "--device", "cpu"))
    assert tested["clips"] == 12
