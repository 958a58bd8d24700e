"""How much of a test part a network has as good as seen: clips whose source also has clips in the train part.

HMDB51's clips were cut from films and uploads, often several from one scene. A split that deals clips by chance puts
most of them on both sides; the official splits keep the sources of each class apart, but not those of two classes.

    python -m training.hmdb51_leaks --splits FOLDER_OR_RAR
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from training.hmdb51 import OFFICIAL, RANDOM, RANDOM_SHARES, label_order, official_parts
from training.hmdb51_extract import extract_splits, splits_folder
from vidlabel.learning.split import hmdb51_group, split_stratified


@dataclass(frozen=True)
class Leak:
    """What a split's two parts share.

    Attributes:
        train: clips of the train part.
        test: clips of the test part.
        sources: different sources of both parts together.
        shared_sources: sources with clips in both parts.
        siblings: test clips whose source has a clip in train.
        label_siblings: test clips whose source has a clip of the same label in train.
    """

    train: int
    test: int
    sources: int
    shared_sources: int
    siblings: int
    label_siblings: int

    @property
    def share(self) -> float:
        """Share of test clips with a sibling in train, 0..1; nan without test clips."""
        return self.siblings / self.test if self.test else float("nan")

    @property
    def label_share(self) -> float:
        """Share of test clips with a sibling of the same label in train, 0..1; nan without test clips."""
        return self.label_siblings / self.test if self.test else float("nan")


def leak(train: Sequence[tuple[str, str]], test: Sequence[tuple[str, str]]) -> Leak:
    """What two parts share, each given as (source, label) of its clips."""
    seen, seen_as = {source for source, _ in train}, set(train)
    own = {source for source, _ in test}
    return Leak(
        train=len(train),
        test=len(test),
        sources=len(seen | own),
        shared_sources=len(seen & own),
        siblings=sum(source in seen for source, _ in test),
        label_siblings=sum(clip in seen_as for clip in test),
    )


def has_sibling(train: Sequence[str], test: Sequence[str]) -> NDArray[np.bool_]:
    """For each test clip, whether its source is one of train's."""
    seen = set(train)
    return np.array([source in seen for source in test], dtype=bool)


def leaks_by_name(splits: Path, *, seeds: Sequence[int] = (0,)) -> dict[str, Leak]:
    """The leak of each official split, and of stratified random ones, out of the clips' names alone.

    Raises:
        FormatError: the split files are missing or damaged.
    """
    official = official_parts(splits)
    keys = sorted(official)
    labels = label_order(sorted({label for label, _ in keys}))
    clips = [(hmdb51_group(name, labels), label) for label, name in keys]

    def of(parts: Sequence[str | None]) -> Leak:
        own = {
            wanted: [clip for clip, part in zip(clips, parts, strict=True) if part == wanted]
            for wanted in ("train", "test")
        }
        return leak(own["train"], own["test"])

    found = {split: of([official[key][split] for key in keys]) for split in OFFICIAL}
    for seed in seeds:
        random = split_stratified(
            ["/".join(key) for key in keys], [label for label, _ in keys], shares=RANDOM_SHARES, seed=seed
        )
        found[RANDOM if len(seeds) == 1 else f"{RANDOM}, seed {seed}"] = of(random.parts)
    return found


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--splits", type=Path, required=True, help="test_train_splits.rar or its folder")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0], help="of the random splits")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as place:
        splits = options.splits
        if splits.is_file():
            splits = extract_splits(splits, Path(place))
        found = leaks_by_name(splits_folder(splits), seeds=options.seeds)
    print(
        json.dumps(
            {
                split: {**asdict(own), "share": round(own.share, 4), "label_share": round(own.label_share, 4)}
                for split, own in found.items()
            },
            indent=1,
        )
    )


if __name__ == "__main__":
    main()
