"""Reads the header of a safetensors file with nothing but the standard library.

The layout is 8 bytes (little-endian length of the header), the header (JSON), then the tensors' bytes.
Listing the installed models must not cost the import of torch, and a file from elsewhere must be refused
before it is trusted.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from vidlabel.core.errors import ModelError

_LONGEST_HEADER = 100_000_000  # The limit of the safetensors library itself.
_BYTES = {
    **dict.fromkeys(("BOOL", "U8", "I8", "F8_E4M3", "F8_E5M2"), 1),
    **dict.fromkeys(("I16", "U16", "F16", "BF16"), 2),
    **dict.fromkeys(("I32", "U32", "F32"), 4),
    **dict.fromkeys(("I64", "U64", "F64"), 8),
}


@dataclass(frozen=True)
class Header:
    """What stands before the tensors: the free text ``metadata``, and the tensors' ``shapes`` by name."""

    metadata: dict[str, str]
    shapes: dict[str, tuple[int, ...]]


def read_header(path: Path) -> Header:
    """Reads and checks the header against the size of the file.

    Raises:
        ModelError: there is no such file, it cannot be read, is cut short, or is no safetensors file.
    """
    with opened(path) as file:
        return header_of(path, file, size=path.stat().st_size)


@contextmanager
def opened(path: Path) -> Iterator[BinaryIO]:
    """A model file to read from.

    Raises:
        ModelError: there is no such file, or it cannot be read.
    """
    try:
        with path.open("rb") as file:
            yield file
    except FileNotFoundError as error:
        raise ModelError(
            str(path), "there is no such file. `vidlabel models list` shows what is installed."
        ) from error
    except OSError as error:
        raise ModelError(str(path), f"it cannot be read: {error.strerror or error}.") from error


def header_of(path: Path, file: BinaryIO, *, size: int) -> Header:
    """The header that ``file``, of ``size`` bytes, begins with; ``path`` is how errors name it.

    Raises:
        ModelError: it is cut short, or no safetensors file.
    """
    start = file.read(8)
    length = int.from_bytes(start, "little")
    if len(start) < 8 or not 2 <= length <= min(_LONGEST_HEADER, size - 8):
        raise ModelError(str(path), _not_a_model(start, length, size=size))
    text = file.read(length)
    try:
        values = json.loads(text)
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        raise ModelError(
            str(path), "it is no safetensors file, or its header is damaged. Fetch it again."
        ) from error
    return _checked(path, values, tensor_bytes=size - 8 - length)


def _not_a_model(start: bytes, length: int, *, size: int) -> str:
    if size == 0:
        return "the file is empty. Fetch or copy it again."
    if start[:2] == b"PK" or start[:1] == b"\x80":
        return "it is a pickled file, which can run code. `vidlabel models import` takes state dicts."
    if length <= _LONGEST_HEADER and start[7:8] == b"\0" and len(start) == 8:
        return "the file is cut short. Fetch or copy it again."
    return "it is no safetensors file."


def _checked(path: Path, values: object, *, tensor_bytes: int) -> Header:
    """The header as values, when every tensor's bytes follow one another and end where the file ends."""
    damaged = ModelError(str(path), "its header is damaged. Fetch or copy it again.")
    if not isinstance(values, dict):
        raise damaged
    metadata = values.pop("__metadata__", {})
    if not isinstance(metadata, dict) or not all(isinstance(text, str) for text in metadata.values()):
        raise damaged
    places: list[tuple[int, int]] = []
    shapes: dict[str, tuple[int, ...]] = {}
    for name, tensor in values.items():
        begin, end, shape = _place(tensor, damaged)
        places.append((begin, end))
        shapes[name] = shape
    reached = 0
    for begin, end in sorted(places):
        if begin != reached:
            raise damaged
        reached = end
    if reached > tensor_bytes:
        missing = reached - tensor_bytes
        raise ModelError(str(path), f"the file is cut short by {missing} bytes. Fetch or copy it again.")
    if reached < tensor_bytes:
        raise ModelError(
            str(path), f"{tensor_bytes - reached} bytes too many follow the weights. Fetch it again."
        )
    return Header(metadata=metadata, shapes=shapes)


def _place(tensor: Any, damaged: ModelError) -> tuple[int, int, tuple[int, ...]]:
    """First byte, end byte and shape of one tensor, its size checked against its type."""
    try:
        begin, end = tensor["data_offsets"]
        shape = tuple(tensor["shape"])
        width = _BYTES[tensor["dtype"]]
    except (KeyError, TypeError, ValueError) as error:
        raise damaged from error
    numbers = (begin, end, *shape)
    if not all(type(number) is int and number >= 0 for number in numbers) or end - begin != width * math.prod(
        shape
    ):
        raise damaged
    return begin, end, shape
