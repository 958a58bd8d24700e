from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vidlabel.core.errors import FormatError
from vidlabel.core.resources import resource_path
from vidlabel.learning.split import (
    DEFAULT_SHARES,
    hmdb51_group,
    read_hmdb51_split,
    split_by_source,
    split_stratified,
)

HMDB51 = json.loads(resource_path("label_sets/hmdb51.json").read_text(encoding="utf-8"))["labels"]
FOOTAGE = (
    Path(__file__).resolve().parents[3] / "shared" / "data" / "hmdb51_splits" / "testTrainMulti_7030_splits"
)


def footage(sources=200, labels=8, seed=0):
    """Sources of 1 to 12 clips, mostly of one label."""
    rng = np.random.default_rng(seed)
    names, own = [], []
    for source in range(sources):
        main = int(rng.integers(labels))
        for _ in range(int(rng.integers(1, 13))):
            names.append(f"s{source}")
            own.append(f"l{main if rng.random() < 0.8 else int(rng.integers(labels))}")
    return names, own


def test_no_source_is_in_two_parts_and_each_label_is_near_its_share():
    sources, labels = footage()
    split = split_by_source(sources, labels, seed=3)
    assert len({(source, part) for source, part in zip(sources, split.parts, strict=True)}) == len(
        set(sources)
    )
    for label in set(labels):
        own = Counter(part for part, name in zip(split.parts, labels, strict=True) if name == label)
        for part, share in DEFAULT_SHARES.items():
            assert own[part] / own.total() == pytest.approx(share, abs=0.08)
    assert split.incomplete == ()


def test_the_same_seed_gives_the_same_split_and_another_another():
    sources, labels = footage()
    assert split_by_source(sources, labels, seed=1) == split_by_source(sources, labels, seed=1)
    assert split_by_source(sources, labels, seed=1) != split_by_source(sources, labels, seed=2)


def test_three_sources_of_a_label_reach_all_three_parts():
    split = split_by_source(["a"] * 9 + ["b"] * 3 + ["c"] * 2, ["wave"] * 14)
    assert Counter(split.parts)["train"] == 9 and set(split.parts) == {"train", "validation", "test"}


def test_a_label_with_too_few_sources_stays_in_train_and_is_reported():
    sources, labels = footage(labels=3)
    split = split_by_source([*sources, "x", "y"], [*labels, "rare", "rare"])
    assert split.parts[-2:] == ("train", "train") and split.incomplete == ("rare",)


@given(
    clips=st.lists(st.tuples(st.integers(0, 12), st.integers(0, 3)), max_size=80),
    seed=st.integers(0, 5),
    validation=st.sampled_from([0.0, 0.2]),
)
def test_by_source_never_leaks_nor_empties_train(clips, seed, validation):
    sources, labels = [f"s{source}" for source, _ in clips], [f"l{label}" for _, label in clips]
    shares = {"train": 0.8 - validation, "validation": validation, "test": 0.2}
    split = split_by_source(sources, labels, shares=shares, seed=seed)
    home: dict[str, str] = {}
    for source, part in zip(sources, split.parts, strict=True):
        assert home.setdefault(source, part) == part
    in_train = {label for label, part in zip(labels, split.parts, strict=True) if part == "train"}
    assert in_train == set(labels), "every label can be learned"
    assert validation or "validation" not in split.parts


def test_stratified_gives_each_label_its_share_whatever_the_order():
    keys = [f"clip{index}" for index in range(120)]
    labels = ["a"] * 80 + ["b"] * 37 + ["c"] * 3
    split = split_stratified(keys, labels, seed=4)
    for label, total in Counter(labels).items():
        own = Counter(part for part, name in zip(split.parts, labels, strict=True) if name == label)
        for part, share in DEFAULT_SHARES.items():
            assert own[part] >= 1 and abs(own[part] - total * share) < 1.2
    turned = split_stratified(keys[::-1], labels[::-1], seed=4)
    assert turned.parts[::-1] == split.parts


def test_stratified_keeps_rare_labels_in_train_and_says_so():
    split = split_stratified(["a", "b", "c"], ["x", "x", "y"])
    assert split.parts == ("train",) * 3 and split.incomplete == ("x", "y")
    assert split.indices("train") == (0, 1, 2) and split.indices("test") == ()


def test_bad_shares_and_lengths_are_refused():
    for split in (split_by_source, split_stratified):
        with pytest.raises(ValueError, match="add up to 1"):
            split(["a"], ["x"], shares={"train": 0.5, "test": 0.2})
        with pytest.raises(ValueError, match="add up to 1"):
            split(["a"], ["x"], shares={"test": 1.0})
        with pytest.raises(ValueError):
            split(["a"], ["x", "y"])
    with pytest.raises(ValueError, match="different key"):
        split_stratified(["a", "a"], ["x", "y"])


@pytest.mark.parametrize(
    ("name", "group"),
    [
        ("50_FIRST_DATES_drink_u_nm_np1_fr_goo_29.avi", "50_FIRST_DATES"),
        (
            "a/b/Bruno_-_teach_ANYTHING!!!!_climb_stairs_f_cm_np1_fr_med_0.mp4",
            "Bruno_-_teach_ANYTHING!!!!",
        ),
        ("Knights_draw_sword_u_nm_np1_le_bad_1.avi", "Knights"),
        ("Rapier_vs_sword_Mike_sword_f_cm_np2_le_bad_1", "Rapier_vs_sword_Mike"),
        ("Redrock_Fencing_Club_fencing_f_cm_np2_ri_bad_1.mp4", "Redrock_Fencing_Club"),
        ("my holiday_wave.avi", "my holiday_wave"),
        ("x_dance_f_cm_np1_fr_med_0.avi", "x_dance_f_cm_np1_fr_med_0"),
    ],
)
def test_the_source_of_an_hmdb51_name(name, group):
    assert hmdb51_group(name, HMDB51) == group


def test_a_split_file_is_read_line_by_line(tmp_path):
    text = "a b_wave_f_cm_np1_fr_med_0.avi 1 \nc_wave_f_cm_np1_fr_med_0.avi 2\n\nd_wave.avi 0\n"
    (tmp_path / "wave_test_split2.txt").write_text(text)
    entries = read_hmdb51_split(tmp_path, 2)
    assert [(entry.video[:3], entry.label, entry.part) for entry in entries] == [
        ("a b", "wave", "train"),
        ("c_w", "wave", "test"),
        ("d_w", "wave", None),
    ]


def test_a_bad_split_line_is_named_and_a_folder_without_any_refused(tmp_path):
    (tmp_path / "wave_test_split1.txt").write_text("a.avi 1\nb.avi 7\n")
    with pytest.raises(FormatError, match=r"wave_test_split1\.txt, line 2"):
        read_hmdb51_split(tmp_path, 1)
    with pytest.raises(FormatError, match=r"no file \*_test_split3\.txt"):
        read_hmdb51_split(tmp_path, 3)


@pytest.mark.footage
@pytest.mark.skipif(not FOOTAGE.is_dir(), reason="needs the official split files in ../shared/data")
@pytest.mark.parametrize("number", [1, 2, 3])
def test_the_official_splits_share_no_source_within_a_label(number):
    entries = read_hmdb51_split(FOOTAGE, number)
    assert len(entries) == 6766
    assert {entry.label for entry in entries} == set(HMDB51)
    assert Counter(entry.part for entry in entries)["train"] == 3570
    groups = {entry.video: hmdb51_group(entry.video, HMDB51) for entry in entries}
    unmatched = [video for video, group in groups.items() if group == video.removesuffix(".avi")]
    assert unmatched == []
