from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.helpers.projects import MODEL_HASH, write_project
from tests.store.conftest import Footage
from vidlabel.core.errors import ProjectError, UnknownLabelError, VidlabelError
from vidlabel.core.label_edits import (
    AddLabels,
    ApplyPreset,
    LabelEdit,
    LabelPreset,
    MergeLabels,
    Others,
    PresetLabel,
    RecolourLabel,
    RenameLabel,
    ReorderLabels,
    RestoreLabel,
    RetireLabel,
    SplitLabel,
)
from vidlabel.core.words import ClipQuery, DecisionKind, LabelScore, NewDecision, Suggestion
from vidlabel.store.check import FaultKind
from vidlabel.store.project_store import ProjectStore


def _give(footage: Footage, relative: str, label: str) -> int:
    clip = footage.clip(relative)
    footage.store.decide([NewDecision(clip_id=clip, kind=DecisionKind.LABELLED, label=label)], annotator="me")
    return clip


def _id(store: ProjectStore, name: str) -> int:
    return next(label.id for label in store.labels() if label.name == name)


def _label(store: ProjectStore, clip: int) -> str | None:
    row = store.clip_row(clip)
    assert row is not None
    return row.label


def test_merged_labels_are_one_until_the_merge_is_undone_also_after_a_restart(footage: Footage) -> None:
    store = footage.store
    a, b = _give(footage, "a.mp4", "wave"), _give(footage, "b.mp4", "clap")
    wave, clap = _id(store, "wave"), _id(store, "clap")
    before = [store.history(clip) for clip in (a, b)]

    changes = store.label_edits.merge([clap], wave, annotator="Ada")
    assert (changes.labels, changes.words) == (True, "Saved: clap merged into wave")
    assert store.counts().by_label == {"wave": 2}
    assert _label(store, b) == "wave"
    assert store.history(b)[0].label == "wave"
    assert len(store.history(b)) == 1, "a merge writes no decision"
    assert _give(footage, "day 1/c.mp4", "clap") and store.counts().by_label == {"wave": 3}
    assert store.find_label("clap").name == "wave"  # type: ignore[union-attr]
    assert store.snapshots.aliases() == {"clap": "wave"}
    assert {clip.label for clip in store.snapshots.curated(ClipQuery())} == {"wave"}
    assert [row.label for row in store.clip_rows(store.clip_ids(ClipQuery(labels=frozenset({"wave"}))))] == (
        ["wave"] * 3
    )
    assert store.check() == []

    store.close()
    with ProjectStore.open(store.path) as again:
        again.undo(annotator="me")
        assert again.can_undo() == "clap merged into wave"
        undone = again.undo(annotator="me")
        assert undone is not None and undone.labels
        assert again.counts().by_label == {"wave": 1, "clap": 1}
        assert [again.history(clip) for clip in (a, b)] == before
        again.redo(annotator="me")
        assert again.counts().by_label == {"wave": 2}
        assert again.check() == []


def test_a_merge_of_a_merge_is_followed_and_each_can_stand_alone_again(footage: Footage) -> None:
    store = footage.store
    clip = _give(footage, "a.mp4", "clap")
    clap, wave, hug = (_id(store, name) for name in ("clap", "wave", "hug"))
    store.label_edits.merge([clap], wave, annotator="me")
    store.label_edits.merge([wave], hug, annotator="me")
    assert _label(store, clip) == "hug"
    assert store.find_label("clap").name == "hug"  # type: ignore[union-attr]
    store.label_edits.restore(clap, annotator="me")
    assert _label(store, clip) == "clap"
    store.undo(annotator="me")
    store.undo(annotator="me")
    assert _label(store, clip) == "wave"
    with pytest.raises(ProjectError, match="not in use"):
        store.label_edits.merge([hug], clap, annotator="me")
    with pytest.raises(ProjectError, match="into itself"):
        store.label_edits.merge([hug], hug, annotator="me")
    with pytest.raises(ProjectError, match="merged into 'wave'"):
        store.label_edits.add(["clap"], annotator="me")


def test_a_split_gives_some_clips_a_new_label_in_one_step(footage: Footage) -> None:
    store = footage.store
    a, b = _give(footage, "a.mp4", "wave"), _give(footage, "b.mp4", "wave")
    wave = _id(store, "wave")
    preview = store.label_edits.preview(SplitLabel(wave, (b,), "wave both hands"))
    assert (preview.clips, preview.written, preview.added) == (1, 1, ("wave both hands",))
    changes = store.label_edits.split(wave, [b], "wave both hands", annotator="Ada")
    assert [decision.label for decision in changes.decisions] == ["wave both hands"]
    assert (_label(store, a), _label(store, b)) == ("wave", "wave both hands")
    newest = store.history(b)[0]
    assert (newest.annotator, newest.kind, len(store.history(b))) == ("Ada", DecisionKind.LABELLED, 2)
    names = [label.name for label in store.labels()]
    assert names.index("wave both hands") == names.index("wave") + 1
    with pytest.raises(ProjectError, match="do not have the label"):
        store.label_edits.split(wave, [b], "again", annotator="me")
    with pytest.raises(ProjectError, match="choose the clips"):
        store.label_edits.split(wave, [], "again", annotator="me")

    store.undo(annotator="me")
    assert store.counts().by_label == {"wave": 2}
    assert all(label.retired for label in store.labels() if label.name == "wave both hands")
    store.redo(annotator="me")
    assert store.counts().by_label == {"wave": 1, "wave both hands": 1}
    assert store.check() == []


def test_names_exchanged_in_two_steps_come_back_one_by_one(footage: Footage) -> None:
    store = footage.store
    clip = _give(footage, "a.mp4", "wave")
    wave, clap = _id(store, "wave"), _id(store, "clap")
    store.label_edits.rename(wave, "x", annotator="me")
    store.label_edits.rename(clap, "wave", annotator="me")
    store.label_edits.rename(wave, "clap", annotator="me")
    assert _label(store, clip) == "clap"
    for _ in range(3):
        store.undo(annotator="me")
    assert (_label(store, clip), _id(store, "wave"), _id(store, "clap")) == ("wave", wave, clap)
    for _ in range(3):
        store.redo(annotator="me")
    assert (_label(store, clip), _id(store, "clap")) == ("clap", wave)


def test_what_is_said_before_a_preset_is_applied_is_what_it_does(footage: Footage) -> None:
    store = footage.store
    _give(footage, "a.mp4", "wave")
    _give(footage, "b.mp4", "run")
    preset = LabelPreset(
        name="garden",
        labels=(PresetLabel(name="dig", colour="#AA00ff", key="Alt+D"), PresetLabel(name="run")),
    )
    edit = ApplyPreset(preset)
    preview = store.label_edits.preview(edit)
    assert (preview.added, preview.restored, len(preview.retired)) == (("dig",), (), 50)
    assert (preview.clips, preview.kept, preview.decisions) == (0, 1, 1)
    store.label_edits.apply(edit, annotator="me")
    assert [(label.name, label.colour, label.key) for label in store.labels() if not label.retired] == [
        ("dig", "#aa00ff", "Alt+D"), ("run", None, None),
    ]  # fmt: skip
    assert store.counts().by_label == {"wave": 1, "run": 1}, "clips keep what was decided"
    with pytest.raises(UnknownLabelError):
        _give(footage, "day 1/c.mp4", "wave")
    store.undo(annotator="me")
    assert len([label for label in store.labels() if not label.retired]) == 51
    assert "dig" not in [label.name for label in store.labels()]
    store.label_edits.apply_preset(preset, annotator="me", others=Others.KEEP)
    assert [label.name for label in store.labels() if not label.retired][:3] == ["dig", "run", "brush_hair"]


def test_previews_write_nothing_and_say_how_much_is_concerned(footage: Footage) -> None:
    store = footage.store
    _give(footage, "a.mp4", "clap")
    _give(footage, "b.mp4", "clap")
    clap, wave = _id(store, "clap"), _id(store, "wave")
    merge = store.label_edits.preview(MergeLabels((clap,), wave))
    assert (merge.clips, merge.decisions, merge.renamed, merge.retired) == (2, 2, {"clap": "wave"}, ("clap",))
    rename = store.label_edits.preview(RenameLabel(clap, "applaud"))
    assert (rename.clips, rename.renamed) == (2, {"clap": "applaud"})
    retire = store.label_edits.preview(RetireLabel(clap))
    assert (retire.clips, retire.kept) == (0, 2)
    assert store.counts().by_label == {"clap": 2}
    assert store.can_undo() == "clap on b.mp4"


def test_colour_and_key_are_checked(footage: Footage) -> None:
    edits = footage.store.label_edits
    wave, run = _id(footage.store, "wave"), _id(footage.store, "run")
    with pytest.raises(ProjectError, match="#rrggbb"):
        edits.recolour(wave, "reddish", annotator="me")
    edits.set_key(wave, "Alt+W", annotator="me")
    with pytest.raises(ProjectError, match="key of the label 'wave'"):
        edits.set_key(run, "Alt+W", annotator="me")
    edits.retire(wave, annotator="me")
    edits.set_key(run, "Alt+W", annotator="me")
    edits.restore(wave, annotator="me")
    assert [label.key for label in footage.store.labels() if label.id in (wave, run)] == ["Alt+W", None]
    edits.describe(run, " both feet leave the ground ", annotator="me")
    assert footage.store.can_undo() == "description of label run"
    with pytest.raises(UnknownLabelError):
        edits.retire(999, annotator="me")


def test_examples_are_accepted_clips_the_surest_first(tmp_path: Path) -> None:
    write_project(tmp_path / "p.vidlabel", tmp_path / "media", clips=6)
    with ProjectStore.open(tmp_path / "p.vidlabel") as store:
        for clip, kind in (
            (1, DecisionKind.LABELLED),
            (2, DecisionKind.ACCEPTED),
            (3, DecisionKind.ACCEPTED),
        ):
            store.decide([NewDecision(clip_id=clip, kind=kind, label="wave")], annotator="me")
        found = store.label_edits.examples(_id(store, "wave"), limit=2)
        assert {row.clip_id for row in found} == {2, 3}
        assert found[0].probability >= found[1].probability  # type: ignore[operator]


def test_what_a_model_says_is_shown_under_the_present_names(tmp_path: Path) -> None:
    write_project(tmp_path / "p.vidlabel", tmp_path / "media", clips=4)
    with ProjectStore.open(tmp_path / "p.vidlabel") as store:
        scores = (LabelScore("run", 0.4), LabelScore("wave", 0.3), LabelScore("clap", 0.25))
        said = Suggestion(clip_id=1, model=MODEL_HASH, scores=scores, margin=0.1, entropy=0.5)
        store.save_suggestions([said])
        before = store.clip_row(1)
        clap, wave, run = (_id(store, name) for name in ("clap", "wave", "run"))
        store.label_edits.rename(run, "sprint", annotator="me")
        assert store.clip_row(1).suggested == "sprint"  # type: ignore[union-attr]

        store.label_edits.merge([clap], wave, annotator="me")
        row, now = store.clip_row(1), store.suggestion(1, MODEL_HASH)
        assert now is not None and row is not None
        assert [(one.label, round(one.probability, 6)) for one in now.scores] == [
            ("wave", 0.55),
            ("sprint", 0.4),
        ]
        assert (row.suggested, round(row.probability or 0, 6), round(row.margin or 0, 6)) == (
            "wave",
            0.55,
            0.15,
        )
        store.save_suggestions([said])
        assert store.clip_row(1) == row, "and so it is for what the model says from now on"

        store.undo(annotator="me")
        store.undo(annotator="me")
        assert store.clip_row(1) == before
        assert store.suggestion(1, MODEL_HASH) == said


NAMES = ("wave", "run", "clap", "new one", "another")
pick = st.integers(0, 6)
wish = st.one_of(
    st.tuples(st.just("decide"), st.integers(1, 4), pick),
    st.tuples(st.just("rename"), pick, st.sampled_from(NAMES)),
    st.tuples(st.just("merge"), pick, pick),
    st.tuples(st.just("retire"), pick, pick),
    st.tuples(st.just("restore"), pick, pick),
    st.tuples(st.just("split"), st.integers(1, 4), st.sampled_from(NAMES)),
    st.tuples(st.just("add"), pick, st.sampled_from(NAMES)),
    st.tuples(st.just("reorder"), pick, pick),
    st.tuples(st.just("flag"), st.integers(1, 4), pick),
)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("small")
    write_project(folder / "p.vidlabel", folder / "media", clips=4)
    with ProjectStore.open(folder / "p.vidlabel") as store:
        few = tuple(PresetLabel(name=name) for name in ("wave", "run", "clap"))
        store.label_edits.apply_preset(LabelPreset(name="few", labels=few), annotator="me")
    return folder / "p.vidlabel"


def _picture(store: ProjectStore) -> object:
    labels = [label for label in store.labels() if not label.retired or label.merged_into is not None]
    return labels, store.clip_rows([1, 2, 3, 4]), store.counts(), store.snapshots.aliases()


def _do(store: ProjectStore, what: str, first: int, second: int | str) -> None:
    ids = [label.id for label in store.labels() if (label.id <= 51 and label.name in NAMES) or label.id > 51]
    one = ids[first % len(ids)]
    two = ids[second % len(ids)] if isinstance(second, int) else one
    edit: LabelEdit | None = None
    match what:
        case "decide":
            name = next(label.name for label in store.labels() if label.id == two)
            store.decide([NewDecision(clip_id=first, kind=DecisionKind.LABELLED, label=name)], annotator="u")
        case "flag":
            store.remarks.set_flag([first], bool(int(second) % 2), annotator="u")
        case "rename":
            edit = RenameLabel(one, str(second))
        case "merge":
            edit = MergeLabels((one,), two)
        case "retire":
            edit = RetireLabel(one)
        case "restore":
            edit = RestoreLabel(one)
        case "split":
            row = store.clip_row(first)
            if row is not None and row.label is not None:
                shown = next(label.id for label in store.labels() if label.name == row.label)
                edit = SplitLabel(shown, (first,), str(second))
        case "add":
            edit = AddLabels((str(second),))
        case "reorder":
            edit = ReorderLabels((one, two))
    if edit is not None:
        store.label_edits.apply(edit, annotator="u")


@settings(max_examples=25, deadline=None)
@given(st.lists(wish, max_size=9))
def test_any_series_of_edits_is_undone_and_redone_and_loses_nothing(
    small: Path, wishes: list[tuple[str, int, int | str]]
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "p.vidlabel"
        shutil.copyfile(small, path)
        with ProjectStore.open(path) as store:
            pictures = [_picture(store)]
            for what, first, second in wishes:
                waiting = store.can_undo(), len(store.project_history())
                try:
                    _do(store, what, first, second)
                except VidlabelError:
                    assert (store.can_undo(), len(store.project_history())) == waiting
                if len(store.project_history()) > waiting[1]:
                    pictures.append(_picture(store))
                decided = {clip: store.history(clip) for clip in range(1, 5)}
                for row in store.clip_rows([1, 2, 3, 4]):
                    newest = next(iter(decided[row.clip_id]), None)
                    assert row.label == (newest.label if newest else None)
                assert [one for one in store.check() if one.kind is not FaultKind.FILE] == []
            for picture in reversed(pictures[:-1]):
                assert store.undo(annotator="u") is not None
                assert _picture(store) == picture
            for picture in pictures[1:]:
                assert store.redo(annotator="u") is not None
                assert _picture(store) == picture
            assert store.redo(annotator="u") is None


def test_a_colour_is_one_step_and_the_same_again_is_none(footage: Footage) -> None:
    wave = _id(footage.store, "wave")
    assert footage.store.label_edits.apply(RecolourLabel(wave, "#112233"), annotator="me").labels
    assert not footage.store.label_edits.apply(RecolourLabel(wave, "#112233"), annotator="me").labels
    footage.store.undo(annotator="me")
    assert footage.store.can_undo() is None
