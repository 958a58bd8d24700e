"""A small data set in HMDB51's shape: class folders, its names, an official split. Usable without pytest."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vidlabel.media.encode import write_video

CLASSES = ("draw_sword", "kick", "wave")
"""Of one the picture's left half is bright, of one its right half, of one neither."""
HEIGHT, WIDTH, FRAMES = 48, 64, 10


def make(folder: Path, *, sources: int = 6, clips: int = 2, tested: int = 2) -> tuple[Path, Path]:
    """Clips of ``sources`` films a class, ``clips`` of each film; the last ``tested`` films are the test part.

    Returns:
        The folder of the clips and that of the split files (split 1).
    """
    place, splits = folder / "hmdb51", folder / "testTrainMulti_7030_splits"
    splits.mkdir(parents=True)
    for number, label in enumerate(CLASSES):
        lines: list[str] = []
        (place / label).mkdir(parents=True)
        for source in range(sources):
            for index in range(clips):
                name = f"Film #{source} (no_{label[:1]})_{label}_f_cm_np1_fr_med_{index}.avi"
                write_video(place / label / name, _frames(number, seed=100 * number + 10 * source + index))
                lines.append(f"{name} {2 if source >= sources - tested else 1}\n")
        (splits / f"{label}_test_split1.txt").write_text("".join(lines), encoding="utf-8")
    return place, splits


def _frames(number: int, *, seed: int) -> list[NDArray[np.uint8]]:
    rng = np.random.default_rng(seed)
    ground = rng.integers(30, 70, (HEIGHT, WIDTH, 3)).astype(np.uint8)
    half = (slice(None, WIDTH // 2), slice(WIDTH // 2, None), slice(0, 0))[number]
    ground[:, half] = ground[:, half] // 2 + 150
    return [np.roll(ground, step, axis=0) for step in range(FRAMES)]
