"""Says which of several models is best on clips that neither trained nor tested one: how a new version is chosen.

    python -m training.compare --work WORK --models OLD.safetensors RUN/model.safetensors

The check clips (training.make_clips, kinds ``figures-check`` and ``silhouettes-check``) are figures of a seed of their
own and the silhouettes whose names match no line of the official split, so that they are in neither part. The rule was
set before the first comparison: the higher mean of the two top-1 accuracies, all labels competing. No real clip and
nothing that training.evaluate measures is looked at.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from training.shards import Shards
from vidlabel.learning.evaluate import evaluate_probabilities, predict_all
from vidlabel.ml.devices import choose_device
from vidlabel.ml.modelfile import load_model
from vidlabel.ml.predictor import Predictor

CHECKS = ("figures-check", "silhouettes-check")


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--work", type=Path, required=True, help="folder with the check shards")
    parser.add_argument("--models", type=Path, nargs="+", required=True)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args(arguments)
    found = {str(path): check(path, work=options.work, threads=options.threads) for path in options.models}
    best = max(found, key=lambda name: found[name]["mean_top1"])
    print(json.dumps({"best": best, "models": found}, indent=1))


def check(model: Path, *, work: Path, threads: int) -> dict[str, float]:
    """Top-1 and top-5 (0 to 1) on each kind of check clips, and ``mean_top1``, which decides."""
    predictor = Predictor(load_model(model), choose_device("cpu"), threads=threads)
    side, labels = predictor.info.preprocessing.height, predictor.info.labels
    scores: dict[str, float] = {}
    for kind in CHECKS:
        answers = predict_all(predictor, Shards(work, kind).batches(32, side=side))
        found = evaluate_probabilities(*answers, tuple(labels))
        scores[f"{kind} top1"], scores[f"{kind} top5"] = round(found.top1, 4), round(found.top5, 4)
    scores["mean_top1"] = round(sum(scores[f"{kind} top1"] for kind in CHECKS) / len(CHECKS), 4)
    return scores


if __name__ == "__main__":
    main()
