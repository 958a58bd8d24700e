"""What a network costs: parameters and multiply-adds, found without memory or time on torch's meta device."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from vidlabel.core.errors import ModelError
from vidlabel.ml.networks.registry import build

if TYPE_CHECKING:
    from vidlabel.ml.preprocess import Preprocessing


@dataclass(frozen=True)
class Cost:
    """Of one network and one input.

    Attributes:
        parameters: numbers that training changes.
        gmacs: billions of multiply-adds of convolutions and matrix products for one clip. This is what papers
            and torchvision's pages call GFLOPS; a count of single operations is twice as much.
    """

    parameters: int
    gmacs: float


def cost(name: str, preprocessing: Preprocessing, *, labels: int = 400, **args: Any) -> Cost:
    """The cost of a network for clips of this preprocessing.

    Args:
        name: one of ``names()``.
        preprocessing: gives frames, height and width.
        labels: how many labels the head tells apart.
        **args: the network's own arguments.

    Raises:
        ModelError: there is no such network, or it cannot take clips of this shape.
    """
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    with torch.device("meta"):
        network = build(name, labels=labels, **args).eval()
    shape = (1, 3, preprocessing.frames, preprocessing.height, preprocessing.width)
    counter = FlopCounterMode(display=False)
    try:
        with counter, torch.inference_mode():
            network(torch.empty(shape, device="meta"))
    except (RuntimeError, ValueError, IndexError, AssertionError) as error:
        raise ModelError(
            name,
            f"the network cannot take clips of {preprocessing.frames} pictures of "
            f"{preprocessing.width}x{preprocessing.height} px ({(str(error).splitlines() or ['no reason'])[0]}). "
            "Give the preprocessing that it was trained with.",
        ) from error
    parameters = sum(parameter.numel() for parameter in network.parameters())
    return Cost(parameters, counter.get_total_flops() / 2e9)
