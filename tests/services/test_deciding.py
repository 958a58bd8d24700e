"""From the key to the disk to the next clip, with a real store and a real engine."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from tests.services.conftest import CLIPS, Screen
from vidlabel.core.errors import DiskFullError
from vidlabel.core.words import ClipQuery, ClipState, DecisionKind, NewDecision, QueueOrder
from vidlabel.services.workbench import Workbench
from vidlabel.store.project_store import ProjectStore


def _on_disk(project: Path) -> list[tuple[int, str, str | None]]:
    with closing(sqlite3.connect(project)) as raw:
        found = raw.execute(
            "SELECT d.clip_id, d.kind, l.name FROM decisions d LEFT JOIN labels l ON l.id = d.label_id ORDER BY d.id"
        )
        return found.fetchall()


def _decide_and_wait(workbench: Workbench, qtbot: QtBot, act: str, *arguments: object) -> None:
    with qtbot.waitSignal(workbench.deciding.decided, timeout=5000):
        getattr(workbench.deciding, act)(*arguments)
    qtbot.waitUntil(lambda: workbench.deciding.can_act, timeout=5000)


def test_accepting_writes_first_and_then_shows_the_next_clip(
    at_work: Workbench, project: Path, qtbot: QtBot
) -> None:
    first = at_work.library.current
    assert first is not None
    on_disk_when_left: list[int] = []
    at_work.library.current_changed.connect(lambda _row: on_disk_when_left.append(len(_on_disk(project))))
    suggestion = at_work.deciding.suggestion
    assert suggestion is not None
    _decide_and_wait(at_work, qtbot, "accept")
    assert on_disk_when_left == [1]
    assert _on_disk(project) == [(first.clip_id, "accepted", suggestion.scores[0].label)]
    assert at_work.library.current_id != first.clip_id
    row = at_work.library.row_of(first.clip_id)
    assert row is not None
    assert (row.state, row.label) == (ClipState.ACCEPTED, suggestion.scores[0].label)


def test_the_prepared_clip_is_on_screen_in_the_turn_of_the_acknowledgement(
    at_work: Workbench, screen: Screen, qtbot: QtBot
) -> None:
    following = at_work.library.next_pending(at_work.library.current_id)
    qtbot.waitUntil(lambda: len(screen.shown) > 3)
    shown_when_left: list[int] = []
    at_work.current_shown.connect(lambda _row: shown_when_left.append(screen.shown[-1].clip_id))
    _decide_and_wait(at_work, qtbot, "accept")
    assert shown_when_left == [following]


def test_kinds_follow_from_what_was_on_screen(at_work: Workbench, project: Path, qtbot: QtBot) -> None:
    suggestion = at_work.deciding.suggestion
    assert suggestion is not None
    _decide_and_wait(at_work, qtbot, "take", 2)
    _decide_and_wait(at_work, qtbot, "give", "wave")
    at_work.deciding.set_blind(True)
    with qtbot.waitSignal(at_work.deciding.refused):
        at_work.deciding.accept()
    _decide_and_wait(at_work, qtbot, "give", "wave")
    kinds = _on_disk(project)
    assert [kind for _, kind, _ in kinds] == ["corrected", "corrected", "labelled"]
    assert kinds[0][2] == suggestion.scores[1].label


def test_nothing_is_decided_before_the_first_frame_is_painted(
    workbench: Workbench, screen: Screen, project: Path, qtbot: QtBot
) -> None:
    screen.paints = False
    workbench.open_project(project)
    qtbot.waitUntil(lambda: len(screen.shown) > 2, timeout=20_000)
    workbench.deciding.accept()
    workbench.deciding.skip()
    assert not workbench.tasks.writing
    assert _on_disk(project) == []


def test_what_is_skipped_comes_back_at_the_end(at_work: Workbench, qtbot: QtBot) -> None:
    skipped = at_work.library.current_id
    _decide_and_wait(at_work, qtbot, "skip")
    for _ in range(CLIPS - 1):
        assert at_work.library.current_id != skipped
        _decide_and_wait(at_work, qtbot, "give", "run")
    assert at_work.library.current_id == skipped
    with qtbot.waitSignal(at_work.library.all_done, timeout=5000):
        at_work.deciding.give("run")


def test_undo_and_redo_go_back_to_their_clip(at_work: Workbench, project: Path, qtbot: QtBot) -> None:
    first = at_work.library.current_id
    _decide_and_wait(at_work, qtbot, "accept")
    second = at_work.library.current_id
    _decide_and_wait(at_work, qtbot, "undo")
    assert at_work.library.current_id == first
    row = at_work.library.current
    assert row is not None
    assert row.state is ClipState.SUGGESTED
    assert row.label is None
    _decide_and_wait(at_work, qtbot, "redo")
    row = at_work.library.current
    assert row is not None
    assert row.state is ClipState.ACCEPTED
    assert at_work.library.next_pending(first) == second
    assert [kind for _, kind, _ in _on_disk(project)] == ["accepted", "withdrawn", "accepted"]


def test_undo_still_works_after_a_restart(at_work: Workbench, project: Path, qtbot: QtBot) -> None:
    first = at_work.library.current_id
    _decide_and_wait(at_work, qtbot, "accept")
    with qtbot.waitSignal(at_work.session.opened, timeout=10_000):
        at_work.open_project(project)
    qtbot.waitUntil(lambda: at_work.deciding.can_act, timeout=10_000)
    assert at_work.library.current_id != first
    _decide_and_wait(at_work, qtbot, "undo")
    assert at_work.library.current_id == first


def test_several_selected_clips_are_one_undo_step(at_work: Workbench, project: Path, qtbot: QtBot) -> None:
    chosen = list(at_work.library.ids[:3])
    at_work.library.set_selection(chosen)
    _decide_and_wait(at_work, qtbot, "accept")
    rows = [at_work.library.row_of(clip_id) for clip_id in chosen]
    assert all(
        row is not None and row.state is ClipState.ACCEPTED and row.label == row.suggested for row in rows
    )
    at_work.library.set_selection([])
    _decide_and_wait(at_work, qtbot, "undo")
    assert [kind for _, kind, _ in _on_disk(project)] == ["accepted"] * 3 + ["withdrawn"] * 3
    qtbot.waitUntil(lambda: at_work.session.counts.decided == 0)


def test_a_suggestion_on_screen_does_not_change_until_the_clip_is_left(
    at_work: Workbench, qtbot: QtBot
) -> None:
    before = at_work.deciding.suggestion
    assert before is not None
    other = type(before)(
        clip_id=before.clip_id, model=before.model, scores=before.scores[::-1], margin=0.9, entropy=0.1
    )
    with qtbot.waitSignal(at_work.session.changed):
        at_work.session.write(lambda store: store.save_suggestions([other]))
    assert at_work.deciding.suggestion == before


def test_a_write_that_fails_leaves_the_clip_and_says_why(at_work: Workbench, qtbot: QtBot) -> None:
    current = at_work.library.current_id
    with qtbot.waitSignal(at_work.deciding.failed) as told:
        at_work.deciding.give("no such label")
    assert "no such label" in told.args[0]
    assert at_work.library.current_id == current
    assert at_work.deciding.can_act


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="POSIX rights")
def test_a_second_window_shows_everything_and_decides_nothing(
    at_work: Workbench, project: Path, qtbot: QtBot
) -> None:
    second = Workbench()
    screen = Screen(second)
    second.open_project(project)
    qtbot.waitUntil(lambda: bool(screen.painted), timeout=20_000)
    assert second.session.read_only
    with qtbot.waitSignal(second.deciding.refused) as refused:
        second.deciding.accept()
    assert "read-only" in refused.args[0] or "window" in refused.args[0]
    with qtbot.waitSignal(second.closed, timeout=15_000):
        second.close()
    second.deleteLater()
    assert _on_disk(project) == []


def test_counts_follow_decisions(at_work: Workbench, qtbot: QtBot) -> None:
    with qtbot.waitSignal(at_work.library.counts_changed, timeout=5000):
        at_work.deciding.give("run")
    assert at_work.session.counts.decided == 1
    assert at_work.session.counts.by_label == {"run": 1}
    assert at_work.session.counts.pending == CLIPS - 1


def test_the_order_of_the_queue_can_be_chosen(at_work: Workbench, qtbot: QtBot) -> None:
    with qtbot.waitSignal(at_work.library.reset):
        at_work.library.set_queue_order(QueueOrder.SUREST)
    rows = at_work.library.ids
    with qtbot.waitSignal(at_work.library.reset):
        at_work.library.set_query(ClipQuery(text="0000003"))
    assert len(at_work.library) == 1
    assert len(rows) == CLIPS
    assert at_work.settings.queue_order is QueueOrder.LEAST_SURE


def _fill_the_disk(store: ProjectStore) -> None:
    """The file may not grow, and is filled until not one more decision of this kind has room."""
    raw = store._database.raw_writer()
    (pages,) = raw.execute("PRAGMA page_count").fetchone()
    raw.execute(f"PRAGMA max_page_count={pages}")
    last = store.clips_without_suggestion("", limit=CLIPS)[-1]
    for _ in range(10_000):
        try:
            store.decide([NewDecision(clip_id=last, kind=DecisionKind.UNSURE)], annotator="x" * 300)
        except DiskFullError:
            return
    raise AssertionError("the disk did not fill")


def _free_the_disk(store: ProjectStore) -> None:
    store._database.raw_writer().execute("PRAGMA max_page_count=1000000")


def test_on_a_full_disk_the_clip_stays_and_the_same_key_works_once_there_is_room(
    at_work: Workbench, project: Path, qtbot: QtBot
) -> None:
    done: list[object] = []
    at_work.session.write(_fill_the_disk, done.append)
    qtbot.waitUntil(lambda: bool(done), timeout=20_000)
    before = _on_disk(project)
    row = at_work.library.current
    assert row is not None
    at_work.settings.annotator = "y" * 300
    with qtbot.waitSignal(at_work.trouble, timeout=5000) as told:
        at_work.deciding.accept()
    assert "disk is full" in told.args[0]
    assert str(project) in told.args[0]
    assert at_work.library.current_id == row.clip_id
    assert at_work.library.current is not None
    assert at_work.library.current.state is ClipState.SUGGESTED
    assert _on_disk(project) == before
    assert at_work.deciding.can_act
    at_work.session.write(_free_the_disk, done.append)
    qtbot.waitUntil(lambda: len(done) == 2, timeout=5000)
    _decide_and_wait(at_work, qtbot, "accept")
    assert _on_disk(project)[len(before) :] == [(row.clip_id, "accepted", row.suggested)]
    assert at_work.library.current_id != row.clip_id
