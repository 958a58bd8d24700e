"""Renders training clips into shards: drawn figures for every label, and real silhouettes composited.

    python -m training.make_clips --work WORK --kind figures --shards 12
    python -m training.make_clips --work WORK --kind silhouettes --shards 8
    python -m training.make_clips --work WORK --kind silhouettes-test
    python -m training.make_clips --work WORK --kind silhouettes-check --shards 10

A shard is WORK/<kind>-0007.npy, uint8 (N, 16, 48, 48, 3), with WORK/<kind>-0007.labels.npy, (N,), beside it.
It depends on the seed and its number alone; one that is there already is not rendered again, so a run can be stopped
and gone on with.
"""

from __future__ import annotations

import argparse
import time
from functools import partial
from pathlib import Path
from typing import IO

import cv2
import numpy as np
from numpy.typing import NDArray

from training.files import write_whole
from training.prepare import Silhouettes
from training.render.figures import labels_with_motion, render_figure
from training.render.recorded import Take, takes
from training.render.silhouettes import composite
from training.sources import DATA, hmdb51_labels

# A kind's place is part of its seed: new kinds go to the end.
KINDS = (
    "figures", "silhouettes", "silhouettes-test", "figures-test", "silhouettes-check", "figures-check",
)  # fmt: skip
_PARTS = {"silhouettes": "train", "silhouettes-test": "test", "silhouettes-check": "unused"}


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--work", type=Path, required=True, help="work folder of training.prepare; shards go there"
    )
    parser.add_argument("--kind", choices=KINDS, required=True)
    parser.add_argument(
        "--data", type=Path, default=DATA, help="folder with the footage (default: ../shared/data)"
    )
    parser.add_argument("--shards", type=int, default=1, help="how many (the test kinds have one)")
    parser.add_argument("--size", type=int, default=48, help="height and width of the clips in px")
    parser.add_argument("--frames", type=int, default=16)
    parser.add_argument("--per-label", type=int, default=16, help="figures of each label a shard")
    parser.add_argument(
        "--plain",
        type=float,
        default=0.5,
        help="share of easy clips in training shards; those for measuring have none",
    )
    parser.add_argument(
        "--scenes",
        type=float,
        default=0.0,
        help="share of the clips that are not easy in cluttered places; those for measuring have none",
    )
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    cv2.setNumThreads(1)
    textures = np.load(options.work / "textures.npy")
    recorded: dict[str, list[Take]] = (
        takes(options.data / "motion") if options.kind.startswith("figures") else {}
    )
    measuring = options.kind.endswith(("-test", "-check"))
    plain, scenes = (0.0, 0.0) if measuring else (options.plain, options.scenes)
    for number in range(1 if options.kind.endswith("-test") else options.shards):
        path = options.work / f"{options.kind}-{number:04d}.npy"
        if path.exists():
            continue
        began = time.monotonic()
        rng = np.random.default_rng([options.seed, KINDS.index(options.kind), number])
        if options.kind.startswith("figures"):
            frames, labels = _figures(
                rng,
                recorded,
                textures,
                plain=plain,
                scenes=scenes,
                per_label=options.per_label,
                frames=options.frames,
                size=options.size,
            )
        else:
            frames, labels = _silhouettes(
                rng,
                Silhouettes(options.work),
                textures,
                part=_PARTS[options.kind],
                plain=plain,
                scenes=scenes,
                frames=options.frames,
                size=options.size,
            )
        write_whole(path.with_suffix(".labels.npy"), partial(_save, array=labels))
        write_whole(path, partial(_save, array=frames))
        print(f"{path.name}: {len(frames)} clips in {time.monotonic() - began:.0f} s", flush=True)


def _save(file: IO[bytes], array: NDArray[np.generic]) -> None:
    np.save(file, array)


def _figures(
    rng: np.random.Generator,
    recorded: dict[str, list[Take]],
    textures: NDArray[np.uint8],
    *,
    plain: float,
    scenes: float,
    per_label: int,
    frames: int,
    size: int,
) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    order = hmdb51_labels()
    named = labels_with_motion(recorded)
    clips = np.empty((len(named) * per_label, frames, size, size, 3), np.uint8)
    labels = np.empty(len(clips), np.int64)
    for place in range(len(clips)):
        label = named[place % len(named)]
        clips[place] = render_figure(
            label,
            rng,
            takes=recorded,
            textures=textures,
            plain=plain,
            scenes=scenes,
            frames=frames,
            size=size,
        )
        labels[place] = order.index(label)
    return clips, labels


def _silhouettes(
    rng: np.random.Generator,
    sequences: Silhouettes,
    textures: NDArray[np.uint8],
    *,
    part: str,
    plain: float,
    scenes: float,
    frames: int,
    size: int,
) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """One composite of every sequence of a part."""
    order = hmdb51_labels()
    numbers = sequences.numbers(part)
    clips = np.stack(
        [
            composite(
                sequences[n], rng, textures=textures, plain=plain, scenes=scenes, frames=frames, size=size
            )
            for n in numbers
        ]
    )
    return clips, np.array([order.index(sequences.labels[n]) for n in numbers], np.int64)


if __name__ == "__main__":
    main()
