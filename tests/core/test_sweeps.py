"""The windows of a sweep cover the whole video; settings that came from elsewhere never break it."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vidlabel.core.sweeps import ProposalSettings, SweepPlan, seconds_to_plan


@given(duration=st.integers(1, 20_000_000), window=st.integers(10, 3_000_000), share=st.floats(0.01, 1.0))
def test_windows_and_their_cells_cover_the_video_without_gap(
    duration: int, window: int, share: float
) -> None:
    step = max(1, window // 50, int(window * share))
    plan = SweepPlan(duration_us=duration, window_us=window, step_us=step)
    places = range(plan.windows) if plan.windows < 300 else [0, 1, plan.windows - 2, plan.windows - 1]
    windows = [plan.window(number) for number in places]
    assert windows[0][0] == 0
    assert windows[-1][1] == duration
    assert all(0 < end - start <= window for start, end in windows)
    assert all(end - start == window for start, end in windows[:-1])
    cells = [plan.cell(number) for number in range(plan.windows)] if plan.windows < 300 else []
    assert all(before[1] == after[0] for before, after in pairwise(cells))
    assert plan.cell(0, plan.windows) == (0, duration)


def test_a_video_shorter_than_the_window_is_one_window() -> None:
    plan = seconds_to_plan(700_000)
    assert (plan.windows, plan.window(0), plan.cell(0)) == (1, (0, 700_000), (0, 700_000))


def test_a_step_longer_than_the_window_would_leave_time_out() -> None:
    with pytest.raises(ValueError, match="left out"):
        seconds_to_plan(10_000_000, window_s=1, step_s=2)


def test_settings_of_a_project_are_read_whatever_stands_there() -> None:
    usual = ProposalSettings()
    assert ProposalSettings.from_json(usual.to_json()) == usual
    for odd in (None, 7, [], {"start_sure": "much"}, {"start_sure": 0.2, "end_sure": 0.9}, {"newer": 1}):
        assert ProposalSettings.from_json(odd) == usual
    assert ProposalSettings.from_json({"shortest_s": 4}).shortest_s == 4
