"""Writes a measured fine-tuning as a model to share or install, its figures on its card.

    python -m training.finetune_export --run RUN --split official-1 --out hmdb51.safetensors

The card says what it was trained on and how, how it was measured, and what its split owes to films that are in both
parts. RUN must have been measured (training.evaluate --official). ``vidlabel models import`` takes the file in.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from training.hmdb51 import RANDOM, SPLITS
from vidlabel.core.errors import FormatError, VidlabelError
from vidlabel.ml.modelfile import ModelInfo, load_model, save_model

DATA_WORDS = {
    "what": "HMDB51 (Kuehne et al., ICCV 2011): clips from films and uploads, 51 actions",
    "licence": "HMDB51 states CC BY 4.0; the film footage in it has its own owners",
}
LIMITS = (
    "HMDB51 shows people in films and uploads, mostly large in the picture. On other footage it is worse than its "
    "figures say.",
    "It always suggests one of its labels, also for a clip that shows none of them.",
    "Its confidence was not calibrated on your clips.",
)


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--run", type=Path, required=True, help="folder of training.finetune")
    parser.add_argument("--split", choices=SPLITS, default="official-1", help="whose model")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--name", help="what people shall call it")
    parser.add_argument("--weights", choices=("float32", "float16"), default="float32")
    options = parser.parse_args(arguments)
    try:
        info = export(options.run, options.split, options.out, name=options.name, weights=options.weights)
    except (VidlabelError, OSError) as error:
        sys.exit(str(error))
    print(json.dumps({"name": info.name, "hash": info.hash, "path": str(info.path)}))


def export(
    run: Path, split: str, out: Path, *, name: str | None = None, weights: Any = "float32"
) -> ModelInfo:
    """Writes the model of one split with its card.

    Raises:
        ModelError: there is no such model.
        FormatError: the run was not measured, or this split of it was not.
        OSError: the file cannot be written.
    """
    loaded = load_model(run / split / "model.safetensors")
    scores = run / "scores.json"
    if not scores.is_file():
        raise FormatError(scores, "the run was not measured. Do so with training.evaluate --official.")
    measured = json.loads(scores.read_text(encoding="utf-8"))
    if split not in measured["splits"]:
        raise FormatError(scores, f"{split} was not measured. Do so with training.evaluate --official.")
    info = loaded.info
    return save_model(
        out,
        loaded.module,
        name=name or info.name,
        network=info.network,
        labels=info.labels,
        preprocessing=info.preprocessing,
        network_args=info.network_args,
        card=card_of(info, split, measured),
        license=info.license,
        weights=weights,
    )


def card_of(info: ModelInfo, split: str, measured: dict[str, Any]) -> dict[str, Any]:
    """The card out of the run's own record and its figures."""
    own, recipe, manner = measured["splits"][split], info.card["recipe"], measured["manner"]
    leaked = own["leak"]["label_siblings"] / max(1, own["leak"]["test"])
    summary = (
        f"{info.network} fine-tuned on HMDB51, from {recipe['base']}. Right first on {own['top1']:.1%} of the "
        f"{own['clips']} clips of the test part of {split}, right label among its first five on {own['top5']:.1%}."
    )
    if split == RANDOM:
        summary += (
            f" This split deals clips by chance: {leaked:.0%} of the test clips have a sibling of the same label from "
            "the same film in train, so the figure is higher than on films it never saw."
        )
    looks = manner["clips"] * manner["crops"] * (2 if manner["flip"] else 1)
    return {
        "summary": summary,
        "licence": info.license,
        "trained_on": [{"source": f"HMDB51, {split}, train part", "clips": recipe["clips"], **DATA_WORDS}],
        "recipe": recipe,
        "scores": [
            {
                "set": split,
                "on": f"HMDB51 {split}, test part, {looks} looks a clip",
                **{key: own[key] for key in ("clips", "top1", "top5", "mean_class", "ece", "unreadable")},
                "same_label_sibling": own["same_label_sibling"],
                "any_sibling": own["any_sibling"],
            }
        ],
        "scores_note": (
            "A sibling is a clip of the train part that was cut from the same film or upload. "
            "Nothing was chosen by the test part."
        ),
        "official_mean": measured["official_mean"],
        "limits": list(LIMITS),
    }


if __name__ == "__main__":
    main()
