"""What training changes in a clip: the same for all its frames, decided by chance alone, shown before it is used."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.helpers.clips import numbered_clip
from vidlabel.cli.preview_worker import run_preview
from vidlabel.core.errors import UsageError
from vidlabel.learning.augment import STRENGTHS, Augmentation, augmentation, unmirrored, vary
from vidlabel.learning.augment_preview import augment_preview
from vidlabel.learning.clip_stock import LabelledClip, Stock
from vidlabel.ml.preprocess import Preprocessing

P = Preprocessing(frames=3, height=16, width=16, resize="short_side", short_side=20)
PLAIN = Augmentation(smallest=1.0, stretch=1.0, speed=1.0, shade=0.0, flip=False)


def still(seed=0):
    picture = np.random.default_rng(seed).integers(0, 256, (1, 20, 34, 3), dtype=np.uint8)
    frames = np.repeat(picture, 6, axis=0)
    frames.flags.writeable = False  # as the cache gives them
    return Stock(frames, 1.0)


def shown(how, seed=0, **more):
    return vary(still(), P, how, rng=np.random.default_rng(seed), **more)


@pytest.mark.parametrize("strength", ["light", "strong"])
def test_all_frames_of_a_clip_change_alike(strength):
    how = STRENGTHS[strength]
    seen = [shown(how, seed) for seed in range(20)]
    assert all(one.shape == (3, 16, 16, 3) and one.dtype == np.uint8 for one in seen)
    assert all(np.array_equal(one[0], one[1]) and np.array_equal(one[0], one[2]) for one in seen)
    assert len({one.tobytes() for one in seen}) == 20
    assert all(np.array_equal(shown(how, seed), seen[seed]) for seed in range(3))


def test_each_change_does_what_its_name_says():
    plain = shown(PLAIN)
    flipped = [shown(replace(PLAIN, flip=True), seed) for seed in range(12)]
    whole = Preprocessing(frames=3, height=20, width=34)
    looks = [
        vary(still(), whole, replace(PLAIN, flip=True), rng=np.random.default_rng(seed))[0]
        for seed in range(12)
    ]
    picture = still().frames[0]
    turned = [np.array_equal(look, picture[:, ::-1]) for look in looks]
    assert all(one or np.array_equal(look, picture) for one, look in zip(turned, looks, strict=True))
    assert 2 < sum(turned) < 10
    assert len({one.tobytes() for one in flipped}) > 1
    never = [shown(replace(PLAIN, flip=True), seed, mirror=False) for seed in range(12)]
    assert all(np.array_equal(one, shown(PLAIN, seed)) for seed, one in enumerate(never))

    shaded = [shown(replace(PLAIN, shade=0.3), seed).mean() for seed in range(12)]
    assert max(shaded) > plain.mean() + 10 > min(shaded) + 20
    grey = Stock(np.repeat(still().frames[..., :1], 3, axis=-1), 1.0)
    recoloured = vary(grey, P, replace(PLAIN, colour=1.0), rng=np.random.default_rng(1))
    assert np.ptp(recoloured.astype(int), axis=-1).max() <= 1, "grey stays grey in whatever hue"
    hued = shown(replace(PLAIN, colour=1.0), 1)
    assert abs(hued.astype(int) - shown(PLAIN, 1)).mean() > 5
    erased = shown(replace(PLAIN, erase=1.0), 1) != shown(PLAIN, 1)
    share = erased.any(axis=-1).mean()
    assert 0.02 < share < 0.3


def test_labels_that_a_mirror_turns_into_each_other_are_found():
    labels = ("turn left", "turn_right", "wave", "kickLeft", "left turn", "pour clockwise")
    assert unmirrored(labels) == {0, 1}
    assert unmirrored(("kickLeft", "KickRight")) == {0, 1}
    assert unmirrored(("jump", "sit")) == frozenset()


def test_wrong_strengths_are_refused():
    assert augmentation("none") is None
    with pytest.raises(UsageError, match="light"):
        augmentation("medium")
    with pytest.raises(ValueError, match="smallest"):
        Augmentation(smallest=0)


@pytest.fixture(scope="module")
def video(tmp_path_factory):
    return numbered_clip(tmp_path_factory.mktemp("preview") / "clip.mp4", 30)


def test_the_preview_shows_what_training_will_show(video):
    clip = LabelledClip(path=video, label=0)
    first = augment_preview(clip, P, strength="strong", seed=4, count=3)
    assert first.original.shape == (3, 16, 16, 3)
    assert first.changed.shape == (3, 3, 16, 16, 3)
    assert np.array_equal(first.changed, augment_preview(clip, P, strength="strong", seed=4, count=3).changed)
    assert not np.array_equal(first.changed, augment_preview(clip, P, strength="strong", count=3).changed)
    same = augment_preview(clip, P, strength="none", count=2)
    assert all(np.array_equal(one, same.original) for one in same.changed)


def job(tmp_path, video, **more):
    wish = {
        "clip": {"path": str(video), "start_us": 200_000, "end_us": 800_000},
        "preprocessing": P.to_json(), "strength": "light", "seed": 1, "count": 4, "out": str(tmp_path / "out"),
    }  # fmt: skip
    path = tmp_path / "job.json"
    path.write_text(json.dumps({**wish, **more}))
    return path


def test_the_worker_writes_pictures_for_the_window(video, tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "vidlabel", "--worker", "augment-preview", str(job(tmp_path, video))],
        capture_output=True, check=True, text=True, cwd=Path(__file__).parents[2],
    )  # fmt: skip
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [line["event"] for line in lines] == ["picture"] * 4 + ["finished"]
    assert all(line["v"] == 1 for line in lines)
    assert (lines[0]["frames"], lines[0]["width"], lines[0]["height"]) == (3, 16, 16)
    pictures = [cv2.imread(path)[..., ::-1] for path in lines[-1]["pictures"]]
    clip = LabelledClip(path=video, label=0, start_us=200_000, end_us=800_000)
    expected = augment_preview(clip, P, seed=1, count=4)
    for picture, frames in zip(pictures, expected.changed, strict=True):
        assert np.array_equal(picture, np.concatenate(list(frames), axis=1))
    original = cv2.imread(lines[-1]["original"])[..., ::-1]
    assert np.array_equal(original, np.concatenate(list(expected.original), axis=1))


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        ({"clip": {"path": "gone.mp4"}}, "clips"),
        ({"strength": "wild"}, "usage"),
        ({"clip": {}}, "usage"),
        ({"preprocessing": {"frames": 0}}, "usage"),
    ],
)
def test_what_goes_wrong_is_said_in_words(video, tmp_path, capsys, change, kind):
    assert run_preview([str(job(tmp_path, video, **change))]) in (1, 2)
    (line,) = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert (line["event"], line["kind"]) == ("failed", kind)
    assert line["words"]


def test_a_model_that_is_not_there_is_said_too(video, tmp_path, capsys):
    path = job(tmp_path, video)
    wish = json.loads(path.read_text())
    del wish["preprocessing"]
    path.write_text(json.dumps({**wish, "model": "no such model"}))
    assert run_preview([str(path)]) == 1
    assert json.loads(capsys.readouterr().out)["kind"] == "model"
    assert run_preview([]) == 2
