"""The process is killed in the middle of the work: every acknowledged decision is there."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.conftest import CHECKOUT
from vidlabel.core.paths import project_of_folder
from vidlabel.core.words import DecisionKind
from vidlabel.store.project_store import ProjectStore

ACKNOWLEDGED = 12


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="POSIX signals")
def test_every_acknowledged_decision_survives_sigkill(folder: Path) -> None:
    said: list[list[object]] = []
    for round_ in range(2):
        with subprocess.Popen(
            [sys.executable, "-m", "tests.e2e.labelling_person", str(folder)],
            cwd=CHECKOUT, stdout=subprocess.PIPE, text=True,
        ) as person:  # fmt: skip
            assert person.stdout is not None
            for line in person.stdout:
                said.append(json.loads(line))
                if len(said) >= ACKNOWLEDGED * (round_ + 1):
                    break
            person.send_signal(signal.SIGKILL)
            # What it said between our last line and its death was acknowledged, too.
            said += [json.loads(line) for line in person.stdout if line.endswith("\n")]
        assert len(said) >= ACKNOWLEDGED * (round_ + 1)
    with ProjectStore.open(project_of_folder(folder)) as store:
        found = [
            (decision.id, [decision.clip_id, decision.kind.value, decision.label])
            for row in store.clip_rows(sorted({clip_id for clip_id, _, _ in said}))
            for decision in store.history(row.clip_id)
        ]
        assert store.check() == []
    in_order = [decision for _, decision in sorted(found)]
    missing = list(said)
    for decision in in_order:
        if missing and missing[0] == decision:
            missing.pop(0)
    assert missing == []
    assert {DecisionKind.SKIPPED.value, DecisionKind.LABELLED.value} <= {kind for _, kind, _ in said}
