"""From archives in HMDB51's layout to an index that is complete, or says in words what is missing."""

from __future__ import annotations

from dataclasses import replace

import pytest

pytest.importorskip("rarfile", reason="the extra [training] is not installed")

from training import hmdb51_prepare
from training.hmdb51 import Expected, load_index
from training.hmdb51_prepare import Order, prepare_hmdb51
from training.hmdb51_standin import SPLITS_FOLDER, StandIn, make
from training.rar_files import RarArchive
from training.rar_stored import write_rar
from vidlabel.core.errors import FormatError

SIZE = StandIn(labels=("wave", "sit"), sources=3, takes=2, width=48, height=36, frames=4)


@pytest.fixture(scope="module")
def archives(tmp_path_factory):
    return make(tmp_path_factory.mktemp("archives"), SIZE)


@pytest.fixture
def order(archives, tmp_path):
    return Order(videos=archives[0], splits=archives[1], out=tmp_path / "set", expected=None)


def quiet(line):
    pass


def members(path, folder):
    with RarArchive(path) as archive:
        found = []
        for member in archive.members:
            archive.extract(member, folder / "member")
            found.append((member.name, (folder / "member").read_bytes()))
        return found


def test_archives_become_an_index(order):
    made = prepare_hmdb51(order, say=quiet)
    index = load_index(order.out)
    assert index == made
    assert len(index.clips) == 12
    assert set(index.labels) == {"wave", "sit"}
    clip = next(clip for clip in index.clips if clip.path.endswith("(part_1)_wave_f_cm_np1_fr_goo_0.avi"))
    assert clip.source == "Film_#1_of_the_waves_(part_1)"
    assert (clip.frames, clip.width, clip.height, clip.problem) == (4, 48, 36, None)
    assert clip.fps == pytest.approx(15)
    assert index.file(clip).is_file()
    for split in ("official-1", "official-2", "official-3", "random"):
        train, test = ({clip.path for clip in index.part(split, part)} for part in ("train", "test"))
        assert train
        assert test
        assert not train & test
    held = {(clip.source, clip.label) for clip in index.part("official-1", "test")}
    assert not held & {(clip.source, clip.label) for clip in index.part("official-1", "train")}


def test_it_goes_on_where_it_was_stopped(order):
    def stop(line):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        prepare_hmdb51(order, say=stop)
    first = {path: path.stat().st_mtime_ns for path in (order.out / "videos").rglob("*.avi")}
    assert len(first) == 6
    # Of the second class one clip is there, cut short.
    cut = order.out / "videos" / "wave" / "Film_#0_&_the_rest_wave_f_cm_np1_fr_goo_0.avi"
    cut.parent.mkdir()
    cut.write_bytes(b"RIFF")
    said = []
    prepare_hmdb51(order, say=said.append)
    assert [line for line in said if "clips (" in line] == ["wave: 6 clips (2 of 2 classes)"]
    assert all(path.stat().st_mtime_ns == time for path, time in first.items())
    assert cut.stat().st_size > 1000
    assert not list((order.out / "packed").iterdir())


def test_what_is_done_is_not_done_again(order, monkeypatch):
    before = prepare_hmdb51(order, say=quiet)
    read = []
    real = hmdb51_prepare.probe_many

    def counting(root, entries, **more):
        read.extend(entries)
        return real(root, entries, **more)

    monkeypatch.setattr(hmdb51_prepare, "probe_many", counting)
    assert prepare_hmdb51(order, say=quiet) == before
    assert read == []
    hashed = prepare_hmdb51(replace(order, hashes=True), say=quiet)
    assert all(len(clip.sha256) == 64 for clip in hashed.clips)


def test_folders_that_are_unpacked_already_do_as_well(order, tmp_path):
    prepare_hmdb51(order, say=quiet)
    again = Order(
        videos=order.out / "videos", splits=order.out / "splits", out=tmp_path / "other", expected=None
    )
    made = prepare_hmdb51(again, say=quiet)
    assert len(made.clips) == 12
    assert load_index(again.out).file(made.clips[0]).is_file()


def test_a_missing_class_is_named(order, tmp_path):
    kept = [member for member in members(order.videos, tmp_path) if member[0] != "sit.rar"]
    write_rar(tmp_path / "less.rar", kept)
    less = replace(order, videos=tmp_path / "less.rar")
    with pytest.raises(FormatError, match=r"class sit is missing \(6 clips\)"):
        prepare_hmdb51(less, say=quiet)
    index = prepare_hmdb51(replace(less, incomplete=True), say=quiet)
    assert len(index.clips) == 6
    whole = prepare_hmdb51(replace(order, out=tmp_path / "whole"), say=quiet)
    parts = {clip.path: clip.parts for clip in whole.clips}
    assert all(parts[clip.path] == clip.parts for clip in index.clips), "a missing class moves no other clip"


def test_a_set_that_is_not_hmdb51_is_not_taken_for_it(order):
    with pytest.raises(FormatError, match="HMDB51 has 6766 in 51"):
        prepare_hmdb51(replace(order, expected=Expected()), say=quiet)


def test_an_unreadable_clip_is_told_of_and_left_out(order):
    index = prepare_hmdb51(order, say=quiet)
    broken = index.part("official-1", "train")[0]
    index.file(broken).write_text("This is not a video.")
    said = []
    again = prepare_hmdb51(replace(order, videos=order.out / "videos"), say=said.append)
    assert any(line.startswith(f"cannot be read: {broken.path}") for line in said)
    assert broken.path not in {clip.path for clip in again.part("official-1", "train")}
    assert broken.path in {clip.path for clip in again.part("official-1", "train", readable=False)}


def test_a_cut_archive_is_said_to_be_cut(order, tmp_path):
    content = order.videos.read_bytes()
    (tmp_path / "cut.rar").write_bytes(content[: len(content) * 2 // 3])
    with pytest.raises(FormatError, match=r"(?i)fetch it again"):
        prepare_hmdb51(replace(order, videos=tmp_path / "cut.rar"), say=quiet)


def test_archives_given_the_wrong_way_round_are_told_apart(order):
    with pytest.raises(FormatError, match=r"Is it test_train_splits\.rar"):
        prepare_hmdb51(replace(order, videos=order.splits, splits=order.videos), say=quiet)


def test_split_files_that_disagree_are_refused(order, tmp_path):
    files = members(order.splits, tmp_path)
    fewer = [
        (name, content.split(b"\n", 1)[1] if name.endswith("sit_test_split2.txt") else content)
        for name, content in files
    ]
    assert files[0][0].startswith(SPLITS_FOLDER)
    write_rar(tmp_path / "splits.rar", fewer)
    with pytest.raises(FormatError, match="not named by all three splits"):
        prepare_hmdb51(replace(order, splits=tmp_path / "splits.rar"), say=quiet)
