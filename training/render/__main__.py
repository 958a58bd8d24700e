"""Gathers and draws what online training composes its clips of.

    python -m training.render --work WORK

Writes WORK/footage.npz (real places), WORK/figures-drawn.npz (people doing each label), WORK/figures-drawn-check.npz
(others, for choosing) and the check clips WORK/composites-check-0000.npy and WORK/drawn-check-0000.npy. Files that are
there already are kept.
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
from training.online import in_three
from training.render.actors import draw_figures, figure_actors, silhouette_actors
from training.render.compose import Stage, compose, grey_textures
from training.render.footage import Footage, prepare_footage
from training.sources import DATA

CHECK_SIZE = 48


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--work", type=Path, required=True, help="work folder of training.prepare")
    parser.add_argument(
        "--data", type=Path, default=DATA, help="folder with the footage (default: ../shared/data)"
    )
    parser.add_argument("--per-label", type=int, default=48, help="drawn people of each label")
    parser.add_argument("--seed", type=int, default=20)
    options = parser.parse_args(arguments)
    cv2.setNumThreads(1)
    footage = options.work / "footage.npz"
    if not footage.exists():
        print(f"{len(prepare_footage(options.data, footage))} videos as places", flush=True)
    for name, count, seed in (
        ("figures-drawn", options.per_label, options.seed),
        ("figures-drawn-check", 4, options.seed + 1),
    ):
        path = options.work / f"{name}.npz"
        if not path.exists():
            began = time.monotonic()
            made = draw_figures(options.data, path, per_label=count, seed=seed)
            print(f"{path.name}: {made} in {time.monotonic() - began:.0f} s", flush=True)
    for kind, shows in (("composites-check", 4), ("drawn-check", 1)):
        path = options.work / f"{kind}-0000.npy"
        if not path.exists():
            frames, labels = check_clips(options.work, kind, shows=shows, seed=options.seed)
            write_whole(path.with_suffix(".labels.npy"), partial(_save, array=labels))
            write_whole(path, partial(_save, array=frames))
            print(f"{path.name}: {len(frames)} clips", flush=True)


def check_clips(
    work: Path, kind: str, *, shows: int, seed: int
) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Composites of actors and over places that no model is trained on, each actor ``shows`` times.

    Returns:
        uint8 (N, 16, 48, 48, 3) and int64 (N,).
    """
    actors = (
        silhouette_actors(work, part="check")
        if kind == "composites-check"
        else figure_actors(work, "figures-drawn-check")
    )
    stage = Stage(
        grey_textures(work), Footage.load(work, held_out=True), actors, textured=0.0, size=CHECK_SIZE
    )
    rng = np.random.default_rng([seed, len(actors)])
    clips = [compose(actor, rng, stage)[0] for _ in range(shows) for actor in actors]
    return in_three(np.stack(clips)), np.array(
        [actor.label for _ in range(shows) for actor in actors], np.int64
    )


def _save(file: IO[bytes], array: NDArray[np.generic]) -> None:
    np.save(file, array)


if __name__ == "__main__":
    main()
