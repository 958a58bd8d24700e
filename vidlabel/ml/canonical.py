"""The same model always becomes the same file: a project knows models by the hash of their bytes."""

from __future__ import annotations

import json

_ALIGNED = 8


def canonical(content: bytes) -> bytes:
    """A safetensors file's bytes with its metadata in the order of their names.

    The safetensors library writes them in an order that differs from run to run.

    Args:
        content: as ``safetensors.torch.save`` answers it.
    """
    length = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + length])
    metadata = header.pop("__metadata__", {})
    ordered = {"__metadata__": dict(sorted(metadata.items())), **header}
    text = json.dumps(ordered, ensure_ascii=False, separators=(",", ":")).encode()
    text += b" " * (-len(text) % _ALIGNED)
    return b"".join((len(text).to_bytes(8, "little"), text, memoryview(content)[8 + length :]))
