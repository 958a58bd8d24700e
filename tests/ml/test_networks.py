from __future__ import annotations

import pytest
import torch
from torch import nn

from vidlabel.core.errors import ModelError
from vidlabel.ml.fusing import fused
from vidlabel.ml.grouping import Grouping
from vidlabel.ml.networks import build, cost, names
from vidlabel.ml.preprocess import Preprocessing

INPUTS = {
    "compact3d": (16, 64, 64),
    "motion3d": (16, 40, 40),
    "resnet18_lstm": (3, 32, 32),
    "r3d_18": (4, 32, 32),
    "mc3_18": (4, 32, 32),
    "r2plus1d_18": (4, 32, 32),
    "s3d": (16, 64, 64),
    "mvit_v1_b": (16, 224, 224),
    "mvit_v2_s": (16, 224, 224),
    "swin3d_t": (2, 64, 64),
    "swin3d_s": (2, 64, 64),
    "swin3d_b": (2, 64, 64),
}

# Their smaller sisters run the same code.
HEAVY = ("mvit_v1_b", "mvit_v2_s", "swin3d_s", "swin3d_b")
every_network = pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.slow] if name in HEAVY else []) for name in INPUTS]
)
GROUPING = Grouping("test", tuple("abcdefg"), ((0, 6), (2,), (3,)), ("missing",))


def test_all_networks_are_here():
    # test_two_stream.py has the one that cannot be built without arguments.
    assert {*INPUTS, "two_stream"} == set(names())


@every_network
def test_every_network_gives_logits_and_the_embedding_they_come_from(name):
    network = build(name, labels=7).eval()
    x = torch.rand(1, 3, *INPUTS[name])
    with torch.inference_mode():
        logits, embedding = network.embed(x)
        assert logits.shape == (1, 7) and embedding.shape == (1, network.embedding_size)
        assert torch.equal(network.head(embedding), logits)
        assert torch.equal(network.read(embedding), logits)
        assert torch.equal(network(x), logits)
    assert network.labels == 7


@every_network
def test_every_network_learns_with_all_its_weights(name):
    network = build(name, labels=3).train()
    loss = nn.functional.cross_entropy(network(torch.randn(2, 3, *INPUTS[name])), torch.tensor([0, 2]))
    loss.backward()
    idle = [key for key, value in network.named_parameters() if value.grad is None]
    # A finder of persons learns from outlines, which are no part of this loss.
    assert not [key for key in idle if not key.startswith("finder.")], idle
    assert all(
        bool(torch.isfinite(value.grad).all()) for value in network.parameters() if value.grad is not None
    )


@every_network
def test_folding_batch_norms_changes_no_answer(name):
    with torch.random.fork_rng():
        torch.manual_seed(3)
        network = build(name, labels=5).eval()
        for module in network.modules():
            if isinstance(module, nn.BatchNorm2d | nn.BatchNorm3d):
                nn.init.normal_(module.running_mean, std=0.1)
                nn.init.uniform_(module.running_var, 0.8, 1.2)
        x = torch.randn(1, 3, *INPUTS[name])
    with torch.inference_mode():
        torch.testing.assert_close(fused(network)(x), network(x), rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize(
    "name", ["r3d_18", "s3d", "swin3d_t", pytest.param("mvit_v2_s", marks=pytest.mark.slow)]
)
def test_a_trunk_takes_torchvisions_own_weights_and_answers_like_it(name):
    from torchvision.models import get_model

    original = get_model(name, weights=None).eval()
    ours = build(name, labels=400).eval()
    ours.load_trunk(original.state_dict())
    head = {
        "r3d_18": lambda: original.fc,
        "s3d": lambda: original.classifier[1],
        "swin3d_t": lambda: original.head,
        "mvit_v2_s": lambda: original.head[1],
    }[name]()
    with torch.no_grad():
        ours.head.weight.copy_(head.weight.reshape(400, -1))
        ours.head.bias.copy_(head.bias)
        full = name in ("s3d", "mvit_v2_s")
        x = torch.rand(1, 3, 16, 224, 224) if full else torch.rand(1, 3, 4, 32, 32)
        torch.testing.assert_close(ours(x), original(x), rtol=1e-4, atol=1e-4)


def test_the_compact_network_is_small():
    assert (
        1_000_000 <= sum(value.numel() for value in build("compact3d", labels=51).parameters()) <= 2_500_000
    )


def test_an_unknown_network_and_bad_arguments_are_explained():
    with pytest.raises(ModelError, match="Known are compact3d"):
        build("lstm", labels=3)
    with pytest.raises(ModelError, match="at least one label"):
        build("compact3d", labels=0)
    with pytest.raises(ModelError, match="one number more"):
        build("compact3d", labels=3, widths=[8, 8])
    with pytest.raises(ModelError, match="dropout"):
        build("r3d_18", labels=3, dropout=1.5)


def test_the_recurrent_network_takes_image_weights_and_sees_the_order():
    from torchvision.models import resnet18

    with torch.random.fork_rng():
        torch.manual_seed(5)
        images = resnet18(weights=None).eval()
        network = build("resnet18_lstm", labels=4, hidden=32, both_ways=False).eval()
        network.load_trunk(images.state_dict())
        assert torch.equal(network.trunk.layer4[1].conv2.weight, images.layer4[1].conv2.weight)
        x = torch.randn(1, 3, 6, 32, 32)
    with torch.inference_mode():
        assert not torch.allclose(network(x), network(x.flip(2)), atol=1e-4)
        assert network(x[:, :, :1]).shape == (1, 4)
    assert build("resnet18_lstm", labels=2, hidden=16, both_ways=True).embedding_size == 32


def test_a_grouped_network_answers_for_labels_and_keeps_its_weights():
    network = build("compact3d", labels=7, widths=[8, 8], blocks=[1], time_strides=[1]).eval()
    before = set(network.state_dict())
    x = torch.rand(2, 3, 4, 16, 16)
    with torch.inference_mode():
        embedding = network.trunk_forward(x)
        assert torch.equal(network.outside(embedding), torch.zeros(2))
        classes = torch.softmax(network(x), dim=1)
        network.group(GROUPING)
        logits, again = network.embed(x)
        sums = torch.stack([classes[:, 0] + classes[:, 6], classes[:, 2], classes[:, 3]], dim=1)
        torch.testing.assert_close(logits.softmax(1), sums / sums.sum(1, keepdim=True))
        torch.testing.assert_close(network.outside(embedding), classes[:, [1, 4, 5]].sum(1))
    assert torch.equal(again, embedding) and network.labels == 3
    assert set(network.state_dict()) == before
    with pytest.raises(ValueError, match="7 classes apart, not 2"):
        network.group(Grouping("test", ("a", "b"), ((0,),)))


def test_a_fresh_head_takes_the_grouping_away():
    network = build("compact3d", labels=7, widths=[8, 8], blocks=[1], time_strides=[1])
    network.group(GROUPING)
    network.replace_head(4)
    assert network.labels == 4 and network.grouping is None
    assert network(torch.rand(2, 3, 4, 16, 16)).shape == (2, 4)
    with pytest.raises(ValueError, match="at least one label"):
        network.replace_head(0)


def test_the_cost_counts_multiply_adds():
    picture = Preprocessing(frames=1, height=224, width=224)
    # ResNet-18 is known for 1.814 milliards and 11.69 million parameters, 0.513 of them in its last layer.
    measured = cost("resnet18_lstm", picture, labels=1, hidden=1)
    assert measured.gmacs == pytest.approx(1.814, rel=5e-3)
    assert measured.parameters == pytest.approx(11.18e6, rel=1e-3)
    twice = cost("resnet18_lstm", Preprocessing(frames=2, height=224, width=224), labels=1, hidden=1)
    assert twice.gmacs == pytest.approx(2 * measured.gmacs, rel=1e-3)


def test_a_shape_that_a_network_cannot_take_is_explained():
    with pytest.raises(
        ModelError, match="mvit_v2_s: the network cannot take clips of 8 pictures of 112x112 px"
    ):
        cost("mvit_v2_s", Preprocessing(frames=8, height=112, width=112))
