"""What a run came to, as the command line says it; and its model made the project's active one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from vidlabel.cli.guarding import guarded
from vidlabel.cli.output import Output
from vidlabel.core.errors import VidlabelError
from vidlabel.core.proof import Proof
from vidlabel.core.proof_words import cautions, details, share, verdict
from vidlabel.core.runs import RESUMABLE, RunState
from vidlabel.core.time import iso_from_us
from vidlabel.learning.run_files import read_proof
from vidlabel.learning.run_records import RunRecord
from vidlabel.ml.catalogue import find_model
from vidlabel.store.project_store import ProjectStore

FIGURES = ("top1", "top5", "mean_class", "ece")


def proof_of(record: RunRecord) -> Proof | None:
    """What was measured on the test clips; None where nothing was."""
    return read_proof(record.folder, record.proof)


def run_json(record: RunRecord) -> dict[str, Any]:
    """One run of a list."""
    return {
        "run": record.name,
        "state": record.state.value,
        "model": record.model_name if record.model else None,
        "hash": record.model,
        "base": record.base,
        "epoch": record.epoch,
        "epochs": record.epochs,
        "started_at": iso_from_us(record.started_at_us),
        "finished_at": None if record.finished_at_us is None else iso_from_us(record.finished_at_us),
        "metrics": metrics(record, proof_of(record)),
        "words": record.words,
        "folder": str(record.folder.path),
    }


def metrics(record: RunRecord, proof: Proof | None) -> dict[str, Any]:
    """A finished run's figures: ``loss`` and ``val_`` of its best epoch, ``top1`` and so on of the test clips.

    Of a run without a result: the figures of its newest epoch.
    """
    told: Mapping[str, Any] = record.figures or {}
    found = dict(told.get("metrics") or told)
    if proof is not None:
        found |= {name: getattr(proof.candidate, name) for name in FIGURES}
        found |= {"clips": proof.clips, "unreadable": proof.unreadable}
    return found


def answer_run(store: ProjectStore, record: RunRecord, output: Output, *, promote: bool, strict: bool) -> int:
    """Answers a run's result; with ``promote`` a finished one's model becomes the active one. The exit code."""
    proof = proof_of(record)
    code, promoted = 0, False
    lines = run_lines(record, proof)
    if promote and record.state is RunState.FINISHED and record.model is not None:
        try:
            _promote(store, record.model, strict=strict, output=output)
        except VidlabelError as error:
            code = 1
            lines.append(str(error))
        else:
            promoted = True
            lines.append(f"{record.model_name} is the project's active model now.")
    document = {**run_json(record), "proof": None if proof is None else proof.to_json(), "promoted": promoted}
    output.answer(document, lines)
    return code


def _promote(store: ProjectStore, model_hash: str, *, strict: bool, output: Output) -> None:
    model = find_model(model_hash)
    worse = guarded(store, model, strict=strict, output=output).words
    store.register_model(model.hash, model.name, model.labels, model.card)
    store.set_active_model(model.hash)
    for words in worse:
        output.log(f"vidlabel: {words}")


def run_lines(record: RunRecord, proof: Proof | None) -> list[str]:
    """The same for a person."""
    lines = [summary(record)]
    if record.words and record.state is not RunState.FINISHED:
        lines.append(record.words)
    if proof is not None:
        lines.append(
            f"On {proof.clips:,} test clips: top-1 {share(proof.candidate.top1)}, top-5 "
            f"{share(proof.candidate.top5)}, mean class {share(proof.candidate.mean_class)}; "
            f"before ({proof.active.model}): top-1 {share(proof.active.top1)}."
        )
        lines += [verdict(proof), *details(proof), *cautions(proof)]
    elif record.state is RunState.FINISHED:
        lines.append("Nothing was measured: there are no test clips.")
    if record.state in RESUMABLE:
        lines.append(f"`vidlabel train PROJECT --resume {record.name}` goes on with it.")
    return lines


def summary(record: RunRecord) -> str:
    """One line: what it is, where it stands, what it made."""
    made = f", made {record.model_name} ({record.model[:12]})" if record.model else ""
    epochs = f", epoch {record.epoch} of {record.epochs}" if record.epochs else ""
    base = f" from {record.base}" if record.base else ""
    return f"{record.name}: {record.state.value}{base}{epochs}{made}."
