from __future__ import annotations

from array import array
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.helpers.projects import MODEL_HASH, write_project
from tests.store.conftest import Footage
from vidlabel.core.filters import parse
from vidlabel.core.words import (
    ChosenClips,
    ClipQuery,
    ClipRow,
    ClipState,
    DecisionKind,
    LabelScore,
    NewDecision,
    QueueOrder,
    Suggestion,
)
from vidlabel.store.project_store import ProjectStore

CLIPS = 2000


@pytest.fixture(scope="module")
def big(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ProjectStore]:
    """2,000 clips: ten decided, three skipped, one unsure, the last hundred without a suggestion."""
    folder = tmp_path_factory.mktemp("big")
    write_project(folder / "p.vidlabel", folder / "media", clips=CLIPS)
    with ProjectStore.open(folder / "p.vidlabel") as store:
        with store._database.write() as connection:
            connection.exec_driver_sql(f"DELETE FROM suggestions WHERE clip_id > {CLIPS - 100}")
        store.set_active_model(MODEL_HASH)
        for clip in range(1, 11):
            label = "wave" if clip % 2 else "run"
            store.decide([NewDecision(clip_id=clip, kind=DecisionKind.LABELLED, label=label)], annotator="me")
        for clip in (33, 31, 32):
            store.decide([NewDecision(clip_id=clip, kind=DecisionKind.SKIPPED)], annotator="me")
        store.decide([NewDecision(clip_id=40, kind=DecisionKind.UNSURE)], annotator="me")
        yield store


def _rows(store: ProjectStore, query: ClipQuery) -> list[ClipRow]:
    ids = store.clip_ids(query)
    assert isinstance(ids, array)
    assert ids.typecode == "q"
    rows = store.clip_rows(ids)
    assert [row.clip_id for row in rows] == list(ids)
    return list(rows)


def test_the_queue_is_the_unsure_first_then_the_unseen_the_skipped_and_the_rest(big: ProjectStore) -> None:
    rows = _rows(big, ClipQuery())
    assert len({row.clip_id for row in rows}) == len(rows) == CLIPS
    pending = rows[: CLIPS - 114]
    margins = [row.margin for row in pending]
    assert margins == sorted(margins, key=lambda margin: margin or 0.0)
    assert {row.state for row in pending} == {ClipState.SUGGESTED}
    unseen = rows[CLIPS - 114 : CLIPS - 14]
    assert [row.clip_id for row in unseen] == list(range(CLIPS - 99, CLIPS + 1))
    assert [row.clip_id for row in rows[-14:-11]] == [33, 31, 32]
    assert [row.clip_id for row in rows[-11:]] == [*range(1, 11), 40]


def test_other_orders_of_the_queue(big: ProjectStore) -> None:
    surest = _rows(big, ClipQuery(order=QueueOrder.SUREST))
    assert (surest[0].margin or 0) >= (surest[1].margin or 0) > (surest[1000].margin or 0)
    by_path = big.clip_ids(ClipQuery(order=QueueOrder.PATH))
    assert list(by_path[:3]) == [11, 12, 13]
    assert by_path[CLIPS - 15] == CLIPS
    one, same, other = (
        list(big.clip_ids(ClipQuery(order=QueueOrder.RANDOM, seed=seed))) for seed in (1, 1, 2)
    )
    assert one == same != other
    assert sorted(one) == list(range(1, CLIPS + 1))
    assert one[:-14] != sorted(one[:-14])


def test_random_order_stays_when_clips_leave_the_queue(footage: Footage) -> None:
    query = ClipQuery(order=QueueOrder.RANDOM, seed=7)
    before = list(footage.store.clip_ids(query))
    footage.store.decide([NewDecision(clip_id=before[1], kind=DecisionKind.UNSURE)], annotator="me")
    assert list(footage.store.clip_ids(query)) == [before[0], before[2], before[1]]


@pytest.mark.parametrize("sort", ["path", "name", "duration", "state", "label", "probability", "decided"])
def test_every_sort_lists_every_clip_both_ways(big: ProjectStore, sort: str) -> None:
    up, down = (_rows(big, ClipQuery(sort=sort, descending=descending)) for descending in (False, True))
    for rows, sign in ((up, 1), (down, -1)):
        assert {row.clip_id for row in rows} == set(range(1, CLIPS + 1))
        keys = {
            "path": lambda row: row.relative,
            "name": lambda row: row.name,
            "duration": lambda row: row.duration_us,
            "state": lambda row: list(ClipState).index(row.state),
            "label": lambda row: row.label,
            "probability": lambda row: row.probability,
            "decided": lambda row: row.decided_at_us,
        }
        values = [keys[sort](row) for row in rows]
        known = [value for value in values if value is not None]
        assert known == sorted(known, reverse=sign < 0)
        assert values[len(known) :] == [None] * (CLIPS - len(known))


def test_an_unknown_sort_is_refused(big: ProjectStore) -> None:
    with pytest.raises(ValueError, match="mood"):
        big.clip_ids(ClipQuery(sort="mood"))


def test_filters(big: ProjectStore) -> None:
    assert [row.label for row in _rows(big, ClipQuery(labels=frozenset({"wave"})))] == ["wave"] * 5
    states = frozenset({ClipState.SKIPPED, ClipState.UNSURE})
    assert sorted(big.clip_ids(ClipQuery(states=states))) == [31, 32, 33, 40]
    likely = _rows(big, ClipQuery(min_probability=0.5, max_probability=0.6))
    assert 0 < len(likely) < CLIPS
    assert all(0.5 <= (row.probability or 0) <= 0.6 for row in likely)
    suggested = _rows(big, ClipQuery(suggested=frozenset({"kiss", "wave"}), sort="path"))
    assert {row.suggested for row in suggested} == {"kiss", "wave"}
    assert list(big.clip_ids(ClipQuery(text="DAY_001 0001234"))) == [1234]
    assert list(big.clip_ids(ClipQuery(text="_001/clip%"))) == []
    assert len(big.clip_ids(ClipQuery(folder="day_000"))) == 999
    assert len(big.clip_ids(ClipQuery(folder="day_00"))) == 0
    media = Path(big.roots()[0].path)
    assert len(big.clip_ids(ClipQuery(folder=str(media / "day_001")))) == 1000
    assert len(big.clip_ids(ClipQuery(folder=str(media.parent)))) == CLIPS
    assert len(big.clip_ids(ClipQuery(folder=str(media)))) == CLIPS
    assert len(big.clip_ids(ClipQuery(folder=str(media.parent / "other")))) == 0
    both = ClipQuery(labels=frozenset({"run"}), text="clip_0000002", states=frozenset({ClipState.LABELLED}))
    assert list(big.clip_ids(both)) == [2]


def test_indexes_answer_the_long_lists(big: ProjectStore) -> None:
    """Nothing is sorted at query time in the orders that a list opens with."""
    from vidlabel.store import clips_query

    queries = [ClipQuery(), ClipQuery(sort="path"), ClipQuery(sort="probability"), ClipQuery(sort="state")]
    with big._database.read() as connection:
        for query in queries:
            for extra, order in clips_query._parts(connection, query):
                statement = (
                    clips_query.select(clips_query.clips.c.id)
                    .where(~clips_query.clips.c.removed, *extra)
                    .order_by(*order)
                    .compile(connection, compile_kwargs={"literal_binds": True})
                )
                plan = [row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}")]
                assert not any(step == "SCAN clips" for step in plan), (query, plan)
                assert not any("TEMP B-TREE" in step for step in plan) or "NOT IN" in str(statement), plan


def test_counts_agree_with_the_lists(big: ProjectStore) -> None:
    counts = big.counts()
    for state, number in counts.by_state.items():
        assert number == len(big.clip_ids(ClipQuery(states=frozenset({state}))))
    assert (counts.total, counts.decided, counts.by_label) == (CLIPS, 10, {"wave": 5, "run": 5})


def test_clips_without_a_suggestion_those_waiting_first(big: ProjectStore) -> None:
    expected = list(range(CLIPS - 99, CLIPS + 1))
    assert list(big.clips_without_suggestion(MODEL_HASH, limit=1000)) == expected
    assert list(big.clips_without_suggestion(MODEL_HASH, limit=3, order=QueueOrder.PATH)) == expected[:3]
    shuffled = big.clips_without_suggestion(MODEL_HASH, limit=1000, order=QueueOrder.RANDOM, seed=3)
    assert list(shuffled) != expected
    assert sorted(shuffled) == expected
    every = big.clips_without_suggestion("another", limit=CLIPS * 2)
    assert len(every) == CLIPS
    assert {1, 31, 40} <= set(every[-14:])


def test_suggestions_come_back_to_the_last_bit(footage: Footage) -> None:
    store = footage.store
    clip = footage.clip("a.mp4")
    assert store.active_model() is None
    store.register_model("h1", "small", ["wave", "run"], {"top1": 0.5})
    assert store.active_model() == ("h1", "small")
    scores = (LabelScore("wave", 0.1 + 0.2), LabelScore("run", 1 / 3))
    said = Suggestion(clip_id=clip, model="h1", scores=scores, margin=0.1, entropy=0.9)
    gone = Suggestion(clip_id=999, model="h1", scores=scores, margin=0.1, entropy=0.9)
    assert store.save_suggestions([said, gone]).clips == {clip}
    assert store.suggestion(clip, "h1") == said
    row = store.clip_row(clip)
    assert row is not None
    assert (row.state, row.suggested, row.probability, row.model) == (
        ClipState.SUGGESTED,
        "wave",
        0.1 + 0.2,
        "h1",
    )
    assert [(row.clip_id, what) for row, what in store.suggested_clips("h1")] == [(clip, said)]

    store.register_model("h2", "large", ["wave", "run"], {})
    other = Suggestion(clip_id=clip, model="h2", scores=(LabelScore("run", 0.5),), margin=0.5, entropy=0.1)
    store.save_suggestions([other])
    assert store.clip_row(clip) == row
    assert store.set_active_model("h2").models
    assert store.clip_row(clip).suggested == "run"  # type: ignore[union-attr]
    store.set_active_model("h1")
    assert store.clip_row(clip) == row


def test_a_decision_hides_the_suggestion_from_the_state_and_undo_brings_it_back(footage: Footage) -> None:
    store = footage.store
    clip = footage.clip("a.mp4")
    store.decide([NewDecision(clip_id=clip, kind=DecisionKind.LABELLED, label="wave")], annotator="me")
    store.register_model("h1", "small", ["run"], {})
    store.save_suggestions(
        [Suggestion(clip_id=clip, model="h1", scores=(LabelScore("run", 0.5),), margin=0.5, entropy=0.1)]
    )
    assert store.clip_row(clip).state is ClipState.LABELLED  # type: ignore[union-attr]
    store.undo(annotator="me")
    assert store.clip_row(clip).state is ClipState.SUGGESTED  # type: ignore[union-attr]


def test_a_phrase_is_searched_as_it_stands(footage: Footage) -> None:
    footage.write("1 day/d.mp4", "d")
    footage.write("ÄRGER Süß.mp4", "e")
    footage.write("100% day.mp4", "f")
    footage.scan()

    def found(expression: str) -> list[str]:
        ids = footage.store.clip_ids(parse(expression, base=ClipQuery(sort="path")))
        return [row.relative for row in footage.store.clip_rows(ids)]

    assert found("day 1") == ["1 day/d.mp4", "100% day.mp4", "day 1/c.mp4"]
    assert found('"day 1"') == ["day 1/c.mp4"]
    assert found('"DAY 1" c') == ["day 1/c.mp4"]
    assert found("ärger") == found('"ärger süss"') == ["ÄRGER Süß.mp4"]
    assert found("0%") == ["100% day.mp4"]
    assert footage.store.clip_ids(ClipQuery(text='"day 1'))[:] == footage.store.clip_ids(
        ClipQuery(text='"day 1')
    )


def test_many_are_answered_as_one_by_one(footage: Footage) -> None:
    store = footage.store
    footage.write("copy.mp4", "content of a.mp4")
    footage.scan(whole=True)
    clip = footage.clip("b.mp4")
    for label in ("wave", "kick"):
        store.decide([NewDecision(clip_id=clip, kind=DecisionKind.LABELLED, label=label)], annotator="me")
    rows = store.clip_rows(store.clip_ids(ClipQuery()))
    assert store.histories([row.clip_id for row in rows]) == {clip: store.history(clip)}
    assert [one.label for one in store.history(clip)] == ["kick", "wave"]
    paths = store.paths_of_videos(row.video_id for row in rows)
    assert paths == {row.video_id: store.paths_of_video(row.video_id) for row in rows}
    assert store.paths_of_videos([]) == {}


def test_chosen_clips_come_in_their_own_order_or_in_any_other_and_are_narrowed_further(
    big: ProjectStore,
) -> None:
    chosen = ChosenClips(words="lost by the candidate", ids=(33, 4, 1500, 2, 999_999))
    assert list(big.clip_ids(ClipQuery(chosen=chosen, sort="chosen"))) == [33, 4, 1500, 2]
    assert list(big.clip_ids(ClipQuery(chosen=chosen, sort="path"))) == [2, 4, 33, 1500]
    decided = ClipQuery(chosen=chosen, sort="chosen", states=frozenset({ClipState.LABELLED}))
    assert list(big.clip_ids(decided)) == [4, 2]
    assert list(big.clip_ids(ClipQuery(chosen=ChosenClips(words="of none", ids=())))) == []


def test_more_chosen_clips_than_a_statement_takes_values_are_no_problem(big: ProjectStore) -> None:
    ids = tuple(range(100_000, 0, -1))
    found = big.clip_ids(ClipQuery(chosen=ChosenClips(words="of all", ids=ids), sort="chosen"))
    assert list(found) == list(range(CLIPS, 0, -1))
    queue = big.clip_ids(ClipQuery(chosen=ChosenClips(words="of all", ids=ids)))
    assert list(queue) == list(big.clip_ids(ClipQuery()))


def test_a_view_of_chosen_clips_can_be_saved(big: ProjectStore) -> None:
    query = ClipQuery(chosen=ChosenClips(words="lost by the candidate", ids=(3, 1)), sort="chosen")
    big.save_view("lost", query)
    assert big.saved_views()["lost"] == query
    big.delete_view("lost")
