"""Batches from video files: the same whatever the threads and the cache, and a file that is gone costs its clip."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from tests.helpers.clips import numbered_clip, read_number
from vidlabel.core.errors import TrainingError, UsageError
from vidlabel.core.snapshot import Snapshot, SnapshotClip
from vidlabel.learning.augment import Augmentation
from vidlabel.learning.clip_batches import ClipBatches, ClipsInOrder, LabelledClip, clips_of
from vidlabel.learning.clip_cache import open_cache, remove_cache
from vidlabel.learning.clip_stock import expected_bytes, read_plain, roomy_positions
from vidlabel.learning.dealing import Dealing
from vidlabel.media.reader import FrameReader
from vidlabel.ml.preprocess import Preprocessing

SMALL = Preprocessing(frames=4, height=24, width=24)
WINDOW = Preprocessing(frames=4, height=24, width=24, resize="short_side", short_side=28, span_s=0.4)


@pytest.fixture(scope="module")
def clips(tmp_path_factory):
    """Nine clips of three labels in five files; four are halves of a file."""
    folder = tmp_path_factory.mktemp("clips")
    found = []
    for number in range(5):
        path = numbered_clip(folder / f"{number}.mp4", 20 + number, size=(80, 48))
        halves = [(0, 400_000), (400_000, 10**15)] if number else [(0, 10**15)]
        found += [
            LabelledClip(
                path=path, label=len(found) % 3, content_hash=f"h{number}", start_us=start, end_us=end
            )
            for start, end in halves
        ]
    return found


def epoch(clips, p=SMALL, *, number=3, first=0, **more):
    batches = ClipBatches(clips, p, **{"size": 4, "seed": 1, "strength": "strong", **more})
    return list(batches.epoch(number, first=first))


def same(a, b):
    return len(a) == len(b) and all(
        np.array_equal(x.frames, y.frames) and np.array_equal(x.labels, y.labels)
        for x, y in zip(a, b, strict=True)
    )


@pytest.mark.parametrize("p", [SMALL, WINDOW])
@pytest.mark.parametrize("strength", ["none", "light", "strong"])
def test_batches_are_the_same_with_any_threads_and_with_or_without_a_cache(clips, tmp_path, p, strength):
    plain = epoch(clips, p, strength=strength, workers=1)
    assert [len(batch.labels) for batch in plain] == [4, 5], "nine clips: the last one joins the batch before"
    assert plain[0].frames.shape == (4, 4, 24, 24, 3)
    assert same(plain, epoch(clips, p, strength=strength, workers=4))
    cache = open_cache(tmp_path, p, most_bytes=10**9)
    filling = epoch(clips, p, strength=strength, workers=4, cache=cache)
    assert cache.use().clips == 9
    filled = epoch(clips, p, strength=strength, workers=1, cache=cache)
    again = epoch(clips, p, strength=strength, workers=2, cache=open_cache(tmp_path, p, most_bytes=10**9))
    assert same(plain, filling)
    assert same(plain, filled)
    assert same(plain, again)
    assert same(plain[1:], epoch(clips, p, strength=strength, workers=2, cache=cache, first=1))
    assert not same(plain, epoch(clips, p, strength=strength, workers=1, number=4))
    assert not same(plain, epoch(clips, p, strength=strength, workers=1, seed=2))


def test_after_the_first_epoch_no_video_is_read(clips, tmp_path, monkeypatch):
    cache = open_cache(tmp_path, SMALL, most_bytes=10**9)
    ClipBatches(clips, SMALL, size=4, seed=1, cache=cache).fill()
    monkeypatch.setattr(
        "vidlabel.learning.clip_cache.read_roomy", lambda *a, **k: pytest.fail("decoded again")
    )
    assert len(epoch(clips, cache=cache)) == 2
    assert cache.use().bytes <= expected_bytes(SMALL, clips) * 1.1


def test_without_change_a_clip_is_what_the_model_sees(clips):
    for p in (SMALL, WINDOW):
        places, frames = [], []
        for chosen, batch in ClipsInOrder(clips, p, size=4, workers=2):
            assert np.array_equal(batch.labels, [clips[n].label for n in chosen])
            places += chosen.tolist()
            frames += list(batch.frames)
        assert places == list(range(9))
        with FrameReader(clips[1].path) as reader:
            first, last = reader.index.range(clips[1].start_us, clips[1].end_us)
            wanted = [first + n for n in p.positions(last - first, reader.index.fps)]
            size = p.decode_size(reader.shape.width, reader.shape.height)
            assert np.array_equal(frames[1], p.crop(reader.read_many(wanted, size=size)))
    parts = [
        [int(n) for chosen, _ in ClipsInOrder(clips, SMALL, size=2, rank=rank, world=2) for n in chosen]
        for rank in (0, 1)
    ]
    assert sorted(parts[0] + parts[1]) == list(range(9))


def test_moments_are_chosen_in_order_from_where_the_network_looks(tmp_path):
    path = numbered_clip(tmp_path / "long.mp4", 100)
    p = Preprocessing(frames=4, height=48, width=80, span_s=1.0)
    still = Augmentation(smallest=1.0, stretch=1.0, shade=0.0, flip=False)
    clip = [LabelledClip(path=path, label=0), LabelledClip(path=path, label=1)]
    seen = set()
    for number in range(20):
        for batch in epoch(clip, p, number=number, strength=still, size=2):
            for frames in batch.frames:
                numbers = [read_number(picture) for picture in frames]
                assert numbers == sorted(numbers)
                assert len(set(numbers)) >= 3
                assert 25 <= numbers[0] < numbers[-1] < 75, "two windows around the middle"
                assert 9 <= numbers[-1] - numbers[0] <= 33, "a second, somewhat faster or slower"
                seen.add(tuple(numbers))
    assert len(seen) > 30
    places, share = roomy_positions(p, 100, 25.0)
    assert share == 0.5
    assert (len(places), places[0], places[-1]) == (16, 26, 73)
    assert roomy_positions(p, 3, 25.0) == ((0, 1, 2), 1.0)
    assert read_plain(clip[0], p).frames.shape == (4, 48, 80, 3)


def test_processes_share_the_very_batches_of_one(clips):
    whole = epoch(clips, size=5, strength="light")
    parts = [epoch(clips, size=5, strength="light", rank=rank, world=2, workers=2) for rank in (0, 1)]
    for place, batch in enumerate(whole):
        both = [part[place] for part in parts]
        assert np.array_equal(np.concatenate([part.frames for part in both]), batch.frames)
        assert np.array_equal(np.concatenate([part.labels for part in both]), batch.labels)
        assert min(len(part.labels) for part in both) >= 1
    with pytest.raises(TrainingError, match="too few"):
        ClipBatches(clips, SMALL, size=4, seed=0, world=5)


def test_rare_labels_can_be_shown_as_often_as_others():
    labels = np.array([0] * 90 + [1] * 9 + [2])
    dealing = Dealing(labels, size=10, seed=3, balance="sampling")
    orders = [dealing.order(number) for number in range(6)]
    assert all(len(order) == 100 for order in orders)
    assert all(sorted(Counter(labels[order].tolist()).values()) == [33, 33, 34] for order in orders)
    assert len({clip for order in orders for clip in order if clip < 90}) > 70, "others of them each time"
    shown = Counter(orders[0].tolist())
    assert {shown[n] for n in range(90, 99)} <= {3, 4}
    assert np.array_equal(orders[2], Dealing(labels, size=10, seed=3, balance="sampling").order(2))
    assert sorted(Dealing(labels, size=10, seed=3).order(0)) == list(range(100))


def test_a_clip_that_cannot_be_read_is_told_once_and_left_out(clips, tmp_path):
    damaged = tmp_path / "damaged.mp4"
    damaged.write_bytes(b"no video at all")
    bad = [
        LabelledClip(path=tmp_path / "gone.mp4", label=0, content_hash="gone"),
        LabelledClip(path=damaged, label=1),
        LabelledClip(path=tmp_path / "never.mp4", label=1),
    ]
    told = []
    mixed = [*clips[:5], *bad]
    batches = ClipBatches(
        mixed, SMALL, size=8, seed=0, workers=3, on_trouble=lambda clip, why: told.append((clip, why))
    )
    (first,), (second,) = batches.epoch(0), batches.epoch(1)
    assert len(first.labels) == len(second.labels) == len(second.frames) == 5
    assert sorted(clip.path.name for clip, _ in told) == ["damaged.mp4", "gone.mp4", "never.mp4"]
    assert all(why for _, why in told)
    assert same([first], epoch(mixed, size=8, seed=0, number=0, strength="light", workers=1))
    measured = np.concatenate([places for places, _ in ClipsInOrder(mixed, SMALL, size=2)])
    assert measured.tolist() == [0, 1, 2, 3, 4]


def test_where_a_batch_would_be_empty_others_stand_in_and_none_at_all_is_an_error(clips, tmp_path):
    gone = [LabelledClip(path=tmp_path / f"{n}.mp4", label=0, content_hash=str(n)) for n in range(6)]
    mixed = [clips[0], clips[1], *gone]
    drawn = [epoch(mixed, size=2, workers=workers) for workers in (1, 4)]
    assert same(*drawn)
    assert [len(batch.labels) for batch in drawn[0]] == [2, 2, 2, 2]
    with pytest.raises(TrainingError, match="disk"):
        epoch(gone, size=2)
    with pytest.raises(UsageError, match="none, light, strong"):
        epoch(clips, strength="wild")


def test_a_full_cache_and_a_cut_off_file_cost_time_and_nothing_else(clips, tmp_path):
    plain = epoch(clips)
    notes = []
    each = expected_bytes(SMALL, clips[:1])
    small = open_cache(tmp_path / "small", SMALL, most_bytes=4 * each, on_note=notes.append)
    assert same(plain, epoch(clips, cache=small))
    assert same(plain, epoch(clips, cache=small))
    assert 2 <= small.use().clips < 9
    assert small.use().bytes <= 4 * each
    assert len(notes) == 1
    assert "decoded anew" in notes[0]

    folder = tmp_path / "cache"
    assert same(plain, epoch(clips, cache=open_cache(folder, SMALL, most_bytes=10**9)))
    files = sorted(folder.iterdir())
    files[0].write_bytes(files[0].read_bytes()[:1000])
    files[1].write_bytes(b"")
    turned = bytearray(files[2].read_bytes())
    turned[500] ^= 255
    files[2].write_bytes(turned)
    (folder / "clip-left-behind.part").write_bytes(b"half of a clip")
    mended = open_cache(folder, SMALL, most_bytes=10**9)
    assert not list(folder.glob("*.part"))
    assert same(plain, epoch(clips, cache=mended))
    assert mended.use().clips == 9
    (folder / "other").touch()
    remove_cache(folder)
    assert [path.name for path in folder.iterdir()] == ["other"]


def test_a_cache_that_cannot_be_written_is_done_without(clips, tmp_path):
    (tmp_path / "file").write_text("no folder")
    notes = []
    cache = open_cache(tmp_path / "file" / "cache", SMALL, most_bytes=10**9, on_note=notes.append)
    assert same(epoch(clips), epoch(clips, cache=cache))
    assert len(notes) == 1
    assert "cannot be kept" in notes[0]


_ENDLESS = """
import sys
from pathlib import Path
from vidlabel.learning.clip_batches import ClipBatches, LabelledClip
from vidlabel.learning.clip_cache import open_cache
from vidlabel.ml.preprocess import Preprocessing
p = Preprocessing(frames=4, height=24, width=24)
clips = [LabelledClip(path=Path(path), label=n % 2, content_hash=f"{path}{turn}")
         for turn in range(500) for n, path in enumerate(sys.argv[2:])]
batches = ClipBatches(clips, p, size=4, seed=0, workers=2,
                      cache=open_cache(Path(sys.argv[1]), p, most_bytes=10**9))
for number, batch in enumerate(batches.epoch(0)):
    if number == 5:
        print("go", flush=True)
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="there is no SIGKILL here")
def test_a_kill_in_the_middle_leaves_a_cache_that_is_used_on(clips, tmp_path):
    paths = sorted({str(clip.path) for clip in clips})
    command = [sys.executable, "-c", _ENDLESS, str(tmp_path), *paths]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=Path(__file__).parents[2]) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"go\n"
        os.kill(process.pid, signal.SIGKILL)
    kept = open_cache(tmp_path, SMALL, most_bytes=10**9)
    assert kept.use().clips >= 20
    asked = [
        LabelledClip(path=Path(path), label=n % 2, content_hash=f"{path}{turn}")
        for turn in range(500)
        for n, path in enumerate(paths)
    ][:40]
    assert same(epoch(asked), epoch(asked, cache=kept))


def test_a_snapshot_gives_its_clips_with_the_places_of_their_labels(tmp_path):
    def clip(label, part, content):
        return SnapshotClip(
            content_hash=content, start_us=0, end_us=9, label=label, part=part, source="s",
            path=tmp_path / content, clip_id=7,
        )  # fmt: skip

    snapshot = Snapshot(
        clips=(clip("wave", "train", "a"), clip("jump", "train", "b"), clip("wave", "test", "c")),
        labels=("jump", "wave"),
        split="by-source",
    )
    moved = clips_of(snapshot, "train", where={"b": tmp_path / "elsewhere"})
    assert [(one.label, one.path.name, one.clip_id) for one in moved] == [(1, "a", 7), (0, "elsewhere", 7)]
    assert len(clips_of(snapshot, "test")) == 1
