"""A video joined of clips whose label is known, and how well proposals for it find them again."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vidlabel.core.sweeps import Proposal

CHECKOUT = Path(__file__).resolve().parent.parent
_FPS = 25


@dataclass(frozen=True)
class Joined:
    """A video made of clips: its file, and (start, end, label) of each in µs; what lies between has no label."""

    path: Path
    clips: tuple[tuple[int, int, str], ...]
    source: str


def labelled_clips() -> tuple[list[tuple[Path, str]], str]:
    """The sample clips; each means the HMDB51 label in its name."""
    folder = CHECKOUT / "resources" / "samples"
    return [
        (path, path.stem.split("_")[1]) for path in sorted(folder.glob("sample_*.mp4"))
    ], "sample clips (drawn)"


def real_clips() -> list[tuple[Path, str]]:
    """Clips of HMDB51 with their labels, at most three a label; none where there are none beside the checkout."""
    folder = CHECKOUT.parent / "shared" / "data" / "hmdb51_clips"
    found = [
        (path, path.parent.name) for path in sorted(folder.glob("*/*")) if path.suffix in {".avi", ".mp4"}
    ]
    # One class has far more clips than all others together.
    taken: dict[str, int] = {}
    kept = []
    for path, label in found:
        taken[label] = taken.get(label, 0) + 1
        if taken[label] <= 3:
            kept.append((path, label))
    return kept


def joined(path: Path, clips: Sequence[tuple[Path, str]], *, turns: int, source: str) -> Joined:
    """Writes the clips one after the other, in an order mixed anew each turn, two seconds of still grey between."""
    from vidlabel.media.encode import write_video
    from vidlabel.media.reader import FrameReader

    order: list[tuple[Path, str]] = []
    for turn in range(turns):
        mixed = np.random.default_rng(turn).permutation(len(clips))
        order += [clips[place] for place in mixed]
    spans: list[tuple[int, int, str]] = []
    grey = np.full((240, 320, 3), 110, np.uint8)

    def frames() -> Iterator[NDArray[np.uint8]]:
        number = 0
        for clip, label in order:
            for _ in range(2 * _FPS):
                yield grey
                number += 1
            begin = number
            with FrameReader(clip) as reader:
                # At its own speed: frames are taken at the times of this video's frames.
                count = max(1, round(reader.index.duration_us * _FPS / 1_000_000))
                places = [reader.index.frame_at(round(place * 1_000_000 / _FPS)) for place in range(count)]
                for picture in reader.read_many(places, size=(320, 240)):
                    yield picture
                    number += 1
            spans.append((begin * 1_000_000 // _FPS, number * 1_000_000 // _FPS, label))

    write_video(path, frames(), fps=_FPS)
    return Joined(path, tuple(spans), source)


@dataclass(frozen=True)
class Found:
    """How the proposals of a joined video compare with its clips."""

    boundary_error_s: float | None
    recall: float
    recall_any_label: float
    precision: float
    proposals: int


def compared(proposals: Sequence[Proposal], clips: Sequence[tuple[int, int, str]]) -> Found:
    """Boundaries of clips that some proposal of their label overlaps most; recall and precision at IoU 0.5."""
    errors: list[float] = []
    hit = hit_any = 0
    for start, end, label in clips:
        best = max(proposals, key=lambda one: _iou(one, start, end), default=None)
        if best is None or _iou(best, start, end) == 0:
            continue
        hit_any += _iou(best, start, end) >= 0.5
        same = [one for one in proposals if one.label == label and _iou(one, start, end) > 0]
        if same:
            best = max(same, key=lambda one: _iou(one, start, end))
            hit += _iou(best, start, end) >= 0.5
            errors += [abs(best.start_us - start) / 1e6, abs(best.end_us - end) / 1e6]
    right = sum(
        any(one.label == label and _iou(one, start, end) >= 0.5 for start, end, label in clips)
        for one in proposals
    )
    return Found(
        boundary_error_s=statistics.median(errors) if errors else None,
        recall=hit / len(clips),
        recall_any_label=hit_any / len(clips),
        precision=right / max(1, len(proposals)),
        proposals=len(proposals),
    )


def _iou(one: Proposal, start: int, end: int) -> float:
    both = max(0, min(one.end_us, end) - max(one.start_us, start))
    return both / (max(one.end_us, end) - min(one.start_us, start))


def known_to_model(clips: Sequence[tuple[Path, str]], predictor: Any) -> list[tuple[Path, str]]:
    """The clips whose label the model gives first when it is shown the clip alone."""
    from vidlabel.media.sampler import read_positions

    right = []
    for path, label in clips:
        preprocessing = predictor.info.preprocessing
        frames = read_positions(
            path, start_us=0, end_us=10**12, positions=preprocessing.positions, size=preprocessing.decode_size
        )
        row = predictor.predict(preprocessing.crop(frames)[None]).probabilities[0]
        if predictor.info.labels[int(row.argmax())] == label:
            right.append((path, label))
    return right
