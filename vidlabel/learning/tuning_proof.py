"""The last part of a run: its model against the one that was active, on the test clips."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Protocol

from vidlabel.core.errors import ModelError
from vidlabel.core.proof import Proof
from vidlabel.core.runs import RunFolder
from vidlabel.core.snapshot import Snapshot
from vidlabel.learning.run_files import read_proof
from vidlabel.learning.run_order import RunOrder
from vidlabel.learning.run_teller import Tell
from vidlabel.learning.run_wishes import Wishes
from vidlabel.ml.catalogue import bundled_path
from vidlabel.ml.files import write_whole
from vidlabel.ml.modelfile import ModelInfo, read_info


class Prove(Protocol):
    """What measures candidate and active model on the test clips."""

    def __call__(
        self,
        active: ModelInfo,
        candidate: ModelInfo,
        snapshot: Snapshot,
        *,
        order: RunOrder,
        should_stop: Callable[[], bool],
        on_progress: Callable[[int, int], None],
        on_note: Callable[[str], None],
    ) -> Proof:
        """The proof; ``StoppedError`` if it was stopped."""
        ...


def proven(
    folder: RunFolder, order: RunOrder, model: ModelInfo, *, tell: Tell, wishes: Wishes, prove: Prove
) -> dict[str, Any]:
    """Measures on the test clips, once, and answers the figures; none where there are no such clips.

    Raises:
        StoppedError: it was stopped; the next call begins the proof anew.
    """
    test = order.snapshot.of("test")
    if not test:
        tell("note", words="The snapshot has no test clips, so nothing is proven.")
        return {}
    known = read_proof(folder)
    if known is not None:
        return proof_figures(known)
    tell("proving", done=0, total=0)
    proof = prove(
        active_model(order, note=lambda words: tell("note", words=words)), model, order.snapshot, order=order,
        should_stop=lambda: wishes.stopping,
        on_progress=lambda done, total: tell("proving", done=done, total=total),
        on_note=lambda words: tell("note", words=words),
    )  # fmt: skip
    write_whole(folder.proof, json.dumps(proof.to_json()).encode())
    return proof_figures(proof)


def active_model(order: RunOrder, *, note: Callable[[str], None]) -> ModelInfo:
    """The model to compare with: the one that was active, else the base, else the bundled one."""
    wanted = [
        (order.active_path, order.active_name),
        (order.base_path, order.base_name),
        (bundled_path(), "bundled"),
    ]
    for path, name in wanted:
        if path is None:
            continue
        try:
            info = read_info(path)
        except ModelError as error:
            note(f"The model to compare with cannot be used, another one is taken. {error}")
            continue
        return replace(info, name=name or info.name)
    raise ModelError("bundled", "no model to compare with is there. Install vidlabel again.")


def proof_figures(proof: Proof) -> dict[str, Any]:
    """The proof in a few numbers, for the run's last word and lists."""
    candidate, active = proof.candidate, proof.active
    return {
        "test_clips": proof.clips,
        "test_top1": candidate.top1,
        "test_top5": candidate.top5,
        "test_mean_class": candidate.mean_class,
        "test_ece": candidate.ece,
        "active_top1": active.top1,
        "active_mean_class": active.mean_class,
        "difference": proof.difference,
        "p_value": proof.p_value,
        "worse": [change.label for change in proof.worse],
    }
