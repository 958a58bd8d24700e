"""Calibrations in the project: what counts, what clips and suggestions show of them, and what never changes."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.helpers.projects import MODEL_HASH, write_project
from vidlabel.core.confidence import calibrated_scores
from vidlabel.core.words import (
    Calibration,
    ClipQuery,
    ClipState,
    DecisionKind,
    LabelScore,
    NewDecision,
    ReliabilityBin,
    Suggestion,
)
from vidlabel.learning.recalibration import refresh
from vidlabel.store.project_store import ProjectStore

CLIPS = 60
BIN = ReliabilityBin(low=0.0, high=1.0, clips=40, confidence=0.8, accuracy=0.5)


def calibration(temperature: float = 2.5, model: str = MODEL_HASH) -> Calibration:
    return Calibration(
        model=model, temperature=temperature, clips=40, ece_before=0.3, ece_after=0.05,
        bins_before=(BIN,), bins_after=(BIN,), fitted_at_us=7,
    )  # fmt: skip


@pytest.fixture
def project(tmp_path: Path) -> Path:
    path = tmp_path / "work.vidlabel"
    write_project(path, tmp_path / "media", clips=CLIPS)
    return path


def in_force(store: ProjectStore, found: Calibration, *, at_once: int = 7) -> None:
    store.calibrations.keep(found)
    after: int | None = 0
    while after is not None:
        after = store.calibrations.show_some(found.model, after=after, limit=at_once)


def decide(store: ProjectStore, numbers: range, *, right_every: int = 2) -> None:
    """The first suggestion is right for every second clip; else the second was."""
    new = []
    for number in numbers:
        said = store.suggestion(number, MODEL_HASH)
        assert said is not None
        right = number % right_every == 0
        new.append(
            NewDecision(
                clip_id=number,
                kind=DecisionKind.ACCEPTED if right else DecisionKind.CORRECTED,
                label=said.scores[0 if right else 1].label,
            )
        )
    store.decide(new, annotator="me")


def test_suggestions_and_rows_show_both_values(store: ProjectStore) -> None:
    before = store.suggestion(3, MODEL_HASH)
    assert before is not None and before.scores[0].calibrated is None
    assert store.clip_rows([3])[0].calibrated is None
    in_force(store, calibration())
    after = store.suggestion(3, MODEL_HASH)
    (row,) = store.clip_rows([3])
    assert after is not None
    own = [score.probability for score in after.scores]
    assert own == [score.probability for score in before.scores], "the model's own never changes"
    assert row.probability == own[0]
    expected = calibrated_scores(own, labels=len(store.labels()), temperature=2.5)
    assert [score.calibrated for score in after.scores] == pytest.approx(expected, abs=1e-6)
    assert row.calibrated == row.shown == after.scores[0].calibrated
    assert store.calibrations.newest(MODEL_HASH) == calibration()


def test_the_stored_suggestion_is_the_models_own(store: ProjectStore, project: Path) -> None:
    in_force(store, calibration())
    said = store.suggestion(5, MODEL_HASH)
    assert said is not None
    store.save_suggestions([said])
    with closing(sqlite3.connect(project)) as raw:
        (scores,) = raw.execute("SELECT scores FROM suggestions WHERE clip_id = 5").fetchone()
    assert [one[2] for one in json.loads(scores)] == [None] * 5
    assert store.clip_rows([5])[0].probability == said.scores[0].probability


def test_new_suggestions_show_the_calibration_in_force(store: ProjectStore) -> None:
    in_force(store, calibration())
    new = Suggestion(
        clip_id=9, model=MODEL_HASH, scores=(LabelScore("wave", 0.9), LabelScore("run", 0.05)), margin=0.85,
        entropy=0.1,
    )  # fmt: skip
    store.save_suggestions([new])
    (row,) = store.clip_rows([9])
    assert row.probability == 0.9
    assert row.calibrated is not None and row.calibrated < 0.9


def test_filters_and_order_go_by_what_is_shown(store: ProjectStore) -> None:
    half = ClipQuery(min_probability=0.5)
    own = {
        row.clip_id for row in store.clip_rows(store.clip_ids(ClipQuery())) if (row.probability or 0) >= 0.5
    }
    assert set(store.clip_ids(half)) == own
    store.calibrations.keep(calibration())
    assert set(store.clip_ids(half)) == own, (
        "while it is being taken over, those not reached yet count as before"
    )
    in_force(store, calibration())
    rows = store.clip_rows(store.clip_ids(ClipQuery(sort="probability", descending=True)))
    shown = [row.shown for row in rows]
    assert shown == sorted(shown, key=lambda value: -(value or 0))
    assert set(store.clip_ids(half)) == {row.clip_id for row in rows if (row.shown or 0) >= 0.5} < own
    (none,) = [store.clip_ids(ClipQuery(max_probability=0.01))]
    assert not len(none)


def test_another_active_model_shows_its_own_calibration(store: ProjectStore) -> None:
    in_force(store, calibration())
    store.register_model("cd" * 32, "other", ["wave", "run"], {})
    two = (LabelScore("wave", 0.9), LabelScore("run", 0.1))
    store.save_suggestions([Suggestion(clip_id=1, model="cd" * 32, scores=two, margin=0.8, entropy=0.1)])
    store.set_active_model("cd" * 32)
    assert store.clip_rows([1])[0].calibrated is None and store.clip_rows([2])[0].suggested is None
    in_force(store, calibration(3.0, model="cd" * 32))
    assert store.clip_rows([1])[0].calibrated == pytest.approx(9 ** (1 / 3) / (1 + 9 ** (1 / 3)), abs=1e-6)
    store.set_active_model(MODEL_HASH)
    (row,) = store.clip_rows([1])
    assert row.calibrated is not None and row.calibrated != row.probability


def test_an_interrupted_taking_over_is_known(store: ProjectStore) -> None:
    assert store.calibrations.is_shown(MODEL_HASH)
    store.calibrations.keep(calibration())
    assert store.calibrations.show_some(MODEL_HASH, after=0, limit=10) == 10
    assert not store.calibrations.is_shown(MODEL_HASH)
    in_force(store, calibration())
    assert store.calibrations.is_shown(MODEL_HASH)
    store.calibrations.keep(calibration())
    assert store.calibrations.is_shown(MODEL_HASH), "the same temperature needs no second round"


def test_a_calibration_that_holds_no_longer_leaves_no_trace(store: ProjectStore) -> None:
    in_force(store, calibration())
    store.calibrations.forget(MODEL_HASH)
    assert store.calibrations.newest(MODEL_HASH) is None
    said = store.suggestion(3, MODEL_HASH)
    assert said is not None and said.scores[0].calibrated is None
    assert store.calibrations.show_some(MODEL_HASH, after=0, limit=1000) is None
    assert {row.calibrated for row in store.clip_rows(range(1, CLIPS + 1))} == {None}


# --- what it is measured on ----------------------------------------------------------------------
def test_decided_clips_count_and_others_do_not(store: ProjectStore) -> None:
    decide(store, range(1, 11))
    store.decide([NewDecision(clip_id=11, kind=DecisionKind.UNSURE)], annotator="me")
    store.decide([NewDecision(clip_id=12, kind=DecisionKind.LABELLED, label="somersault")], annotator="me")
    found = store.calibrations.measurable(MODEL_HASH)
    assert len(found.clips) == 11 and found.labels == 51
    assert (
        sorted(str(clip.right) for clip in found.clips if clip.label != "somersault") == ["0"] * 5 + ["1"] * 5
    )
    store.undo(annotator="me")
    assert len(store.calibrations.measurable(MODEL_HASH).clips) == 10
    assert store.calibrations.measurable("ff" * 32).clips == ()


def test_clips_it_was_trained_on_never_count(store: ProjectStore, project: Path) -> None:
    decide(store, range(1, 41))
    labels = [label.name for label in store.labels()]
    card = {"training_content_hashes": [f"sha-{number}" for number in range(1, 16)]}
    store.register_model(MODEL_HASH, "made-up", labels, card)
    with closing(sqlite3.connect(project)) as raw, raw:
        raw.execute("UPDATE videos SET content_hash = NULL WHERE id IN (20, 21)")
    found = store.calibrations.measurable(MODEL_HASH)
    assert (len(found.clips), found.trained, found.unhashed) == (40 - 15 - 2, 15, 2)
    assert refresh(store.calibrations, MODEL_HASH).words == "not calibrated: 7 more decisions needed"
    store.register_model(MODEL_HASH, "made-up", labels, {})
    assert store.calibrations.measurable(MODEL_HASH).trained == 15, (
        "a card that cannot be read forgets nothing"
    )


def test_a_renamed_label_is_still_the_label(store: ProjectStore) -> None:
    decide(store, range(2, 3), right_every=1)
    said = store.suggestion(2, MODEL_HASH)
    assert said is not None
    label = store.find_label(said.scores[0].label)
    assert label is not None
    store.rename_label(label.id, "quite another name")
    (clip,) = store.calibrations.measurable(MODEL_HASH).clips
    assert clip.right == 0


def test_refreshing_from_decisions(store: ProjectStore) -> None:
    assert refresh(store.calibrations, MODEL_HASH).words == "not calibrated: 30 more decisions needed"
    decide(store, range(1, 51), right_every=4)
    state = refresh(store.calibrations, MODEL_HASH, at_once=9)
    assert state.words == "calibrated on 50 decided clips"
    found = store.calibrations.newest(MODEL_HASH)
    assert found is not None and state.calibration == found
    assert found.temperature > 1, "right for a quarter of the clips while it says 60 %"
    assert found.ece_after < found.ece_before
    assert store.calibrations.is_shown(MODEL_HASH)
    rows = store.clip_rows(store.clip_ids(ClipQuery(states=frozenset({ClipState.SUGGESTED}))))
    assert all(row.calibrated is not None and row.calibrated < (row.probability or 0) for row in rows)
    store.undo(annotator="me")
    assert "not calibrated" in refresh(store.calibrations, MODEL_HASH).words
    assert store.calibrations.newest(MODEL_HASH) is None
    assert {row.calibrated for row in store.clip_rows(range(1, CLIPS + 1))} == {None}
