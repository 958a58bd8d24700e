"""A split's figure owes something to films that are in both parts; this is how much."""

from __future__ import annotations

import pytest

pytest.importorskip("rarfile", reason="the extra [training] is not installed")

from training.hmdb51_leaks import has_sibling, leak, leaks_by_name
from training.sources import DATA, official_split, silhouette_files

SPLITS = DATA / "hmdb51_splits" / "testTrainMulti_7030_splits"
needs_footage = pytest.mark.skipif(not SPLITS.is_dir(), reason="../shared/data is not there")


def test_siblings_are_counted_by_film_and_by_film_and_label():
    found = leak([("a", "wave"), ("b", "sit")], [("a", "wave"), ("a", "sit"), ("c", "sit"), ("b", "sit")])
    assert (found.siblings, found.label_siblings, found.shared_sources, found.sources) == (3, 2, 2, 3)
    assert found.share == 0.75
    assert found.label_share == 0.5
    assert has_sibling(["a", "b"], ["a", "c"]).tolist() == [True, False]


@needs_footage
def test_hmdb51s_own_splits_share_films_between_labels_but_not_within_one():
    found = leaks_by_name(SPLITS)
    assert found["official-1"].shared_sources == 133
    assert found["random"].sources == 1407
    for number in (1, 2, 3):
        own = found[f"official-{number}"]
        assert (own.train, own.test, own.label_siblings) == (3570, 1530, 0)
        assert 0.29 < own.share < 0.35
    assert found["random"].share > 0.9
    assert found["random"].label_share > 0.75


@needs_footage
def test_silhouettes_find_their_part_under_their_official_names_only_if_asked():
    split = official_split(DATA, 1)
    stored = {path: part for path, _, part in silhouette_files(DATA, split)}
    official = {path: part for path, _, part in silhouette_files(DATA, split, names="official")}
    changed = {path for path in stored if stored[path] != official[path]}
    assert all("@" in path.name and stored[path] == "unused" for path in changed)
    counts = [list(parts.values()).count("test") for parts in (stored, official)]
    assert counts == [256, 257]
    assert len(changed) == 16
