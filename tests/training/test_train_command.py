"""The commands that make the bundled model, on a work folder of a few made-up people and places."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from training import pretrain, train
from training.render.actors import HEIGHT, WIDTH, silhouette_actors
from training.sources import hmdb51_labels
from vidlabel.ml.modelfile import load_model, read_info

RNG = np.random.default_rng(0)
LABELS = ("wave", "run")


@pytest.fixture
def work(tmp_path: Path) -> Path:
    np.save(tmp_path / "textures.npy", RNG.integers(0, 256, (3, 96, 96, 3), dtype=np.uint8))
    np.savez(
        tmp_path / "footage.npz",
        names=np.array(["a", "b", "c", "d"]),
        starts=np.arange(5) * 20,
        frames=RNG.integers(0, 256, (80, 72, 96), dtype=np.uint8),
    )
    masks = np.zeros((5 * 2 * 18, 120, 160), np.uint8)
    masks[:, 30:90, 60:90] = 1
    names = [f"film{film}_{label}_f_cm_np1_fr_med_0" for label in LABELS for film in range(5)]
    np.savez(
        tmp_path / "silhouettes.npz",
        masks=np.packbits(masks, axis=-1),
        starts=np.arange(11) * 18,
        labels=np.array([label for label in LABELS for _ in range(5)]),
        parts=np.array(["train"] * 10),
        names=np.array(names),
    )
    order = hmdb51_labels()
    drawn = np.zeros((2, 24, HEIGHT, WIDTH), np.uint8)
    drawn[:, :, 20:40, 30:50] = 255
    np.savez(
        tmp_path / "figures-drawn.npz",
        labels=np.array([order.index(label) for label in LABELS]),
        cover=drawn,
        shade=drawn // 2,
    )
    return tmp_path


def test_whole_films_are_kept_from_training_to_choose_by(work: Path) -> None:
    trained, held = (silhouette_actors(work, part=part) for part in ("train", "check"))
    assert len(trained) == 4 and len(held) == 6
    assert {actor.label for actor in held} == {actor.label for actor in trained}


def test_shapes_first_then_people(work: Path) -> None:
    small = ["--work", str(work), "--epochs", "1", "--steps", "2", "--batch", "4"]
    pretrain.main([*small, "--out", str(work / "shapes"), "--shapes", "20"])
    shapes = work / "shapes" / "model.safetensors"
    train.main([*small, "--out", str(work / "people"), "--start-from", str(shapes)])
    info = read_info(work / "people" / "model.safetensors")
    assert info.network == "motion3d" and info.labels == hmdb51_labels()
    recipe = info.card["recipe"]
    assert [stage["clips"] for stage in recipe["stages"]] == ["shapes", "composed"]
    assert recipe["kinds"] == {"silhouettes": 4, "figures": 2} and recipe["labels_seen"] == sorted(LABELS)


def test_a_network_that_reads_pictures_teaches_one_that_reads_outlines(work: Path) -> None:
    small = ["--work", str(work), "--epochs", "1", "--steps", "2", "--batch", "4"]
    train.main([*small, "--out", str(work / "seeing"), "--network", "compact3d"])
    seeing = work / "seeing" / "model.safetensors"
    train.main([*small, "--out", str(work / "reading"), "--read-like", str(seeing), "--label", "0"])
    one, other = (load_model(work / name / "model.safetensors").module for name in ("seeing", "reading"))
    assert np.array_equal(one.head.weight.detach().numpy(), other.head.weight.detach().numpy())
