"""Makes a network that has only ever seen grey clips see grey: colours would be new to it in every real clip."""

from __future__ import annotations

import torch

from vidlabel.ml.networks.compact import Compact3D
from vidlabel.ml.preprocess import KINETICS_MEAN, KINETICS_STD


@torch.no_grad()
def see_grey(network: Compact3D) -> None:
    """Changes the first convolution in place so that only the mean of red, green and blue matters.

    For grey clips it answers as before, but for a pixel or two at the edge: what lies beyond it there is 0 after
    normalising, which no longer is the very same grey for all three colours.
    """
    convolution, norm = network.stem[0], network.stem[1]
    assert isinstance(convolution, torch.nn.Conv3d) and isinstance(norm, torch.nn.BatchNorm3d)
    assert norm.running_mean is not None
    mean, std = (torch.tensor(values).view(1, 3, 1, 1, 1) for values in (KINETICS_MEAN, KINETICS_STD))
    weight = convolution.weight
    own = (weight / std).sum(dim=1, keepdim=True)
    before = (weight * mean / std).sum(dim=(1, 2, 3, 4))
    after = (own * mean.mean()).sum(dim=(1, 2, 3, 4))
    weight.copy_(own * std / 3)
    norm.running_mean.add_(before - after)
