"""What is learned from and what is measured on never mix."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from training.shards import BalancedBatches, Shards
from training.sources import (
    DATA,
    UCF101_MEANS,
    hmdb51_labels,
    official_split,
    real_clips,
    silhouette_files,
    source_of,
)

needs_footage = pytest.mark.skipif(not (DATA / "jhmdb_masks").is_dir(), reason="../shared/data is not there")


@needs_footage
def test_the_official_split_has_its_published_sizes() -> None:
    split = official_split(DATA, 1)
    assert len(split) == 51
    for names in split.values():
        parts = list(names.values())
        assert (parts.count("train"), parts.count("test")) == (70, 30)


@needs_footage
def test_silhouettes_keep_their_part_and_no_film_of_a_real_clip_is_trained_on() -> None:
    files = silhouette_files(DATA, official_split(DATA, 1))
    names = {
        part: {path.stem for path, _, own in files if own == part} for part in ("train", "test", "withheld")
    }
    assert len(names["test"]) == 256
    assert len(names["train"]) + len(names["withheld"]) == 650
    assert not names["train"] & names["test"]
    films = {source_of(clip.path.stem, clip.label) for clip in real_clips(DATA) if clip.source == "hmdb51"}
    trained = {source_of(path.stem, label) for path, label, part in files if part == "train"}
    assert not films & trained


def test_classes_of_ucf101_mean_known_labels() -> None:
    assert set(UCF101_MEANS.values()) <= set(hmdb51_labels())


def test_an_epoch_takes_the_same_number_of_every_label_and_the_same_again(tmp_path: Path) -> None:
    for number, count in enumerate((6, 10)):
        frames = np.zeros((count, 2, 4, 4, 3), np.uint8)
        labels = np.arange(count) % 2
        frames[:] = (np.arange(count) + 20 * number)[:, None, None, None, None]
        np.save(tmp_path / f"figures-{number:04d}.npy", frames)
        np.save(tmp_path / f"figures-{number:04d}.labels.npy", labels)
    shards = Shards(tmp_path, "figures")
    assert len(shards) == 16
    assert shards[7][0, 0, 0, 0] == 21
    batches = BalancedBatches([shards], per_label=8, size=4, seed=1, augment=None)
    assert len(batches) == 4
    drawn = list(batches.epoch(0))
    labels = np.concatenate([batch.labels for batch in drawn])
    assert np.bincount(labels).tolist() == [8, 8]
    seen = np.concatenate([batch.frames[:, 0, 0, 0, 0] for batch in drawn])
    assert len(set(seen.tolist())) == 16
    resumed = list(batches.epoch(0, first=2))
    assert all(np.array_equal(a.frames, b.frames) for a, b in zip(drawn[2:], resumed, strict=True))


def test_shards_that_are_not_there_say_how_to_make_them(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="make_clips"):
        Shards(tmp_path, "figures")
