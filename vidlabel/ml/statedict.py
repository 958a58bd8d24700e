"""Reads weights that somebody else stored: safetensors, or a state dict of PyTorch's. Code is never run.

PyTorch's files are pickles, which can run code when they are opened; ``torch.load(weights_only=True)`` builds
nothing but tensors and plain values, and everything else is refused with words.
"""

from __future__ import annotations

import pickle
import re
import struct
import warnings
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vidlabel.core.errors import ModelError
from vidlabel.ml.header import read_header

if TYPE_CHECKING:
    import torch

# Where training scripts put the weights beside the epoch, the optimizer and the like.
_NESTED = ("state_dict", "model_state_dict", "model_state", "model", "network", "net", "weights", "params")

_SAVE_AGAIN = (
    "Open it where it was made and trusted, and save the weights alone: "
    "torch.save(model.state_dict(), 'weights.pt'), or better as safetensors."
)


def read_state(path: Path) -> dict[str, torch.Tensor]:
    """The tensors of a file by name, on the CPU.

    Raises:
        ModelError: there is no such file, it is damaged, or it holds anything but weights.
    """
    try:
        with path.open("rb") as file:
            start = file.read(16)
    except FileNotFoundError as error:
        raise ModelError(str(path), "there is no such file.") from error
    except OSError as error:
        raise ModelError(str(path), f"it cannot be read: {error.strerror or error}.") from error
    if start[:2] == b"PK":
        _refuse_other_archives(path)
        state = tensors_of(path, _unpickled(path))
    elif start[:1] == b"\x80":
        state = tensors_of(path, _unpickled(path))
    else:
        state = _safetensors(path, start)
    return {key: _plain(path, key, value) for key, value in state.items()}


def tensors_of(path: Path | str, content: object) -> dict[str, Any]:
    """The tensors among what a file held, be they at the top or under one of the usual names.

    Raises:
        ModelError: there are none.
    """
    import torch

    if isinstance(content, Mapping):
        tensors = {str(key): value for key, value in content.items() if isinstance(value, torch.Tensor)}
        if tensors:
            return tensors
        for key in _NESTED:
            if isinstance(content.get(key), Mapping):
                return tensors_of(path, content[key])
        keys = ", ".join(repr(str(key)) for key in list(content)[:8]) or "nothing"
        raise ModelError(str(path), f"it holds no weights by name, only {keys}. {_SAVE_AGAIN}")
    kind = type(content).__name__
    raise ModelError(str(path), f"it holds a {kind} and no weights by name. {_SAVE_AGAIN}")


def _refuse_other_archives(path: Path) -> None:
    """Tells a state dict from the other things that are ZIP archives, TorchScript programs among them."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, OSError, ValueError) as error:
        raise ModelError(
            str(path), "it is a damaged or incomplete archive. Fetch or copy it again."
        ) from error
    ends = {name.rpartition("/")[2] for name in names}
    if "constants.pkl" in ends or any("/code/" in name for name in names):
        raise ModelError(
            str(path),
            "it is a TorchScript program, which runs code when it is loaded. Import the state dict or "
            "safetensors that it was made from.",
        )
    if "data.pkl" not in ends:
        raise ModelError(
            str(path), "it is an archive, but not one of PyTorch's. Unpack it and import a file."
        )


def _unpickled(path: Path) -> object:
    import torch

    try:
        # A file and not its name, by whose end torch would choose another reader. Its warnings are of things
        # that are refused below.
        with path.open("rb") as file, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return torch.load(file, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        found = re.search(r"GLOBAL (\S+)", str(error))
        what = f"holds more than weights ({found[1]})" if found else "is a pickled file, but no state dict"
        raise ModelError(
            str(path),
            f"it {what}. Such a file can run code when it is opened, so it is refused. {_SAVE_AGAIN}",
        ) from error
    except (
        RuntimeError, EOFError, OSError, ValueError, TypeError, KeyError, IndexError, AttributeError,
        AssertionError, struct.error, UnicodeDecodeError, MemoryError, RecursionError,
    ) as error:  # fmt: skip
        # All that a damaged pickle makes the reader of torch raise.
        words = (str(error).splitlines() or [type(error).__name__])[0]
        raise ModelError(
            str(path),
            f"it is no state dict of PyTorch's, or it is damaged ({words}). Fetch or copy it again.",
        ) from error


def _safetensors(path: Path, start: bytes) -> dict[str, torch.Tensor]:
    from safetensors import SafetensorError
    from safetensors.torch import load

    if path.suffix.lower() != ".safetensors" and not _looks_like_safetensors(start):
        raise ModelError(
            str(path),
            "it is neither safetensors nor a state dict of PyTorch's (.pt, .pth, .bin), the two that can be "
            "imported.",
        )
    read_header(path)
    try:
        return load(path.read_bytes())
    except (OSError, SafetensorError, KeyError) as error:
        raise ModelError(
            str(path), f"its weights cannot be read: {error}. Fetch or copy it again."
        ) from error


def _looks_like_safetensors(start: bytes) -> bool:
    return len(start) > 8 and start[8:9] == b"{"


def _plain(path: Path, key: str, value: torch.Tensor) -> torch.Tensor:
    """A dense tensor of its own; a view would be stored with all it is a view of."""
    import torch

    if value.layout != torch.strided or value.is_quantized:
        raise ModelError(
            str(path), f"weight {key} is sparse or quantized. Import the weights as float32 or float16."
        )
    if value.is_complex():
        raise ModelError(str(path), f"weight {key} holds complex numbers, which no network here has.")
    return value.detach().to(torch.float32 if value.is_floating_point() else value.dtype).contiguous()
