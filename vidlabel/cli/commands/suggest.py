"""``vidlabel suggest``: a model's labels for every readable clip, stored or newly computed."""

from __future__ import annotations

from argparse import Namespace
from dataclasses import replace
from typing import Any

from vidlabel.cli.choosing import chosen_model
from vidlabel.cli.context import Use, clips, open_project
from vidlabel.cli.output import Output
from vidlabel.cli.scanning import scan_roots
from vidlabel.cli.suggesting import compute
from vidlabel.core.model_key import ModelKey
from vidlabel.core.time import seconds_from_us
from vidlabel.core.words import CalibrationState, ClipQuery, ClipRow, ClipState, Suggestion, Views
from vidlabel.interop.jsonl import suggestions_json
from vidlabel.learning.recalibration import refresh
from vidlabel.ml.devices import choose_device
from vidlabel.ml.modelfile import ModelInfo
from vidlabel.store.project_store import ProjectStore

_BROKEN = frozenset({ClipState.MISSING, ClipState.UNREADABLE})


def run(arguments: Namespace, output: Output) -> int:
    """Computes what is missing, keeps it, and answers all clips."""
    with open_project(arguments.project, use=Use.WRITE) as store:
        first = store.active_model() is None
        model = _asked(store, chosen_model(store, arguments.model, output), arguments)
        if first:
            store.set_active_model(model.hash)
        device = "cpu" if arguments.device == "cpu" else choose_device(arguments.device).kind
        scan_roots(store, output)
        stored = _stored(store, model)
        rows = _wanted(store, stored, labels=min(arguments.top_k, len(model.labels)))
        moved = compute(
            store, model, rows,
            stored=stored, device=arguments.device, batch=arguments.batch_size, top_k=arguments.top_k,
            compiling=arguments.compile, log=output.log,
        )  # fmt: skip
        if moved:
            device = "cpu"
        calibration = refresh(store.calibrations, model.hash)
        document, lines = _answer(store, model, calibration, device=device, top_k=arguments.top_k)
    output.answer(document, lines)
    return 0


def _asked(store: ProjectStore, model: ModelInfo, arguments: Namespace) -> ModelInfo:
    """The model under the key of the way it is asked: as the options say, without any as the project does."""
    own = store.active_model() if arguments.model is None else None
    key = ModelKey.parse(own[0]) if own is not None else ModelKey(model.hash)
    views = Views(clips=arguments.views or 1, flip=arguments.flip)
    if arguments.views is None and not arguments.flip:
        views = key.views
    key = ModelKey(model.hash, views, arguments.precision or key.precision)
    asked = replace(model, hash=str(key), name=key.name(model.name))
    store.register_model(asked.hash, asked.name, asked.labels, asked.card)
    return asked


def _stored(store: ProjectStore, model: ModelInfo) -> dict[int, Suggestion]:
    return {suggestion.clip_id: suggestion for _, suggestion in store.suggested_clips(model.hash)}


def _wanted(store: ProjectStore, stored: dict[int, Suggestion], *, labels: int) -> list[ClipRow]:
    """Readable clips without a suggestion, or with one of fewer labels than asked for."""
    readable = (row for row in clips(store, ClipQuery(sort="path")) if row.state not in _BROKEN)
    return [row for row in readable if row.clip_id not in stored or len(stored[row.clip_id].scores) < labels]


def _answer(
    store: ProjectStore, model: ModelInfo, calibration: CalibrationState, *, device: str, top_k: int
) -> tuple[dict[str, Any], list[str]]:
    answered: list[dict[str, Any]] = []
    unreadable: list[dict[str, str]] = []
    lines: list[str] = []
    suggestions = _stored(store, model)
    for row in clips(store, ClipQuery(sort="path")):
        if row.state in _BROKEN:
            unreadable.append({"video": row.path, "reason": row.reason or row.state.value})
            continue
        stored = suggestions.get(row.clip_id)
        if stored is None:
            continue
        answered.append(
            {
                "video": row.path,
                "start": seconds_from_us(row.start_us),
                "end": seconds_from_us(row.end_us),
                "suggestions": suggestions_json(stored)[:top_k],
            }
        )
        best = ", ".join(f"{score.label} {score.shown:.0%}" for score in stored.scores[:top_k])
        lines.append(f"{row.path}: {best}")
    document = {
        "model": model.name,
        "model_hash": model.hash,
        "device": device,
        "calibration": calibration.words,
        "clips": answered,
        "unreadable": unreadable,
    }
    lines += [f"{one['video']}: not readable: {one['reason']}" for one in unreadable]
    lines.append(
        f"{len(answered)} clips, {len(unreadable)} not readable; model {model.name} on {device}. "
        f"Confidence: {calibration.words}."
    )
    return document, lines
