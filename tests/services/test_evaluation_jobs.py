"""What the evaluate worker is told: the model as the project asks it, and the labels to measure under."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.helpers.projects import MODEL_HASH, write_project
from vidlabel.core.errors import VidlabelError
from vidlabel.core.words import Calibration, DecisionKind, NewDecision, ReliabilityBin
from vidlabel.services.evaluation_jobs import Asked, Subject, remove_job, write_job
from vidlabel.store.project_store import ProjectStore

ASKED = Asked(model=MODEL_HASH, name="made-up", labels=("wave", "run"), subject=Subject())
BINS = (ReliabilityBin(low=0.0, high=1.0, clips=40, confidence=0.7, accuracy=0.6),)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[ProjectStore]:
    """Four clips, two of them decided."""
    write_project(tmp_path / "work.vidlabel", tmp_path / "media", clips=4)
    with ProjectStore.open(tmp_path / "work.vidlabel") as store:
        new = [NewDecision(clip_id=clip, kind=DecisionKind.LABELLED, label="wave") for clip in (1, 2)]
        store.decide(new, annotator="me")
        yield store


def calibrate(store: ProjectStore, model: str) -> None:
    made = Calibration(model=model, temperature=1.5, clips=40, ece_before=0.2, ece_after=0.1,
                       bins_before=BINS, bins_after=BINS, fitted_at_us=1)  # fmt: skip
    store.calibrations.keep(made)


def test_the_active_model_is_measured_as_the_project_asks_it(store: ProjectStore) -> None:
    key = f"{MODEL_HASH}-v3"
    store.register_model(key, "made-up (3 views)", ["wave", "run"], {})
    store.set_active_model(key)
    calibrate(store, key)
    job = write_job(ASKED, store)
    told = json.loads(job.file.read_text("utf-8"))
    remove_job(job)
    assert (job.model, told["models"]) == (key, [key])
    assert told["calibrations"] == {key: {"temperature": 1.5, "fitted_on": 40}}
    assert set(job.names) == set(job.labels) == {1, 2}


def test_without_a_calibration_none_is_told(store: ProjectStore) -> None:
    job = write_job(ASKED, store)
    told = json.loads(job.file.read_text("utf-8"))
    remove_job(job)
    assert (job.model, told["calibrations"]) == (MODEL_HASH, {})


def test_a_part_without_a_snapshot_has_no_clips(store: ProjectStore) -> None:
    with pytest.raises(VidlabelError, match="no test clips"):
        write_job(Asked(model="m", name="m", labels=(), subject=Subject(part="test")), store)
