from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from vidlabel.ml.input import to_input
from vidlabel.ml.preprocess import Preprocessing


def test_positions_are_the_middles_of_equal_parts():
    assert Preprocessing(frames=4).positions(16, 25.0) == (2, 6, 10, 14)


def test_a_clip_of_one_frame_gives_that_frame_over_and_over():
    assert Preprocessing(frames=16).positions(1, 25.0) == (0,) * 16


def test_a_short_clip_repeats_frames_evenly_and_shows_each():
    positions = Preprocessing(frames=16).positions(5, 25.0)
    assert set(positions) == set(range(5))
    assert max(positions.count(frame) for frame in range(5)) <= 4


def test_as_many_frames_as_wanted_are_taken_one_by_one():
    assert Preprocessing(frames=16).positions(16, 25.0) == tuple(range(16))


def test_a_long_clip_is_seen_whole():
    positions = Preprocessing(frames=16).positions(90_000, 25.0)
    assert positions[0] < 90_000 / 16 and positions[-1] >= 90_000 * 15 / 16


def test_a_span_looks_at_the_middle_of_the_clip_only():
    positions = Preprocessing(frames=8, span_s=2.0).positions(1000, 25.0)
    assert min(positions) >= 475 and max(positions) < 525


def test_a_span_longer_than_the_clip_is_the_clip():
    p = Preprocessing(frames=8, span_s=60.0)
    assert p.positions(30, 25.0) == Preprocessing(frames=8).positions(30, 25.0)


def test_an_unknown_rate_matters_only_with_a_span():
    assert Preprocessing(frames=2).positions(4, 0.0) == (1, 3)
    with pytest.raises(ValueError, match="frames a second"):
        Preprocessing(frames=2, span_s=1.0).positions(4, 0.0)


@given(
    frames=st.integers(1, 64),
    count=st.integers(1, 5000),
    span_s=st.none() | st.floats(0.01, 100),
    fps=st.floats(0.5, 240),
    seed=st.integers(0, 99),
)
def test_positions_never_leave_the_clip_nor_go_back(frames, count, span_s, fps, seed):
    p = Preprocessing(frames=frames, span_s=span_s)
    for positions in (
        p.positions(count, fps),
        p.jittered_positions(count, fps, np.random.default_rng(seed)),
    ):
        assert len(positions) == frames
        assert all(0 <= position < count for position in positions)
        assert list(positions) == sorted(positions)


def test_jitter_stays_in_its_part_and_moves():
    p = Preprocessing(frames=4)
    rng = np.random.default_rng(0)
    drawn = np.array([p.jittered_positions(40, 25.0, rng) for _ in range(200)])
    assert (drawn // 10 == np.arange(4)).all()
    assert [len(set(column)) for column in drawn.T] == [10] * 4


def test_squash_decodes_straight_to_the_input_and_crops_nothing():
    p = Preprocessing(height=48, width=64)
    assert p.decode_size(1920, 1080) == (64, 48)
    frames = np.zeros((16, 48, 64, 3), np.uint8)
    assert p.crop(frames).shape == frames.shape
    with pytest.raises(ValueError, match="do not suit"):
        p.crop(np.zeros((16, 64, 64, 3), np.uint8))


@pytest.mark.parametrize(
    ("size", "decoded"), [((320, 240), (171, 128)), ((240, 320), (128, 171)), ((8, 8), (128, 128))]
)
def test_short_side_keeps_the_aspect(size, decoded):
    assert (
        Preprocessing(height=112, width=112, resize="short_side", short_side=128).decode_size(*size)
        == decoded
    )


def test_squash_to_ignores_the_aspect_and_crops_the_centre():
    p = Preprocessing(frames=1, height=2, width=2, squash_to=(6, 4))
    assert p.decode_size(1920, 1080) == p.decode_size(100, 900) == (6, 4)
    frames = np.zeros((1, 4, 6, 3), np.uint8)
    frames[0, 1:3, 2:4] = 9
    assert p.crop(frames).shape == (1, 2, 2, 3) and (p.crop(frames) == 9).all()
    with pytest.raises(ValueError, match="do not suit"):
        p.crop(np.zeros((1, 4, 7, 3), np.uint8))
    assert Preprocessing.from_json(p.to_json()) == p
    # A file that does not use it stays readable for versions that do not know it.
    assert "squash_to" not in Preprocessing().to_json()


def test_a_banner_does_not_become_a_picture_of_megapixels():
    p = Preprocessing(height=112, width=112, resize="short_side", short_side=128)
    assert p.decode_size(8000, 2) == (512, 128)


def test_the_crop_is_the_centre():
    p = Preprocessing(frames=1, height=2, width=2, resize="short_side", short_side=4)
    frames = np.zeros((1, 4, 6, 3), np.uint8)
    frames[0, 1:3, 2:4] = 9
    assert (p.crop(frames) == 9).all()


def test_json_keeps_everything():
    p = Preprocessing(frames=8, height=112, width=96, resize="short_side", short_side=128, span_s=2.5)
    assert Preprocessing.from_json(p.to_json()) == p


@pytest.mark.parametrize(
    "values",
    [
        {"frames": 0},
        {"frames": "16"},
        {"frames": True},
        {"width": 2.5},
        {"resize": "stretch"},
        {"resize": "short_side"},
        {"resize": "short_side", "short_side": 32},
        {"short_side": 64},
        {"squash_to": [63, 64]},
        {"squash_to": [64]},
        {"squash_to": "64"},
        {"squash_to": [64.0, 64]},
        {"resize": "short_side", "short_side": 64, "squash_to": [64, 64]},
        {"span_s": -1.0},
        {"span_s": "1"},
        {"mean": [0.5, 0.5]},
        {"std": [0.0, 0.1, 0.1]},
        {"mean": [float("nan")] * 3},
        {"colour": "bgr"},
    ],
)
def test_json_of_another_meaning_is_refused(values):
    with pytest.raises(ValueError):
        Preprocessing.from_json(values)


def test_input_is_scaled_by_mean_and_std_with_channels_first():
    p = Preprocessing(frames=1, height=1, width=2, mean=(0.0, 0.5, 1.0), std=(1.0, 0.5, 0.25))
    frames = np.array([255, 255, 255, 0, 0, 0], np.uint8).reshape(1, 1, 1, 2, 3)
    frames.setflags(write=False)
    x = to_input(frames, p, "cpu", torch.float32)
    assert x.shape == (1, 3, 1, 1, 2)
    np.testing.assert_allclose(x.numpy().reshape(3, 2), [[1, 0], [1, -1], [0, -4]], atol=1e-6)


def test_input_of_another_shape_is_refused():
    with pytest.raises(ValueError, match="uint8"):
        to_input(np.zeros((1, 3, 4, 8, 8), np.uint8), Preprocessing(), "cpu", torch.float32)
