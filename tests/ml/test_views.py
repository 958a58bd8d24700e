from __future__ import annotations

import numpy as np
import pytest

from vidlabel.core.model_key import ModelKey
from vidlabel.core.words import ONE_VIEW, Views
from vidlabel.ml.precision import agreement, moving_clips
from vidlabel.ml.preprocess import Preprocessing
from vidlabel.ml.views import as_batch, averaged, view_positions

WHOLE = Preprocessing(frames=4, height=8, width=8)
WINDOW = Preprocessing(frames=4, height=8, width=8, span_s=1.0)


@pytest.mark.parametrize("p", [WHOLE, WINDOW])
@pytest.mark.parametrize("count", [1, 3, 90])
def test_one_view_is_the_plain_way(p, count):
    assert view_positions(p, ONE_VIEW, count, 30.0) == p.positions(count, 30.0)


@pytest.mark.parametrize("p", [WHOLE, WINDOW])
@pytest.mark.parametrize("count", [1, 2, 7, 29, 90, 1000])
@pytest.mark.parametrize("clips", [2, 3, 16])
def test_views_lie_within_the_clip_and_rise(p, count, clips):
    places = np.reshape(view_positions(p, Views(clips=clips), count, 30.0), (clips, p.frames))
    assert places.min() >= 0
    assert places.max() < count
    assert (np.diff(places, axis=1) >= 0).all()
    if count >= 90:
        assert len({tuple(view) for view in places}) == clips, "no two look at the same"


def test_windows_reach_from_the_start_to_the_end():
    places = np.reshape(view_positions(WINDOW, Views(clips=3), 90, 30.0), (3, 4))
    assert places[0].max() < 30
    assert places[1].min() >= 30
    assert places[1].max() < 60
    assert places[2].min() >= 60


def test_mirrored_views_stand_beside_the_others():
    frames = np.arange(2 * 3 * 4 * 8 * 8 * 3, dtype=np.uint8).reshape(2, 3, 4, 8, 8, 3)
    batch = as_batch(frames, Views(clips=3, flip=True))
    assert batch.shape == (12, 4, 8, 8, 3)
    np.testing.assert_array_equal(batch[:3], frames[0])
    np.testing.assert_array_equal(batch[3:6], frames[0][..., ::-1, :])
    np.testing.assert_array_equal(batch[6:9], frames[1])


def test_answers_are_averaged_by_clip():
    rows = np.array([[1, 0], [0, 1], [0.5, 0.5], [0.5, 0.5]], np.float32)
    np.testing.assert_allclose(averaged(rows, Views(clips=2)), [[0.5, 0.5], [0.5, 0.5]])
    rows[3] = np.nan
    assert np.isnan(averaged(rows, Views(clips=2))[1]).all(), "one view without numbers spoils its clip only"


@pytest.mark.parametrize("views", [ONE_VIEW, Views(clips=3), Views(flip=True), Views(clips=16, flip=True)])
@pytest.mark.parametrize("precision", ["auto", "bfloat16"])
def test_a_key_is_read_as_it_is_written(views, precision):
    key = ModelKey("ab12" * 16, views, precision)
    assert ModelKey.parse(str(key)) == key


def test_what_is_no_key_is_a_plain_hash():
    for text in ("my-model", "abc-v99", "abc-v0f"):
        assert ModelKey.parse(text) == ModelKey(text)


@pytest.mark.parametrize("clips", [0, 17])
def test_senseless_numbers_of_views_are_refused(clips):
    with pytest.raises(ValueError, match="1 to 16"):
        Views(clips=clips)


def test_agreement_looks_at_differences_and_at_turned_answers():
    exact = np.array([[0.9, 0.1], [0.51, 0.49]], np.float32)
    assert agreement(exact, exact).good
    near = np.array([[0.89, 0.11], [0.495, 0.505]], np.float32)
    assert agreement(exact, near).good, "where float32 itself is not sure, either will do"
    assert agreement(exact, np.array([[0.4, 0.6], [0.5, 0.5]], np.float32)).turned == 1
    assert not agreement(exact, np.array([[0.8, 0.2], [0.51, 0.49]], np.float32)).good
    assert not agreement(exact, np.array([[np.nan, 0.2], [0.51, 0.49]], np.float32)).good


def test_clips_to_compare_on_differ_and_move():
    clips = moving_clips(4, frames=5, height=12, width=16)
    assert clips.shape == (4, 5, 12, 16, 3)
    assert clips.dtype == np.uint8
    assert all((clips[a] != clips[b]).any() for a in range(4) for b in range(a))
    assert all((clip[0] != clip[-1]).any() for clip in clips)
