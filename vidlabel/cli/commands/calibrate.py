"""``vidlabel calibrate``: how far a model's confidence can be believed in a project, and makes it believable."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path
from typing import Any

from vidlabel.cli.context import Use, open_project
from vidlabel.cli.output import Output
from vidlabel.core.errors import UsageError, VidlabelError
from vidlabel.core.words import Calibration, CalibrationState, ReliabilityBin
from vidlabel.interop.reliability_svg import is_plot, write_plot
from vidlabel.learning.recalibration import refresh
from vidlabel.ml.catalogue import find_model
from vidlabel.store.project_store import ProjectStore


def run(arguments: Namespace, output: Output) -> int:
    """Fits the calibration anew on what has been decided, keeps it, and answers what it is worth."""
    if arguments.plot is not None:
        _refuse_harm(arguments.plot)
    with open_project(arguments.project, use=Use.WRITE) as store:
        model_hash, name = _model(store, arguments.model)
        state = refresh(store.calibrations, model_hash)
        trained = store.calibrations.measurable(model_hash).trained
    plot = arguments.plot.absolute() if arguments.plot is not None and state.calibration else None
    if plot is not None and state.calibration is not None:
        write_plot(plot, state.calibration, title=f"{name} on {state.calibration.clips:,} decided clips")
    document = {
        "model": name,
        "model_hash": model_hash,
        "calibration": state.words,
        "usable": state.usable,
        "missing": state.missing,
        "trained_on": trained,
        **_figures(state.calibration),
        "plot": None if plot is None else str(plot),
    }
    lines = _lines(name, state, trained)
    if arguments.plot is not None:
        lines.append("There is nothing to draw yet." if plot is None else f"Drawn in {plot}.")
    output.answer(document, lines)
    return 0


def _refuse_harm(plot: Path) -> None:
    """Nothing but an earlier plot is replaced."""
    if plot.is_dir():
        raise UsageError(f"{plot} is a folder. Name the file to write.")
    if plot.exists() and not is_plot(plot):
        raise VidlabelError(f"{plot} is there and is no earlier plot. Choose another name, or remove it.")


def _model(store: ProjectStore, wanted: str | None) -> tuple[str, str]:
    """Hash and name. The active model need not be installed: what it said is in the project."""
    if wanted is not None:
        model = find_model(wanted)
        return model.hash, model.name
    active = store.active_model()
    if active is None:
        raise VidlabelError(f"{store.path}: no model has suggested here yet. Run `vidlabel suggest` first.")
    return active


def _figures(found: Calibration | None) -> dict[str, Any]:
    if found is None:
        return dict.fromkeys(("clips", "temperature", "ece_before", "ece_after", "bins_before", "bins_after"))
    return {
        "clips": found.clips,
        "temperature": found.temperature,
        "ece_before": found.ece_before,
        "ece_after": found.ece_after,
        "bins_before": [_bin(one) for one in found.bins_before],
        "bins_after": [_bin(one) for one in found.bins_after],
    }


def _bin(one: ReliabilityBin) -> dict[str, Any]:
    return {
        "low": round(one.low, 6),
        "high": round(one.high, 6),
        "clips": one.clips,
        "confidence": one.confidence,
        "accuracy": one.accuracy,
    }


def _lines(name: str, state: CalibrationState, trained: int) -> list[str]:
    lines = [f"{name}: {state.words}."]
    if trained:
        lines.append(f"{trained:,} decided clips are of videos it was trained on; they do not count.")
    found = state.calibration
    if found is None:
        return lines
    bold = "bolder than it is right" if found.temperature > 1 else "more modest than it is right"
    lines.append(f"Temperature {found.temperature:g}: by itself it is {bold}.")
    lines.append(
        f"Expected calibration error: {found.ece_before:.1%} before, {found.ece_after:.1%} after, "
        "each clip measured with a temperature fitted without its source."
    )
    lines.append("confidence    clips   before: said  right    clips   after: said  right")
    for before, after in zip(found.bins_before, found.bins_after, strict=True):
        if before.clips or after.clips:
            lines.append(f"{before.low:4.0%}-{before.high:4.0%}  {_bin_line(before)}  {_bin_line(after)}")
    return lines


def _bin_line(one: ReliabilityBin) -> str:
    if one.confidence is None or one.accuracy is None:
        return f"{0:7}  {'-':>13}  {'-':>5}"
    return f"{one.clips:7}  {one.confidence:13.0%}  {one.accuracy:5.0%}"
