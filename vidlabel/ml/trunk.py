"""Which part of a model makes the embeddings, as a name: models that differ only in their head share it."""

from __future__ import annotations

import hashlib
import json
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vidlabel.core.errors import ModelError
from vidlabel.core.model_key import AUTO
from vidlabel.ml.header import read_header
from vidlabel.ml.modelfile import ModelInfo

_AFTER_THE_EMBEDDING = ("head.", "grouping.")
_WAY = 1
"""Goes up when clips come to be decoded or prepared in another way: what was kept before is then not used."""
_FLOATS: dict[str, np.dtype[Any]] = {"F16": np.dtype("<f2"), "F32": np.dtype("<f4"), "F64": np.dtype("<f8")}


def trunk_of(model: ModelInfo, *, precision: str = AUTO) -> str:
    """The name of a model's trunk: sha256, in hex, of its weights' values, its network and its preprocessing.

    Weights count as the float32 they are loaded as, so that a copy stored in another type has the same trunk.
    The first call for a file reads all of it.

    Args:
        model: which one.
        precision: in which it computes; another one sees a little differently.

    Raises:
        ModelError: the file is missing or damaged.
    """
    try:
        status = model.path.stat()
        weights = _weights(model.path, status.st_size, status.st_mtime_ns)
    except OSError as error:
        raise ModelError(str(model.path), f"it cannot be read: {error.strerror or error}.") from error
    about = {
        "way": _WAY,
        "weights": weights,
        "network": model.network,
        "arguments": model.network_args,
        "preprocessing": model.preprocessing.to_json(),
        "precision": precision,
    }
    return hashlib.sha256(json.dumps(about, sort_keys=True).encode()).hexdigest()


@lru_cache(maxsize=64)
def _weights(path: Path, size: int, modified_ns: int) -> str:
    """sha256 over the trunk's tensors by name; ``size`` and ``modified_ns`` make a changed file be read again."""
    read_header(path)
    digest = hashlib.sha256()
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        tensors: dict[str, Any] = json.loads(file.read(length))
        tensors.pop("__metadata__", None)
        for name in sorted(tensors):
            if name.startswith(_AFTER_THE_EMBEDDING):
                continue
            begin, end = tensors[name]["data_offsets"]
            file.seek(8 + length + begin)
            kind = tensors[name]["dtype"]
            values = _as_loaded(file.read(end - begin), kind)
            kind = "F32" if values.dtype == np.float32 else kind
            digest.update(f"{name} {kind} {tensors[name]['shape']}\n".encode())
            digest.update(values.tobytes())
    return digest.hexdigest()


def _as_loaded(content: bytes, kind: str) -> NDArray[Any]:
    """A tensor's values flat; floating ones as float32."""
    if kind == "BF16":
        return (np.frombuffer(content, "<u2").astype("<u4") << 16).view("<f4")
    if kind in _FLOATS:
        return np.frombuffer(content, _FLOATS[kind]).astype("<f4")
    return np.frombuffer(content, np.uint8)
