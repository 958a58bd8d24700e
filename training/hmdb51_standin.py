"""Makes a small set in HMDB51's exact layout, to try the recipe without the data, and to test it.

    python -m training.hmdb51_standin --out DIR
    python -m training.prepare --archive DIR/hmdb51_org.rar --splits DIR/test_train_splits.rar --out SET --stand-in

Drawn people do a few actions. Each source has a place and clothes of its own, as a film has, so that a network can know
a film instead of an action; the takes of a source differ in movement and framing alone. There are an outer RAR of one
RAR a class, and a RAR of split files in the official form: whole sources to test, and some clips left unused.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from training.rar_stored import write_rar
from training.render.figure import Look
from training.render.library import written
from training.render.scene import (
    FIXED,
    Framing,
    camera_for,
    film,
    surroundings,
)
from vidlabel.media.encode import VideoOptions, write_video

VIDEOS_RAR, SPLITS_RAR = "hmdb51_org.rar", "test_train_splits.rar"
SPLITS_FOLDER = "testTrainMulti_7030_splits"
LABELS = ("wave", "jump", "punch", "sit")


@dataclass(frozen=True, kw_only=True)
class StandIn:
    """How large a stand-in is.

    Attributes:
        labels: which actions; each must have written movement.
        sources: of each label.
        takes: clips of each source.
        width: px of the videos.
        height: px of the videos.
        frames: of each video.
        fps: frames a second.
        seed: of everything.
    """

    labels: Sequence[str] = LABELS
    sources: int = 6
    takes: int = 4
    width: int = 96
    height: int = 72
    frames: int = 24
    fps: int = 15
    seed: int = 0


def make(out: Path, size: StandIn) -> tuple[Path, Path]:
    """Writes both archives into a folder; answers their paths."""
    cv2.setNumThreads(1)
    classes = []
    splits: list[tuple[str, bytes]] = []
    for label_number, label in enumerate(size.labels):
        clips: dict[str, bytes] = {}
        for source in range(size.sources):
            for take in range(size.takes):
                name = f"{_source(label, source)}_{label}_f_cm_np1_fr_goo_{take}.avi"
                clips[name] = _avi(_pictures(label, size, seed=(size.seed, label_number, source, take)), size)
        inner = out / f".{label}.rar"
        write_rar(inner, [(f"{label}/{name}", content) for name, content in clips.items()])
        classes.append((f"{label}.rar", inner.read_bytes()))
        inner.unlink()
        for number in (1, 2, 3):
            lines = _split_lines(label, size, number=number)
            splits.append((f"{SPLITS_FOLDER}/{label}_test_split{number}.txt", lines.encode()))
    write_rar(out / VIDEOS_RAR, classes)
    write_rar(out / SPLITS_RAR, splits)
    return out / VIDEOS_RAR, out / SPLITS_RAR


def _source(label: str, number: int) -> str:
    """Names as real ones are, with signs in them. The first source is one film that all labels have clips of."""
    return "Film_#0_&_the_rest" if number == 0 else f"Film_#{number}_of_the_{label}s_(part_{number})"


def _split_lines(label: str, size: StandIn, *, number: int) -> str:
    """A third of a label's sources is test's, others in each split; the last take of the second one is unused.

    The film that all have clips of is train's for some labels and test's for others, as with HMDB51's own splits.
    """
    first = number - 1 + list(size.labels).index(label) % 2
    held = {(first + step) % size.sources for step in range(0, size.sources, 3)}
    lines = []
    for source in range(size.sources):
        for take in range(size.takes):
            part = 2 if source in held else 1
            if source == 1 and take == size.takes - 1:
                part = 0
            lines.append(f"{_source(label, source)}_{label}_f_cm_np1_fr_goo_{take}.avi {part} \n")
    return "".join(lines)


def _avi(pictures: Sequence[NDArray[np.uint8]], size: StandIn) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "clip.avi"
        write_video(path, pictures, fps=size.fps, options=VideoOptions(extra={"qscale": "5"}))
        return path.read_bytes()


def _pictures(label: str, size: StandIn, *, seed: tuple[int, int, int, int]) -> list[NDArray[np.uint8]]:
    """A take: place and clothes follow from the source, movement and framing from the take."""
    _, label_number, source, _ = seed
    film_rng = np.random.default_rng([seed[0], label_number if source else len(size.labels), source])
    take_rng = np.random.default_rng(seed)
    t = np.arange(size.frames) / size.fps
    motion = written(label, take_rng, t)
    ground, wall = (_texture(film_rng) for _ in range(2))
    shirt, trousers, hair = film_rng.uniform(0.1, 0.9, (3, 3)).tolist()
    skin = (0.85, 0.65, 0.5)
    tones = {
        "skin": skin, "hair": tuple(hair), "shirt": tuple(shirt), "sleeves": tuple(shirt), "forearms": skin,
        "trousers": tuple(trousers), "shoes": (0.16, 0.15, 0.16), "prop": (0.7, 0.25, 0.2), "ball": (0.9, 0.9, 0.8),
        **FIXED,
    }  # fmt: skip
    framing = Framing(float(take_rng.uniform(-0.8, 0.8)), 0.1, float(take_rng.uniform(2.2, 2.8)))
    view = camera_for(motion, framing, take_rng)
    behind = surroundings(
        view, height=size.height, width=size.width, ground=ground, wall=wall, distance=6.0, scale=0.5,
        wall_scale=1 / 4.0, haze=tuple(wall.mean(axis=(0, 1))),
    )  # fmt: skip
    pictures = film(motion, (Look(tones, girth=1.05),) * len(motion.people), view, behind, supersample=1)
    return [np.clip(picture * 255 + 0.5, 0, 255).astype(np.uint8) for picture in pictures]


def _texture(rng: np.random.Generator) -> NDArray[np.float32]:
    """Coarse coloured patches: (64, 64, 3), 0 to 1."""
    coarse = rng.uniform(0.1, 0.9, (4, 4, 3)).astype(np.float32)
    return np.asarray(cv2.resize(coarse, (64, 64), interpolation=cv2.INTER_CUBIC), np.float32).clip(0, 1)


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, required=True, help="folder for both archives")
    parser.add_argument("--labels", nargs="+", default=list(LABELS))
    parser.add_argument("--sources", type=int, default=6, help="of each label")
    parser.add_argument("--takes", type=int, default=4, help="clips of each source")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    options.out.mkdir(parents=True, exist_ok=True)
    size = StandIn(labels=options.labels, sources=options.sources, takes=options.takes, seed=options.seed)
    for path in make(options.out, size):
        print(f"{path}: {path.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
