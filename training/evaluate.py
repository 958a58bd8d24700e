"""Measures a model on what it was not trained on.

    python -m training.evaluate --model RUN/model.safetensors --work WORK
    python -m training.evaluate --official RUN --data HMDB51 --views 10 --crops 3

The second form measures what training.finetune made: each official split, their mean, the random split beside them,
and how much of that a random split owes to clips of the same film (training/official.py). The first answers with one
JSON document: top-1, top-5, mean class accuracy, ECE and counts on
  silhouettes_test     official split-1 test part of the silhouettes, composited once (all 51 labels compete)
  silhouettes_test_21  the same clips, only the 21 labels that have silhouettes compete
  figures_test         freshly rendered figures (another seed), all labels
  real_hmdb51          the few real HMDB51 clips other than fencing
  real_fencing         the fencing clips
  real_ucf101          UCF101 clips of classes that mean an HMDB51 label
  real_other           both of these without fencing
  real_all             all real clips (seven in ten are fencing)
  real_21              the real clips of the 21 labels that have silhouettes, only those labels competing
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.files import write_whole
from training.shards import Shards
from training.sources import DATA, RealClip, real_clips
from vidlabel.core.errors import UnreadableVideoError, VidlabelError
from vidlabel.core.words import Views
from vidlabel.learning.evaluate import evaluate_probabilities, predict_all
from vidlabel.media.reader import FrameReader
from vidlabel.ml.devices import choose_device
from vidlabel.ml.modelfile import load_model
from vidlabel.ml.predictor import Predictor
from vidlabel.ml.preprocess import Preprocessing

Probabilities = NDArray[np.float32]
Truth = NDArray[np.int64]


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", type=Path)
    parser.add_argument("--work", type=Path, help="folder with the test shards")
    parser.add_argument(
        "--data",
        type=Path,
        default=DATA,
        help="folder with the footage (default: ../shared/data); with --official that of training.prepare",
    )
    official = parser.add_argument_group("what training.finetune made")
    official.add_argument("--official", type=Path, metavar="RUN", help="folder of the run")
    official.add_argument("--views", type=int, default=1, help="looks at a clip along its time, averaged")
    official.add_argument(
        "--crops", type=int, choices=(1, 3), default=1, help="parts of the picture, averaged"
    )
    official.add_argument("--flip", action="store_true", help="look at each mirrored as well")
    official.add_argument("--device", default="cpu")
    official.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="decoding threads")
    parser.add_argument("--out", type=Path, help="also write the JSON to this file")
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args(arguments)
    if options.official is not None:
        _measure_official(options)
        return
    if options.model is None or options.work is None:
        parser.error("give --model and --work, or --official")
    predictor = Predictor(load_model(options.model), choose_device("cpu"), threads=options.threads)
    scores = measure(predictor, work=options.work, data=options.data)
    text = json.dumps(scores, indent=1)
    if options.out is not None:
        write_whole(options.out, lambda file: file.write(text.encode()))
    print(text)


def _measure_official(options: argparse.Namespace) -> None:
    from training.hmdb51 import load_index
    from training.official import Manner, as_table, measure_run

    try:
        manner = Manner(views=Views(clips=options.views, flip=options.flip), crops=options.crops)
        scores = measure_run(
            options.official,
            load_index(options.data),
            manner=manner,
            device=options.device,
            workers=options.workers,
            threads=options.threads,
        )
    except (VidlabelError, FileNotFoundError, ValueError) as error:
        sys.exit(str(error))
    if options.out is not None:
        write_whole(options.out, lambda file: file.write(json.dumps(scores, indent=1).encode()))
    print(as_table(scores))


def measure(predictor: Predictor, *, work: Path, data: Path) -> dict[str, dict[str, Any]]:
    """All scores, each with its number of clips and what chance would give."""
    return measure_made(predictor, work=work) | measure_real(predictor, data=data)


def measure_made(predictor: Predictor, *, work: Path) -> dict[str, dict[str, Any]]:
    """The scores on composited silhouettes and drawn figures."""
    labels, side = predictor.info.labels, predictor.info.preprocessing.height
    scores: dict[str, dict[str, Any]] = {}
    silhouettes = predict_all(predictor, Shards(work, "silhouettes-test").batches(32, side=side))
    known = tuple(sorted(set(silhouettes[1].tolist())))
    scores["silhouettes_test"] = figures(*silhouettes, labels)
    scores["silhouettes_test_21"] = figures(*among(*silhouettes, known), [labels[n] for n in known])
    scores["figures_test"] = figures(
        *predict_all(predictor, Shards(work, "figures-test").batches(32, side=side)), labels
    )
    return scores


def measure_real(predictor: Predictor, *, data: Path) -> dict[str, dict[str, Any]]:
    """The scores on real clips; they mean something only if the model was not trained on them."""
    labels, clips = predictor.info.labels, real_clips(data)
    scores: dict[str, dict[str, Any]] = {}
    known = [labels.index(name) for name in SILHOUETTE_LABELS]
    probabilities, truth = predict_all(predictor, decoded(clips, predictor.info.preprocessing, labels))
    groups = {
        "real_hmdb51": [clip.source == "hmdb51" and clip.label != "fencing" for clip in clips],
        "real_fencing": [clip.label == "fencing" for clip in clips],
        "real_ucf101": [clip.source == "ucf101" and clip.label != "fencing" for clip in clips],
        "real_other": [clip.label != "fencing" for clip in clips],
        "real_all": [True for _ in clips],
    }
    for name, chosen in groups.items():
        scores[name] = figures(probabilities[chosen], truth[chosen], labels)
    in_known = np.isin(truth, known)
    scores["real_21"] = figures(
        *among(probabilities[in_known], truth[in_known], known), [labels[n] for n in known]
    )
    return scores


SILHOUETTE_LABELS = (
    "brush_hair", "catch", "clap", "climb_stairs", "golf", "jump", "kick_ball", "pick", "pour", "pullup", "push",
    "run", "shoot_ball", "shoot_bow", "shoot_gun", "sit", "stand", "swing_baseball", "throw", "walk", "wave",
)  # fmt: skip
"""The 21 labels of JHMDB."""


def figures(probabilities: Probabilities, truth: Truth, labels: Sequence[str]) -> dict[str, Any]:
    """Figures of one set, rounded; chance is what guessing labels evenly would give."""
    found = evaluate_probabilities(probabilities, truth, tuple(labels))
    counts = Counter(labels[int(number)] for number in truth)
    right = Counter(labels[int(number)] for number in truth[probabilities.argmax(axis=1) == truth])
    return {
        "clips": len(truth),
        "labels_competing": len(labels),
        **{name: round(float(getattr(found, name)), 4) for name in ("top1", "top5", "mean_class", "ece")},
        "chance_top1": round(1 / len(labels), 4),
        "chance_top5": round(min(5 / len(labels), 1), 4),
        "right_by_label": {label: f"{right[label]}/{counts[label]}" for label in sorted(counts)},
    }


def among(probabilities: Probabilities, truth: Truth, known: Sequence[int]) -> tuple[Probabilities, Truth]:
    """The same answers when only some labels compete."""
    places = {number: place for place, number in enumerate(known)}
    chosen = probabilities[:, list(known)]
    chosen = chosen / np.maximum(chosen.sum(axis=1, keepdims=True), 1e-12)
    return chosen.astype(np.float32), np.array([places[int(number)] for number in truth], np.int64)


def decoded(
    clips: Sequence[RealClip], preprocessing: Preprocessing, labels: Sequence[str]
) -> Iterable[tuple[NDArray[np.uint8], Truth]]:
    """Real clips as the program itself would hand them to the network, one a batch."""
    for clip in clips:
        with FrameReader(clip.path, threads=1) as reader:
            count = len(reader)
            if count == 0:
                raise UnreadableVideoError(clip.path, "it has no frames")
            size = preprocessing.decode_size(reader.shape.width, reader.shape.height)
            places = preprocessing.positions(count, float(reader.index.fps))
            frames = preprocessing.crop(reader.read_many(places, size=size))
        yield frames[None], np.array([labels.index(clip.label)], np.int64)


if __name__ == "__main__":
    main()
