"""Who is pasted into a place: outlines of real people, and drawn figures with their outlines.

All are kept in memory at 80 x 60 px, so that every clip of a training run can be a new composite.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from training.files import write_whole
from training.prepare import Silhouettes
from training.render.figure import Capsules, draw
from training.render.figures import labels_with_motion, move
from training.render.recorded import takes
from training.render.scene import camera_for, random_framing, random_look
from training.sources import hmdb51_labels, source_of

Grey = NDArray[np.uint8]

HEIGHT, WIDTH = 60, 80
FIGURE_FRAMES = 24
_HELD_OUT_SEQUENCES = 3


@dataclass(frozen=True)
class Actor:
    """Somebody in movement: ``cover`` (T, 60, 80), 255 where they are; ``shade`` how they are lit, if drawn."""

    label: int
    cover: Grey
    shade: Grey | None = None


def silhouette_actors(work: Path, *, part: str) -> list[Actor]:
    """The outlines of a part: "train", "check" (whole films taken out of train, and those in no part) or "test"."""
    stored, order = Silhouettes(work), hmdb51_labels()
    held = _held_out(stored)
    numbers = {
        "train": [n for n in stored.numbers("train") if n not in held],
        "check": sorted([*held, *stored.numbers("unused")]),
        "test": stored.numbers("test"),
    }[part]
    return [Actor(order.index(stored.labels[n]), _small(stored[n])) for n in numbers]


def figure_actors(work: Path, name: str) -> list[Actor]:
    """The drawn people of WORK/<name>.npz."""
    with np.load(work / f"{name}.npz") as stored:
        labels, cover, shade = stored["labels"], stored["cover"], stored["shade"]
    return [Actor(int(label), cover[n], shade[n]) for n, label in enumerate(labels)]


def draw_figures(data: Path, out: Path, *, per_label: int, seed: int) -> int:
    """Draws people doing each label, without a place, into one file; answers how many."""
    recorded, order = takes(data / "motion"), hmdb51_labels()
    named = labels_with_motion(recorded)
    labels, covers, shades = [], [], []
    for number in range(per_label):
        for label in named:
            rng = np.random.default_rng([seed, order.index(label), number])
            motion = move(label, rng, takes=recorded, frames=FIGURE_FRAMES)
            camera = camera_for(motion, random_framing(rng, motion), rng)
            looks = tuple(random_look(rng) for _ in motion.people)
            light = (rng.normal(0, 0.6), rng.uniform(0.3, 1.0), rng.normal(-0.5, 0.5))
            colour, cover = draw(
                Capsules.of(motion, looks), camera, height=2 * HEIGHT, width=2 * WIDTH, light=light
            )
            labels.append(order.index(label))
            covers.append(_shrunk(cover))
            lit = _shrunk(colour.mean(axis=-1) * cover).astype(np.float32)
            shades.append(
                np.clip(lit * 255 / np.maximum(covers[-1].astype(np.float32), 1), 0, 255).astype(np.uint8)
            )
    write_whole(
        out,
        lambda file: np.savez(file, labels=np.array(labels), cover=np.stack(covers), shade=np.stack(shades)),
    )
    return len(labels)


def by_label(actors: Sequence[Actor]) -> dict[int, list[Actor]]:
    """The actors of each label."""
    found: dict[int, list[Actor]] = {}
    for actor in actors:
        found.setdefault(actor.label, []).append(actor)
    return found


def _held_out(stored: Silhouettes) -> set[int]:
    """Whole films of the train part, at least three sequences of every label: for choosing, not for training."""
    films: dict[str, dict[str, list[int]]] = {}
    for n in stored.numbers("train"):
        label = stored.labels[n]
        films.setdefault(label, {}).setdefault(source_of(stored.names[n], label), []).append(n)
    held: set[int] = set()
    for label in sorted(films):
        taken = 0
        # Small films first: a film of ten sequences would cost more than it says.
        for film in sorted(films[label], key=lambda name: (len(films[label][name]), name)):
            if taken >= _HELD_OUT_SEQUENCES:
                break
            held.update(films[label][film])
            taken += len(films[label][film])
    return held


def _small(masks: Grey) -> Grey:
    return np.stack(
        [cv2.resize(mask * np.uint8(255), (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA) for mask in masks]
    ).astype(np.uint8)


def _shrunk(layer: NDArray[np.float32]) -> Grey:
    return np.stack(
        [
            cv2.resize(np.asarray(picture * 255, np.float32), (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA)
            for picture in layer
        ]
    ).astype(np.uint8)
