"""The running average of a network's weights (Polyak and Juditsky 1992): steadier than the weights of any one step."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vidlabel.ml.networks import Embedder


class Average:
    """A second network beside the one that learns.

    Args:
        network: the one that learns, on its device.
        moving: names in its state dict of what training changes.
        decay: how much of the average stays at each step, 0..1.
    """

    def __init__(self, network: Embedder, moving: frozenset[str], decay: float) -> None:
        self.network = copy.deepcopy(network).eval().requires_grad_(False)
        new = network.state_dict()
        # Gathered once; both networks keep these very tensors as long as they live.
        self._pairs = [(own, new[name]) for name, own in self.network.state_dict().items() if name in moving]
        self._decay = decay

    def follow(self, steps: int) -> None:
        """Moves towards the network as it is after so many steps, this one counted."""
        import torch

        # Early on the weights move fast: an average as long as the whole run would lag behind.
        decay = min(self._decay, steps / (steps + 10))
        with torch.no_grad():
            for own, new in self._pairs:
                if own.is_floating_point():
                    own.lerp_(new, 1 - decay)
                else:
                    own.copy_(new)
