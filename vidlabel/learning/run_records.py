"""Finds out what became of runs: the folder of a run knows best, its row in the project follows.

No torch: the window and the command line come here, too. A run's process never touches the project, so what it
told in its folder is taken over here, whoever looks first.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from vidlabel.core.errors import TrainingError
from vidlabel.core.runs import LIVE, RESUMABLE, RunFolder, RunState, TrainSettings, runs_folder
from vidlabel.core.time import US_PER_SECOND, now_us
from vidlabel.learning.run_begin import SINCE, Base, begin_run
from vidlabel.learning.run_events import is_held, read_events
from vidlabel.learning.run_files import unwritable, write_json
from vidlabel.learning.run_wishes import forget_wish, send_wish
from vidlabel.store.project_store import ProjectStore
from vidlabel.store.runs import RunRow

__all__ = [
    "CHANGEABLE", "Base", "RunRecord", "begin_run", "is_held", "reconcile", "record_of", "resume_run", "send_wish",
]  # fmt: skip

CHANGEABLE = ("device", "workers", "cache_gb")
"""Settings that a run may be resumed with anew: what it learns does not depend on them, but for a device's rounding."""
GRACE_US = 60 * US_PER_SECOND
"""So long a run that was just begun may take until its process is there."""

_LONGEST_HEADER = 100_000_000
_LAST_WORD = {
    "finished": RunState.FINISHED,
    "stopped": RunState.STOPPED,
    "failed": RunState.FAILED,
}
_ABOUT_THE_LINE = frozenset({"v", "at", "event"})


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRecord:
    """What is known of a run.

    Attributes:
        name: of the run, and of its folder.
        state: now.
        base, base_hash: the model it started from.
        model, model_name: hash and name of the model it made.
        snapshot: hash of what it learns from.
        settings: how.
        started_at_us, finished_at_us: microseconds since 1970; finished is when it ended in any way.
        figures: of the newest epoch, as told; ``metrics`` among them once there is a result.
        epoch, epochs: the newest finished one, and how many at most.
        seconds_a_clip: what a train clip took in that epoch; None before the first.
        kind, words: of a failure; the words also say why a run is interrupted.
        proof: as the project keeps it, also where the folder is gone: ``Proof.to_json``.
        folder: where its files are.
    """

    name: str
    state: RunState
    base: str = ""
    base_hash: str = ""
    model: str | None = None
    model_name: str = ""
    snapshot: str | None = None
    settings: TrainSettings = field(default_factory=TrainSettings)
    started_at_us: int = 0
    finished_at_us: int | None = None
    figures: Mapping[str, Any] = field(default_factory=dict)
    epoch: int = 0
    epochs: int = 0
    seconds_a_clip: float | None = None
    kind: str = ""
    words: str = ""
    proof: Mapping[str, Any] | None = None
    folder: RunFolder


def resume_run(store: ProjectStore, name: str, *, changed: Mapping[str, Any] | None = None) -> RunFolder:
    """Marks a run as about to go on; its process is started by the caller.

    Args:
        store: the project.
        name: of the run.
        changed: settings that are another from now on, of those in ``CHANGEABLE``.

    Raises:
        ValueError: a setting that cannot be changed.
        UsageError: a setting out of its range.
        TrainingError: there is no such run, it goes on already, it is finished, or its folder is gone or not to be
            written.
    """
    if not set(changed or {}) <= set(CHANGEABLE):
        raise ValueError(
            f"a run that goes on can change {', '.join(CHANGEABLE)}, not {', '.join(changed or {})}"
        )
    record = record_of(store, name)
    if record is None:
        raise TrainingError(f"There is no run '{name}' in {store.path}. `vidlabel runs list` shows them.")
    if record.state not in RESUMABLE:
        raise TrainingError(
            f"{name} is {record.state.value}; only a run that ended before its end can go on."
        )
    folder = record.folder
    if not (folder.snapshot.is_file() and folder.settings.is_file()):
        raise TrainingError(
            f"{folder.path}: the files of {name} are gone, so it cannot go on. Begin a new run."
        )
    forget_wish(folder)
    details: dict[str, Any] = {SINCE: now_us()}
    if changed:
        details["settings"] = _changed(folder, record.settings, changed)
    store.runs.change(name, state=RunState.PREPARING, details=details)
    return folder


def _changed(folder: RunFolder, settings: TrainSettings, changed: Mapping[str, Any]) -> dict[str, Any]:
    """Writes settings anew into the run's folder, and answers all of them."""
    found = TrainSettings.from_json({**settings.to_json(), **changed}).to_json()
    try:
        told = json.loads(folder.settings.read_text(encoding="utf-8"))
        write_json(folder.settings, {**told, **{one: found[one] for one in changed}})
    except OSError as error:
        raise unwritable(folder.path, error) from error
    except (ValueError, TypeError) as error:
        raise TrainingError(f"{folder.settings}: it is damaged ({error}). Begin a new run.") from error
    return found


def reconcile(store: ProjectStore) -> tuple[RunRecord, ...]:
    """Looks into the folder of every run, brings the project's rows in line, and answers all, oldest first.

    A finished run's model is registered; it does not become the active one unless there is none.
    """
    folder = runs_folder(store.path)
    return tuple(_looked_at(store, row, RunFolder(folder / row.name)) for row in store.runs.all())


def record_of(store: ProjectStore, name: str) -> RunRecord | None:
    """The same for one run; None if there is none of that name."""
    row = store.runs.find(name)
    return None if row is None else _looked_at(store, row, RunFolder(runs_folder(store.path) / name))


def _looked_at(store: ProjectStore, row: RunRow, folder: RunFolder) -> RunRecord:
    if row.state is RunState.FINISHED and row.model is not None:
        return _record(row, folder, row.details.get("told", {}))
    held = is_held(folder)  # before the events: a process that ends in between has said its last word
    told = _summary(read_events(folder.events))
    state = _state(row, told, held=held)
    words = _words(state, told, folder)
    model = _registered(store, told, folder) if state is RunState.FINISHED else None
    changed = (state, words, told) != (row.state, row.details.get("words", ""), row.details.get("told", {}))
    if (changed or model != row.model) and not store.read_only:
        ended = None if state in LIVE else round(told.get("at", 0) * US_PER_SECOND) or now_us()
        details: dict[str, Any] = {"told": told, "words": words}
        if state is RunState.FINISHED:
            details["proof"] = _proof(folder)
        found = store.runs.change(row.name, state=state, model=model, finished_at_us=ended, details=details)
        row = found or row
    return _record(row, folder, told, state=state, words=words, model=model)


def _summary(events: tuple[dict[str, Any], ...]) -> dict[str, Any]:
    """What is to be remembered of all that was told."""
    told: dict[str, Any] = {}
    for event in events:
        name = event["event"]
        own = {key: value for key, value in event.items() if key not in _ABOUT_THE_LINE}
        told["at"] = event.get("at", 0)
        told["last"] = name
        if name == "started":
            told["started"] = own
            told["began"] = told.get("began", event.get("at", 0))
        elif name == "epoch":
            told["epoch"] = own
        elif name == "finished":
            told["finished"] = own
        elif name == "failed":
            told["failed"] = own
    return told


def _state(row: RunRow, told: Mapping[str, Any], *, held: bool) -> RunState:
    last = told.get("last")
    since = int(row.details.get(SINCE, row.started_at_us))
    # A last word from before it was begun (again) says nothing of now.
    heard = last is not None and told["at"] * US_PER_SECOND >= since - US_PER_SECOND // 1000
    ended = _LAST_WORD.get(last or "")
    if ended is RunState.FINISHED:
        return ended
    if held and not heard:
        return RunState.PREPARING
    if held and ended is None:
        return RunState.PAUSED if last == "paused" else RunState.RUNNING
    if not heard and row.state is RunState.PREPARING:
        return RunState.PREPARING if now_us() - since < GRACE_US else RunState.INTERRUPTED
    if ended is not None:
        return ended
    return RunState.INTERRUPTED


def _words(state: RunState, told: Mapping[str, Any], folder: RunFolder) -> str:
    if state is RunState.FAILED:
        return str(told.get("failed", {}).get("words") or "It failed.")
    if state is RunState.INTERRUPTED:
        if not folder.path.is_dir():
            return f"Its folder {folder.path} is gone."
        return "Its process ended without a word; it can go on from its last checkpoint."
    return ""


def _registered(store: ProjectStore, told: Mapping[str, Any], folder: RunFolder) -> str | None:
    """Makes the model of a finished run known to the project; answers its hash."""
    finished = told.get("finished", {})
    model = finished.get("model")
    if not isinstance(model, str):
        return None
    if not store.read_only:
        own = _described(folder.model) or _described(Path(str(finished.get("path") or "")))
        if own is None:
            return None
        name = str(finished.get("name") or own["name"])
        store.register_model(model, name, [str(label) for label in own["labels"]], own["card"])
    return model


def _described(path: Path) -> dict[str, Any] | None:
    """Name, labels and card as a model file says them; None where it cannot be read."""
    try:
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            if not 2 <= length <= _LONGEST_HEADER:
                return None
            metadata = json.loads(file.read(length))["__metadata__"]
        return {key: json.loads(metadata[key]) for key in ("name", "labels", "card")}
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _proof(folder: RunFolder) -> Any:
    try:
        return json.loads(folder.proof.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def _record(
    row: RunRow,
    folder: RunFolder,
    told: Mapping[str, Any],
    *,
    state: RunState | None = None,
    words: str | None = None,
    model: str | None = None,
) -> RunRecord:
    details = row.details
    settings = TrainSettings.from_json(details.get("settings", {}))
    started, epoch = told.get("started", {}), told.get("epoch", {})
    finished = told.get("finished", {})
    seconds, clips = epoch.get("seconds"), started.get("train")
    figures = {**epoch, **({"metrics": finished["metrics"]} if "metrics" in finished else {})}
    failed = told.get("failed", {}) if (state or row.state) is RunState.FAILED else {}
    return RunRecord(
        name=row.name,
        state=state or row.state,
        base=str(details.get("base", "")),
        base_hash=str(details.get("base_hash", "")),
        model=model or row.model,
        model_name=str(finished.get("name", "")),
        snapshot=row.snapshot,
        settings=settings,
        started_at_us=row.started_at_us,
        finished_at_us=None if (state or row.state) in LIVE else row.finished_at_us,
        figures=figures,
        epoch=int(epoch.get("epoch", 0)),
        epochs=int(started.get("epochs", settings.epochs)),
        seconds_a_clip=seconds / clips if seconds and clips else None,
        kind=str(failed.get("kind", "")),
        words=str(details.get("words", "")) if words is None else words,
        proof=details.get("proof"),
        folder=folder,
    )
