"""A model is one safetensors file: the weights, and in its metadata all that is needed to use them.

The metadata is described in ``ml.description``. ``read_info`` needs no torch; ``load_model`` does. Nothing is
ever unpickled: a model may come from anybody.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from vidlabel.core.errors import ModelError
from vidlabel.ml.canonical import canonical
from vidlabel.ml.description import FORMAT_VERSION, GROUPING, from_metadata, to_metadata
from vidlabel.ml.files import write_whole
from vidlabel.ml.grouping import Grouping
from vidlabel.ml.header import Header, header_of, opened, read_header
from vidlabel.ml.preprocess import Preprocessing
from vidlabel.ml.weights import refuse_mismatch, refuse_not_finite, refuse_other_head

if TYPE_CHECKING:
    import torch
    from torch import nn

    from vidlabel.ml.networks import Embedder

__all__ = [
    "FORMAT_VERSION",
    "LoadedModel",
    "ModelInfo",
    "load_model",
    "model_bytes",
    "read_info",
    "save_model",
]

Weights = Literal["float32", "float16"]


@dataclass(frozen=True)
class ModelInfo:
    """What is known of a model without loading its weights.

    Attributes:
        name: what people call it.
        hash: sha256 of the whole file, in hex: what a project records.
        network: the network's name, one of ``networks.names()``.
        network_args: the network's own arguments.
        labels: what it can suggest, in the order of the network's outputs.
        preprocessing: how clips are prepared for it.
        card: what it was trained on and how well it does (free JSON values).
        path: where the file lies.
        created: UTC time of making, ISO 8601.
        license: of the weights.
        grouping: of a network whose head knows other classes than the labels: which mean which.
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
    grouping: Grouping | None = None


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
    header = read_header(path)
    status = path.stat()
    return _info(path, header, file_hash=lambda: _hash(path, status.st_size, status.st_mtime_ns))


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
    grouping: Grouping | None = None,
) -> ModelInfo:
    """Writes one model file, whole or not at all.

    Args:
        path: the file to make or replace; its folder is made where needed.
        network_module: what ``networks.build(network, labels=…, **network_args)`` gave, trained.
        name: what people shall call it.
        network: one of ``networks.names()``.
        labels: in the order of the network's outputs.
        preprocessing: how clips are prepared for it.
        network_args: JSON values handed to ``build``.
        card: JSON values for people: data, method, measured accuracy, limits.
        created: ISO 8601; None is now.
        license: of the weights.
        weights: ``"float16"`` halves the file; it is loaded as float32 all the same.
        grouping: where the head tells classes apart that are not the labels; as many groups as labels.

    Raises:
        ModelError: a weight is not a finite number, or labels and network do not go together.
        OSError: the file cannot be written.
    """
    content = model_bytes(
        str(path),
        network_module.state_dict(),
        name=name,
        network=network,
        labels=labels,
        preprocessing=preprocessing,
        network_args=network_args,
        card=card,
        created=created,
        license=license,
        weights=weights,
        grouping=grouping,
    )
    write_whole(path, content)
    return read_info(path)


def model_bytes(
    model: str,
    state: Mapping[str, torch.Tensor],
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
    grouping: Grouping | None = None,
) -> bytes:
    """The content of a model file, as ``save_model`` writes it; ``model`` is how errors name it."""
    import torch
    from safetensors.torch import save

    if not name.strip():
        raise ModelError(model, "a model needs a name.")
    dtype = torch.float16 if weights == "float16" else torch.float32
    stored = {
        key: (
            value.detach().to("cpu", dtype) if value.is_floating_point() else value.detach().to("cpu")
        ).contiguous()
        for key, value in state.items()
    }
    refuse_not_finite(model, stored)
    _refuse_head(model, stored, labels, grouping)
    values: dict[str, object] = {
        "name": name,
        "network": network,
        "network_args": dict(network_args or {}),
        "labels": list(labels),
        "preprocessing": preprocessing.to_json(),
        "card": dict(card or {}),
        "created": created if created is not None else datetime.now(UTC).isoformat(timespec="seconds"),
        "license": license,
    }
    return canonical(save(stored, metadata=to_metadata(model, values, grouping=grouping)))


def load_model(path: Path) -> LoadedModel:
    """Reads the weights into the network they belong to.

    Raises:
        ModelError: all that ``read_info`` refuses, and weights that are not this network's, not for this
            many labels, or not finite.
    """
    # Once, so that all is of the same file even if another takes its place now. Through memory and not a mapping:
    # an open mapping keeps the file from being replaced on Windows.
    with opened(path) as file:
        content = file.read()
    header = header_of(path, io.BytesIO(content), size=len(content))
    info = _info(path, header, file_hash=lambda: hashlib.sha256(content).hexdigest())
    from safetensors import SafetensorError
    from safetensors.torch import load

    from vidlabel.ml.networks import build

    try:
        state = load(content)
    except SafetensorError as error:
        raise ModelError(
            str(path), f"its weights cannot be read: {error}. Fetch or copy it again."
        ) from error
    refuse_not_finite(str(path), state)
    _refuse_head(str(path), state, info.labels, info.grouping)
    try:
        module = build(info.network, labels=_classes(info.labels, info.grouping), **info.network_args)
    except ModelError as error:
        raise ModelError(str(path), f"its network {info.network} is not to be had: {error.reason}") from error
    refuse_mismatch(str(path), info.network, wanted=module.state_dict(), found=state)
    module.load_state_dict(state, strict=True)
    if info.grouping is not None:
        module.group(info.grouping)
    module.eval()
    return LoadedModel(info, module)


def _info(path: Path, header: Header, *, file_hash: Callable[[], str]) -> ModelInfo:
    if "format" not in header.metadata or "network" not in header.metadata:
        raise ModelError(
            str(path), "it holds weights, but is no model of vidlabel's. Try `vidlabel models import`."
        )
    values = from_metadata(str(path), header.metadata)
    return ModelInfo(
        name=values["name"],
        hash=file_hash(),
        network=values["network"],
        network_args=values["network_args"],
        labels=tuple(values["labels"]),
        preprocessing=values["preprocessing"],
        card=values["card"],
        path=path,
        created=values["created"],
        license=values["license"],
        grouping=values[GROUPING],
    )


@lru_cache(maxsize=256)
def _hash(path: Path, size: int, modified_ns: int) -> str:
    """sha256 of the file; ``size`` and ``modified_ns`` make it be read again once it changed."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _classes(labels: Sequence[str], grouping: Grouping | None) -> int:
    """How many classes the head tells apart."""
    return len(labels) if grouping is None else len(grouping.classes)


def _refuse_head(
    model: str, state: Mapping[str, torch.Tensor], labels: Sequence[str], grouping: Grouping | None
) -> None:
    called = "labels" if grouping is None else "classes"
    refuse_other_head(model, state, _classes(labels, grouping), called=called)
