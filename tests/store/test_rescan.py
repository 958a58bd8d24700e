"""What a second scan tells, where the quick comparison with what is known is not enough."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.helpers.projects import probed
from tests.store.conftest import Footage
from vidlabel.core.words import ClipQuery, ClipState, FileEntry
from vidlabel.store import listed
from vidlabel.store.project_store import ProjectStore


def test_a_name_is_not_taken_for_the_stored_form_of_another(footage: Footage) -> None:
    """A name that is no UTF-8 is stored with an escape; a file may be called just like that."""
    odd, literal = "odd\udcff.mp4", "odd\x1bdcff.mp4"
    entry = footage.write(odd, "the same size")
    assert footage.scan() == [odd]
    (footage.folder / odd).unlink()
    footage.write(literal, "THE SAME SIZE")
    os.utime(footage.folder / literal, ns=(entry.mtime_ns, entry.mtime_ns))
    assert footage.scan() == [literal]
    assert (odd, "missing", None) in footage.listed()
    assert (literal, "undecided", None) in footage.listed()
    assert footage.scan() == []


def test_a_batch_between_whose_names_lie_many_other_files(store: ProjectStore, tmp_path: Path) -> None:
    root = store.add_root(tmp_path)
    inner = [FileEntry(f"m/{n:03d}.mp4", 1000 + n, n) for n in range(300)]
    outer = [FileEntry(name, size, size) for name, size in (("a.mp4", 1), ("n.mp4", 2), ("z.mp4", 3))]
    store.save_probes(root.id, [probed(entry, str(entry.size)) for entry in (*outer, *inner)])
    assert store.reconcile(root.id, outer) == ()
    changed = outer[2]._replace(mtime_ns=9)
    new = FileEntry("m/100a.mp4", 5, 5)
    assert store.reconcile(root.id, [outer[0], new, outer[1], changed]) == (new, changed)


def test_one_finish_tells_what_went_and_what_came_back(footage: Footage) -> None:
    moment = footage.entry("a.mp4").mtime_ns
    (footage.folder / "a.mp4").rename(footage.folder / "a.away")
    footage.scan()
    (footage.folder / "a.away").rename(footage.folder / "a.mp4")
    assert footage.entry("a.mp4").mtime_ns == moment
    (footage.folder / "b.mp4").unlink()
    footage.store.finish_scan(footage.root.id, ["a.mp4", "day 1/c.mp4"])
    assert [state for _, state, _ in footage.listed()] == ["undecided", "missing", "undecided"]


@pytest.mark.parametrize("count", [0, 1, 5, 6, 7, 12])
def test_files_that_go_and_come_back_in_every_run(
    store: ProjectStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    """Names are compared in runs; what lies before, between and after the names seen is missing."""
    monkeypatch.setattr(listed, "_RUN", 3)
    root = store.add_root(tmp_path).id
    entries = [FileEntry(f"{n % 2}/é\udc80{n:02d}.mp4", n + 1, n) for n in range(count)]
    store.save_probes(root, [probed(entry, str(entry.size)) for entry in entries])
    names = [entry.relative for entry in entries]
    assert not store.finish_scan(root, names).library
    for seen in (names[::2], names[1::2], names[:-1], names[1:], [], names):
        store.finish_scan(root, seen)
        rows = store.clip_rows(store.clip_ids(ClipQuery()))
        assert {row.relative for row in rows if row.state is not ClipState.MISSING} == set(seen)
        assert len(rows) == count


def test_a_scan_that_stopped_and_another_process_that_scanned_meanwhile(footage: Footage) -> None:
    """Neither leaves anything behind on which a later finish would rely."""
    new = footage.write("new.mp4", "something new")
    store, root = footage.store, footage.root.id
    assert store.reconcile(root, footage.entries()) == (new,)  # stopped: no probe, no finish
    with ProjectStore.open(store.path) as other:
        assert other.reconcile(root, [new]) == (new,)
        other.save_probes(root, [probed(new, "something new")])
    assert store.reconcile(root, [new]) == ()
    (footage.folder / "a.mp4").unlink()
    store.finish_scan(root, [entry.relative for entry in footage.entries()])
    assert [row[:2] for row in footage.listed()] == [
        ("a.mp4", "missing"), ("b.mp4", "undecided"), ("day 1/c.mp4", "undecided"), ("new.mp4", "undecided"),
    ]  # fmt: skip
