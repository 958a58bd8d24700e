"""A model is one safetensors file: the weights, and in its metadata all that is needed to use them.

Each metadata value is JSON text, under the keys of ``_KEYS``. ``read_info`` needs no torch; ``load_model``
does. Nothing is ever unpickled: a model may come from anybody.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from vidlabel.core.errors import ModelError
from vidlabel.ml.files import write_whole
from vidlabel.ml.header import Header, read_header
from vidlabel.ml.preprocess import Preprocessing

if TYPE_CHECKING:
    import torch
    from torch import nn

    from vidlabel.ml.networks import Embedder

FORMAT_VERSION = 1
_KEYS = ("format", "name", "network", "network_args", "labels", "preprocessing", "card", "created", "license")

Weights = Literal["float32", "float16"]


@dataclass(frozen=True)
class ModelInfo:
    """What is known of a model without loading its weights.

    Attributes:
        name: what people call it.
        hash: sha256 of the whole file, in hex: what a project records.
        network: the network's name, one of ``networks.names()``.
        network_args: the network's own arguments.
        labels: in the order of the network's outputs.
        preprocessing: how clips are prepared for it.
        card: what it was trained on and how well it does (free JSON values).
        path: where the file lies.
        created: UTC time of making, ISO 8601.
        license: of the weights.
    """

    name: str
    hash: str
    network: str
    network_args: dict[str, Any]
    labels: tuple[str, ...]
    preprocessing: Preprocessing
    card: dict[str, Any]
    path: Path
    created: str = ""
    license: str = ""


@dataclass(frozen=True)
class LoadedModel:
    """A model ready to be put on a device: ``module`` is float32, on the CPU and in eval mode."""

    info: ModelInfo
    module: Embedder


def read_info(path: Path) -> ModelInfo:
    """Reads the metadata and the hash, not the weights.

    Raises:
        ModelError: the file is missing, damaged, no model of vidlabel's, or made by a newer vidlabel.
    """
    return _info(path, read_header(path))


def save_model(
    path: Path,
    network_module: nn.Module,
    *,
    name: str,
    network: str,
    labels: Sequence[str],
    preprocessing: Preprocessing,
    network_args: Mapping[str, Any] | None = None,
    card: Mapping[str, Any] | None = None,
    created: str | None = None,
    license: str = "",
    weights: Weights = "float32",
) -> ModelInfo:
    """Writes one model file, whole or not at all.

    Args:
        path: the file to make or replace; its folder is made where needed.
        network_module: what ``networks.build(network, labels=len(labels), **network_args)`` gave, trained.
        name: what people shall call it.
        network: one of ``networks.names()``.
        labels: in the order of the network's outputs.
        preprocessing: how clips are prepared for it.
        network_args: JSON values handed to ``build``.
        card: JSON values for people: data, method, measured accuracy, limits.
        created: ISO 8601; None is now.
        license: of the weights.
        weights: ``"float16"`` halves the file; it is loaded as float32 all the same.

    Raises:
        ModelError: a weight is not a finite number, or labels and network do not go together.
        OSError: the file cannot be written.
    """
    import torch
    from safetensors.torch import save

    if not name.strip():
        raise ModelError(str(path), "a model needs a name.")
    dtype = torch.float16 if weights == "float16" else torch.float32
    state = {
        key: (
            value.detach().to("cpu", dtype) if value.is_floating_point() else value.detach().to("cpu")
        ).contiguous()
        for key, value in network_module.state_dict().items()
    }
    _refuse_not_finite(str(path), state)
    _refuse_other_head(str(path), state, len(labels))
    values: dict[str, object] = {
        "format": FORMAT_VERSION,
        "name": name,
        "network": network,
        "network_args": dict(network_args or {}),
        "labels": list(labels),
        "preprocessing": preprocessing.to_json(),
        "card": dict(card or {}),
        "created": created if created is not None else datetime.now(UTC).isoformat(timespec="seconds"),
        "license": license,
    }
    metadata = {key: json.dumps(values[key], ensure_ascii=False, sort_keys=True) for key in _KEYS}
    _info_values(str(path), metadata)
    write_whole(path, save(state, metadata=metadata))
    return read_info(path)


def load_model(path: Path) -> LoadedModel:
    """Reads the weights into the network they belong to.

    Raises:
        ModelError: all that ``read_info`` refuses, and weights that are not this network's, not for this
            many labels, or not finite.
    """
    header = read_header(path)
    info = _info(path, header)
    from safetensors import SafetensorError
    from safetensors.torch import load

    from vidlabel.ml.networks import build

    try:
        # Through memory and not a mapping: an open mapping keeps the file from being replaced on Windows.
        state = load(path.read_bytes())
    except (OSError, SafetensorError) as error:
        raise ModelError(
            str(path), f"its weights cannot be read: {error}. Fetch or copy it again."
        ) from error
    _refuse_not_finite(str(path), state)
    _refuse_other_head(str(path), state, len(info.labels))
    try:
        module = build(info.network, labels=len(info.labels), **info.network_args)
    except ModelError as error:
        raise ModelError(str(path), f"its network {info.network} is not to be had: {error.reason}") from error
    _refuse_mismatch(info, module.state_dict(), state)
    module.load_state_dict(state, strict=True)
    module.eval()
    return LoadedModel(info, module)


def _info(path: Path, header: Header) -> ModelInfo:
    if "format" not in header.metadata or "network" not in header.metadata:
        raise ModelError(
            str(path), "it holds weights, but is no model of vidlabel's. Try `vidlabel models import`."
        )
    values = _info_values(str(path), header.metadata)
    status = path.stat()
    return ModelInfo(
        name=values["name"],
        hash=_hash(path, status.st_size, status.st_mtime_ns),
        network=values["network"],
        network_args=values["network_args"],
        labels=tuple(values["labels"]),
        preprocessing=values["preprocessing"],
        card=values["card"],
        path=path,
        created=values["created"],
        license=values["license"],
    )


@lru_cache(maxsize=256)
def _hash(path: Path, size: int, modified_ns: int) -> str:
    """sha256 of the file; ``size`` and ``modified_ns`` make it be read again once it changed."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _info_values(model: str, metadata: Mapping[str, str]) -> dict[str, Any]:
    """The metadata as checked values."""
    try:
        values: dict[str, Any] = {key: json.loads(metadata[key]) for key in _KEYS if key in metadata}
    except (json.JSONDecodeError, RecursionError) as error:
        raise ModelError(model, f"its description is damaged: {error}. Fetch or copy it again.") from error
    version = values.get("format")
    if type(version) is not int or version < 1:
        raise ModelError(model, "its description has no format version. Fetch or copy it again.")
    if version > FORMAT_VERSION:
        raise ModelError(
            model, f"it was made by a newer vidlabel (format {version}). Update vidlabel to use it."
        )
    missing = [key for key in _KEYS if key not in values]
    if missing:
        raise ModelError(model, f"its description lacks {', '.join(missing)}. Fetch or copy it again.")
    kinds = dict.fromkeys(("name", "network", "created", "license"), str) | dict.fromkeys(
        ("network_args", "card"), dict
    )
    for key, kind in kinds.items():
        if not isinstance(values[key], kind):
            raise ModelError(model, f"its description of {key} is damaged. Fetch or copy it again.")
    labels = values["labels"]
    if (
        not isinstance(labels, list)
        or not labels
        or not all(isinstance(label, str) and label for label in labels)
    ):
        raise ModelError(model, "its list of labels is empty or damaged.")
    if len(set(labels)) != len(labels):
        raise ModelError(model, "a label stands twice in its list of labels.")
    try:
        values["preprocessing"] = Preprocessing.from_json(values["preprocessing"])
    except (TypeError, ValueError) as error:
        raise ModelError(model, f"its preprocessing cannot be used: {error}.") from error
    return values


def _refuse_not_finite(model: str, state: Mapping[str, torch.Tensor]) -> None:
    import torch

    for key, value in state.items():
        if value.is_floating_point() and not bool(torch.isfinite(value).all()):
            raise ModelError(
                model, f"weight {key} holds values that are no numbers. Its training went wrong."
            )


def _refuse_other_head(model: str, state: Mapping[str, torch.Tensor], labels: int) -> None:
    head = state.get("head.weight")
    if head is not None and head.ndim == 2 and head.shape[0] != labels:
        raise ModelError(
            model, f"its network tells {head.shape[0]} labels apart, but its list names {labels}."
        )


def _refuse_mismatch(
    info: ModelInfo, wanted: Mapping[str, torch.Tensor], found: Mapping[str, torch.Tensor]
) -> None:
    missing, unexpected = sorted(set(wanted) - set(found)), sorted(set(found) - set(wanted))
    others = sorted(key for key in set(wanted) & set(found) if wanted[key].shape != found[key].shape)
    reasons = [
        f"{len(keys)} {what} (first {keys[0]})"
        for keys, what in ((missing, "weights are missing"), (unexpected, "weights do not belong to it"))
        if keys
    ]
    if others:
        found_shape, wanted_shape = tuple(found[others[0]].shape), tuple(wanted[others[0]].shape)
        first = f"first {others[0]}: {found_shape}, not {wanted_shape}"
        reasons.append(f"{len(others)} weights have another shape ({first})")
    if reasons:
        raise ModelError(
            str(info.path), f"its weights are not those of {info.network}: {'; '.join(reasons)}."
        )
