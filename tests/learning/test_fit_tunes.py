"""Only what shall learn learns; gradients of several batches make one step; rare labels can weigh more."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from tests.helpers.tiny_fit import CLIPS, P, batches, clips, tiny, validation, weights
from vidlabel.core.errors import TrainingError
from vidlabel.core.runs import Tunes
from vidlabel.learning.balance import class_weights
from vidlabel.learning.batches import ArrayBatches, Batch
from vidlabel.learning.checkpoint import load_checkpoint
from vidlabel.learning.fit import FitOptions, fit
from vidlabel.learning.groups import layer_of
from vidlabel.learning.trainable import Trainable
from vidlabel.ml.networks import build
from vidlabel.ml.networks.two_stream import TwoStream
from vidlabel.ml.preprocess import Preprocessing

OPTIONS = FitOptions(epochs=2, peak_rate=1e-2, clip_norm=100.0)


@pytest.mark.parametrize(
    ("tunes", "moving"),
    [
        (Tunes.HEAD, {"head"}),
        (Tunes.LAST, {"head", "stages.1", "stages.2"}),
        (Tunes.ALL, {"head", "stem", "stages.0", "stages.1", "stages.2"}),
    ],
)
def test_what_is_frozen_stays_in_every_bit_with_its_norms(tunes, moving):
    network, before = tiny(normed=True), tiny(normed=True).state_dict()
    options = replace(OPTIONS, tunes=tunes, average=0.5, best_by=("val_top1",))
    fit(network, batches(), preprocessing=P, options=options, validate=validation())
    changed = {
        layer_of(name) for name, value in network.state_dict().items() if not torch.equal(value, before[name])
    }
    assert changed == moving
    assert all(one.requires_grad for one in network.parameters()), "the caller's network is left free"


def test_frozen_parts_are_in_eval_mode_while_the_rest_trains():
    network = tiny(normed=True, dropout=0.5)
    network.stages[0].add_module("drop", torch.nn.Dropout(0.5))
    trainable = Trainable(network, Tunes.LAST)
    network.eval()
    trainable.train()
    assert not network.stages[0].training and not network.stages[0].drop.training
    assert network.stages[1][1].training and network.dropout.training
    assert len(trainable.norms) == 2


@pytest.mark.parametrize("name", ["r3d_18", "swin3d_t", "resnet18_lstm"])
def test_the_last_two_stages_of_real_networks(name):
    with torch.device("meta"):
        network = build(name, labels=3)
    Trainable(network, Tunes.LAST)
    learning = {layer_of(key) for key, one in network.named_parameters() if one.requires_grad}
    assert (
        learning
        == {
            "r3d_18": {"head", "trunk.layer3", "trunk.layer4"},
            "swin3d_t": {"head", "trunk.features.5", "trunk.features.6", "trunk.norm"},
            "resnet18_lstm": {"head", "trunk.layer4", "lstm"},
        }[name]
    )


def test_of_two_streams_the_last_stages_of_each_learn():
    with torch.device("meta"):
        network = TwoStream(
            3,
            motion=build("compact3d", labels=1),
            motion_size=64,
            motion_scale=[[1, 1, 1], [0, 0, 0]],
            stills=[0],
            groups=[[1]],
        )
    Trainable(network, Tunes.LAST)
    learning = {layer_of(key) for key, one in network.named_parameters() if one.requires_grad}
    assert {"head", "motion.stages.5", "stills.layers.17"} <= learning
    assert not learning & {"motion.stem", "stills.layers.0", "stills.classes"}


def test_batches_added_up_teach_as_one_large_one():
    frames, labels = clips(count=24)
    large, small = tiny(), tiny()
    made = ArrayBatches(frames, labels, size=12, seed=1)
    fit(large, made, preprocessing=P, options=OPTIONS)
    result = fit(
        small,
        ArrayBatches(frames, labels, size=4, seed=1),
        preprocessing=P,
        options=replace(OPTIONS, accumulate=3),
    )
    assert result.step == 4, "a step is when the weights move"
    assert torch.allclose(weights(large), weights(small), atol=1e-6)


def test_a_last_step_of_fewer_batches_counts_its_clips():
    network = tiny()
    told = []
    result = fit(
        network,
        batches(size=4),
        preprocessing=P,
        options=replace(OPTIONS, accumulate=4),
        on_progress=told.append,
    )
    assert result.step == 4 and told[0].steps == 4


class Gaps:
    """A clip or a whole batch could not be read."""

    def __init__(self, left):
        self.left = left

    def __len__(self):
        return 6

    def epoch(self, number, *, first=0):
        for place, batch in enumerate(batches().epoch(number, first=first), start=first):
            yield batch.part(slice(self.left.get(place, len(batch.labels))))


def test_clips_left_out_do_not_end_a_run():
    network = tiny(normed=True)
    result = fit(network, Gaps({0: 0, 3: 2}), preprocessing=P, options=OPTIONS)
    assert result.state == "finished" and result.step == 12
    assert torch.isfinite(weights(network)).all()
    nothing, before = tiny(), weights(tiny())
    fit(nothing, Gaps(dict.fromkeys(range(6), 0)), preprocessing=P, options=OPTIONS)
    assert torch.equal(weights(nothing), before)


def test_a_weighted_label_is_recognised_more_and_pieces_add_up():
    options = replace(OPTIONS, epochs=6, class_weights=(0.2, 0.2, 5.0))
    whole, parts, plain = tiny(), tiny(), tiny()
    fit(whole, batches(), preprocessing=P, options=options)
    fit(parts, batches(), preprocessing=P, options=replace(options, pieces=2))
    fit(plain, batches(), preprocessing=P, options=replace(options, class_weights=None))
    assert torch.allclose(whole.head.bias, parts.head.bias, atol=1e-5)
    assert whole.head.bias[2] > plain.head.bias[2]
    same = tiny()
    fit(same, batches(), preprocessing=P, options=replace(options, class_weights=(1.0, 1.0, 1.0)))
    assert torch.allclose(weights(same), weights(plain), atol=1e-6)
    with pytest.raises(ValueError, match="2 class weights"):
        fit(tiny(), batches(), preprocessing=P, options=replace(options, class_weights=(1.0, 1.0)))


def test_class_weights_even_out_up_to_a_bound():
    labels = np.array([0] * 6 + [1] * 3 + [2])
    found = class_weights(labels, 4)
    assert found[1] == pytest.approx(2 * found[0]) and found[2] == pytest.approx(6 * found[0])
    assert np.mean([found[label] for label in labels]) == pytest.approx(1.0)
    bounded = class_weights(labels, 4, most=2.0)
    assert bounded[2] == bounded[1] and found[3] == 1.0
    assert class_weights(np.zeros(0, np.int64), 2) == (1.0, 1.0)


class EmbeddingsOf:
    """Each clip's embedding instead of its frames."""

    def __init__(self, network):
        frames, self._labels = clips()
        with torch.no_grad():
            x = torch.from_numpy(frames).permute(0, 4, 1, 2, 3).float()
            mean, std = (torch.tensor(v).view(1, 3, 1, 1, 1) * 255 for v in (P.mean, P.std))
            self._values = network.eval().trunk_forward((x - mean) / std).numpy()

    def __len__(self):
        return 6

    def epoch(self, number, *, first=0):
        order = np.random.default_rng([1, number]).permutation(CLIPS)
        bounds = [0, 4, 8, 12, 16, 20, 22]
        for place in range(first, 6):
            chosen = order[bounds[place] : bounds[place + 1]]
            yield Batch(self._values[chosen], self._labels[chosen])


def test_the_head_learns_the_same_from_embeddings_as_from_clips():
    options = replace(OPTIONS, tunes=Tunes.HEAD)
    seen, read = tiny(normed=True), tiny(normed=True)
    fit(seen, batches(), preprocessing=P, options=options)
    fit(read, EmbeddingsOf(read), preprocessing=P, options=options)
    assert torch.allclose(weights(seen), weights(read), atol=1e-5)


def test_a_checkpoint_on_another_base_is_refused(tmp_path):
    options = replace(OPTIONS, tunes=Tunes.HEAD)
    kept = tmp_path / "c"
    fit(tiny(), batches(), preprocessing=P, options=options, checkpoint=kept)
    with pytest.raises(TrainingError, match="of another run") as refused:
        fit(tiny(seed=8), batches(), preprocessing=P, options=options, resume=kept)
    assert refused.value.kind == "checkpoint"
    assert set(load_checkpoint(kept)["network"]) == {"head.weight", "head.bias"}, "the rest is the base's"


def test_float16_learns_and_leaves_float32_weights():
    network = build("compact3d", labels=3, widths=[8, 8], blocks=[1], time_strides=[1])
    options = FitOptions(epochs=6, peak_rate=1e-2, label_smoothing=0.0, precision="float16")
    result = fit(
        network, batches(size=8), preprocessing=Preprocessing(frames=2, height=8, width=8), options=options
    )
    assert result.history[-1]["loss"] < 0.8 * result.history[0]["loss"]
    assert {value.dtype for value in network.parameters()} == {torch.float32}
