from __future__ import annotations

import pytest

from tests.store.conftest import Footage
from vidlabel.core.errors import UnknownVideoError
from vidlabel.core.words import ClipQuery, DecisionKind, NewDecision
from vidlabel.store.history import Shown
from vidlabel.store.project_store import ProjectStore


def _new(clip: int, label: str | None, **values: object) -> NewDecision:
    kind = DecisionKind.LABELLED if label else DecisionKind.UNSURE
    return NewDecision(clip_id=clip, kind=kind, label=label, **values)  # type: ignore[arg-type]


def test_the_history_says_who_did_what_to_which_clip(footage: Footage) -> None:
    store = footage.store
    a, b = footage.clip("a.mp4"), footage.clip("b.mp4")
    store.decide([_new(a, "wave"), _new(b, "wave")], annotator="Ada")
    store.decide([_new(a, "run")], annotator="Bob")
    store.undo(annotator="Cy")
    store.label_edits.rename(store.find_label("wave").id, "greet", annotator="Ada")  # type: ignore[union-attr]
    store.remarks.set_note([b], "blurred", annotator="Bob")
    told = [
        (one.what, one.annotator, one.relative, one.before, one.after, one.state)
        for one in store.project_history()
    ]
    greet = Shown(DecisionKind.LABELLED, "greet")
    assert told == [
        ("remark", "Bob", "b.mp4", None, None, "done"),
        ("labels", "Ada", "", None, None, "done"),
        ("decision", "Bob", "a.mp4", greet, Shown(DecisionKind.LABELLED, "run"), "dropped"),
        ("decision", "Ada", "b.mp4", None, greet, "done"),
        ("decision", "Ada", "a.mp4", None, greet, "done"),
    ]
    assert [one.words for one in store.project_history()][:2] == [
        "note on b.mp4",
        "label wave renamed to greet",
    ]
    assert [one.what for one in store.project_history(annotator="Bob")] == ["remark", "decision"]
    assert [one.what for one in store.project_history(clip_id=b)] == ["remark", "decision"]
    assert store.annotators() == {"Ada": 2, "Bob": 1}


@pytest.mark.parametrize("limit", [1, 2, 3, 5])
def test_pages_join_without_gaps_or_doubles(footage: Footage, limit: int) -> None:
    store = footage.store
    ids = list(store.clip_ids(ClipQuery(sort="path")))
    for turn in range(4):
        store.decide([_new(clip, ("wave", "run")[turn % 2]) for clip in ids], annotator="me")
        store.remarks.set_flag(ids, turn % 2 == 0, annotator="me")
        store.label_edits.add([f"label {turn}"], annotator="me")
    store.undo(annotator="me")
    store.redo(annotator="me")
    whole = store.project_history()
    assert len(whole) == 4 * (3 + 1 + 1)
    paged: list[object] = []
    page = store.project_history(limit=limit)
    while page:
        paged += page
        page = store.project_history(page[-1], limit=limit)
    assert paged == list(whole)


def test_an_earlier_decision_is_restored_by_a_new_one(footage: Footage) -> None:
    store = footage.store
    clip = footage.clip("a.mp4")
    store.decide([_new(clip, "wave")], annotator="Ada")
    store.decide([_new(clip, None)], annotator="Bob")
    earlier = store.history(clip)[-1]
    store.retire_label(store.find_label("wave").id)  # type: ignore[union-attr]
    changes = store.restore(earlier.id, annotator="Cy")
    assert changes.words == "Restored: wave again on a.mp4"
    row = store.clip_row(clip)
    assert row is not None
    assert (row.label, row.state, row.annotator) == ("wave", "labelled", "Cy")
    assert [decision.label for decision in store.history(clip)] == ["wave", None, "wave"]
    store.undo(annotator="me")
    assert store.clip_row(clip).state == "unsure"  # type: ignore[union-attr]
    assert store.check() == []
    with pytest.raises(UnknownVideoError):
        store.restore(999, annotator="me")


def test_restoring_an_undo_leaves_the_clip_undecided(footage: Footage) -> None:
    store = footage.store
    clip = footage.clip("a.mp4")
    store.decide([_new(clip, "wave")], annotator="me")
    store.undo(annotator="me")
    withdrawn = store.history(clip)[0]
    store.decide([_new(clip, "run")], annotator="me")
    store.restore(withdrawn.id, annotator="me")
    row = store.clip_row(clip)
    assert row is not None and (row.state, row.label) == ("undecided", None)
    assert store.can_undo() == "no label again on a.mp4"


def test_notes_and_flags_are_steps_and_every_one_is_kept(footage: Footage) -> None:
    store = footage.store
    a, b = footage.clip("a.mp4"), footage.clip("b.mp4")
    store.remarks.set_note([a], "  hand hidden ", annotator="Ada")
    store.remarks.set_flag([a, b], True, annotator="Bob")
    assert store.can_undo() == "flag on 2 clips"
    assert not store.remarks.set_flag([a], True, annotator="Bob").clips, "nothing to change is no step"
    store.close()
    with ProjectStore.open(store.path) as again:
        undone = again.undo(annotator="Cy")
        assert undone is not None and undone.clips == {a, b}
        row = again.clip_row(a)
        assert row is not None and (row.note, row.flagged) == ("hand hidden", False)
        again.undo(annotator="Cy")
        assert again.clip_row(a).note is None  # type: ignore[union-attr]
        again.redo(annotator="Cy")
        again.redo(annotator="Cy")
        assert [(one.annotator, one.note, one.flagged) for one in again.remarks.of(a)] == [
            ("Cy", "hand hidden", True),
            ("Cy", "hand hidden", False),
            ("Cy", None, False),
            ("Cy", "hand hidden", False),
            ("Bob", "hand hidden", True),
            ("Ada", "hand hidden", False),
        ]
        again.remarks.set_note([a], "", annotator="Ada")
        assert again.can_undo() == "note removed on a.mp4"
        with pytest.raises(UnknownVideoError):
            again.remarks.set_flag([a, 999], False, annotator="me")
        assert again.clip_row(a).flagged  # type: ignore[union-attr]


def test_second_looks_are_drawn_once_and_their_agreement_is_counted(tmp_path_factory: pytest.TempPathFactory,
                                                                     store: ProjectStore) -> None:  # fmt: skip
    footage = Footage(store, tmp_path_factory.mktemp("many"))
    for number in range(40):
        footage.write(f"{number:02}.mp4", f"content {number}")
    footage.scan()
    ids = list(store.clip_ids(ClipQuery(sort="path")))
    for clip in ids:
        store.decide([_new(clip, "wave", imported=clip == ids[0])], annotator="Ada")
    assert store.rechecks.due(0) == ()
    assert set(store.rechecks.due(1)) == set(ids[1:])
    some = store.rechecks.due(0.25)
    assert 4 <= len(some) <= 16
    assert set(some) <= set(store.rechecks.due(0.5))
    assert store.rechecks.due(0.25, annotator="Bob") == ()
    assert store.rechecks.due(0.25, before_us=0) == ()
    assert store.rechecks.agreement().share is None

    for clip, label in zip(some, ["wave", "run", "wave"], strict=False):
        new = _new(clip, label, blind=True, rechecks=store.rechecks.decision_of(clip))
        store.decide([new], annotator="Bob")
    assert store.history(some[0])[0].blind
    assert set(store.rechecks.due(0.25)) == set(some[3:])
    found = store.rechecks.agreement()
    assert (found.checked, found.agreed, dict(found.by_annotator)) == (3, 2, {"Bob": (3, 2)})
    store.undo(annotator="Bob")
    assert store.rechecks.agreement().checked == 2
    run, wave = (store.find_label(name) for name in ("run", "wave"))
    assert run is not None and wave is not None
    store.label_edits.merge([run.id], wave.id, annotator="me")
    assert store.rechecks.agreement().agreed == 2, "labels that are one now agree"
