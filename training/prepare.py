"""Gathers what the other recipes need: silhouettes with their part of the split, textures, an index of real clips.

    python -m training.prepare --data ../shared/data --out WORK

Writes WORK/silhouettes.npz, WORK/textures.npy and WORK/index.json. Files that are there already are kept.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from training.files import write_whole
from training.sources import DATA, Part, official_split, real_clips, silhouette_files

MASK_HEIGHT, MASK_WIDTH = 120, 160
TEXTURE_SIDE = 96


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--data", type=Path, default=DATA, help="folder with the footage (default: ../shared/data)"
    )
    parser.add_argument("--out", type=Path, required=True, help="work folder, outside the repository")
    parser.add_argument("--split", type=int, default=1, choices=(1, 2, 3), help="official split of HMDB51")
    parser.add_argument("--textures", type=int, default=700, help="how many textures to keep")
    parser.add_argument("--seed", type=int, default=0, help="which textures")
    options = parser.parse_args(arguments)
    options.out.mkdir(parents=True, exist_ok=True)
    split = official_split(options.data, options.split)
    if not (options.out / "silhouettes.npz").exists():
        prepare_silhouettes(options.data, options.out / "silhouettes.npz", split=split)
    if not (options.out / "textures.npy").exists():
        prepare_textures(
            options.data, options.out / "textures.npy", count=options.textures, seed=options.seed
        )
    clips = real_clips(options.data)
    parts = Counter(part for _, _, part in silhouette_files(options.data, split))
    index = {
        "split": options.split,
        "split_parts": {label: dict(Counter(names.values())) for label, names in sorted(split.items())},
        "silhouettes": dict(parts),
        "real_clips": dict(sorted(Counter(f"{clip.source}/{clip.label}" for clip in clips).items())),
    }
    write_whole(options.out / "index.json", lambda file: file.write(json.dumps(index, indent=1).encode()))
    print(json.dumps({key: index[key] for key in ("split", "silhouettes", "real_clips")}, indent=1))


def prepare_silhouettes(data: Path, out: Path, *, split: dict[str, dict[str, Part]]) -> None:
    """All sequences at 160 x 120 px, one bit a pixel, with ``starts``, ``labels``, ``parts`` and ``names``."""
    from scipy.io import loadmat

    packed, lengths, labels, parts, names = [], [], [], [], []
    for path, label, part in silhouette_files(data, split):
        masks = np.moveaxis(loadmat(path)["part_mask"], -1, 0)
        small = np.stack(
            [
                cv2.resize(mask.astype(np.float32), (MASK_WIDTH, MASK_HEIGHT), interpolation=cv2.INTER_AREA)
                for mask in masks
            ]
        )
        packed.append(np.packbits(small > 0.5, axis=-1))
        lengths.append(len(masks))
        labels.append(label)
        parts.append(part)
        names.append(path.stem)
    starts = np.concatenate([[0], np.cumsum(lengths)])
    write_whole(
        out,
        lambda file: np.savez(
            file,
            masks=np.concatenate(packed),
            starts=starts,
            labels=np.array(labels),
            parts=np.array(parts),
            names=np.array(names),
        ),
    )


def prepare_textures(data: Path, out: Path, *, count: int, seed: int) -> None:
    """Textures (N, 96, 96, 3) with their margins cut off; some of the originals have white borders."""
    files = sorted((data / "motion" / "cc0_textures").glob("*.jpg"))
    chosen = np.random.default_rng(seed).permutation(len(files))[:count]
    textures = np.empty((len(chosen), TEXTURE_SIDE, TEXTURE_SIDE, 3), np.uint8)
    for place, number in enumerate(sorted(chosen)):
        picture = cv2.cvtColor(np.asarray(cv2.imread(str(files[number]))), cv2.COLOR_BGR2RGB)
        margin = picture.shape[0] // 8
        textures[place] = cv2.resize(
            picture[margin:-margin, margin:-margin],
            (TEXTURE_SIDE, TEXTURE_SIDE),
            interpolation=cv2.INTER_AREA,
        )
    write_whole(out, lambda file: np.save(file, textures))


class Silhouettes:
    """The prepared sequences."""

    def __init__(self, work: Path) -> None:
        with np.load(work / "silhouettes.npz") as stored:
            self._masks, self._starts = stored["masks"], stored["starts"]
            self.labels = [str(label) for label in stored["labels"]]
            self.parts = [str(part) for part in stored["parts"]]
            self.names = [str(name) for name in stored["names"]]

    def __getitem__(self, number: int) -> NDArray[np.uint8]:
        """Masks (T, 120, 160), 0 or 1, of one sequence."""
        return np.unpackbits(self._masks[self._starts[number] : self._starts[number + 1]], axis=-1)

    def numbers(self, part: str) -> list[int]:
        """The sequences of one part of the split."""
        return [number for number, own in enumerate(self.parts) if own == part]


if __name__ == "__main__":
    main()
