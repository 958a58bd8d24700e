"""models: install, import, export, remove and choose, as a person at a terminal meets them."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path
from time import perf_counter
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from tests.cli.conftest import CommandLine, start
from tests.helpers.tiny_models import (
    HUB,
    SMALL,
    TORCHVISION,
    Published,
    pickled,
    state,
)
from tests.helpers.weights_server import drops_after, fails, hangs_after
from vidlabel.core.messages import ClipScores, WantedClip
from vidlabel.engine.suggester import suggest_clips
from vidlabel.ml.catalogue import find_model
from vidlabel.ml.modelfile import read_info
from vidlabel.ml.networks import build
from vidlabel.store.project_store import ProjectStore


# --- list and info -------------------------------------------------------------------------------
def test_the_list_has_what_is_here_and_what_can_be_had(vidlabel: CommandLine, published: Published) -> None:
    answer = vidlabel.json("models", "list")
    assert [one["name"] for one in answer["models"]] == ["bundled"]
    assert [(one["name"], one["installed"]) for one in answer["published"]] == [
        (TORCHVISION, False),
        (HUB, False),
    ]
    assert answer["published"][0]["published_scores"][0]["top1"] == 0.02
    vidlabel("models", "install", TORCHVISION)
    answer = vidlabel.json("models", "list")
    assert [one["name"] for one in answer["models"]] == ["bundled", TORCHVISION]
    assert [(one["name"], one["installed"]) for one in answer["published"]] == [
        (TORCHVISION, True),
        (HUB, False),
    ]
    said = vidlabel("models", "list").out
    assert "as published" in said and said.count(TORCHVISION) == 2, "once here, and within the other's name"


def test_all_about_one_that_is_not_installed(vidlabel: CommandLine) -> None:
    answer = vidlabel.json("models", "info", "r2plus1d_18")
    assert answer["installed"] is False and answer["parameters"] == 31505325
    assert "chew" in answer["cannot_suggest"] and "wave" not in answer["labels"]
    said = vidlabel("models", "info", "r2plus1d_18").out
    assert "published, not measured here: top-1" in said
    assert "cannot suggest: " in said and "vidlabel models install r2plus1d_18" in said


def test_nothing_else_is_called_bundled(vidlabel: CommandLine, own: Path, tmp_path: Path) -> None:
    assert "own model" in vidlabel("models", "import", own, "--name", "bundled", code=2).err
    foreign = tmp_path / "bundled.pth"
    torch.save(build("compact3d", labels=3, **SMALL).state_dict(), foreign)
    assert "own model" in vidlabel("models", "import", foreign, code=2).err
    assert [one["name"] for one in vidlabel.json("models", "list")["models"]] == ["bundled"]
    folder = vidlabel("models", "import", tmp_path, code=2).err
    assert "is a folder" in folder
    absent = vidlabel("models", "import", own, "--labels", tmp_path / "none.txt", code=2).err
    assert "list of labels" in absent and "Errno" not in absent


def test_the_repository_is_a_name_too(vidlabel: CommandLine) -> None:
    for name in ("dronefreak/mc3-18-hmdb51-kinetics", "mc3-18-hmdb51-kinetics"):
        assert vidlabel.json("models", "info", name)["name"] == "mc3_18_hmdb51"


def test_the_card_is_told_line_by_line(vidlabel: CommandLine) -> None:
    said = vidlabel("models", "info", "bundled").out
    card = vidlabel.json("models", "info", "bundled")["card"]
    assert "scores:" in said and "{" not in said, "figures in words, no braces"
    for score in card["scores"]:
        assert f"  - {score['on']}: " in said
        assert f"top1 {score['top1']:.1%}" in said


def test_all_about_an_installed_one(vidlabel: CommandLine, published: Published) -> None:
    vidlabel("models", "install", TORCHVISION)
    answer = vidlabel.json("models", "info", TORCHVISION)
    assert answer["installed"] is True and len(answer["labels"]) == 51
    assert answer["card"]["trained_on"][0]["what"] == "nothing"


# --- install -------------------------------------------------------------------------------------
def test_an_installed_model_suggests(vidlabel: CommandLine, published: Published, footage: Path) -> None:
    answer = vidlabel.json("models", "install", TORCHVISION)
    assert answer["model"] == TORCHVISION and answer["fetched_bytes"] == len(published.content)
    assert Path(answer["path"]).name == f"{answer['hash']}.safetensors"
    suggested = vidlabel.json("suggest", footage, "--model", TORCHVISION, "--device", "cpu")
    assert suggested["model_hash"] == answer["hash"] and len(suggested["clips"]) == 3
    again = vidlabel.json("models", "install", TORCHVISION)
    assert again["installed"] is False and again["hash"] == answer["hash"]
    assert "installed already" in vidlabel("models", "install", TORCHVISION).out


def test_the_hub_and_the_kept_download(vidlabel: CommandLine, published: Published) -> None:
    answer = vidlabel.json("models", "install", HUB, "--keep-download")
    assert Path(answer["download"]).name == "model.safetensors"
    assert read_info(Path(answer["path"])).name == HUB


def test_a_truncated_download_goes_on(vidlabel: CommandLine, published: Published) -> None:
    published.server.trouble(published.file, drops_after(20_000), fails(404))
    said = vidlabel("models", "install", TORCHVISION, code=1).err
    assert published.file in said and "HTTP 404" in said
    assert vidlabel.json("models", "list")["damaged"] == []
    answer = vidlabel.json("models", "install", TORCHVISION)
    assert answer["resumed_bytes"] == 20_000


def test_a_hash_mismatch_installs_nothing(vidlabel: CommandLine, published: Published) -> None:
    published.publish(pickled(state(seed=9)))
    said = vidlabel("models", "install", TORCHVISION, code=1).err
    assert "not the published file" in said and published.file in said
    assert len(vidlabel.json("models", "list")["models"]) == 1


def test_offline_is_said_in_json_too(
    vidlabel: CommandLine, published: Published, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VIDLABEL_OFFLINE", "1")
    assert "VIDLABEL_OFFLINE=1" in vidlabel.json("models", "install", TORCHVISION, code=1)["error"]


def test_an_unknown_name(vidlabel: CommandLine, published: Published) -> None:
    assert f"{TORCHVISION}, {HUB}" in vidlabel("models", "install", "resnet", code=1).err


def test_ctrl_c_says_how_it_goes_on(vidlabel: CommandLine, published: Published) -> None:
    published.server.trouble(published.file, hangs_after(20_000))
    installing = start("models", "install", TORCHVISION, "--json")
    _wait_for(lambda: any(asked.sent for asked in published.server.asked))
    begin = perf_counter()
    installing.send_signal(signal.SIGINT)
    out, err = installing.communicate(timeout=30)
    assert perf_counter() - begin < 1.5, "leaving a Python process takes a moment"
    assert installing.returncode == 130
    assert "goes on from there" in err and "Traceback" not in err
    assert "goes on from there" in json.loads(out)["error"]
    assert vidlabel.json("models", "install", TORCHVISION)["resumed_bytes"] > 0


def test_two_processes_install_one_model(vidlabel: CommandLine, published: Published) -> None:
    both = [start("models", "install", TORCHVISION, "--json") for _ in range(2)]
    answers = [json.loads(one.communicate(timeout=60)[0]) for one in both]
    assert sorted(one["installed"] for one in answers) == [False, True]
    assert len({one["hash"] for one in answers}) == 1
    assert [asked.path for asked in published.server.asked] == [f"/{published.file}"]


def _wait_for(happened: Any) -> None:
    end = perf_counter() + 30
    import threading

    pause = threading.Event()
    while not happened():
        assert perf_counter() < end
        pause.wait(0.02)


# --- import and export ---------------------------------------------------------------------------
def test_a_model_file_travels(vidlabel: CommandLine, own: Path, tmp_path: Path) -> None:
    imported = vidlabel.json("models", "import", own)
    assert imported["model"] == "own" and imported["labels"] == 3
    out = tmp_path / "usb" / "own.safetensors"
    out.parent.mkdir()
    assert vidlabel.json("models", "export", "own", out)["kind"] == "safetensors"
    assert out.read_bytes() == own.read_bytes()
    assert "--force" in vidlabel("models", "export", "own", out, code=2).err
    vidlabel("models", "export", "own", out, "--force")
    assert "What shall" in vidlabel("models", "export", "own", tmp_path / "own.dat", code=2).err


def test_a_state_dict_there_and_back(vidlabel: CommandLine, published: Published, tmp_path: Path) -> None:
    vidlabel("models", "install", TORCHVISION)
    out = tmp_path / "weights.dat"
    vidlabel("models", "export", TORCHVISION, out, "--format", "state-dict")
    there = torch.load(out, weights_only=True)
    assert torch.equal(there["head.weight"], state()["head.weight"])


def test_labels_from_a_file(vidlabel: CommandLine, tmp_path: Path) -> None:
    weights, labels = tmp_path / "mc3.safetensors", tmp_path / "labels.txt"
    save_file(build("mc3_18", labels=3).state_dict(), weights)
    labels.write_text("wave\nsit\nstand\n")
    answer = vidlabel.json("models", "import", weights, "--labels", labels, "--name", "three")
    assert (answer["model"], answer["network"], answer["labels"]) == ("three", "mc3_18", 3)
    labels.write_text("wave\nsit\n")
    said = vidlabel("models", "import", weights, "--labels", labels, code=1).err
    assert "3 classes" in said and "2 labels were given" in said
    assert "--labels" in vidlabel("models", "import", weights, code=1).err
    labels.write_text("wave\nwave\nsit\n")
    assert "twice" in vidlabel("models", "import", weights, "--labels", labels, code=2).err
    assert "r3d_18" in vidlabel("models", "import", weights, "--network", "r3d_18", code=1).err


def _broken(kind: str, folder: Path) -> Path:
    weights = state()
    path = folder / f"{kind}.pth"
    if kind == "nan":
        weights["head.weight"][0, 0] = float("nan")
        path.write_bytes(pickled(weights))
    elif kind == "other":
        path.write_bytes(pickled({"conv.weight": torch.zeros(4, 3), "fc.weight": torch.zeros(51, 4)}))
    elif kind == "pickle":
        path = folder / "pickle.safetensors"
        path.write_bytes(pickled(_RunsCode()))
    elif kind == "cut":
        path.write_bytes(pickled(weights)[:-500])
    elif kind == "empty":
        path.write_bytes(b"")
    return path


class _RunsCode:
    """What an evil file would hold."""

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return os.system, ("echo ran > ran.txt",)


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("nan", "no numbers"),
        ("other", "none of the networks"),
        ("pickle", "code|weights"),
        ("cut", "cut short|damaged|cannot be read"),
        ("empty", "empty"),
    ],
)
def test_what_cannot_be_a_model_is_explained(
    vidlabel: CommandLine, tmp_path: Path, kind: str, words: str
) -> None:
    path = _broken(kind, tmp_path)
    said = vidlabel("models", "import", path, code=1).err
    assert any(word in said for word in words.split("|")), said
    assert path.name in said
    assert len(vidlabel.json("models", "list")["models"]) == 1
    assert not (tmp_path / "ran.txt").exists()


def test_a_file_that_is_not_there(vidlabel: CommandLine) -> None:
    assert "no file" in vidlabel("models", "import", "nowhere.pth", code=2).err


# --- remove --------------------------------------------------------------------------------------
def test_a_removed_model_says_how_it_comes_back(
    vidlabel: CommandLine, published: Published, footage: Path
) -> None:
    model = vidlabel.json("models", "install", TORCHVISION)
    vidlabel("suggest", footage, "--model", TORCHVISION, "--device", "cpu")
    vidlabel("models", "promote", footage, TORCHVISION)
    removed = vidlabel.json("models", "remove", TORCHVISION)
    assert removed["hash"] == model["hash"] and not Path(model["path"]).exists()
    assert removed["active_in"] == [vidlabel.json("where", footage)["project"]]
    said = vidlabel("suggest", footage, "--device", "cpu", code=1).err
    assert "was removed" in said and f"vidlabel models install {TORCHVISION}" in said
    assert f"models install {TORCHVISION}" in vidlabel("suggest", footage, "--model", TORCHVISION, code=1).err
    assert vidlabel.json("models", "install", TORCHVISION)["hash"] == model["hash"]
    assert len(vidlabel.json("suggest", footage, "--device", "cpu")["clips"]) == 3


def test_a_model_removed_while_in_use_goes_on(vidlabel: CommandLine, own: Path, footage: Path) -> None:
    vidlabel("models", "import", own)
    clips = [
        WantedClip(clip_id=number, path=str(footage / "a.mp4"), start_us=0, end_us=2_000_000)
        for number in range(300)
    ]
    answers = suggest_clips(find_model("own"), iter(clips), device="cpu", batch=1)
    first = next(answers)
    vidlabel("models", "remove", "own")
    rest = list(answers)
    assert len(rest) == 299 and all(isinstance(one, ClipScores) for one in [first, *rest])
    said = vidlabel("suggest", footage, "--model", "own", code=1).err
    assert "no model of this name" in said


def test_what_cannot_be_removed(vidlabel: CommandLine, own: Path) -> None:
    assert "part of the program" in vidlabel("models", "remove", "bundled", code=1).err
    assert "part of the program" in vidlabel("models", "remove", find_model("bundled").hash, code=1).err
    assert "yourself" in vidlabel("models", "remove", own, code=1).err
    assert own.exists()
    vidlabel("models", "remove", "nonesuch", code=1)


def test_a_damaged_model_can_be_removed(vidlabel: CommandLine, home: Path) -> None:
    (home / "models").mkdir(parents=True, exist_ok=True)
    damaged = home / "models" / "damaged.safetensors"
    damaged.write_bytes(b"nothing")
    vidlabel("models", "remove", "damaged.safetensors")
    assert not damaged.exists()


# --- choosing ------------------------------------------------------------------------------------
def test_promoting_and_going_back(
    vidlabel: CommandLine, published: Published, own: Path, footage: Path
) -> None:
    vidlabel("models", "install", TORCHVISION)
    vidlabel("models", "import", own)
    for name in ("bundled", TORCHVISION, "own"):
        vidlabel("models", "promote", footage, name)
    assert vidlabel.json("suggest", footage, "--device", "cpu")["model"] == "own"
    back = vidlabel.json("models", "rollback", footage)
    assert (back["model"], back["before"]) == (TORCHVISION, "own")
    assert vidlabel.json("models", "rollback", footage)["model"] == "bundled"
    assert "no other model" in vidlabel("models", "rollback", footage, code=1).err


def test_going_back_passes_over_what_is_gone(
    vidlabel: CommandLine, published: Published, own: Path, footage: Path
) -> None:
    vidlabel("models", "install", TORCHVISION)
    vidlabel("models", "import", own)
    for name in ("bundled", TORCHVISION, "own"):
        vidlabel("models", "promote", footage, name)
    vidlabel("models", "remove", TORCHVISION)
    said = vidlabel("models", "rollback", footage)
    assert "passed over" in said.err and said.out.startswith("bundled")


def test_the_suggestions_of_a_promoted_model_show_at_once(
    vidlabel: CommandLine, own: Path, footage: Path
) -> None:
    vidlabel("suggest", footage, "--device", "cpu")
    vidlabel("models", "import", own)
    vidlabel("suggest", footage, "--model", "own", "--device", "cpu")
    vidlabel("models", "promote", footage, "own")
    rows = vidlabel.json("list", footage, "--filter", "state:suggested")["clips"]
    assert {row["suggested"] for row in rows} <= {"wave", "jump", "sit"} and rows
    with ProjectStore.open(Path(vidlabel.json("where", footage)["project"]), read_only=True) as store:
        assert store.active_model() == (find_model("own").hash, "own")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["install"], "needs a model"),
        (["import"], "needs a path"),
        (["export", "bundled"], "needs an out"),
        (["promote", "."], "needs a model"),
        (["remove", "a", "b"], "takes only MODEL"),
        (["install", "a", "--name", "b"], "takes no --name"),
        (["list", "--force"], "takes no --force"),
        (["export", "bundled", "x", "--kind", "pickle"], "invalid choice"),
        (["frobnicate"], "invalid choice"),
    ],
)
def test_wrong_use_is_explained(vidlabel: CommandLine, arguments: list[str], words: str) -> None:
    assert words in vidlabel("models", *arguments, code=2).err
