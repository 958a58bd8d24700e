from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.helpers.projects import probed, some_facts
from tests.store.conftest import Footage
from vidlabel.core.errors import UnknownVideoError, UnreadableVideoError
from vidlabel.core.words import ClipQuery, ClipState, DecisionKind, FileEntry, NewDecision, ProbeResult
from vidlabel.store.check import FaultKind
from vidlabel.store.project_store import ProjectStore


def _label(footage: Footage, relative: str, label: str = "wave") -> None:
    new = NewDecision(clip_id=footage.clip(relative), kind=DecisionKind.LABELLED, label=label)
    footage.store.decide([new], annotator="me")


def test_new_files_become_clips_and_are_not_probed_again(footage: Footage) -> None:
    assert footage.listed() == [(name, "undecided", None) for name in ("a.mp4", "b.mp4", "day 1/c.mp4")]
    row = footage.store.clips_of_video(footage.folder / "day 1/c.mp4")[0]
    assert Path(row.path) == footage.folder / "day 1" / "c.mp4"
    assert (row.end_us, row.end_frame, row.whole, row.fps, row.width) == (2_000_000, 60, True, 30.0, 320)
    assert footage.scan() == []


def test_only_changed_files_are_probed(footage: Footage) -> None:
    footage.write("b.mp4", "content of b.mp4")
    later = footage.entry("b.mp4").mtime_ns + 5_000_000_000
    os.utime(footage.folder / "b.mp4", ns=(later, later))
    _label(footage, "b.mp4")
    assert footage.scan() == ["b.mp4"]
    assert footage.listed()[1] == ("b.mp4", "labelled", "wave")


def test_a_moved_file_keeps_its_decisions_and_its_new_path_is_shown(footage: Footage) -> None:
    _label(footage, "a.mp4")
    clip = footage.clip("a.mp4")
    (footage.folder / "day 2").mkdir()
    (footage.folder / "a.mp4").rename(footage.folder / "day 2" / "z.mp4")
    assert footage.scan() == ["day 2/z.mp4"]
    assert footage.listed()[2] == ("day 2/z.mp4", "labelled", "wave")
    assert footage.clip("day 2/z.mp4") == clip
    assert footage.store.paths_of_video(1) == (footage.folder / "day 2" / "z.mp4",)


def test_a_file_that_goes_and_comes_back(footage: Footage) -> None:
    _label(footage, "a.mp4")
    content, moment = (footage.folder / "a.mp4").read_text(), footage.entry("a.mp4").mtime_ns
    (footage.folder / "a.mp4").unlink()
    footage.scan()
    assert footage.listed()[0] == ("a.mp4", "missing", "wave")
    row = footage.store.clip_row(footage.clip("a.mp4"))
    assert row is not None
    assert row.reason is not None
    assert footage.store.counts().by_state[ClipState.MISSING] == 1
    footage.write("a.mp4", content)
    os.utime(footage.folder / "a.mp4", ns=(moment, moment))
    assert footage.store.reconcile(footage.root.id, footage.entries()) == ()
    changes = footage.store.finish_scan(footage.root.id, [entry.relative for entry in footage.entries()])
    assert row.clip_id in changes.clips
    assert footage.listed()[0] == ("a.mp4", "labelled", "wave")


def test_nothing_is_missing_while_the_root_itself_is_not_there(footage: Footage, tmp_path: Path) -> None:
    footage.folder.rename(tmp_path / "unplugged")
    footage.store.finish_scan(footage.root.id, [])
    assert {state for _, state, _ in footage.listed()} == {"undecided"}


def test_other_content_at_a_path_is_another_video(footage: Footage) -> None:
    _label(footage, "a.mp4")
    footage.write("a.mp4", "something else altogether")
    footage.write("b.mp4", "and here, too, where nothing was decided")
    assert footage.scan() == ["a.mp4", "b.mp4"]
    assert sorted(footage.listed()) == [
        ("a.mp4", "missing", "wave"),
        ("a.mp4", "undecided", None),
        ("b.mp4", "undecided", None),
        ("day 1/c.mp4", "undecided", None),
    ]
    footage.write("found.mp4", "content of a.mp4")
    footage.scan()
    assert ("found.mp4", "labelled", "wave") in footage.listed()
    assert footage.store.check() == []


def test_copies_are_one_clip_with_several_paths(footage: Footage) -> None:
    footage.write("copy.mp4", "content of a.mp4")
    footage.scan()
    assert len(footage.listed()) == 3
    (row,) = footage.store.clips_of_video(footage.folder / "copy.mp4")
    assert row.relative == "a.mp4"
    assert [path.name for path in footage.store.paths_of_video(row.video_id)] == ["a.mp4", "copy.mp4"]
    _label(footage, "copy.mp4")
    (footage.folder / "a.mp4").unlink()
    footage.scan()
    assert ("copy.mp4", "labelled", "wave") in footage.listed()


def _big(relative: str, content: str, content_hash: str | None) -> ProbeResult:
    return ProbeResult(
        entry=FileEntry(relative, 5_000_000, 1),
        fingerprint=f"fp-{content}",
        content_hash=content_hash,
        facts=some_facts(),
    )


def test_big_copies_become_one_once_their_hashes_are_known(footage: Footage) -> None:
    """The same size, head and tail do not make two long files the same."""
    for name in ("x.mp4", "y.mp4", "z.mp4"):
        footage.write(name, name)
    store = footage.store
    assert store.sizes_known([5_000_000, 16]) == {16}
    store.save_probes(footage.root.id, [_big("x.mp4", "big", None)])
    assert store.sizes_known([5_000_000]) == {5_000_000}
    store.save_probes(footage.root.id, [_big("y.mp4", "big", "same"), _big("z.mp4", "big", "other")])
    assert len(footage.listed()) == 6
    _label(footage, "x.mp4", "run")
    _label(footage, "y.mp4", "wave")
    waiting = dict(store.videos_without_hash(100))
    (video_id,) = [video for video, path in waiting.items() if path.name == "x.mp4"]
    changes = store.save_hash(video_id, "same")
    assert changes.library
    assert [entry for entry in footage.listed() if entry[0] in ("x.mp4", "y.mp4", "z.mp4")] == [
        ("x.mp4", "labelled", "wave"),
        ("z.mp4", "undecided", None),
    ]
    assert store.counts().by_label == {"wave": 1}
    assert len(store.videos_without_hash(100)) == 3
    assert {fault.kind for fault in store.check()} <= {FaultKind.FILE}


def test_overlapping_roots_list_each_path_once(footage: Footage) -> None:
    _label(footage, "day 1/c.mp4")
    inner = Footage(footage.store, footage.folder / "day 1")
    outer = Footage(footage.store, footage.folder.parent)
    assert len(footage.store.roots()) == 3
    assert footage.store.add_root(footage.folder / "day 1" / "..") == footage.root
    assert inner.scan() == []
    inner.write("d.mp4", "content of d.mp4")
    assert inner.scan() == ["d.mp4"]
    assert [name for name in outer.scan() if name.endswith(".mp4")] == []
    assert footage.scan() == []
    names = [name.rsplit("/", 1)[-1] for name, _, _ in footage.listed() if name.endswith("mp4")]
    assert sorted(names) == ["a.mp4", "b.mp4", "c.mp4", "d.mp4"]
    inner.write("c.mp4", "changed")
    assert [name for name in outer.scan() if name.endswith(".mp4")] == ["media/day 1/c.mp4"]
    assert footage.scan() == []


def test_bad_files_are_kept_each_with_its_reason(footage: Footage) -> None:
    entries = [footage.write(name, "") for name in ("empty1.mp4", "empty2.mp4")]
    results = [
        ProbeResult(entry=entry, fingerprint="fp-", content_hash="e3b0", facts=None, reason="empty file")
        for entry in entries
    ]
    footage.store.save_probes(footage.root.id, results)
    rows = footage.store.clip_rows(
        footage.store.clip_ids(ClipQuery(states=frozenset({ClipState.UNREADABLE})))
    )
    assert [(row.relative, row.reason) for row in rows] == [
        ("empty1.mp4", "empty file"), ("empty2.mp4", "empty file"),
    ]  # fmt: skip
    assert [path.name for _, path in footage.store.videos_without_hash(10)] == ["a.mp4", "b.mp4", "c.mp4"]
    with pytest.raises(UnreadableVideoError, match="empty file"):
        footage.store.add_clip(footage.folder / "empty1.mp4", 0, 1000)


def test_a_file_that_cannot_be_opened_is_looked_at_again_and_keeps_its_decisions(footage: Footage) -> None:
    _label(footage, "a.mp4")
    entry = footage.entry("a.mp4")
    locked = ProbeResult(entry=entry, fingerprint="", content_hash=None, facts=None, reason="no permission")
    footage.store.save_probes(footage.root.id, [locked])
    assert footage.listed()[0] == ("a.mp4", "unreadable", "wave")
    assert footage.scan() == ["a.mp4"]
    assert footage.listed()[0] == ("a.mp4", "labelled", "wave")


def test_trouble_while_playing(footage: Footage) -> None:
    _label(footage, "a.mp4")
    clip = footage.clip("a.mp4")
    changes = footage.store.mark_trouble(clip, "damaged: no frame 12", missing=False)
    assert changes.clips == {clip}
    row = footage.store.clip_row(clip)
    assert row is not None
    assert (row.state, row.reason, row.label) == (ClipState.UNREADABLE, "damaged: no frame 12", "wave")
    footage.store.mark_trouble(footage.folder / "b.mp4", "it was deleted", missing=True)
    assert footage.listed()[1][1] == "missing"
    assert footage.scan() == []
    assert [state for _, state, _ in footage.listed()] == ["unreadable", "undecided", "undecided"]


NAMES = [
    "Ägypten/日本語 🎬.mp4",
    '50% _of_ it\'s "here".mp4',
    "odd\udcff\udc80name.mp4",
    "esc\x1bdcff.mp4",
    "d" * 200 + "/" + "e" * 200 + "/" + "f" * 200 + "/" + "n" * 250 + ".mp4",
]


@pytest.mark.parametrize("name", NAMES)
def test_every_name_survives(footage: Footage, name: str) -> None:
    path = footage.folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"content of {name!r}")
    assert footage.scan() == [name]
    (row,) = footage.store.clips_of_video(path)
    assert row.relative == name
    assert Path(row.path).read_text() == f"content of {name!r}"
    assert footage.scan() == []
    assert list(footage.store.clip_ids(ClipQuery(text=name.rsplit("/", 1)[-1][:9]))) == [row.clip_id]
    changes = footage.store.decide(
        [NewDecision(clip_id=row.clip_id, kind=DecisionKind.SKIPPED)], annotator="m\udce9"
    )
    assert footage.store.can_undo() == f"skipped on {row.name}"
    assert changes.decisions[0].annotator == "m?"


def test_a_relinked_root_finds_the_same_clips_elsewhere(footage: Footage, tmp_path: Path) -> None:
    _label(footage, "a.mp4")
    footage.folder.rename(tmp_path / "elsewhere")
    root = footage.store.relink_root(footage.folder, tmp_path / "elsewhere")
    assert root.id == footage.root.id
    (row,) = footage.store.clips_of_video(tmp_path / "elsewhere" / "a.mp4")
    assert (row.label, Path(row.path).exists()) == ("wave", True)
    moved = Footage(footage.store, tmp_path / "elsewhere")
    assert moved.scan() == []


def test_videos_are_found_by_path_relative_path_and_through_links(footage: Footage, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(footage.folder)
    clip = footage.clip("day 1/c.mp4")
    for path in (Path("day 1/c.mp4"), tmp_path / "link" / "day 1" / "c.mp4"):
        assert footage.store.clips_of_video(path)[0].clip_id == clip
    with pytest.raises(UnknownVideoError, match=r"nothing\.mp4"):
        footage.store.clips_of_video(footage.folder / "nothing.mp4")


def test_marked_clips(footage: Footage) -> None:
    path = footage.folder / "a.mp4"
    clip = footage.store.add_clip(path, 500_000, 1_500_000)
    assert footage.store.add_clip(path, 500_000, 1_500_000) == clip
    whole, part = footage.store.clips_of_video(path)
    assert (whole.whole, part.whole) == (True, False)
    assert (part.start_frame, part.end_frame, part.duration_us) == (15, 45, 1_000_000)
    assert footage.store.counts().total == 4
    assert footage.store.add_clip(path, 0, 2_000_000) == whole.clip_id
    for start, end in ((-1, 5), (5, 5), (0, 2_000_001)):
        with pytest.raises(ValueError, match="not a range inside"):
            footage.store.add_clip(path, start, end)


def test_more_files_than_one_statement_can_name(store: ProjectStore, tmp_path: Path) -> None:
    root = store.add_root(tmp_path)
    entries = [FileEntry(f"{n % 7}/{n}.mp4", n, n) for n in range(3000)]
    store.save_probes(root.id, [probed(entry, str(entry.size), whole=True) for entry in entries])
    assert store.reconcile(root.id, entries) == ()
    assert store.counts().total == 3000
