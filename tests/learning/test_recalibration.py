"""Calibrated confidence: it means what it says on clips it was not fitted on, and never reorders labels."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vidlabel.core.confidence import ScoredClip, calibrated_scores
from vidlabel.learning.recalibration import (
    FEWEST_CLIPS,
    calibration_error,
    fit_calibration,
    folds,
    reliability_bins,
    state_of,
)

LABELS = 51
MODEL = "ab" * 32


def people_decide(clips: int, *, boast: float, seed: int = 0, kept: int = 10) -> list[ScoredClip]:
    """Decisions on clips of a model whose logits are ``boast`` times what they ought to be, as they are stored."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(size=(clips, LABELS)) * 1.7
    honest = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    boastful = np.exp(logits * boast)
    boastful /= boastful.sum(axis=1, keepdims=True)
    made = []
    for number in range(clips):
        truth = int(rng.choice(LABELS, p=honest[number]))
        best = np.argsort(-boastful[number])[:kept]
        place = np.flatnonzero(best == truth)
        made.append(
            ScoredClip(
                tuple(np.round(boastful[number][best], 6).tolist()),
                int(place[0]) if len(place) else None,
                f"label {truth}",
                f"day {number // 3}.mp4",
            )
        )
    return made


probabilities = st.lists(st.floats(0, 1), min_size=1, max_size=12).map(
    lambda values: [round(value / (sum(values) or 1), 6) for value in sorted(values, reverse=True)]
)


@given(kept=probabilities, more=st.integers(0, 50), temperature=st.floats(0.05, 20))
def test_calibrating_keeps_order_and_adds_up_to_one(kept: list[float], more: int, temperature: float) -> None:
    shown = calibrated_scores(kept, labels=len(kept) + more, temperature=temperature)
    assert all(0 <= value <= 1 for value in shown)
    assert shown == sorted(shown, reverse=True)
    assert sum(shown) <= 1 + 1e-9
    if not more:
        assert sum(shown) == pytest.approx(1)


@given(kept=probabilities, cool=st.floats(0.1, 10), warmer=st.floats(1.0, 2.0))
def test_the_first_label_is_surer_the_colder_it_is(kept: list[float], cool: float, warmer: float) -> None:
    cold = calibrated_scores(kept, labels=LABELS, temperature=cool)
    warm = calibrated_scores(kept, labels=LABELS, temperature=cool * warmer)
    assert cold[0] >= warm[0] - 1e-9


def test_temperature_one_shows_the_models_own() -> None:
    own = [0.7, 0.2, 0.05]
    assert calibrated_scores(own, labels=LABELS, temperature=1.0) == pytest.approx(own, abs=1e-6)
    assert calibrated_scores([], labels=3, temperature=1.0) == []


@pytest.mark.parametrize("boast", [3.0, 0.5])
@pytest.mark.parametrize("kept", [5, 10])
def test_a_boast_or_a_modesty_is_found_and_put_right(boast: float, kept: int) -> None:
    found = fit_calibration(MODEL, people_decide(2000, boast=boast, kept=kept), labels=LABELS)
    assert found is not None and found.clips == 2000
    assert (found.temperature > 1) is (boast > 1)
    assert found.ece_after < 0.06 and found.ece_after < found.ece_before / 3
    # On clips nobody has seen: the same promise holds.
    fresh = people_decide(2000, boast=boast, kept=kept, seed=1)
    right = np.array([clip.right == 0 for clip in fresh])
    shown = [calibrated_scores(c.kept, labels=LABELS, temperature=found.temperature)[0] for c in fresh]
    assert calibration_error(reliability_bins(np.array(shown), right)) < 0.06


def test_few_clips_help_already_and_an_honest_model_stays_as_it_is() -> None:
    few = fit_calibration(MODEL, people_decide(60, boast=3.0), labels=LABELS)
    assert few is not None and few.ece_after < few.ece_before
    honest = fit_calibration(MODEL, people_decide(3000, boast=1.0), labels=LABELS)
    assert honest is not None and honest.temperature == pytest.approx(1, abs=0.1)


def test_thirty_right_answers_make_no_model_certain() -> None:
    clips = [ScoredClip((0.6, 0.2, 0.1), 0, f"label {n % 2}", f"{n}.mp4") for n in range(30)]
    found = fit_calibration(MODEL, clips, labels=LABELS)
    assert found is not None
    assert calibrated_scores(clips[0].kept, labels=LABELS, temperature=found.temperature)[0] < 0.97


def test_labels_the_model_does_not_know_count_as_wrong() -> None:
    known = people_decide(400, boast=1.0)
    unknown = [ScoredClip(clip.kept, None, "something else", clip.source) for clip in known[:200]]
    clean = fit_calibration(MODEL, known[200:], labels=LABELS)
    mixed = fit_calibration(MODEL, known[200:] + unknown, labels=LABELS)
    assert clean is not None and mixed is not None
    assert mixed.temperature > clean.temperature
    every = [ScoredClip((0.7, 0.3), None, clip.label, clip.source) for clip in known]
    assert fit_calibration(MODEL, every, labels=2) is not None, "also where no label is left over"


def test_too_few_clips_or_labels_say_what_is_missing() -> None:
    clips = people_decide(FEWEST_CLIPS, boast=2.0)
    assert fit_calibration(MODEL, clips[:-12], labels=LABELS) is None
    assert state_of(MODEL, clips[:-12], None).words == "not calibrated: 12 more decisions needed"
    assert state_of(MODEL, clips[:-1], None).words == "not calibrated: 1 more decision needed"
    alike = [ScoredClip(clip.kept, clip.right, "wave", clip.source) for clip in clips]
    assert fit_calibration(MODEL, alike, labels=LABELS) is None
    assert "one label" in state_of(MODEL, alike, None).words
    found = fit_calibration(MODEL, clips, labels=LABELS)
    assert state_of(MODEL, clips, found).words == "calibrated on 30 decided clips"


def test_sources_stay_whole_in_folds() -> None:
    clips = people_decide(200, boast=1.0)
    home = folds(clips)
    for source in {clip.source for clip in clips}:
        assert len({int(home[n]) for n, clip in enumerate(clips) if clip.source == source}) == 1
    assert sorted(np.bincount(home)) == pytest.approx([40] * 5, abs=3)
    one = [ScoredClip(clip.kept, clip.right, clip.label, "long.mp4") for clip in clips]
    assert np.bincount(folds(one)).tolist() == [40] * 5
    films = [
        ScoredClip((0.9,), 0, "wave", f"film{n // 10}_wave_u_cm_np1_fr_med_{n % 10}.avi") for n in range(50)
    ]
    assert all(len(set(folds(films)[k : k + 10].tolist())) == 1 for k in range(0, 50, 10))


def test_the_same_decisions_do_not_move_the_temperature() -> None:
    clips = people_decide(1001, boast=3.0)
    first = fit_calibration(MODEL, clips[:1000], labels=LABELS)
    assert first is not None
    again = fit_calibration(MODEL, clips, labels=LABELS, before=first)
    assert again is not None and again.temperature == first.temperature and again.clips == 1001


def test_bins_hold_every_clip_once() -> None:
    confidence = np.array([0.0, 0.2, 0.2000001, 0.99, 1.0])
    bins = reliability_bins(confidence, np.array([False, True, True, True, False]), bins=5)
    assert [one.clips for one in bins] == [2, 1, 0, 0, 2]
    assert bins[0].accuracy == 0.5 and bins[2].confidence is None
    assert np.isnan(calibration_error(reliability_bins(np.empty(0), np.empty(0, bool))))
