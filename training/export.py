"""Measures a trained model and writes it with its card, as the program ships it.

    python -m training.export --model RUN/model.safetensors --work WORK --out resources/models/bundled.safetensors

The card (JSON, in the file's metadata; written beside it as ``.card.json`` too, for reading) says what the model was
trained on, how, how well it does on what, which labels it never saw, and when to use another one.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from training.evaluate import measure
from training.files import write_whole
from training.sources import DATA
from vidlabel.ml.devices import choose_device
from vidlabel.ml.modelfile import ModelInfo, load_model, save_model
from vidlabel.ml.predictor import Predictor

LICENCE = (
    "Apache-2.0 for the weights; of the sources see the card (the silhouettes state no licence: research use)"
)

SOURCES = {
    "silhouettes": {
        "what": (
            "silhouettes of people in real HMDB51 clips (JHMDB, Jhuang et al., ICCV 2013), official split 1, "
            "train part, 21 labels, composited over moving textures; sequences from the films of the real test "
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

LIMITS = (
    "It never saw a real picture in training: only drawn figures and outlines of real people over textures. On real "
    "footage it is a first guess, often wrong; the scores say how often.",
    "It judges by movement and outline. Labels that differ by a small object or by the face (chew, smile, talk, "
    "laugh, eat, drink, smoke, kiss) are weak, and so are labels with two people and scenes with a crowd.",
    "Its movement for most labels is written by a few rules and shows less variety than people do.",
    "Its confidence was not calibrated on real clips.",
    "For work that matters, go through its suggestions and correct them by hand, which is what this version of the "
    "program offers. Better models will be installable in a later version.",
)


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", type=Path, required=True, help="what training.train made")
    parser.add_argument("--work", type=Path, required=True, help="folder with the test shards")
    parser.add_argument(
        "--data", type=Path, default=DATA, help="folder with the footage (default: ../shared/data)"
    )
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--version", default="1")
    parser.add_argument(
        "--commands", nargs="*", default=[], help="the command lines that were run, for the card"
    )
    parser.add_argument(
        "--device-words", default="one CPU core", help="the machine in general terms, for the card"
    )
    parser.add_argument(
        "--chosen",
        default="the last weights (running average); nothing was chosen by the test clips",
        help="how these weights were chosen among others, for the card",
    )
    parser.add_argument(
        "--interim", action="store_true", help="say on the card that a longer training is under way"
    )
    options = parser.parse_args(arguments)
    loaded = load_model(options.model)
    scores = measure(Predictor(loaded, choose_device("cpu"), threads=1), work=options.work, data=options.data)
    card = card_of(
        loaded.info,
        scores,
        version=options.version,
        commands=options.commands,
        device=options.device_words,
        chosen=options.chosen,
        interim=options.interim,
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
    interim: bool = False,
) -> dict[str, Any]:
    """The card out of the training's own record and the measured scores."""
    recipe = info.card["recipe"]
    untrained = [label for label in info.labels if label not in recipe["labels_seen"]]
    real, outlines = scores["real_other"], scores["silhouettes_test_21"]
    fencing = scores["real_fencing"]
    few = {name: scores[name] for name in ("real_hmdb51", "real_ucf101")}
    summary = (
        "A small 3D-CNN for the 51 labels of HMDB51, trained from scratch on drawn figures and on silhouettes of "
        f"real people, never on a real picture. Right first on {outlines['top1']:.0%} of {outlines['clips']} unseen "
        f"real silhouettes (21 labels compete) and, with all 51 competing, on {real['top1']:.0%} of {real['clips']} "
        f"real clips of other labels than fencing (right label among its first five: {real['top5']:.0%}) and on "
        f"{fencing['top1']:.0%} of {fencing['clips']} real fencing clips ({fencing['top5']:.0%}). Guessing gives 2% "
        "and 10%. A first guess, not a judge."
    )
    if real["top1"] < 2 * real["chance_top1"]:
        summary += " On real clips other than fencing it is so far no better than guessing."
    if interim:
        summary += " An interim version: a longer training of the same recipe replaces it."
    return {
        "summary": summary,
        "version": version,
        "licence": LICENCE,
        "trained_on": [
            {"source": kind, "clips_rendered": count, **SOURCES[kind]}
            for kind, count in recipe["kinds"].items()
        ],
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
        },
        "scores": [{"on": _ON[name], "set": name, **values} for name, values in scores.items()],
        "scores_note": (
            f"Real clips are few ({few['real_hmdb51']['clips']} of HMDB51 besides fencing, "
            f"{few['real_ucf101']['clips']} of UCF101, the rest fencing from few films): their figures are rough. "
            "None was trained on, in picture or outline."
        ),
        "limits": list(LIMITS),
    }


_ON = {
    "silhouettes_test": "silhouettes of the official split-1 test part, composited; all 51 labels compete",
    "silhouettes_test_21": "the same silhouettes; only their 21 labels compete",
    "figures_test": "freshly rendered figures of another seed (the same movement rules and captures), 51 labels",
    "real_hmdb51": "real HMDB51 clips other than fencing, 51 labels",
    "real_fencing": "real HMDB51 and UCF101 fencing clips, 51 labels",
    "real_ucf101": "real UCF101 clips of classes that mean an HMDB51 label, 51 labels",
    "real_other": "real HMDB51 and UCF101 clips other than fencing, 51 labels",
    "real_all": "all real clips, 51 labels (seven in ten are fencing)",
    "real_21": "the real clips of the 21 labels that have silhouettes; only those labels compete",
}


if __name__ == "__main__":
    main()
