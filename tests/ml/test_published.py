"""The catalogue says what torchvision's own weights enums say, and nothing that was not published."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest
from torchvision.models import get_weight

from vidlabel.core.catalogue import published_model, published_models
from vidlabel.core.errors import ModelError
from vidlabel.ml.networks import cost, names
from vidlabel.ml.preprocess import Preprocessing
from vidlabel.ml.published import assumed_preprocessing, labels_of, published_card

TORCHVISION = [entry for entry in published_models() if entry.origin == "torchvision"]
HUB = [entry for entry in published_models() if entry.origin == "hugging-face"]

by_name = pytest.mark.parametrize("entry", TORCHVISION, ids=lambda entry: entry.name)


def test_the_issues_models_are_all_there():
    wanted = "r3d_18 mc3_18 r2plus1d_18 s3d mvit_v1_b mvit_v2_s swin3d_t swin3d_s swin3d_b"
    assert set(wanted.split()) <= {entry.name for entry in TORCHVISION}
    assert [entry.repository for entry in HUB] == [
        "dronefreak/mc3-18-hmdb51-kinetics",
        "dronefreak/mc3-18-hmdb51-ucf-transfer",
    ]


@by_name
def test_facts_are_those_of_the_weights_enum(entry):
    weights = get_weight(entry.weights)
    meta = weights.meta
    assert entry.parameters == meta["num_params"]
    assert entry.published_gflops == meta["_ops"]
    assert entry.download_bytes == round(meta["_file_size"] * 2**20) and entry.download_exact
    (score,) = entry.scores
    published = meta["_metrics"][score.on]
    assert score.top1 == pytest.approx(published["acc@1"] / 100, abs=1e-6)
    assert score.top5 == pytest.approx(published["acc@5"] / 100, abs=1e-6)
    assert entry.classes == "kinetics400" and len(meta["categories"]) == 400


@by_name
def test_the_files_name_and_the_hash_in_it_are_the_enums(entry):
    file = get_weight(entry.weights).url.rpartition("/")[2]
    assert entry.file == file
    assert entry.sha256_start == re.search(r"-([0-9a-f]{8,})\.", file)[1]


@by_name
def test_preprocessing_is_the_enums_own(entry):
    weights = get_weight(entry.weights)
    transforms, p = weights.transforms(), Preprocessing.from_json(entry.preprocessing)
    assert [p.height, p.width] == list(transforms.crop_size)
    assert list(p.mean) == list(transforms.mean) and list(p.std) == list(transforms.std)
    if len(transforms.resize_size) == 1:
        assert (p.resize, p.short_side) == ("short_side", transforms.resize_size[0])
    else:
        height, width = transforms.resize_size
        assert p.squash_to == (width, height)
    said = dict(re.findall(r"`(frame_rate|clip_len)=([\d.]+)`", weights.meta["_docs"]))
    assert p.frames == int(said["clip_len"]) and entry.frame_rate == float(said["frame_rate"])
    assert p.span_s == pytest.approx(p.frames / entry.frame_rate, abs=1e-5)


@by_name
def test_a_score_names_its_conditions(entry):
    said = dict(
        re.findall(
            r"`(frame_rate|clip_len|clips_per_video)=([\d.]+)`", get_weight(entry.weights).meta["_docs"]
        )
    )
    source = entry.scores[0].source
    assert "torchvision's weights page" in source
    assert f"{said['clip_len']} frames at {said['frame_rate']} frames a second" in source
    assert f"{said['clips_per_video']} clips" in source or said["clips_per_video"] == "1"


HEAVY = ("swin3d_s", "swin3d_b", "swin3d_b_22k", "mvit_v1_b")


def slow_if_heavy(entries):
    return [pytest.param(one, marks=[pytest.mark.slow] if one.name in HEAVY else []) for one in entries]


@pytest.mark.parametrize("entry", slow_if_heavy(published_models()), ids=lambda entry: entry.name)
def test_the_cost_is_the_one_measured(entry):
    classes = 400 if entry.classes == "kinetics400" else 51
    measured = cost(entry.network, Preprocessing.from_json(entry.preprocessing), labels=classes)
    assert entry.gmacs == pytest.approx(measured.gmacs, abs=1e-3)
    assert entry.parameters == measured.parameters
    assert entry.network in names()


@pytest.mark.parametrize("entry", slow_if_heavy(TORCHVISION), ids=lambda entry: entry.name)
def test_the_published_gflops_are_those_of_sixteen_frames(entry):
    p = Preprocessing.from_json({**entry.preprocessing, "frames": 16})
    assert cost(entry.network, p).gmacs == pytest.approx(entry.published_gflops, rel=1e-3)
    if entry.frames != 16:
        assert any("GFLOPS" in note for note in entry.notes)


@pytest.mark.parametrize("entry", published_models(), ids=lambda entry: entry.name)
def test_every_entry_has_a_whole_card(entry):
    named = labels_of(entry.name, 400 if entry.classes == "kinetics400" else 51)
    card = published_card(entry, named, revision="abc")
    for key in (
        "summary",
        "when",
        "licence",
        "trained_on",
        "published_scores",
        "limits",
        "parameters",
        "gmacs",
    ):
        assert card[key], key
    assert card["scores"] == [] and card["revision"] == "abc" and card["published"] == entry.name
    assert all(score["source"] for score in card["published_scores"])
    if entry.classes == "kinetics400":
        assert "fencing" in card["cannot_suggest"] and "golf" not in card["cannot_suggest"]
        assert any("39 of HMDB51's 51" in limit for limit in card["limits"])
    else:
        assert card["cannot_suggest"] == []


def test_no_address_is_in_the_catalogue():
    for entry in published_models():
        assert "://" not in repr(entry) and ".org" not in repr(entry) and ".co" not in repr(entry)


def test_entries_are_found_by_name_and_repository():
    assert published_model("s3d").title == "S3D"
    assert published_model("dronefreak/mc3-18-hmdb51-kinetics").name == "mc3_18_hmdb51"
    with pytest.raises(ModelError, match="To be had are: r3d_18, mc3_18"):
        published_model("resnet50")
    with pytest.raises(ModelError):
        published_model("")


def test_the_catalogue_needs_no_torch():
    code = (
        "import sys; from vidlabel.core.catalogue import published_models;"
        "print(len(published_models()), 'torch' in sys.modules, 'numpy' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == [str(len(published_models())), "False", "False"]


def test_assumed_preprocessing_prefers_weights_for_as_many_classes():
    kinetics, _ = assumed_preprocessing("mc3_18", classes=400)
    hmdb51, whose = assumed_preprocessing("mc3_18", classes=51)
    assert kinetics.span_s is not None and hmdb51.span_s is None and "HMDB51" in whose
    assert assumed_preprocessing("compact3d", classes=51) is None
