"""``vidlabel runs``: the fine-tuning runs of a project and their states; stops one that is under way."""

from __future__ import annotations

import threading
from argparse import Namespace
from typing import Any

from vidlabel.cli.context import Use, open_project
from vidlabel.cli.output import Output
from vidlabel.cli.run_answer import answer_run, metrics, proof_of, run_json, run_lines, summary
from vidlabel.core.errors import TrainingError, UsageError
from vidlabel.core.proof_words import share
from vidlabel.core.runs import LIVE
from vidlabel.learning.run_events import read_events
from vidlabel.learning.run_records import RunRecord, is_held, reconcile, send_wish
from vidlabel.store.project_store import ProjectStore

_LOOK_S = 0.2


def run(arguments: Namespace, output: Output) -> int:
    """Lists the runs, tells about one, or stops one."""
    if arguments.keep and arguments.action != "stop":
        raise UsageError(f"`vidlabel runs {arguments.action}` takes no --keep.")
    if arguments.action == "list" and arguments.run is not None:
        raise UsageError(
            f"`vidlabel runs list` takes no run; `vidlabel runs info PROJECT {arguments.run}` tells."
        )
    with open_project(arguments.project, use=Use.READ) as store:
        records = reconcile(store)
        if arguments.action == "list":
            return _list(records, output)
        if arguments.action == "info":
            return _info(_named(store, records, arguments.run), output)
        return _stop(store, records, arguments, output)


def _list(records: tuple[RunRecord, ...], output: Output) -> int:
    lines = []
    for record in records:
        top1 = metrics(record, proof_of(record)).get("top1")
        lines.append(summary(record) + ("" if top1 is None else f" Top-1 on its test clips {share(top1)}."))
    output.answer(
        {"runs": [run_json(record) for record in records]},
        lines or ["There are no runs yet. `vidlabel train PROJECT` begins one."],
    )
    return 0


def _named(store: ProjectStore, records: tuple[RunRecord, ...], name: str | None) -> RunRecord:
    """The run of this name, else the newest."""
    if not records:
        raise TrainingError(f"{store.path} has no runs yet. `vidlabel train PROJECT` begins one.")
    if name is None:
        return records[-1]
    for record in records:
        if record.name == name:
            return record
    known = ", ".join(record.name for record in records)
    raise TrainingError(f"{store.path} has no run '{name}'. There are: {known}.")


def _info(record: RunRecord, output: Output) -> int:
    proof = proof_of(record)
    epochs = [event for event in read_events(record.folder.events) if event.get("event") == "epoch"]
    document: dict[str, Any] = {
        **run_json(record),
        "snapshot": record.snapshot,
        "settings": record.settings if isinstance(record.settings, dict) else record.settings.to_json(),
        "history": [
            {name: value for name, value in event.items() if name not in ("v", "event")} for event in epochs
        ],
        "proof": None if proof is None else proof.to_json(),
    }
    lines = run_lines(record, proof)
    if epochs:
        lines.append("epoch     loss  validation  mean class")
    for event in epochs:
        loss = event.get("loss")
        lines.append(
            f"{event.get('epoch'):5}  {'-' if loss is None else f'{loss:.3f}':>7}  "
            f"{share(event.get('val_top1')):>10}  {share(event.get('val_mean_class')):>10}"
            + ("  best" if event.get("best") else "")
        )
    if proof is not None and proof.changes:
        lines.append("label                  clips  before    now")
        for change in proof.changes:
            lines.append(
                f"{change.label:<22} {change.clips:5}  {change.active:6.0%} {change.candidate:6.0%}"
                + ("  worse" if change.worse else "")
            )
    output.answer(document, lines)
    return 0


def _stop(store: ProjectStore, records: tuple[RunRecord, ...], arguments: Namespace, output: Output) -> int:
    """Wishes the run to stop and waits until it has; Ctrl+C leaves it to stop by itself."""
    if arguments.run is None:
        live = tuple(record for record in records if record.state in LIVE)
        if not live:
            raise TrainingError(f"{store.path}: no run is under way.")
        records = live
    record = _named(store, records, arguments.run)
    if record.state not in LIVE:
        raise TrainingError(f"{record.name} is not under way: it is {record.state.value}.")
    send_wish(record.folder, "keep" if arguments.keep else "stop")
    output.log(f"vidlabel: {record.name} stops after this step.")
    never = threading.Event()
    while is_held(record.folder):
        never.wait(_LOOK_S)
    record = _named(store, reconcile(store), record.name)
    return answer_run(store, record, output, promote=False, strict=False)
