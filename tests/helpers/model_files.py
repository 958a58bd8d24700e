"""Model files of another name and card, made of the bundled one without torch."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from vidlabel.core.resources import resource_path


def other_model(
    out: Path, name: str, *, card: dict[str, Any] | None = None, network: str | None = None
) -> Path:
    """The bundled weights under another name: another hash, so another model.

    With the name of another network it can be listed, but not loaded.
    """
    source = resource_path("models/bundled.safetensors").read_bytes()
    length = int.from_bytes(source[:8], "little")
    header = json.loads(source[8 : 8 + length])
    header["__metadata__"]["name"] = json.dumps(name)
    header["__metadata__"]["card"] = json.dumps(card or {"summary": f"The card of {name}."})
    if network is not None:
        header["__metadata__"]["network"] = json.dumps(network)
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_bytes(len(text).to_bytes(8, "little") + text + source[8 + length :])
    return out
