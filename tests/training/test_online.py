"""Clips composed while training: the same from the same seed, told apart by who moves, never of what is held out."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from training.grey import see_grey
from training.losses import LabelsAndPerson, person_loss
from training.online import Mixture, OnlineBatches, falling, in_three
from training.render.actors import FIGURE_FRAMES, HEIGHT, WIDTH, Actor
from training.render.compose import Stage, compose
from training.render.footage import Footage
from training.render.shapes import KINDS, shape_actors
from vidlabel.learning.batches import Batch
from vidlabel.learning.fit import FitOptions, fit
from vidlabel.ml.input import to_input
from vidlabel.ml.networks import build
from vidlabel.ml.networks.motion import contrast
from vidlabel.ml.predictor import fused
from vidlabel.ml.preprocess import KINETICS_MEAN, KINETICS_STD, Preprocessing

RNG = np.random.default_rng(0)
TEXTURES = RNG.integers(0, 256, (3, 96, 96), dtype=np.uint8)
FOOTAGE = Footage((RNG.integers(0, 256, (40, 72, 96), dtype=np.uint8),), ("one",))
SHAPES = shape_actors(20, seed=0)
STAGE = Stage(TEXTURES, FOOTAGE, SHAPES, frames=8, size=24)
SMALL = {"widths": (8, 8, 12, 16), "blocks": (1, 1, 1), "finder": (8, 8)}


def batches(seed: int = 0, *, told: float = 0.5) -> OnlineBatches:
    return OnlineBatches(
        [Mixture(SHAPES, 0.5), Mixture(SHAPES[:3], 0.5)], STAGE, steps=3, size=4, epochs=2,
        plain=falling(0.5, 0.0, until=0.5), told=falling(told, 0.0, until=1.0), seed=seed,
    )  # fmt: skip


def test_a_clip_is_the_same_from_the_same_seed_and_another_from_another() -> None:
    first, again, other = (compose(SHAPES[5], np.random.default_rng(seed), STAGE) for seed in (1, 1, 2))
    assert first[0].shape == first[1].shape == (8, 24, 24)
    assert np.array_equal(first[0], again[0]) and np.array_equal(first[1], again[1])
    assert not np.array_equal(first[0], other[0])


def test_a_plain_clip_shows_the_actor_and_nothing_else() -> None:
    clip, cover = compose(SHAPES[1], np.random.default_rng(3), STAGE, plain=1.0)
    inside, outside = clip[cover == 255], clip[cover == 0]
    assert len(inside) and len(outside)
    assert inside.std() < 2 and outside.std() < 2 and abs(inside.mean() - outside.mean()) > 50


def test_who_acts_is_in_the_clip_even_when_filmed_badly() -> None:
    seen = [compose(actor, np.random.default_rng(n), STAGE)[1].max() for n, actor in enumerate(SHAPES * 3)]
    assert np.mean(np.array(seen) > 100) > 0.95


def test_batches_follow_from_their_place_alone() -> None:
    whole = list(batches().epoch(1))
    late = list(batches().epoch(1, first=2))
    assert len(whole) == 3 and len(late) == 1
    assert np.array_equal(whole[2].frames, late[0].frames) and np.array_equal(whole[2].labels, late[0].labels)
    assert not np.array_equal(whole[0].frames, next(iter(batches(7).epoch(1))).frames)


def test_shares_fall_and_stay() -> None:
    share = falling(0.8, 0.1, until=0.5)
    assert share(0.0) == pytest.approx(0.8) and share(0.5) == pytest.approx(0.1) == share(0.9)


def test_shapes_move_as_their_kind_says() -> None:
    assert len(KINDS) == 20
    still = SHAPES[KINDS.index("still, rigid")]
    steady = SHAPES[KINDS.index("steady, rigid")]
    assert still.cover.shape == (FIGURE_FRAMES, HEIGHT, WIDTH)
    assert (still.cover[0] == still.cover[-1]).all()
    assert (steady.cover[0] != steady.cover[-1]).any()


def test_held_out_videos_are_none_of_those_trained_on(tmp_path) -> None:
    names = np.array([f"v{n}" for n in range(13)])
    np.savez(
        tmp_path / "footage.npz", names=names, starts=np.arange(14) * 2, frames=np.zeros((26, 4, 4), np.uint8)
    )
    train, held = (Footage.load(tmp_path, held_out=held) for held in (False, True))
    assert held.names and set(train.names) | set(held.names) == set(names)
    assert not set(train.names) & set(held.names)


def test_contrast_does_not_see_brightness_or_colour() -> None:
    x = torch.rand(1, 3, 4, 20, 20)
    same = contrast(x)
    assert same.shape == (1, 2, 4, 20, 20)
    torch.testing.assert_close(contrast(x + 0.7), same, atol=1e-3, rtol=1e-3)
    torch.testing.assert_close(contrast(x[:, [2, 0, 1]]), same, atol=1e-5, rtol=1e-5)
    assert not same[:, 1, -1].any()


def test_what_is_told_of_a_clip_is_read_instead_of_what_is_found() -> None:
    network = build("motion3d", labels=5, **SMALL).eval()
    frames = RNG.integers(0, 256, (2, 8, 24, 24, 3), dtype=np.uint8)
    covers = np.zeros((2, 8, 24, 24), np.uint8)
    covers[..., 8:16] = 255
    x = to_input(frames, Preprocessing(frames=8, height=24, width=24), "cpu")
    loss = LabelsAndPerson(smoothing=0.0, label=1.0, person=0.0)
    with torch.inference_mode():
        both = loss(network, x, Batch(frames, np.array([1, 2]), covers, np.array([True, True])))
        same = loss(network, x * 0, Batch(frames, np.array([1, 2]), covers, np.array([True, True])))
        found = network.outline_forward(torch.sigmoid(network.find(x)), size=(24, 24))
        torch.testing.assert_close(network.read(found), network(x))
    assert both == same > 0
    with pytest.raises(ValueError, match="do not say where"):
        loss(network, x, Batch(frames, np.array([1, 2])))


def test_a_reader_of_outlines_takes_over_what_a_network_knows_of_people_of_one_shade() -> None:
    torch.manual_seed(0)
    knowing = build("compact3d", labels=5, widths=[8, 8, 12, 16], blocks=[1, 1, 1])
    outline = torch.rand(8, 8, 24, 24).round()
    pictures = torch.stack(
        [(0.2 + 0.6 * outline - mean) / std for mean, std in zip(KINETICS_MEAN, KINETICS_STD, strict=True)], 1
    )
    for _ in range(20):
        knowing(pictures)
    network = build("motion3d", labels=5, **SMALL)
    network.read_like(knowing)
    with torch.inference_mode():
        read = network.eval().read(network.outline_forward(outline, size=(24, 24)))
        expected = knowing.eval()(pictures)
    # Beyond the picture's edge one sees the ground and the other nothing.
    assert torch.corrcoef(torch.stack([read.flatten(), expected.flatten()]))[0, 1] > 0.9


def test_folding_its_norms_changes_nothing() -> None:
    network = build("motion3d", labels=5, **SMALL)
    for _ in range(3):
        network(torch.rand(4, 3, 8, 24, 24))
    x = torch.rand(2, 3, 8, 24, 24)
    with torch.inference_mode():
        torch.testing.assert_close(fused(network)(x), network.eval()(x), atol=1e-4, rtol=1e-3)


def test_finding_the_person_is_worth_less_the_better_it_is_found() -> None:
    truth = torch.zeros(1, 2, 12, 12)
    truth[..., :6] = 1
    right = torch.where(torch.arange(12) < 6, 6.0, -6.0).expand(1, 2, 12, 12)
    assert person_loss(right, truth) < 0.1 < person_loss(-right, truth)


def test_a_run_stopped_and_resumed_ends_bitwise_equal(tmp_path) -> None:
    def network():
        torch.manual_seed(1)
        return build("motion3d", labels=len(KINDS), **SMALL)

    options = {
        "preprocessing": Preprocessing(frames=8, height=24, width=24),
        "options": FitOptions(epochs=2, average=0.9, checkpoint_steps=2),
        "loss": LabelsAndPerson(smoothing=0.1, label=1.0, person=1.0),
    }
    whole, parted = network(), network()
    fit(whole, batches(), **options)
    stops = iter([False, True])
    path = tmp_path / "checkpoint.pt"
    first = fit(parted, batches(), **options, checkpoint=path, should_stop=lambda: next(stops, True))
    assert first.state == "stopped"
    parted = network()
    assert fit(parted, batches(), **options, checkpoint=path, resume=path).state == "finished"
    for key, value in whole.state_dict().items():
        assert torch.equal(value, parted.state_dict()[key]), key


def test_a_network_trained_on_grey_sees_grey() -> None:
    torch.manual_seed(0)
    network = build("compact3d", labels=5, widths=[8, 8, 12, 16], blocks=[1, 1, 1])
    shape = Preprocessing(frames=8, height=24, width=24)
    coloured = RNG.integers(0, 256, (4, 8, 24, 24, 3), dtype=np.uint8)
    grey = to_input(in_three(coloured[..., 0]), shape, "cpu")
    for _ in range(20):
        network(grey)
    network.eval()
    with torch.inference_mode():
        before = network(grey)
        see_grey(network)
        other = network(to_input(coloured, shape, "cpu"))
        turned = network(to_input(coloured[..., [2, 0, 1]].copy(), shape, "cpu"))
        torch.testing.assert_close(other, turned, atol=1e-4, rtol=1e-4)
        assert torch.corrcoef(torch.stack([before.flatten(), network(grey).flatten()]))[0, 1] > 0.95


def test_grey_is_three_equal_colours() -> None:
    assert in_three(np.zeros((2, 8, 24, 24), np.uint8)).shape == (2, 8, 24, 24, 3)


def test_an_actor_with_shading_is_lit() -> None:
    cover = SHAPES[0].cover
    lit = Actor(0, cover, np.full_like(cover, 200))
    assert compose(lit, np.random.default_rng(5), STAGE)[0].shape == (8, 24, 24)
