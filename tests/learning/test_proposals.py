"""Curves become clips: where they begin and end, what is joined, and that nothing is said of what was not seen."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray

from vidlabel.core.sweeps import Proposal, ProposalSettings, SweepPlan
from vidlabel.learning.proposals import (
    not_looked_at,
    propose,
    proposed_clip,
    scores_from_bytes,
    scores_to_bytes,
    smoothed,
    strongest_curves,
)

LABELS = ("wave", "walk", "run")
PLAIN = ProposalSettings(start_sure=0.6, end_sure=0.3, join_gaps_s=0, shortest_s=0, smooth_s=0)
SECOND = 1_000_000


def plan_of(windows: int) -> SweepPlan:
    """Windows of 2 s each half second: window k speaks for the time around k / 2 + 1 s."""
    return SweepPlan(duration_us=(windows - 1) * 500_000 + 2_000_000, window_us=2_000_000, step_us=500_000)


def curves(*wave: float | None, walk: tuple[float, ...] | None = None) -> NDArray[np.float32]:
    """Probabilities over time for wave (None: not looked at), and walk where it is given."""
    rows = []
    for place, value in enumerate(wave):
        other = 0.0 if walk is None else walk[place]
        rows.append([np.nan] * 3 if value is None else [value, other, 1 - value - other])
    found = np.array(rows, dtype=np.float32)
    # Nothing is certain of the third label, so that only the others are ever proposed.
    found[:, 2] = np.where(np.isnan(found[:, 2]), np.nan, np.minimum(found[:, 2], 0.25))
    return found


def found(values: NDArray[np.float32], settings: ProposalSettings = PLAIN) -> list[Proposal]:
    return propose(values, plan_of(len(values)), labels=LABELS, settings=settings)


def spans(proposals: list[Proposal]) -> list[tuple[str, float, float]]:
    return [(one.label, one.start_us / SECOND, one.end_us / SECOND) for one in proposals]


def test_a_clip_reaches_to_where_the_curve_crosses_the_lower_threshold() -> None:
    # Centres lie at 1.0, 1.5, 2.0 ... s. Between 2.0 (0.1) and 2.5 s (0.5) the line meets 0.3 in the middle.
    values = curves(0.0, 0.0, 0.1, 0.5, 0.9, 0.9, 0.5, 0.1, 0.0, 0.0)
    assert spans(found(values)) == [("wave", 2.25, 4.25)]
    assert found(values)[0].confidence == pytest.approx(0.7, abs=1e-6)


def test_what_never_gets_sure_enough_is_no_clip() -> None:
    assert found(curves(0.1, 0.5, 0.55, 0.5, 0.1)) == []
    # One sure moment carries the whole stretch.
    assert len(found(curves(0.1, 0.5, 0.65, 0.4, 0.1))) == 1


def test_clips_at_the_ends_of_the_video_reach_to_the_ends() -> None:
    values = curves(0.9, 0.9, 0.0, 0.0, 0.0, 0.9, 0.9)
    (first, last) = found(values)
    assert first.start_us == 0
    assert last.end_us == plan_of(7).duration_us


def test_gaps_are_joined_up_to_what_was_asked() -> None:
    values = curves(0.0, 0.9, 0.9, 0.1, 0.1, 0.9, 0.9, 0.0)
    assert len(found(values)) == 2
    joined = ProposalSettings(start_sure=0.6, end_sure=0.3, join_gaps_s=1.0, shortest_s=0, smooth_s=0)
    assert len(found(values, joined)) == 1
    less = ProposalSettings(start_sure=0.6, end_sure=0.3, join_gaps_s=0.9, shortest_s=0, smooth_s=0)
    assert len(found(values, less)) == 2


def test_short_clips_are_left_out() -> None:
    values = curves(0.0, 0.9, 0.0, 0.0, 0.9, 0.9, 0.9, 0.9, 0.0)
    some = ProposalSettings(start_sure=0.6, end_sure=0.3, join_gaps_s=0, shortest_s=1.5, smooth_s=0)
    assert len(found(values)) == 2
    assert [one.first for one in found(values, some)] == [4]


def test_time_not_looked_at_is_in_no_clip_and_nothing_is_joined_across_it() -> None:
    values = curves(0.0, 0.9, 0.9, None, 0.9, 0.9, 0.0)
    generous = ProposalSettings(start_sure=0.6, end_sure=0.3, join_gaps_s=60, shortest_s=0, smooth_s=5)
    plan = plan_of(7)
    for settings in (PLAIN, generous):
        proposals = found(values, settings)
        assert len(proposals) == 2
        hidden = plan.cell(3)
        assert all(one.end_us <= hidden[0] or one.start_us >= hidden[1] for one in proposals)
    assert not_looked_at(values, plan) == [plan.cell(3)]
    assert np.isnan(smoothed(values, plan, 5)[3]).all()


def test_a_sweep_that_is_not_finished_proposes_only_from_what_it_saw() -> None:
    plan = plan_of(100)
    part = curves(0.0, 0.9, 0.9, 0.9)
    (only,) = propose(part, plan, labels=LABELS, settings=PLAIN)
    assert only.end_us <= plan.cell(0, 4)[1]
    assert propose(part[:0], plan, labels=LABELS, settings=PLAIN) == []
    with pytest.raises(ValueError, match="not the windows"):
        propose(curves(*[0.5] * 101), plan, labels=LABELS, settings=PLAIN)


def test_proposals_never_overlap_and_the_surer_has_the_time() -> None:
    values = curves(
        0.0, 0.4, 0.5, 0.35, 0.3, 0.7, 0.9, 0.9, 0.3, walk=(0.0, 0.4, 0.45, 0.6, 0.65, 0.3, 0.1, 0.1, 0.1)
    )
    for settings in (PLAIN, ProposalSettings(start_sure=0.3, end_sure=0.3, shortest_s=0, smooth_s=1)):
        proposals = found(values, settings)
        assert {one.label for one in proposals} == {"wave", "walk"}
        assert all(before.end_us <= after.start_us for before, after in pairwise(proposals))


def test_smoothing_is_the_mean_over_the_time_asked_for() -> None:
    values = curves(0.0, 0.0, 0.9, 0.0, 0.0)
    mean = smoothed(values, plan_of(5), 1.0)[:, 0]
    assert mean == pytest.approx([0.0, 0.3, 0.3, 0.3, 0.0], abs=1e-6)
    assert smoothed(values, plan_of(5), 0.4)[:, 0] == pytest.approx(values[:, 0])
    assert smoothed(curves(0.9, 0.0), plan_of(2), 1.0)[0, 0] == pytest.approx(0.45)


def test_a_calibration_makes_the_model_less_sure_of_it() -> None:
    values = np.array([[0.34, 0.33, 0.33], [0.7, 0.2, 0.1], [0.7, 0.2, 0.1], [0.34, 0.33, 0.33]], np.float32)
    assert len(propose(values, plan_of(4), labels=LABELS, settings=PLAIN)) == 1
    assert propose(values, plan_of(4), labels=LABELS, settings=PLAIN, temperature=3.0) == []


def test_the_clip_carries_the_mean_of_its_windows_as_the_models_own_word() -> None:
    values = curves(0.0, 0.6, 0.9, 0.6, 0.0)
    (only,) = found(values)
    clip = proposed_clip(only, values, labels=LABELS, frames=(3, 40), top_k=2)
    mean = values[only.first : only.last].mean(axis=0)
    assert [score.label for score in clip.scores] == ["wave", "run"]
    assert clip.scores[0].probability == pytest.approx(mean[0] / mean.sum(), abs=1e-5)
    assert clip.margin == pytest.approx(clip.scores[0].probability - clip.scores[1].probability, abs=1e-5)
    assert (clip.frames, clip.start_us) == ((3, 40), only.start_us)


def test_windows_are_kept_as_float16_and_come_back_as_they_were() -> None:
    values = curves(0.1234567, None, 0.9)
    back = scores_from_bytes(scores_to_bytes(values), 3)
    assert back.dtype == np.float16
    assert np.array_equal(back, values.astype(np.float16), equal_nan=True)


def test_the_strip_shows_the_strongest_labels_and_no_peak_is_lost() -> None:
    values = curves(*[0.05] * 500, 0.99, *[0.05] * 499)
    drawn = strongest_curves(values, plan_of(1000), smooth_s=0, curves=2, points=100)
    assert drawn[0][0] == 2
    waves = dict(drawn)[0]
    assert len(waves) == 100
    assert max(waves) == pytest.approx(0.99, abs=1e-3)
    half = strongest_curves(values[:400], plan_of(1000), smooth_s=0, curves=1, points=100)[0][1]
    assert np.isnan(half[40:]).all()
    assert not np.isnan(half[:40]).any()
    assert strongest_curves(curves(None, None), plan_of(2), smooth_s=0, curves=2, points=9) == []
