"""``vidlabel train``: fine-tunes a model on what was decided, and proves whether it got better."""

from __future__ import annotations

import os
from argparse import Namespace
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from vidlabel.cli import ranks
from vidlabel.cli.choosing import chosen_model
from vidlabel.cli.context import Use, open_project
from vidlabel.cli.labels import known_label
from vidlabel.cli.official import official_split, remember, remembered
from vidlabel.cli.output import Output
from vidlabel.cli.progress import progress
from vidlabel.cli.run_answer import answer_run
from vidlabel.cli.running import join_here, run_here
from vidlabel.cli.scanning import scan_roots
from vidlabel.core.errors import StoppedError, TrainingError, UsageError
from vidlabel.core.filters import parse
from vidlabel.core.runs import RunFolder, RunState, TrainSettings, Tunes
from vidlabel.core.words import ClipQuery
from vidlabel.learning.preflight import Estimate, estimate
from vidlabel.learning.run_plans import active_base, base_of
from vidlabel.learning.run_records import (
    CHANGEABLE,
    Base,
    RunRecord,
    begin_run,
    reconcile,
    record_of,
    resume_run,
)
from vidlabel.learning.snapshots import OfficialSplit, Prepared, prepare
from vidlabel.store.project_store import ProjectStore

_SETTINGS = tuple(one.name for one in fields(TrainSettings) if one.name != "base")
_FLAGS = {name: "--batch-size" if name == "batch" else f"--{name.replace('_', '-')}" for name in _SETTINGS}
_OF_A_NEW_RUN = {
    "base": "--base", "split": "--split", "source": "--source", "splits": "--splits",
    "split_number": "--split-number", "filter": "--filter", "labels": "--label", "dry_run": "--dry-run",
    "new_test": "--new-test",
    **{name: flag for name, flag in _FLAGS.items() if name not in CHANGEABLE},
}  # fmt: skip


def run(arguments: Namespace, output: Output) -> int:
    """Prepares a run, or finds the one to go on with, carries it on in this process, and answers its result."""
    _check(arguments)
    if not ranks.is_first():
        folder = ranks.told_folder()
        return 0 if folder is None else _code(str(join_here(RunFolder(Path(folder))).get("event")))
    with ranks.crew() as crew:
        with open_project(arguments.project, use=Use.WRITE) as store:
            folder_of_run = _prepared(store, arguments, output)
            if folder_of_run is None:
                return 0
        crew.join(str(folder_of_run.path))
        last = run_here(folder_of_run, output)
    return _answered(arguments, output, folder_of_run.name, last)


def _check(arguments: Namespace) -> None:
    if arguments.resume is not None:
        for name, flag in _OF_A_NEW_RUN.items():
            if getattr(arguments, name) not in (None, "", [], False):
                others = ", ".join(_FLAGS[one] for one in CHANGEABLE)
                raise UsageError(
                    f"A run keeps its settings, for its result depends on them: --resume takes no {flag}. "
                    f"What can be changed: {others}."
                )
    if arguments.strict and not arguments.promote:
        raise UsageError("--strict goes with --promote.")
    if arguments.split is None and arguments.splits is not None:
        arguments.split = "official"
    if arguments.split != "official" and (arguments.splits is not None or arguments.split_number is not None):
        raise UsageError("--splits and --split-number go with --split official.")
    if arguments.split not in (None, "by-source", "official") and arguments.source is not None:
        raise UsageError("--source goes with --split by-source or official: a random split divides sources.")


def _code(last_event: str) -> int:
    return {"finished": 0, "stopped": 130}.get(last_event, 1)


def _prepared(store: ProjectStore, arguments: Namespace, output: Output) -> RunFolder | None:
    """The folder of the run to carry on; None where the answer is given already."""
    if arguments.resume is not None:
        return _resumed(store, arguments, output)
    scan_roots(store, output)
    settings = _settings(arguments)
    base = base_of(chosen_model(store, arguments.base, output))
    settings = TrainSettings.from_json({**settings.to_json(), "base": base.name})
    prepared = _snapshot(store, arguments, output)
    guess = estimate(
        prepared.snapshot, settings,
        records=reconcile(store), cpus=os.cpu_count() or 1, gpu=_has_gpu(settings.device),
    )  # fmt: skip
    for line in prepared.preflight.words():
        # What forbids the run is said once: by the error that ends it, if it is not a dry run.
        if arguments.dry_run or line not in prepared.preflight.blockers:
            output.log(line)
    if not prepared.preflight.blockers:
        output.log(f"It takes {guess.words}.")
    if arguments.dry_run:
        _answer_dry(prepared, guess, base, output)
        return None
    folder = begin_run(
        store, prepared, settings, base=base, active=active_base(store), new_test=arguments.new_test
    )
    output.log(f"{folder.name}: begun; its files are in {folder.path}.")
    return folder


def _resumed(store: ProjectStore, arguments: Namespace, output: Output) -> RunFolder | None:
    record = _record(store, arguments.resume)
    if record.state is RunState.FINISHED:
        answer_run(store, record, output, promote=arguments.promote, strict=arguments.strict)
        return None
    given = {name: getattr(arguments, name) for name in CHANGEABLE if getattr(arguments, name) is not None}
    folder = resume_run(store, record.name, changed=given)
    output.log(f"{record.name}: goes on.")
    return folder


def _record(store: ProjectStore, name: str) -> RunRecord:
    record = record_of(store, name)
    if record is None:
        names = ", ".join(one.name for one in reconcile(store)) or "none yet"
        raise TrainingError(f"{store.path} has no run '{name}'. There are: {names}.")
    return record


def _settings(arguments: Namespace) -> TrainSettings:
    given = {name: getattr(arguments, name) for name in _SETTINGS if getattr(arguments, name) is not None}
    if "tunes" in given:
        given["tunes"] = Tunes(given["tunes"])
    return TrainSettings(**given)


def _snapshot(store: ProjectStore, arguments: Namespace, output: Output) -> Prepared:
    query = parse(arguments.filter, base=ClipQuery(sort="path"))
    if arguments.labels:
        wanted = frozenset(known_label(store, label) for label in arguments.labels)
        query = parse(arguments.filter, base=ClipQuery(sort="path", labels=wanted))
    with progress("Reading videos for their content hash", unit=" videos") as bar:
        try:
            return prepare(
                store, query,
                split=arguments.split or "by-source", sources=arguments.source or "auto",
                official=_official(store, arguments), seed=arguments.seed or 0, new_test=arguments.new_test,
                should_stop=lambda: False, on_progress=bar.at,
            )  # fmt: skip
        except StoppedError:
            raise KeyboardInterrupt from None


def _official(store: ProjectStore, arguments: Namespace) -> OfficialSplit | None:
    if arguments.split != "official":
        return None
    named = official_split(arguments.splits, arguments.split_number, before=remembered(store))
    if named is None:
        raise UsageError(
            "An official split needs its files: --splits FOLDER (of HMDB51: testTrainMulti_7030_splits)."
        )
    if not arguments.dry_run:
        remember(store, named)
    return OfficialSplit(named.folder, named.number)


def _has_gpu(device: str) -> bool:
    if device == "cpu":
        return False
    import torch

    return torch.cuda.is_available()


def _answer_dry(prepared: Prepared, guess: Estimate, base: Base, output: Output) -> None:
    document: dict[str, Any] = {
        "run": None,
        "state": None,
        "model": None,
        "metrics": {},
        "base": base.name,
        "snapshot": prepared.snapshot.hash,
        "preflight": prepared.preflight.to_json(),
        "estimate": asdict(guess),
    }
    output.answer(document, ["Nothing was begun (--dry-run)."])


def _answered(arguments: Namespace, output: Output, name: str, last: dict[str, Any]) -> int:
    if last.get("event") == "failed":
        output.log(f"vidlabel: {last.get('words')}")
    with open_project(arguments.project, use=Use.WRITE) as store:
        reconcile(store)
        code = answer_run(
            store, _record(store, name), output, promote=arguments.promote, strict=arguments.strict
        )
    return code or _code(str(last.get("event")))
