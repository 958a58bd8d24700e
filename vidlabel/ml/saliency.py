"""Where in a clip a network looked for a label: Grad-CAM over space and time.

After Selvaraju et al. (2017): activations of a late layer, weighted by how much the label's logit rises with them,
above the mean of all labels. The weight is taken at each place and not averaged over all of them, which serves
convolutions and transformers alike; a transformer's tokens are put back into their grid.
Of a network with two streams both are mapped and added up: both are in units of the same logit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from math import prod

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn.functional import interpolate
from torchvision.models import ResNet

from vidlabel.ml.networks import Embedder
from vidlabel.ml.networks.two_stream import TwoStream

Grid = Callable[[torch.Tensor, object], torch.Tensor]
"""A layer's activations, and what else it answered, to (B, C, T, H, W)."""


@dataclass(frozen=True)
class _Place:
    layer: nn.Module
    grid: Grid


@dataclass(frozen=True)
class _Seen:
    leaf: torch.Tensor
    grid: Grid
    rest: object


def saliency(network: Embedder, x: torch.Tensor, label: int) -> NDArray[np.float32]:
    """How much each part of a clip spoke for a label.

    Args:
        network: in eval mode.
        x: (1, 3, T, H, W), as ``to_input`` makes it.
        label: its place among the network's labels.

    Returns:
        float32 (T', H', W') in 0..1, 1 where most spoke for it; all 0 where nothing did. The grid is the
        coarsest the network thinks in, stretched to the finest of its streams.

    Raises:
        ValueError: the network has no layer that keeps places apart, or the label is unknown.
    """
    if not 0 <= label < network.labels:
        raise ValueError(f"label {label} of {network.labels}")
    # cuDNN has no way back through a recurrent layer in eval mode.
    flags = torch.backends.cudnn.flags(enabled=not _recurrent(network))
    with torch.enable_grad(), flags, _watched(_places(network)) as seen:
        logits = network(x)[0]
        # Against the mean: what raises all labels alike speaks for none of them.
        slopes = _slopes(logits[label] - logits.mean(), [one.leaf for one in seen])
        maps = [
            (one.grid(one.leaf.detach(), one.rest) * one.grid(slope, one.rest)).sum(dim=1, keepdim=True)
            for one, slope in zip(seen, slopes, strict=True)
        ]
    size = [max(one.shape[axis] for one in maps) for axis in (2, 3, 4)]
    together = torch.stack([_spread(one, size) for one in maps]).sum(dim=0).clamp(min=0)[0, 0]
    peak = float(together.max())
    if not np.isfinite(peak) or peak <= 0:
        return np.zeros(size, np.float32)
    return (together / peak).float().cpu().numpy()


def smoothed(maps: NDArray[np.float32], *, side: int = 40) -> NDArray[np.float32]:
    """Maps (T, h, w) on a finer grid, at least ``side`` high and wide, without the corners of the coarse one."""
    height, width = (max(side, size) for size in maps.shape[1:])
    finer = interpolate(
        torch.from_numpy(maps)[:, None], size=(height, width), mode="bicubic", align_corners=False
    )
    return np.asarray(finer[:, 0].clamp(0, 1).numpy(), dtype=np.float32)


def _slopes(rise: torch.Tensor, leaves: list[torch.Tensor]) -> list[torch.Tensor]:
    return [
        torch.zeros_like(leaf) if slope is None else slope
        for leaf, slope in zip(leaves, torch.autograd.grad(rise, leaves, allow_unused=True), strict=True)
    ]


def _spread(one: torch.Tensor, size: list[int]) -> torch.Tensor:
    """Stretched to a finer grid; what the whole map adds to the logit stays the same."""
    share = prod(one.shape[2:]) / prod(size)
    return interpolate(one.float(), size=size, mode="trilinear", align_corners=False) * share


def _recurrent(network: Embedder) -> bool:
    return any(isinstance(module, nn.RNNBase) for module in network.modules())


@contextmanager
def _watched(places: list[_Place]) -> Iterator[list[_Seen]]:
    """Makes each layer's output a leaf: gradients stop there, and nothing before it is kept in memory."""
    seen: list[_Seen] = []

    def hook(grid: Grid) -> Callable[[nn.Module, object, object], object]:
        def replace(_module: nn.Module, _inputs: object, output: object) -> object:
            value, rest = (output[0], output[1:]) if isinstance(output, tuple) else (output, ())
            assert isinstance(value, torch.Tensor)
            leaf = value.detach().requires_grad_()
            seen.append(_Seen(leaf, grid, rest))
            # Not the leaf itself: the next layer may write in place.
            return (leaf * 1, *rest) if isinstance(output, tuple) else leaf * 1

        return replace

    handles = [place.layer.register_forward_hook(hook(place.grid)) for place in places]
    try:
        yield seen
    finally:
        for handle in handles:
            handle.remove()


def _places(network: Embedder) -> list[_Place]:
    if isinstance(network, TwoStream):
        return [*_places(network.motion), _Place(network.stills.layers, _pictures)]
    stages, trunk = getattr(network, "stages", None), getattr(network, "trunk", None)
    if isinstance(stages, nn.Module):
        return [_Place(stages, _as_it_is)]
    if isinstance(trunk, ResNet):
        return [_Place(trunk.layer4, _pictures)]
    if isinstance(trunk, nn.Module):
        return [_place_in_torchvision(trunk)]
    raise ValueError("this network keeps no places apart")


def _place_in_torchvision(trunk: nn.Module) -> _Place:
    for name in ("layer4", "features"):
        layer = getattr(trunk, name, None)
        if isinstance(layer, nn.Module):
            # The Swins keep channels last.
            return _Place(layer, _channels_first if hasattr(trunk, "patch_embed") else _as_it_is)
    blocks = getattr(trunk, "blocks", None)
    if isinstance(blocks, nn.ModuleList):
        # The head reads MViT's class token only, which the last block fills from the places of the one before.
        return _Place(blocks[-2], _tokens)
    raise ValueError("this network keeps no places apart")


def _as_it_is(value: torch.Tensor, _rest: object) -> torch.Tensor:
    return value


def _channels_first(value: torch.Tensor, _rest: object) -> torch.Tensor:
    return value.permute(0, 4, 1, 2, 3)


def _pictures(value: torch.Tensor, _rest: object) -> torch.Tensor:
    """Pictures of one clip, (T, C, H, W), are its moments."""
    return value.transpose(0, 1)[None]


def _tokens(value: torch.Tensor, rest: object) -> torch.Tensor:
    """MViT's (B, 1 + T*H*W, C), the class token first; its blocks answer (T, H, W) as well."""
    assert isinstance(rest, tuple)
    return value[:, 1:].transpose(1, 2).reshape(len(value), value.shape[2], *rest[0])
