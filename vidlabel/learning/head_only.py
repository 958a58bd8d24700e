"""A network without its trunk, for fitting the head alone on kept embeddings: a step costs what the head costs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from vidlabel.ml.networks import Embedder


class HeadOnly(Embedder):
    """The last layers of a network, which see embeddings where the network sees clips.

    They are the network's own and not a copy: what ``fit`` makes of this one, the network has. ``fit`` with the whole
    network comes to the same weights, but walks over its trunk at each step, which takes several times the head's time.

    Args:
        network: whose head it is.
    """

    def __init__(self, network: Embedder) -> None:
        torch.nn.Module.__init__(self)
        self.dropout = network.dropout
        self.head = network.head
        self.register_module("grouping", network.grouping)
        self.train(network.training)

    def trunk_forward(self, x: torch.Tensor) -> torch.Tensor:
        """The embedding (B, D) is there already."""
        return x


@contextmanager
def one_thread() -> Iterator[None]:
    """Computes on one thread of the processor: for a head the others bring nothing and have to be waited for.

    Measured with five busy programs on two cores: 8 ms a step with one thread, 74 to 97 with two.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
