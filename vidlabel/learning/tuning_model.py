"""The model a run made: its card with where it comes from, its file, and its place among the installed ones."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vidlabel import __version__
from vidlabel.core.model_card import TRAINED_ON, trained_on
from vidlabel.core.runs import RunFolder, Tunes
from vidlabel.learning.run_order import RunOrder
from vidlabel.learning.tuning_measure import recalls
from vidlabel.ml.catalogue import installed_folder
from vidlabel.ml.files import write_whole
from vidlabel.ml.modelfile import ModelInfo, read_info, save_model

if TYPE_CHECKING:
    from vidlabel.learning.tuning_base import Begun

_TUNED = {
    Tunes.HEAD: "its last layer",
    Tunes.LAST: "its last two stages",
    Tunes.ALL: "all of its layers",
}


def write_model(
    folder: RunFolder, order: RunOrder, begun: Begun, *, fitted: Mapping[str, Any], left_out: int
) -> ModelInfo:
    """Writes the run's model with its card.

    Args:
        folder: of the run.
        order: what it was told to do.
        begun: its network, tuned.
        fitted: epochs, the best one, and its figures on the validation clips, as plain values.
        left_out: clips that could not be read.

    Raises:
        ModelError: a weight is not a finite number.
        OSError: the file cannot be written.
    """
    base = begun.base
    return save_model(
        folder.model,
        begun.network,
        name=order.name,
        network=base.network,
        network_args=base.network_args,
        labels=order.snapshot.labels,
        preprocessing=base.preprocessing,
        card=card_of(folder, order, begun, fitted=fitted, left_out=left_out),
        license=base.license,
    )


def card_of(
    folder: RunFolder, order: RunOrder, begun: Begun, *, fitted: Mapping[str, Any], left_out: int
) -> dict[str, Any]:
    """The card: the proof's figures are not on it, since the file is named by its content before they are measured."""
    base, snapshot, settings = begun.base, order.snapshot, order.settings
    train, validation = snapshot.of("train"), snapshot.of("validation")
    base_name = order.base_name or base.name
    licence = str(base.card.get("licence") or base.card.get("license") or base.license)
    seen = {clip.content_hash for clip in (*train, *validation)}
    earlier = base.card.get("lineage")
    metrics = {name: value for name, value in fitted["metrics"].items() if value is not None}
    card: dict[str, Any] = {
        "summary": (
            f"{base_name} with {_TUNED[settings.tunes]} fine-tuned on {len(train)} clips of "
            f"{len(snapshot.labels)} labels."
        ),
        "licence": licence,
        "trained_on": [
            *_listed(base.card.get("trained_on")),
            {
                "what": f"{len(train)} clips of the project's own, snapshot {snapshot.hash[:12]}",
                "clips": len(train),
                "licence": "the person's own footage",
            },
        ],
        "lineage": [
            *_listed(earlier),
            {
                "run": folder.name,
                "base": base_name,
                "base_hash": base.hash,
                "base_licence": licence,
                "snapshot": snapshot.hash,
                "split": snapshot.split,
                "sources": snapshot.sources,
                "clips": {"train": len(train), "validation": len(validation), "left_out": left_out},
                "head": "kept" if begun.kept_head else "new",
                "settings": settings.to_json(),
                "program": __version__,
                "epochs": fitted["epochs"],
                "best_epoch": fitted["best_epoch"],
            },
        ],
        "limits": [
            "Chosen by its validation clips; how it does on clips it never saw is in the proof of its run.",
            *_listed(base.card.get("limits")),
        ],
        TRAINED_ON: sorted(seen | trained_on(base.card)),
    }
    for kept in ("parameters", "gmacs", "attribution", "notice"):
        if kept in base.card:
            card[kept] = base.card[kept]
    if "val_top1" in metrics:
        card["scores"] = [
            {
                "set": "validation",
                "on": "validation clips of its own run, by which its best epoch was chosen",
                "clips": len(validation),
                "labels_competing": len(snapshot.labels),
                "top1": metrics["val_top1"],
                "mean_class": metrics["val_mean_class"],
                "recall": recalls(metrics),
            }
        ]
    return card


def place(model: Path) -> ModelInfo:
    """Copies a whole model file among the installed ones, under its hash; one that is there already stays.

    Raises:
        ModelError: the file is damaged.
        OSError: the folder of models takes no file.
    """
    info = read_info(model)
    placed = installed_folder() / f"{info.hash}.safetensors"
    if not placed.is_file() or read_info(placed).hash != info.hash:
        write_whole(placed, model.read_bytes())
    return read_info(placed)


def _listed(value: object) -> list[Any]:
    return list(value) if isinstance(value, list) else [] if value is None else [value]
