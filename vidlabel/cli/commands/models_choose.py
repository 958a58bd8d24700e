"""``vidlabel models promote`` and ``rollback``: which model's suggestions a project shows."""

from __future__ import annotations

from argparse import Namespace
from typing import Any

from vidlabel.cli.context import Use, open_project
from vidlabel.cli.guarding import Guarded, guarded
from vidlabel.cli.output import Output
from vidlabel.core.errors import ModelError, VidlabelError
from vidlabel.core.model_key import ModelKey
from vidlabel.ml.catalogue import find_model
from vidlabel.store.former_models import SETTING as FORMER_MODELS
from vidlabel.store.project_store import ProjectStore


def promote(arguments: Namespace, output: Output, project: str, model: str) -> int:
    """Makes a model the project's active one; what it said before is shown at once.

    A label that got worse is warned of; with ``--strict`` nothing is changed then.
    """
    info = find_model(model)
    with open_project(project, use=Use.WRITE) as store:
        before = store.active_model()
        known = guarded(store, info, strict=arguments.strict, output=output)
        for words in known.words:
            output.log(f"vidlabel: {words}")
        store.register_model(info.hash, info.name, info.labels, info.card)
        store.set_active_model(info.hash)
        return _answer(store, before, output, known=known)


def rollback(arguments: Namespace, output: Output, project: str) -> int:
    """Makes the model before the active one again; those that are gone from this computer are passed over."""
    del arguments
    with open_project(project, use=Use.REPAIR) as store:
        before = store.active_model()
        former = store.former_models()
        for place in reversed(range(len(former))):
            try:
                find_model(ModelKey.parse(former[place]).hash)
            except ModelError as error:
                output.log(f"vidlabel: passed over: {error}")
                continue
            store.set_active_model(former[place])
            # What came after it is forgotten: the next step back goes further back.
            store.set_setting(FORMER_MODELS, list(former[:place]))
            return _answer(store, before, output)
        path = store.path
    if former:
        raise VidlabelError(f"{path}: none of the models it had before can be used here.")
    raise VidlabelError(
        f"{path} has had no other model. `vidlabel models promote PROJECT MODEL` chooses one."
    )


def _answer(
    store: ProjectStore, before: tuple[str, str] | None, output: Output, *, known: Guarded | None = None
) -> int:
    now = store.active_model()
    assert now is not None
    before_key, before_name = before or (None, None)
    said, readable = store.known_models.suggested(now[0])
    proof = known.proof if known is not None else None
    document: dict[str, Any] = {
        "project": str(store.path),
        "model": now[1],
        "hash": now[0],
        "before": before_name,
        "before_hash": before_key,
        "suggested": said,
        "readable": readable,
    }
    if known is not None:
        document["proof"] = None if proof is None else proof.to_json()
        document["worse"] = [] if proof is None else [change.label for change in proof.worse]
        document["words"] = list(known.words)
    came = "" if before_key in (None, now[0]) else f", after {before_name}"
    lines = [f"{now[1]} ({now[0][:12]}) is the active model of {store.path}{came}."]
    if said < readable:
        lines.append(
            f"It has suggested labels for {said:,} of {readable:,} clips: `vidlabel suggest {store.path}` asks it "
            "about the others."
        )
    output.answer(document, lines)
    return 0
