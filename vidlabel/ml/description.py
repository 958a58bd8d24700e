"""The metadata of a model file as checked values. Each value is JSON text under one of ``KEYS``; no torch."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from vidlabel.core.errors import ModelError
from vidlabel.ml.grouping import Grouping
from vidlabel.ml.preprocess import Preprocessing

FORMAT_VERSION = 2
"""Version 2 may have ``grouping``; files without are written as version 1, which older vidlabels read."""

KEYS = ("format", "name", "network", "network_args", "labels", "preprocessing", "card", "created", "license")
GROUPING = "grouping"


def to_metadata(model: str, values: Mapping[str, Any], *, grouping: Grouping | None) -> dict[str, str]:
    """The texts to store, checked by reading them back.

    Args:
        model: how errors name the model.
        values: JSON values for all ``KEYS`` but ``format``.
        grouping: see ``ModelInfo``.

    Raises:
        ModelError: a value would not be read again.
    """
    stored: dict[str, Any] = {**values, "format": 1 if grouping is None else FORMAT_VERSION}
    if grouping is not None:
        stored[GROUPING] = grouping.to_json()
    metadata = {key: json.dumps(value, ensure_ascii=False, sort_keys=True) for key, value in stored.items()}
    from_metadata(model, metadata)
    return metadata


def from_metadata(model: str, metadata: Mapping[str, str]) -> dict[str, Any]:
    """The stored texts as checked values; ``preprocessing`` and ``grouping`` (or None) as such.

    Raises:
        ModelError: a value is missing, damaged, or of a newer vidlabel.
    """
    try:
        values: dict[str, Any] = {
            key: json.loads(metadata[key]) for key in (*KEYS, GROUPING) if key in metadata
        }
    except (json.JSONDecodeError, RecursionError) as error:
        raise ModelError(model, f"its description is damaged: {error}. Fetch or copy it again.") from error
    version = values.get("format")
    if type(version) is not int or version < 1:
        raise ModelError(model, "its description has no format version. Fetch or copy it again.")
    if version > FORMAT_VERSION:
        raise ModelError(
            model, f"it was made by a newer vidlabel (format {version}). Update vidlabel to use it."
        )
    missing = [key for key in KEYS if key not in values]
    if missing:
        raise ModelError(model, f"its description lacks {', '.join(missing)}. Fetch or copy it again.")
    kinds = dict.fromkeys(("name", "network", "created", "license"), str) | dict.fromkeys(
        ("network_args", "card"), dict
    )
    for key, kind in kinds.items():
        if not isinstance(values[key], kind):
            raise ModelError(model, f"its description of {key} is damaged. Fetch or copy it again.")
    _check_labels(model, values["labels"])
    try:
        values["preprocessing"] = Preprocessing.from_json(values["preprocessing"])
    except (TypeError, ValueError) as error:
        raise ModelError(model, f"its preprocessing cannot be used: {error}.") from error
    values[GROUPING] = _grouping(model, values.get(GROUPING), labels=len(values["labels"]))
    return values


def _check_labels(model: str, labels: object) -> None:
    if (
        not isinstance(labels, list)
        or not labels
        or not all(isinstance(label, str) and label for label in labels)
    ):
        raise ModelError(model, "its list of labels is empty or damaged.")
    if len(set(labels)) != len(labels):
        raise ModelError(model, "a label stands twice in its list of labels.")


def _grouping(model: str, value: object, *, labels: int) -> Grouping | None:
    if value is None:
        return None
    try:
        if not isinstance(value, dict):
            raise ValueError("it is no table")
        grouping = Grouping.from_json(value)
    except ValueError as error:
        raise ModelError(model, f"its grouping of classes cannot be used: {error}.") from error
    if len(grouping.groups) != labels:
        raise ModelError(
            model,
            f"its classes are gathered into {len(grouping.groups)} labels, but its list names {labels}.",
        )
    return grouping
