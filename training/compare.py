"""Says which of several models is best on clips that neither trained nor tested one: how a new version is chosen.

    python -m training.compare --work WORK --models OLD.safetensors RUN/model.safetensors

The check clips (training.render) are people that no model is trained on, composed over places that no model is trained
on: outlines of whole films taken out of the official train part, and drawn figures of another seed. The rule was set
before the first comparison: the higher mean of the two top-1 accuracies, all labels competing. No real clip and nothing
that training.evaluate measures is looked at. (Versions 1 and 2 were chosen likewise, by earlier check clips.)
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from training.shards import Shards
from vidlabel.learning.calibration import calibrated, fit_temperature
from vidlabel.learning.evaluate import evaluate_probabilities, predict_all
from vidlabel.ml.devices import choose_device
from vidlabel.ml.modelfile import load_model
from vidlabel.ml.predictor import Predictor

CHECKS = ("composites-check", "drawn-check")


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--work", type=Path, required=True, help="folder with the check clips")
    parser.add_argument("--models", type=Path, nargs="+", required=True)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args(arguments)
    found = {str(path): check(path, work=options.work, threads=options.threads) for path in options.models}
    best = max(found, key=lambda name: found[name]["mean_top1"])
    print(json.dumps({"best": best, "models": found}, indent=1))


def check(model: Path, *, work: Path, threads: int) -> dict[str, float]:
    """Figures of each kind of check clips, and ``mean_top1``, which decides.

    Top-1 and top-5 (0 to 1), ECE as it is, and ECE with the temperature fitted on the other half of the clips.
    """
    predictor = Predictor(load_model(model), choose_device("cpu"), threads=threads)
    side, labels = predictor.info.preprocessing.height, predictor.info.labels
    scores: dict[str, float] = {}
    for kind in CHECKS:
        probabilities, truth = predict_all(predictor, Shards(work, kind).batches(32, side=side))
        found = evaluate_probabilities(probabilities, truth, tuple(labels))
        # Neighbours are other people: halves of all the labels, each measured with the other's temperature.
        halves = (slice(0, None, 2), slice(1, None, 2))
        temperatures = [fit_temperature(probabilities[half], truth[half]) for half in halves]
        cross = [
            evaluate_probabilities(
                calibrated(probabilities[half], temperature), truth[half], tuple(labels)
            ).ece
            for half, temperature in zip(halves, reversed(temperatures), strict=True)
        ]
        scores |= {
            f"{kind} top1": round(found.top1, 4),
            f"{kind} top5": round(found.top5, 4),
            f"{kind} ece": round(found.ece, 4),
            f"{kind} ece calibrated": round(sum(cross) / 2, 4),
            f"{kind} temperature": round(fit_temperature(probabilities, truth), 3),
        }
    scores["mean_top1"] = round(sum(scores[f"{kind} top1"] for kind in CHECKS) / len(CHECKS), 4)
    return scores


if __name__ == "__main__":
    main()
