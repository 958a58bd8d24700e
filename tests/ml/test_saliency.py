"""Saliency maps point at what made the network say so."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from tests.ml.test_two_stream import ARGUMENTS
from vidlabel.ml.networks import Embedder, build
from vidlabel.ml.saliency import saliency

SMALL = {"widths": [4, 4, 8, 8], "blocks": [1, 1, 1]}

FLAT = {"widths": [8, 16, 16], "blocks": [1, 1], "time_strides": [1, 2]}


def _taught_to_see_light(network: Embedder) -> Embedder:
    """Trained for a moment to tell a red square, always on the left, from a green one on the right."""
    torch.manual_seed(0)
    optimiser = torch.optim.Adam(network.parameters(), 3e-3)
    network.train()
    for _ in range(60):
        side = torch.randint(0, 2, (8,))
        x = torch.stack([_square(int(one)) for one in side])
        loss = nn.functional.cross_entropy(network(x), side)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return network.eval()


def _square(side: int) -> torch.Tensor:
    x = torch.randn(3, 8, 32, 32) * 0.1
    left, top = int(torch.randint(1, 7, ())) + 16 * side, int(torch.randint(1, 23, ()))
    x[side, :, top : top + 8, left : left + 8] += 2.0
    return x


def test_the_map_is_bright_where_the_reason_is() -> None:
    network = _taught_to_see_light(build("compact3d", labels=2, **FLAT, dropout=0.0))
    right = 0
    for number in range(10):
        side = number % 2
        seen = saliency(network, _square(side)[None], side)
        assert seen.dtype == np.float32 and seen.ndim == 3
        assert seen.min() >= 0 and seen.max() == pytest.approx(1)
        half = seen.shape[2] // 2
        weight = [seen[:, :, :half].sum(), seen[:, :, half:].sum()]
        right += int(weight[side] > weight[1 - side])
    assert right >= 8


@pytest.mark.parametrize(
    ("name", "arguments", "side"),
    [
        ("compact3d", SMALL, 32),
        ("motion3d", {}, 32),
        ("two_stream", ARGUMENTS, 32),
        ("r3d_18", {}, 32),
        ("s3d", {}, 64),
        ("resnet18_lstm", {"hidden": 8}, 64),
        pytest.param("swin3d_t", {}, 64, marks=pytest.mark.slow),
        pytest.param("mvit_v2_s", {}, 224, marks=pytest.mark.slow),
    ],
)
def test_every_network_can_say_where_it_looked(name: str, arguments: dict[str, object], side: int) -> None:
    torch.manual_seed(0)
    network = build(name, labels=3, **arguments).eval()
    x = torch.randn(1, 3, 16, side, side)
    seen = [saliency(network, x, label) for label in range(3)]
    assert any(one.max() == pytest.approx(1) for one in seen)
    assert all(one.shape == seen[0].shape and np.isfinite(one).all() for one in seen)
    # Nothing is left behind: the network answers as before.
    with torch.inference_mode():
        assert network(x).shape == (1, 3)
    assert all(not module._forward_hooks for module in network.modules())


def test_a_label_that_is_not_there_is_refused() -> None:
    with pytest.raises(ValueError, match="label 3"):
        saliency(build("compact3d", labels=3, **SMALL).eval(), torch.zeros(1, 3, 8, 32, 32), 3)
