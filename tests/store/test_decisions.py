from __future__ import annotations

import shutil
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.helpers.projects import write_project
from tests.store.conftest import Footage
from vidlabel.core.errors import UnknownLabelError, UnknownVideoError
from vidlabel.core.words import ClipQuery, ClipState, DecisionKind, NewDecision
from vidlabel.store.check import FaultKind
from vidlabel.store.project_store import ProjectStore


def _new(clip_id: int, label: str | None = "wave", kind: DecisionKind = DecisionKind.LABELLED) -> NewDecision:
    return NewDecision(clip_id=clip_id, kind=kind, label=label)


def test_a_decision_is_shown_counted_and_kept_with_all_its_facts(footage: Footage) -> None:
    clip = footage.clip("b.mp4")
    given = NewDecision(
        clip_id=clip, kind=DecisionKind.CORRECTED, label="wave", model="h", suggested="run", probability=0.75,
        took_us=1_500_000,
    )  # fmt: skip
    changes = footage.store.decide([given], annotator="Ada")
    assert changes.clips == {clip}
    assert changes.words == "Saved: wave on b.mp4"
    row = footage.store.clip_row(clip)
    assert row is not None
    assert (row.state, row.label, row.annotator) == (ClipState.CORRECTED, "wave", "Ada")
    (decision,) = footage.store.history(clip)
    assert changes.decisions == (decision,)
    assert (decision.model, decision.suggested, decision.probability) == ("h", "run", 0.75)
    assert decision.took_us == 1_500_000
    assert row.decided_at_us == decision.decided_at_us
    counts = footage.store.counts()
    assert (counts.decided, counts.pending, counts.total, counts.by_label) == (1, 2, 3, {"wave": 1})


def test_wrong_decisions_write_nothing_at_all(footage: Footage) -> None:
    clip = footage.clip("a.mp4")
    with pytest.raises(UnknownLabelError, match="Did you mean wave"):
        footage.store.decide([_new(clip), _new(clip, "wavee")], annotator="me")
    with pytest.raises(UnknownVideoError, match="clip 999"):
        footage.store.decide([_new(clip), _new(999)], annotator="me")
    with pytest.raises(ValueError, match="skipped"):
        footage.store.decide([_new(clip, "wave", DecisionKind.SKIPPED)], annotator="me")
    assert footage.store.history(clip) == ()
    assert footage.store.can_undo() is None


def test_undo_shows_exactly_what_was_there_and_says_so_in_the_history(footage: Footage) -> None:
    clip = footage.clip("a.mp4")
    store = footage.store
    store.decide([_new(clip, "wave")], annotator="Ada")
    before = store.clip_row(clip)
    store.decide([_new(clip, "run")], annotator="Bob")
    after = store.clip_row(clip)
    assert store.can_undo() == "run on a.mp4"

    undone = store.undo(annotator="Cy")
    assert undone is not None
    assert undone.words == "Undid: run on a.mp4"
    assert store.clip_row(clip) == before
    newest, second, _first = store.history(clip)
    assert (newest.kind, newest.label, newest.annotator, newest.undoes) == (
        DecisionKind.LABELLED, "wave", "Cy", second.id,
    )  # fmt: skip
    assert store.can_redo() == "run on a.mp4"

    store.redo(annotator="Cy")
    assert store.clip_row(clip) == after
    assert store.history(clip)[0].undoes == newest.id
    assert store.redo(annotator="Cy") is None


def test_undo_of_the_first_decision_leaves_the_clip_undecided(footage: Footage) -> None:
    clip = footage.clip("a.mp4")
    before = footage.store.clip_row(clip)
    footage.store.decide([_new(clip)], annotator="me")
    footage.store.undo(annotator="me")
    assert footage.store.clip_row(clip) == before
    assert footage.store.history(clip)[0].kind is DecisionKind.WITHDRAWN
    assert footage.store.undo(annotator="me") is None
    assert footage.store.counts().by_label == {}


def test_several_clips_are_one_step_also_after_a_restart(footage: Footage) -> None:
    ids = footage.store.clip_ids(ClipQuery(sort="path"))
    footage.store.decide([_new(clip) for clip in ids], annotator="me")
    footage.store.close()
    with ProjectStore.open(footage.store.path) as store:
        assert store.can_undo() == "wave on 3 clips"
        changes = store.undo(annotator="me")
        assert changes is not None
        assert changes.clips == set(ids)
        assert store.counts().pending == 3
        store.redo(annotator="me")
        assert store.counts().by_label == {"wave": 3}


def test_a_decision_after_an_undo_drops_the_redo(footage: Footage) -> None:
    a, b = footage.clip("a.mp4"), footage.clip("b.mp4")
    footage.store.decide([_new(a)], annotator="me")
    footage.store.decide([_new(b, "run")], annotator="me")
    footage.store.undo(annotator="me")
    footage.store.decide([_new(b, None, DecisionKind.UNUSABLE)], annotator="me")
    assert footage.store.can_redo() is None
    footage.store.undo(annotator="me")
    footage.store.undo(annotator="me")
    assert [state for _, state, _ in footage.listed()] == ["undecided"] * 3
    assert len(footage.store.history(b)) == 4


def test_an_import_keeps_its_own_annotators_and_moments(footage: Footage) -> None:
    imported = NewDecision(
        clip_id=footage.clip("a.mp4"), kind=DecisionKind.LABELLED, label="run", imported=True,
        decided_at_us=1_000_000, annotator="Grace",
    )  # fmt: skip
    footage.store.decide([imported], annotator="me")
    (decision,) = footage.store.history(imported.clip_id)
    assert (decision.annotator, decision.decided_at_us, decision.imported) == ("Grace", 1_000_000, True)
    assert footage.store.recent_labels(5) == ()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE decisions SET label_id = 1",
        "DELETE FROM decisions",
        "INSERT OR REPLACE INTO decisions SELECT * FROM decisions",
        "DELETE FROM clips",
    ],
)
def test_not_even_sql_changes_what_was_decided(footage: Footage, statement: str) -> None:
    footage.store.decide([_new(footage.clip("a.mp4"))], annotator="me")
    with closing(sqlite3.connect(footage.store.path)) as raw:
        raw.execute("PRAGMA foreign_keys=ON")
        with pytest.raises(sqlite3.IntegrityError):
            raw.execute(statement)


LABELS = ("wave", "run", "kiss")
KINDS = (DecisionKind.SKIPPED, DecisionKind.UNSURE, DecisionKind.UNUSABLE)
one_decision = st.tuples(st.integers(1, 4), st.sampled_from((*LABELS, *KINDS)))
operation = st.one_of(
    st.lists(one_decision, min_size=1, max_size=3), st.sampled_from(["undo", "undo", "redo", "reopen"])
)


class _Model:
    """What undo and redo should do, in ten lines: whole pictures of the project on two stacks."""

    def __init__(self) -> None:
        self.now: dict[int, tuple[str, str | None]] = dict.fromkeys(range(1, 5), ("undecided", None))
        self.undos: list[dict[int, tuple[str, str | None]]] = []
        self.redos: list[dict[int, tuple[str, str | None]]] = []

    def decide(self, done: list[tuple[int, str]]) -> None:
        self.undos.append(dict(self.now))
        self.redos.clear()
        for clip, what in done:
            self.now[clip] = ("labelled", what) if what in LABELS else (str(what), None)

    def go(self, source: list[dict[int, tuple[str, str | None]]], target: list[object]) -> bool:
        if not source:
            return False
        target.append(dict(self.now))
        self.now = source.pop()
        return True


@pytest.fixture(scope="module")
def four_clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("four")
    write_project(folder / "p.vidlabel", folder / "media", clips=4, suggested=False)
    return folder / "p.vidlabel"


@settings(max_examples=20, deadline=None)
@given(st.lists(operation, max_size=12))
def test_any_series_of_decisions_undos_and_redos(four_clips: Path, operations: list[object]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "p.vidlabel"
        shutil.copyfile(four_clips, path)
        store = ProjectStore.open(path)
        model = _Model()
        written = 0
        try:
            for wanted in operations:
                if wanted == "reopen":
                    store.close()
                    store = ProjectStore.open(path)
                elif wanted == "undo":
                    changes = store.undo(annotator="u")
                    assert (changes is not None) == model.go(model.undos, model.redos)  # type: ignore[arg-type]
                    written += len(changes.decisions) if changes else 0
                elif wanted == "redo":
                    changes = store.redo(annotator="u")
                    assert (changes is not None) == model.go(model.redos, model.undos)  # type: ignore[arg-type]
                    written += len(changes.decisions) if changes else 0
                else:
                    assert isinstance(wanted, list)
                    model.decide(wanted)
                    store.decide([_from_model(*one) for one in wanted], annotator="d")
                    written += len(wanted)
                rows = store.clip_rows([1, 2, 3, 4])
                assert {row.clip_id: (row.state.value, row.label) for row in rows} == model.now
                assert (store.can_undo() is None, store.can_redo() is None) == (
                    not model.undos,
                    not model.redos,
                )
            assert sum(len(store.history(clip)) for clip in range(1, 5)) == written
            assert [fault for fault in store.check() if fault.kind is not FaultKind.FILE] == []
        finally:
            store.close()


def _from_model(clip: int, what: str) -> NewDecision:
    if what in LABELS:
        return _new(clip, what)
    return _new(clip, None, DecisionKind(what))
