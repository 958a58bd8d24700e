"""Gathers what the other recipes need.

    python -m training.prepare --archive hmdb51_org.rar --splits test_train_splits.rar --out HMDB51
    python -m training.prepare --out WORK

The first form is for the full recipe: it unpacks HMDB51 as the lab ships it (``--archive`` and ``--splits`` may also be
folders already unpacked), checks it against the split files and its published counts, reads every file once and writes
HMDB51/hmdb51.json: each clip with label, source, its part in the three official splits and in a stratified random
one, frames and rate. The second is for the bundled model: WORK/silhouettes.npz, WORK/textures.npy and WORK/index.json
out of the footage in ``--data``. Either can be stopped and started again; what is done already is kept.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from training.files import write_whole
from training.sources import DATA, Part, official_split, real_clips, silhouette_files
from vidlabel.core.errors import VidlabelError

MASK_HEIGHT, MASK_WIDTH = 120, 160
TEXTURE_SIDE = 96


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, required=True, help="work folder, outside the repository")
    full = parser.add_argument_group("HMDB51")
    full.add_argument("--archive", type=Path, help="hmdb51_org.rar, or a folder of class folders")
    full.add_argument("--splits", type=Path, help="test_train_splits.rar, or a folder with the split files")
    full.add_argument(
        "--stand-in",
        action="store_true",
        help="the set is not HMDB51 but a smaller one in its layout: do not compare with HMDB51's counts",
    )
    full.add_argument(
        "--incomplete", action="store_true", help="go on with what is there when clips are missing"
    )
    full.add_argument("--hashes", action="store_true", help="also note the SHA-256 of every file")
    drawn = parser.add_argument_group("the bundled model")
    drawn.add_argument(
        "--data", type=Path, default=DATA, help="folder with the footage (default: ../shared/data)"
    )
    drawn.add_argument("--split", type=int, default=1, choices=(1, 2, 3), help="official split of HMDB51")
    drawn.add_argument("--textures", type=int, default=700, help="how many textures to keep")
    parser.add_argument("--seed", type=int, default=0, help="of the random split; which textures")
    options = parser.parse_args(arguments)
    if (options.archive is None) != (options.splits is None):
        parser.error("--archive and --splits go together")
    if options.archive is None:
        _gather(options)
        return
    try:
        _prepare_hmdb51(options)
    except (VidlabelError, OSError) as error:
        sys.exit(str(error))


def _prepare_hmdb51(options: argparse.Namespace) -> None:
    from training.hmdb51 import INDEX, SPLITS, Expected

    try:
        from training.hmdb51_prepare import Order, prepare_hmdb51
    except ModuleNotFoundError as error:
        sys.exit(f"The Python package {error.name} is missing. Install it: pip install -e .[training]")

    order = Order(
        videos=options.archive,
        splits=options.splits,
        out=options.out,
        expected=None if options.stand_in else Expected(),
        incomplete=options.incomplete,
        hashes=options.hashes,
        seed=options.seed,
    )
    index = prepare_hmdb51(order, say=lambda line: print(line, flush=True))
    unreadable = sum(clip.problem is not None for clip in index.clips)
    parts = {
        split: {part: len(index.part(split, part, readable=False)) for part in ("train", "test")}
        for split in SPLITS
    }
    told = {
        "index": str(options.out / INDEX),
        "clips": len(index.clips),
        "labels": len(index.labels),
        "sources": len({clip.source for clip in index.clips}),
        "unreadable": unreadable,
        "splits": parts,
    }
    print(json.dumps(told, indent=1))


def _gather(options: argparse.Namespace) -> None:
    options.out.mkdir(parents=True, exist_ok=True)
    split = official_split(options.data, options.split)
    if not (options.out / "silhouettes.npz").exists():
        prepare_silhouettes(options.data, options.out / "silhouettes.npz", split=split)
    if not (options.out / "textures.npy").exists():
        prepare_textures(
            options.data, options.out / "textures.npy", count=options.textures, seed=options.seed
        )
    clips = real_clips(options.data)
    found = {names: silhouette_files(options.data, split, names=names) for names in ("stored", "official")}
    parts = {names: dict(Counter(part for _, _, part in own)) for names, own in found.items()}
    index = {
        "split": options.split,
        "split_parts": {label: dict(Counter(names.values())) for label, names in sorted(split.items())},
        "silhouettes": parts["stored"],
        "silhouettes_by_official_names": parts["official"],
        "real_clips": dict(sorted(Counter(f"{clip.source}/{clip.label}" for clip in clips).items())),
    }
    write_whole(options.out / "index.json", lambda file: file.write(json.dumps(index, indent=1).encode()))
    told = ("split", "silhouettes", "silhouettes_by_official_names", "real_clips")
    print(json.dumps({key: index[key] for key in told}, indent=1))


def prepare_silhouettes(data: Path, out: Path, *, split: dict[str, dict[str, Part]]) -> None:
    """All sequences at 160 x 120 px, one bit a pixel, with ``starts``, ``labels``, ``parts`` and ``names``.

    ``official_parts`` are the parts where names are compared as the split files write them (``silhouette_files``).
    """
    from scipy.io import loadmat

    official = {path: part for path, _, part in silhouette_files(data, split, names="official")}
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
            official_parts=np.array(list(official.values())),
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
