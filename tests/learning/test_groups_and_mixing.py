"""Layers learn at rates of their own, clips are mixed in proportion, and a batch in pieces is the same batch."""

from __future__ import annotations

import dataclasses
from dataclasses import replace

import numpy as np
import pytest
import torch

from vidlabel.core.errors import TrainingError
from vidlabel.learning.batches import ArrayBatches, Batch
from vidlabel.learning.fit import FitOptions, fit
from vidlabel.learning.groups import layers, parameter_groups
from vidlabel.learning.mixing import mixed, pieces
from vidlabel.ml.networks import build, names
from vidlabel.ml.networks.embedder import Embedder
from vidlabel.ml.preprocess import Preprocessing

P = Preprocessing(frames=2, height=8, width=8)


class Plain(Embedder):
    """No batch norm, no dropout: what a clip gets does not depend on the others of its batch."""

    def __init__(self):
        super().__init__(6, 2)
        self.stem = torch.nn.Conv3d(3, 6, (2, 8, 8))

    def trunk_forward(self, x):
        return torch.tanh(self.stem(x).flatten(1))


def plain():
    with torch.random.fork_rng():
        torch.manual_seed(3)
        return Plain()


def batches(size=6):
    rng = np.random.default_rng(0)
    return ArrayBatches(
        rng.integers(0, 256, (18, 2, 8, 8, 3), dtype=np.uint8), np.arange(18) % 2, size=size, seed=1
    )


def weights(network):
    return torch.cat([value.flatten() for value in network.state_dict().values()])


def fitted(options, path=None, **more):
    network = plain()
    fit(network, batches(), preprocessing=P, options=options, checkpoint=path, **more)
    return weights(network)


OPTIONS = FitOptions(epochs=2, peak_rate=1e-2, clip_norm=100.0)


def test_layers_below_learn_slower_and_the_head_at_the_full_rate():
    network = plain()
    groups = parameter_groups(network, weight_decay=0.1, layer_decay=0.5)
    scales = {id(one): group["scale"] for group in groups for one in group["params"]}
    assert scales[id(network.head.weight)] == scales[id(network.head.bias)] == 1
    assert scales[id(network.stem.weight)] == 0.5
    decays = {id(one): group["weight_decay"] for group in groups for one in group["params"]}
    assert (decays[id(network.head.weight)], decays[id(network.head.bias)]) == (0.1, 0.0)


@pytest.mark.parametrize("name", [name for name in names() if name != "two_stream"])
def test_every_network_falls_into_layers_that_end_in_the_head(name):
    with torch.device("meta"):
        network = build(name, labels=3)
    found = layers([key for key, _ in network.named_parameters()])
    assert found[-1] == "head"
    assert 3 <= len(found) <= 40
    groups = parameter_groups(network, weight_decay=0.1, layer_decay=0.9)
    every = [id(one) for group in groups for one in group["params"]]
    assert len(every) == len(set(every)) == sum(1 for _ in network.parameters())


def test_a_layer_decay_holds_the_trunk_back():
    begin = plain()
    free, held = plain(), plain()
    fit(free, batches(), preprocessing=P, options=OPTIONS)
    fit(held, batches(), preprocessing=P, options=replace(OPTIONS, layer_decay=0.01))
    moved = [float((network.stem.weight - begin.stem.weight).detach().norm()) for network in (free, held)]
    assert moved[1] < 0.1 * moved[0]


def test_a_batch_in_pieces_teaches_the_same():
    whole, parts = fitted(OPTIONS), fitted(replace(OPTIONS, pieces=3))
    assert torch.allclose(whole, parts, atol=1e-5)
    assert [(piece.start, piece.stop) for piece in pieces(7, 4)] == [(0, 2), (2, 4), (4, 7)]
    assert [(piece.start, piece.stop) for piece in pieces(1, 4)] == [(0, 1)]


def test_a_part_of_a_batch_keeps_all_that_is_known_of_its_clips():
    known = {field.name: np.arange(6) + 10 * place for place, field in enumerate(dataclasses.fields(Batch))}
    part = Batch(**known).part(slice(2, 4))
    for name, values in known.items():
        assert getattr(part, name).tolist() == values[2:4].tolist()
    frames, labels = np.zeros((3, 1, 1, 1, 3), np.uint8), np.arange(3)
    assert Batch(frames, labels).part(slice(1)).covers is None


def test_cutmix_counts_labels_by_area():
    x = torch.zeros(4, 3, 2, 10, 10) + torch.arange(4.0).reshape(4, 1, 1, 1, 1)
    labels = torch.arange(4)
    changed = False
    for seed in range(12):
        made = mixed(x, labels, mixup=0, cutmix=1.0, rng=np.random.default_rng(seed))
        for clip in range(4):
            own = float((made.x[clip] == labels[clip]).float().mean())
            other = float((made.x[clip] == made.others[clip]).float().mean())
            if labels[clip] != made.others[clip]:
                assert own == pytest.approx(made.share)
                assert own + other == pytest.approx(1)
                changed = changed or other > 0.05
    assert changed
    assert mixed(x, labels, mixup=0, cutmix=0, rng=np.random.default_rng(0)).x is x


def test_all_of_it_resumes_to_the_same_weights(tmp_path):
    options = replace(
        OPTIONS, mixup=0.4, cutmix=1.0, layer_decay=0.7, pieces=2, average=0.9, checkpoint_steps=1
    )
    straight = fitted(options)
    steps = iter([False, True])
    fitted(options, tmp_path / "c.pt", should_stop=lambda: next(steps))
    resumed = fitted(options, tmp_path / "c.pt", resume=tmp_path / "c.pt")
    assert torch.equal(straight, resumed)
    with pytest.raises(TrainingError, match="another run"):
        fitted(replace(options, layer_decay=0.8), resume=tmp_path / "c.pt")


@pytest.mark.parametrize(
    "change", [{"layer_decay": 0.0}, {"layer_decay": 1.1}, {"pieces": 0}, {"cutmix": -1.0}]
)
def test_options_out_of_range_are_refused(change):
    with pytest.raises(ValueError, match=r"not below 0|at least 1"):
        replace(OPTIONS, **change)
