from __future__ import annotations

import pytest
import torch

from vidlabel.core.errors import ModelError
from vidlabel.ml.networks import build, names

INPUTS = {
    "compact3d": (16, 64, 64),
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
HEAVY = ("mvit_v1_b", "swin3d_s", "swin3d_b")


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.slow] if name in HEAVY else []) for name in names()]
)
def test_every_network_gives_logits_and_the_embedding_they_come_from(name):
    network = build(name, labels=7).eval()
    x = torch.rand(1, 3, *INPUTS[name])
    with torch.inference_mode():
        logits, embedding = network.embed(x)
        assert logits.shape == (1, 7) and embedding.shape == (1, network.embedding_size)
        assert torch.equal(network.head(embedding), logits)
        assert torch.equal(network(x), logits)
    assert network.labels == 7


@pytest.mark.parametrize("name", ["r3d_18", "s3d"])
def test_a_trunk_takes_torchvisions_own_weights_and_answers_like_it(name):
    from torchvision.models import get_model

    original = get_model(name, weights=None).eval()
    ours = build(name, labels=400).eval()
    ours.load_trunk(original.state_dict())
    head = original.fc if name == "r3d_18" else original.classifier[1]
    with torch.no_grad():
        ours.head.weight.copy_(head.weight.reshape(400, -1))
        ours.head.bias.copy_(head.bias)
        x = torch.rand(1, 3, 16, 224, 224) if name == "s3d" else torch.rand(1, 3, 8, 32, 32)
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
