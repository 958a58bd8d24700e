"""``vidlabel models list`` and ``models info``: what is here, what can be installed, and all about one."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from vidlabel.cli.output import Output
from vidlabel.core.catalogue import PublishedModel, published_model, published_models
from vidlabel.core.errors import ModelError
from vidlabel.ml.catalogue import damaged_models, find_model, list_models
from vidlabel.ml.install import installed
from vidlabel.ml.kinetics import suggestible, without_counterpart
from vidlabel.ml.modelfile import ModelInfo
from vidlabel.ml.part import megabytes

_SHORT = 40
"""Letters; a list with longer items takes a line for each."""
_SHARES = frozenset({"top1", "top5", "mean_class", "ece", "chance_top1", "chance_top5"})


def list_all(arguments: Namespace, output: Output) -> int:
    """The models here, bundled first, and the published ones with what is known of them."""
    del arguments
    models = list_models()
    damaged = [{"model": error.model, "reason": error.reason} for error in damaged_models()]
    published = published_models()
    here = {entry.name: installed(entry, models) for entry in published}
    document = {
        "models": [_brief(one) for one in models],
        "damaged": damaged,
        "published": [_published_brief(entry, here[entry.name]) for entry in published],
    }
    lines = ["Here:"]
    lines += [f"  {one.name:<28} {one.hash[:12]}  {one.network}, {len(one.labels)} labels" for one in models]
    lines += [f"  {one['model']}: {one['reason']}" for one in damaged]
    rest = [entry for entry in published if here[entry.name] is None]
    if rest:
        lines += ["To be had with `vidlabel models install NAME`, accuracies as published:"]
        lines += [_published_line(entry) for entry in rest]
    output.answer(document, lines)
    return 0


def info(arguments: Namespace, output: Output, name: str) -> int:
    """All about one model, also one that is not installed."""
    del arguments
    try:
        model = find_model(name)
    except ModelError:
        try:
            entry = published_model(name)
        except ModelError:
            entry = None
        if entry is None:
            raise
        here = installed(entry, list_models())
        if here is None:
            return _info_published(entry, output)
        model = here
    document = {
        **_brief(model),
        "installed": True,
        "labels": list(model.labels),
        "cannot_suggest": list(model.grouping.without) if model.grouping else [],
        "network_args": model.network_args,
        "preprocessing": model.preprocessing.to_json(),
        "card": model.card,
    }
    lines = [f"{name}: {value}" for name, value in _brief(model).items() if value]
    lines.append(f"label list: {', '.join(model.labels)}")
    if model.grouping and model.grouping.without and "cannot_suggest" not in model.card:
        lines.append(f"cannot suggest: {', '.join(model.grouping.without)}")
    said = {"license", "licence"} if model.license else set()
    card = {name: value for name, value in model.card.items() if name not in said}
    lines += _card_lines(card, depth=0)
    output.answer(document, lines)
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


def _published_brief(entry: PublishedModel, here: ModelInfo | None) -> dict[str, Any]:
    return {
        "name": entry.name,
        "title": entry.title,
        "installed": here is not None,
        "hash": None if here is None else here.hash,
        "network": entry.network,
        "download_bytes": entry.download_bytes,
        "parameters": entry.parameters,
        "gmacs": entry.gmacs,
        "published_gflops": entry.published_gflops,
        "published_scores": [asdict(score) for score in entry.scores],
        "license": entry.licence,
    }


def _published_line(entry: PublishedModel) -> str:
    scores = ", ".join(f"{score.top1:.1%} on {score.on}" for score in entry.scores)
    return (
        f"  {entry.name:<28} {megabytes(entry.download_bytes):>7}  {entry.parameters / 1e6:5.1f} M parameters, "
        f"{entry.gmacs:6.1f} GMAC a clip; {scores}"
    )


def _info_published(entry: PublishedModel, output: Output) -> int:
    kinetics = entry.classes == "kinetics400"
    cannot = list(without_counterpart()) if kinetics else []
    document = {
        **_published_brief(entry, None),
        "summary": entry.summary,
        "when": entry.when,
        "labels": list(suggestible()) if kinetics else None,
        "cannot_suggest": cannot,
        "origin": entry.origin,
        "weights": entry.weights or None,
        "repository": entry.repository or None,
        "network_args": dict(entry.network_args),
        "preprocessing": dict(entry.preprocessing),
        "frame_rate": entry.frame_rate,
        "trained_on": entry.trained_on,
        "notes": list(entry.notes),
    }
    width, height = entry.size
    span = "the whole clip" if entry.span_s is None else f"{entry.span_s:.1f} s in its middle"
    gflops = f"; published as {entry.published_gflops:g} GFLOPs" if entry.published_gflops else ""
    lines = [
        f"{entry.name}: {entry.title}, not installed",
        entry.summary,
        f"when: {entry.when}",
        f"install: vidlabel models install {entry.name} ({megabytes(entry.download_bytes)}"
        f"{'' if entry.download_exact else ', about'})",
        f"from: {entry.weights or entry.repository} ({entry.origin})",
        f"network: {entry.network}, {entry.parameters / 1e6:.1f} M parameters, {entry.gmacs:g} GMAC a clip{gflops}",
        f"input: {entry.frames} frames of {width}x{height} px from {span}",
        f"trained on: {entry.trained_on}",
        f"license: {entry.licence}",
    ]
    for score in entry.scores:
        top5 = "" if score.top5 is None else f", top-5 {score.top5:.1%}"
        lines.append(
            f"published, not measured here: top-1 {score.top1:.1%}{top5} on {score.on} ({score.source})"
        )
    if cannot:
        lines.append(f"cannot suggest: {', '.join(cannot)}")
    lines += [f"note: {note}" for note in entry.notes]
    output.answer(document, lines)
    return 0


def _card_lines(values: Mapping[str, Any], *, depth: int) -> list[str]:
    """The card: a line for each plain value, nested ones indented, the names of scores before their figures."""
    lines: list[str] = []
    for name, value in values.items():
        head = f"{'  ' * depth}{name.replace('_', ' ')}"
        if value in ("", None, [], {}):
            continue
        if isinstance(value, dict):
            lines += [f"{head}:", *_card_lines(value, depth=depth + 1)]
        elif isinstance(value, list) and _takes_lines(value):
            lines += [f"{head}:", *(f"{'  ' * depth}  - {_item(one)}" for one in value)]
        elif isinstance(value, list):
            lines.append(f"{head}: {', '.join(map(str, value))}")
        else:
            lines.append(f"{head}: {value}")
    return lines


def _takes_lines(values: Sequence[Any]) -> bool:
    return any(isinstance(one, dict) or len(str(one)) > _SHORT for one in values)


def _item(value: Any) -> str:
    """One of several, such as a score: what it is about first, then its plain values; ``--json`` has the rest."""
    if not isinstance(value, dict):
        return str(value)
    about = next((name for name in ("on", "what", "source") if value.get(name)), None)
    plain = {name: one for name, one in value.items() if name != about and isinstance(one, str | int | float)}
    words = ", ".join(f"{name.replace('_', ' ')} {_figure(name, one)}" for name, one in plain.items())
    return words if about is None else f"{value[about]}: {words}"


def _figure(name: str, value: str | float) -> str:
    """Shares as percentages."""
    return f"{value:.1%}" if name in _SHARES and isinstance(value, float) else str(value)
