"""What a published or imported model's labels and card are: facts and their sources, nothing measured here."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from vidlabel.core.catalogue import PublishedModel, published_models
from vidlabel.core.errors import ModelError
from vidlabel.core.resources import resource_path
from vidlabel.ml import kinetics
from vidlabel.ml.grouping import Grouping
from vidlabel.ml.preprocess import Preprocessing

HMDB51 = 51


@dataclass(frozen=True)
class Labels:
    """What a head can suggest, the ``grouping`` that leads there, and in words ``how`` the labels were found."""

    labels: tuple[str, ...]
    grouping: Grouping | None
    how: str


def hmdb51_labels() -> tuple[str, ...]:
    """HMDB51's 51 labels, which stand in the order of the alphabet."""
    return tuple(json.loads(resource_path("label_sets/hmdb51.json").read_text(encoding="utf-8"))["labels"])


def labels_of(model: str, classes: int, *, given: Sequence[str] | None = None) -> Labels:
    """The labels of a head that tells ``classes`` classes apart.

    Args:
        model: how errors name it.
        classes: rows of the head.
        given: what somebody says they are, in the order of the head's outputs.

    Raises:
        ModelError: another number was given, or nothing says what the classes are.
    """
    if given is not None:
        if len(given) != classes:
            raise ModelError(model, _wrong_count(classes, len(given)))
        return Labels(tuple(given), None, "")
    if classes == HMDB51:
        return Labels(
            hmdb51_labels(),
            None,
            "Its labels were not stated and are taken to be HMDB51's 51 in the order of the alphabet.",
        )
    if classes == kinetics.CLASSES:
        return Labels(kinetics.suggestible(), kinetics.grouping(kinetics_classes()), _grouped_words())
    raise ModelError(
        model,
        f"it tells {classes} classes apart, and nothing says which. Give a text file with the {classes} names, one "
        "a line in the order of its outputs (--labels).",
    )


def kinetics_classes() -> tuple[str, ...]:
    """The 400 classes of Kinetics-400 in the order of torchvision's heads, from its own weights enum."""
    from torchvision.models import get_model_weights

    return tuple(next(iter(get_model_weights("r3d_18"))).meta["categories"])


def assumed_preprocessing(network: str, *, classes: int) -> tuple[Preprocessing, str] | None:
    """What the published weights of a network were made for, and whose they are; None if none are published."""
    wanted = "hmdb51" if classes == HMDB51 else "kinetics400"
    entries = sorted(
        (entry for entry in published_models() if entry.network == network),
        key=lambda entry: entry.classes != wanted,
    )
    if not entries:
        return None
    # Of several for the same classes the plain one is meant, with the more frames.
    alike = [entry for entry in entries if entry.classes == entries[0].classes]
    entry = max(alike, key=lambda one: one.frames)
    return Preprocessing.from_json(entry.preprocessing), entry.title


def published_card(entry: PublishedModel, labels: Labels, *, revision: str = "") -> dict[str, Any]:
    """The card of an installed published model.

    Args:
        entry: of the catalogue.
        labels: what it can suggest.
        revision: of the repository it was fetched from, if that has any.
    """
    card: dict[str, Any] = {
        "summary": entry.summary,
        "when": entry.when,
        "published": entry.name,
        "licence": entry.licence,
        "trained_on": [{"what": entry.trained_on, "licence": entry.licence}],
        "published_scores": [
            {"on": score.on, "top1": score.top1, "top5": score.top5, "source": score.source}
            for score in entry.scores
        ],
        "scores": [],
        "scores_note": "Nothing was measured by this project: the accuracies are those its publisher states.",
        "cannot_suggest": _cannot_suggest(labels),
        "limits": [*_limits(labels, entry.classes == "kinetics400"), *entry.notes],
        "parameters": entry.parameters,
        "gmacs": entry.gmacs,
    }
    return {**card, "revision": revision} if revision else card


def imported_card(
    file: str, labels: Labels, *, notes: Sequence[str], gmacs: float, parameters: int
) -> dict[str, Any]:
    """The card of weights that somebody brought; of what is not known it says so.

    Args:
        file: name of the file they came in.
        labels: what it can suggest.
        notes: what had to be assumed.
        gmacs: measured, see ``networks.cost``.
        parameters: counted.
    """
    return {
        "summary": f"Imported from {file}. What it was trained on, and how well it does, was not stated.",
        "when": "When you know where it comes from. Decide some clips to see how often its first suggestion is right.",
        "trained_on": [],
        "scores": [],
        "published_scores": [],
        "cannot_suggest": _cannot_suggest(labels),
        "limits": [*_limits(labels, grouped=labels.grouping is not None), *notes],
        "parameters": parameters,
        "gmacs": round(gmacs, 3),
    }


def _limits(labels: Labels, grouped: bool) -> list[str]:
    if not grouped:
        return [labels.how] if labels.how else []
    loose = [entry for entry in kinetics.counterparts() if entry.loosely and not entry.means]
    said = "; ".join(f"{entry.label}: {entry.note}" for entry in loose)
    return [
        labels.how or _grouped_words(),
        f"Known by related classes only. {said}",
    ]


def _cannot_suggest(labels: Labels) -> list[str]:
    return list(labels.grouping.without) if labels.grouping is not None else []


def _grouped_words() -> str:
    return (
        "It was trained for the 400 classes of Kinetics-400. A written table says which of them mean which label "
        f"({len(kinetics.suggestible())} of HMDB51's 51 have one); what falls on other classes is shared out over "
        "these labels, so it looks surer than it is on clips of other things."
    )


def _wrong_count(classes: int, given: int) -> str:
    wrong = f"it tells {classes} classes apart, but {given} labels were given. "
    if classes == kinetics.CLASSES:
        return wrong + "Give none to have its classes taken as those of Kinetics-400, or give all 400 names."
    if classes == HMDB51:
        return wrong + "Give none to have them taken as HMDB51's 51, or give 51."
    return wrong + f"Give the {classes} names in the order of its outputs."
