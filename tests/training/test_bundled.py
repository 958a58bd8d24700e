"""The model the program ships: its card is whole, and it does what the card says better than chance."""

from __future__ import annotations

import json

import numpy as np
import pytest

from training.render.figures import labels_with_motion, render_figure
from training.sources import REPOSITORY, hmdb51_labels
from vidlabel.learning.metrics import top_k_accuracy
from vidlabel.ml.devices import choose_device
from vidlabel.ml.modelfile import load_model, read_info
from vidlabel.ml.predictor import Predictor

MODEL = REPOSITORY / "resources" / "models" / "bundled.safetensors"


def test_the_card_says_what_it_was_trained_on_and_how_well_it_does() -> None:
    info = read_info(MODEL)
    assert info.name == "bundled"
    assert info.labels == hmdb51_labels()
    assert MODEL.stat().st_size < 16_000_000
    card = info.card
    for field in (
        "summary",
        "trained_on",
        "recipe",
        "scores",
        "limits",
        "untrained_labels",
        "licence",
        "version",
    ):
        assert field in card
    assert all(source["what"] and source["licence"] for source in card["trained_on"])
    assert {source["source"] for source in card["trained_on"]} >= {
        "silhouettes",
        "figures",
        "ImageNet",
        "real clips",
    }
    # The head saw the real clips: a figure on them may only come from heads that did not.
    real = [score["set"] for score in card["scores"] if score["set"].startswith("real_")]
    assert real and all(name.endswith(("_left_out", "_unseen")) for name in real)
    assert len(card["training_content_hashes"]) >= 121
    words = json.dumps(card)
    for needed in (
        "no licence stated: research use",
        "mocap.cs.cmu.edu",
        "NSF EIA-0196217",
        "never seen in training",
    ):
        assert needed in words
    assert set(card["untrained_labels"]) <= set(info.labels)
    for score in card["scores"]:
        assert score["clips"] > 0
        assert 0 <= score["top1"] <= score["top5"] <= 1
        assert score["chance_top1"] == pytest.approx(1 / score["labels_competing"], abs=1e-4)


def test_the_card_beside_the_model_is_the_card_inside_it() -> None:
    beside = json.loads(MODEL.with_suffix(".card.json").read_text(encoding="utf-8"))
    assert beside == read_info(MODEL).card


def test_it_recognises_freshly_drawn_people_better_than_chance() -> None:
    loaded = load_model(MODEL)
    input_ = loaded.info.preprocessing
    rng = np.random.default_rng(31)
    textures = rng.integers(90, 160, (4, 32, 32, 3), dtype=np.uint8)
    shown = labels_with_motion({})
    clips = [
        render_figure(label, rng, takes={}, textures=textures, plain=1.0, size=input_.height)
        for label in shown
    ]
    truth = np.array([hmdb51_labels().index(label) for label in shown])
    answer = Predictor(loaded, choose_device("cpu"), threads=2).predict(np.stack(clips)).probabilities
    assert top_k_accuracy(answer, truth, k=5) > 3 * 5 / 51
    assert top_k_accuracy(answer, truth, k=1) > 3 / 51
