"""Sweeps come in part by part; what is proposed from them never touches what a person did."""

from __future__ import annotations

from array import array
from pathlib import Path

import pytest

from tests.store.conftest import Footage
from vidlabel.core.errors import ModelError
from vidlabel.core.sweeps import ProposedClip, Sweep, SweepPlan
from vidlabel.core.words import ClipQuery, ClipRow, ClipState, DecisionKind, LabelScore, NewDecision
from vidlabel.store.project_store import ProjectStore

MODEL = "ab" * 32
OTHER = "cd" * 32
LABELS = ["wave", "walk", "run"]
PLAN = SweepPlan(duration_us=2_000_000, window_us=500_000, step_us=100_000)


@pytest.fixture
def known(footage: Footage) -> Footage:
    for model in (MODEL, OTHER):
        footage.store.register_model(model, model[:2], LABELS, {})
    return footage


def video_of(footage: Footage, relative: str = "a.mp4") -> int:
    return footage.store.clips_of_video(footage.folder / relative)[0].video_id


def begin(footage: Footage, *, model: str = MODEL, plan: SweepPlan = PLAN) -> Sweep:
    return footage.store.sweeps.begin(model, video_of(footage), plan)


def part(windows: int, value: int = 0) -> bytes:
    return bytes([value]) * (windows * len(LABELS) * 2)


def proposed(start_s: float, end_s: float, label: str = "wave") -> ProposedClip:
    start, end = round(start_s * 1e6), round(end_s * 1e6)
    scores = (LabelScore(label, 0.8), LabelScore("run", 0.2))
    frames = (round(start_s * 30), round(end_s * 30))
    return ProposedClip(start_us=start, end_us=end, frames=frames, scores=scores, margin=0.6, entropy=0.3)


def inside(footage: Footage) -> list[ClipRow]:
    return [row for row in footage.store.clips_of_video(footage.folder / "a.mp4") if not row.whole]


def times(rows: list[ClipRow]) -> list[tuple[float, float]]:
    return [(row.start_us / 1e6, row.end_us / 1e6) for row in rows]


def test_parts_follow_on_and_a_sweep_is_finished_with_its_last(known: Footage) -> None:
    sweeps = known.store.sweeps
    sweep = begin(known)
    assert (sweep.windows, sweep.done, sweep.finished) == (16, 0, False)
    first = sweeps.add_part(sweep, 0, windows=10, scores=part(10, 1))
    assert first is not None and (first.done, first.finished) == (10, False)
    assert sweeps.add_part(sweep, 0, windows=10, scores=part(10, 9)) is None
    assert sweeps.add_part(sweep, 12, windows=4, scores=part(4, 9)) is None
    assert sweeps.add_part(sweep, 10, windows=7, scores=part(7, 9)) is None
    assert begin(known).done == 10
    last = sweeps.add_part(sweep, 10, windows=6, scores=part(6, 2))
    assert last is not None and last.finished
    assert sweeps.scores(last) == part(10, 1) + part(6, 2)
    assert sweeps.labels(last) == tuple(LABELS)


def test_other_windows_begin_anew_and_late_parts_of_the_old_ones_are_refused(known: Footage) -> None:
    sweep = begin(known)
    known.store.sweeps.add_part(sweep, 0, windows=10, scores=part(10))
    other = begin(known, plan=SweepPlan(duration_us=2_000_000, window_us=500_000, step_us=250_000))
    assert (other.done, other.windows) == (0, 7)
    assert known.store.sweeps.scores(other) == b""
    assert known.store.sweeps.add_part(sweep, 10, windows=6, scores=part(6)) is None


def test_an_unknown_model_is_said_so(known: Footage) -> None:
    with pytest.raises(ModelError):
        begin(known, model="ef" * 32)


def test_long_videos_are_those_that_can_be_read(known: Footage) -> None:
    store = known.store
    store.mark_trouble(known.folder / "b.mp4", "damaged", missing=False)
    found = store.sweeps.long_videos(MODEL, at_least_us=2_000_000)
    assert [video.clip.relative for video in found] == ["a.mp4", "day 1/c.mp4"]
    assert all(video.sweep is None for video in found)
    begin(known)
    assert store.sweeps.long_videos(MODEL, at_least_us=1)[0].sweep == begin(known)
    assert store.sweeps.long_videos(MODEL, at_least_us=2_000_001) == ()


def test_proposals_are_clips_of_the_queue_with_their_suggestion(known: Footage) -> None:
    store = known.store
    sweep = begin(known)
    changes = store.sweeps.propose(sweep, [proposed(0.2, 0.9), proposed(1.1, 1.8, "walk")])
    rows = inside(known)
    assert changes.library and changes.clips == {row.clip_id for row in rows}
    assert times(rows) == [(0.2, 0.9), (1.1, 1.8)]
    assert [(row.suggested, row.probability, row.state) for row in rows] == [
        ("wave", 0.8, ClipState.SUGGESTED),
        ("walk", 0.8, ClipState.SUGGESTED),
    ]
    assert [(row.start_frame, row.end_frame) for row in rows] == [(6, 27), (33, 54)]
    queue = store.clip_ids(ClipQuery())
    assert isinstance(queue, array) and set(queue) >= changes.clips
    assert store.sweeps.was_proposed_from(sweep)
    assert {row.clip_id for row in rows} <= set(store.clip_ids(ClipQuery(text="a.mp4")))


def test_proposing_again_replaces_what_nobody_decided_about(known: Footage) -> None:
    store = known.store
    sweep = begin(known)
    store.sweeps.propose(sweep, [proposed(0.0, 0.5), proposed(0.6, 1.0), proposed(1.1, 1.8)])
    kept, undone, replaced = (row.clip_id for row in inside(known))
    store.decide([NewDecision(clip_id=kept, kind=DecisionKind.ACCEPTED, label="wave")], annotator="me")
    store.decide([NewDecision(clip_id=undone, kind=DecisionKind.UNSURE)], annotator="me")
    store.undo(annotator="me")
    by_hand = store.add_clip(known.folder / "a.mp4", 1_850_000, 1_990_000)
    changes = store.sweeps.propose(sweep, [proposed(0.05, 0.55), proposed(1.2, 1.7), proposed(1.84, 2.0)])
    rows = {row.clip_id: row for row in inside(known)}
    # The first and the last are found again: one decided, one marked by a person.
    assert set(rows) >= {kept, undone, by_hand}
    assert replaced not in rows
    assert len(rows) == 4
    assert changes.clips == {replaced} | (set(rows) - {kept, undone, by_hand})
    assert store.history(kept)[0].label == "wave"
    assert rows[by_hand].suggested is None
    store.redo(annotator="me")
    assert {row.clip_id: row.state for row in inside(known)}[undone] is ClipState.UNSURE


def test_the_same_proposals_are_the_same_clips_and_change_nothing(known: Footage) -> None:
    store = known.store
    sweep = begin(known)
    store.sweeps.propose(sweep, [proposed(0.0, 0.5), proposed(1.0, 1.5)])
    before = inside(known)
    changes = store.sweeps.propose(sweep, [proposed(0.0, 0.5), proposed(1.0, 1.5)])
    assert inside(known) == before
    assert not changes.library
    store.sweeps.propose(sweep, [])
    assert inside(known) == []
    store.sweeps.propose(sweep, [proposed(0.0, 0.5)])
    assert [row.clip_id for row in inside(known)] == [before[0].clip_id]


def test_the_clip_on_screen_stays(known: Footage) -> None:
    sweep = begin(known)
    known.store.sweeps.propose(sweep, [proposed(0.0, 0.5), proposed(1.0, 1.5)])
    on_screen = inside(known)[0].clip_id
    known.store.sweeps.propose(sweep, [proposed(0.6, 0.9)], keep={on_screen})
    assert times(inside(known)) == [(0.0, 0.5), (0.6, 0.9)]


def test_a_marked_clip_that_a_person_removed_does_not_come_back(known: Footage, project: Path) -> None:
    store = known.store
    sweep = begin(known)
    by_hand = store.add_clip(known.folder / "a.mp4", 0, 500_000)
    with store._database.write() as connection:
        connection.exec_driver_sql(f"UPDATE clips SET removed = 1 WHERE id = {by_hand}")
    store.sweeps.propose(sweep, [proposed(0.0, 0.5), proposed(1.0, 1.5)])
    assert times(inside(known)) == [(1.0, 1.5)]


def test_another_model_takes_the_place_of_undecided_proposals(known: Footage) -> None:
    known.store.sweeps.propose(begin(known), [proposed(0.0, 0.5)])
    known.store.sweeps.propose(begin(known, model=OTHER), [proposed(1.0, 1.5)])
    assert times(inside(known)) == [(1.0, 1.5)]


def test_a_video_that_goes_takes_its_sweep_along(known: Footage) -> None:
    store = known.store
    sweep = begin(known)
    store.sweeps.add_part(sweep, 0, windows=3, scores=part(3))
    (known.folder / "a.mp4").unlink()
    known.write("a.mp4", "another content altogether")
    known.scan()
    assert store.sweeps.of_video(sweep.video_id, MODEL) is None
    assert store.check() == []


def test_everything_is_there_after_opening_again(known: Footage, project: Path) -> None:
    sweep = begin(known)
    known.store.sweeps.add_part(sweep, 0, windows=10, scores=part(10, 7))
    known.store.close()
    with ProjectStore.open(project) as store:
        again = store.sweeps.of_video(sweep.video_id, MODEL)
        assert again is not None and again.done == 10
        assert store.sweeps.scores(again) == part(10, 7)
