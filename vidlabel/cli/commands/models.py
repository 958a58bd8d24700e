"""``vidlabel models``: what models this computer has, and what is known of one."""

from __future__ import annotations

from argparse import Namespace
from typing import Any

from vidlabel.cli.output import Output
from vidlabel.core.errors import UsageError
from vidlabel.ml.catalogue import damaged_models, find_model, list_models
from vidlabel.ml.modelfile import ModelInfo


def run(arguments: Namespace, output: Output) -> int:
    """Lists the models, or tells all about one."""
    if arguments.action == "list":
        if arguments.model is not None:
            raise UsageError(
                "`vidlabel models list` takes no model; `vidlabel models info MODEL` tells about one."
            )
        return _list(output)
    if arguments.model is None:
        raise UsageError("`vidlabel models info` needs a model: its name, hash or path.")
    return _info(find_model(arguments.model), output)


def _list(output: Output) -> int:
    models = list_models()
    damaged = [{"model": error.model, "reason": error.reason} for error in damaged_models()]
    lines = [f"{one.name:<24} {one.hash[:12]}  {one.network}, {len(one.labels)} labels" for one in models]
    lines += [f"{one['model']}: {one['reason']}" for one in damaged]
    output.answer({"models": [_brief(one) for one in models], "damaged": damaged}, lines or ["No models."])
    return 0


def _brief(model: ModelInfo) -> dict[str, Any]:
    return {
        "name": model.name,
        "hash": model.hash,
        "network": model.network,
        "labels": len(model.labels),
        "created": model.created,
        "license": model.license,
        "path": str(model.path),
    }


def _info(model: ModelInfo, output: Output) -> int:
    document = {
        **_brief(model),
        "labels": list(model.labels),
        "network_args": model.network_args,
        "preprocessing": model.preprocessing.to_json(),
        "card": model.card,
    }
    lines = [f"{name}: {value}" for name, value in _brief(model).items() if value]
    lines.append(f"label list: {', '.join(model.labels)}")
    lines += _card_lines(model.card, depth=0)
    output.answer(document, lines)
    return 0


def _card_lines(values: dict[str, Any], *, depth: int) -> list[str]:
    """The card, nested values indented."""
    lines: list[str] = []
    for name, value in values.items():
        head = f"{'  ' * depth}{name.replace('_', ' ')}"
        if isinstance(value, dict):
            lines += [f"{head}:", *_card_lines(value, depth=depth + 1)]
        elif isinstance(value, list):
            lines.append(f"{head}: {', '.join(map(str, value))}")
        else:
            lines.append(f"{head}: {value}")
    return lines
