"""Layers that see a whole batch although each of several processes has only its part of it.

A batch norm takes mean and deviation over all clips of a batch, and dropout draws one mask for all of them; so the
parts of several processes give the gradients that one process gets from the whole.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

import torch
from torch.autograd.function import once_differentiable
from torch.nn import functional as F

from vidlabel.learning.distributed import Ranks
from vidlabel.learning.generators import generator_states, seed_step, set_generator_states
from vidlabel.learning.trainable import Trainable

if TYPE_CHECKING:
    from torch import Tensor, nn
    from torch.nn.modules.batchnorm import _BatchNorm


class NoRoomElsewhereError(MemoryError):
    """Another process ran out of memory: all of them redo the step."""


class WholeBatch:
    """What the processes tell each other while they go through one batch.

    All of them exchange messages of one size in one order: so one that runs out of memory says so in the message that
    the others expect next, whichever that is, and nobody waits for it.

    Args:
        ranks: the processes.
        trainable: gives the norms, of which the widest makes the messages' size.
        device: torch's name of the network's.
    """

    def __init__(self, ranks: Ranks, trainable: Trainable, *, device: str) -> None:
        self._ranks = ranks
        self._device = device
        channels = max((norm.num_features for norm in trainable.norms), default=0)
        wide = torch.float64 if torch.device(device).type != "mps" else torch.float32
        # First whether somebody has no room, then what is to be added up.
        self._message = torch.zeros(2 + 2 * channels, dtype=wide, device=device)
        self._sizes: Sequence[int] = [1] * ranks.world
        self._masks: dict[str, Tensor] = {}

    def seed(self, seed: int, step: int) -> None:
        """A step begins: masks are the first process's, what else is drawn by chance is each one's own."""
        seed_step(seed, step, 0)
        self._masks = generator_states(self._device)
        seed_step(seed, step, self._ranks.rank)

    def enter(self, sizes: Sequence[int]) -> None:
        """The clips that go through the network next, of each process: at least one."""
        self._sizes = sizes

    def add_up(self, values: Tensor) -> Tensor:
        """The sum of everybody's values (K,), K at most 1 + 2 channels; as float64 where the device has that.

        Raises:
            NoRoomElsewhereError: instead of its values a process sent that it has no room.
        """
        message = self._message.zero_()
        message[1 : 1 + len(values)] = values
        self._ranks.add_in_place(message)
        if message[0].item():
            raise NoRoomElsewhereError("Another process of this run has run out of memory.")
        return message[1 : 1 + len(values)].clone()

    def finish(self) -> None:
        """The batches of a step went through.

        Raises:
            NoRoomElsewhereError: not in another process.
        """
        self.add_up(self._message.new_zeros(1))

    def give_up(self) -> None:
        """Tells the others that this process has no room."""
        self._message.zero_()[0] = 1
        self._ranks.add_in_place(self._message)

    def normed(self, norm: _BatchNorm, x: Tensor) -> Tensor:
        """What a batch norm makes of x (B, C, ...)."""
        if not norm.training:
            return type(norm).forward(norm, x)
        with torch.no_grad():
            count, mean, variance = self._moments(x)
            _follow(norm, mean, variance, count=count)
            deviation = torch.rsqrt(variance + norm.eps)
        # What stays in float64 would make the products slow.
        y: Tensor = _Normed.apply(x, norm.weight, norm.bias, mean.float(), deviation.float(), count, self)
        return y

    def dropped(self, layer: nn.Dropout, x: Tensor) -> Tensor:
        """What dropout leaves of x (B, ...): this process's rows of one mask for all clips."""
        own, before = self._sizes[self._ranks.rank], sum(self._sizes[: self._ranks.rank])
        if not layer.training or len(x) % own:
            return type(layer).forward(layer, x)
        # A network that looks at pictures has several rows of each clip.
        each = len(x) // own
        others = generator_states(self._device)
        set_generator_states(self._device, self._masks)
        mask = F.dropout(x.new_ones((sum(self._sizes) * each, *x.shape[1:])), layer.p)
        self._masks = generator_states(self._device)
        set_generator_states(self._device, others)
        return x * mask[before * each : (before + own) * each]

    def _moments(self, x: Tensor) -> tuple[float, Tensor, Tensor]:
        """Values per channel in the whole batch, their mean and their variance (C,), in the width of the messages."""
        variance, mean = torch.var_mean(x.float(), _but_channels(x), correction=0)
        mean = mean.to(self._message.dtype)
        own = x.numel() // x.shape[1]
        sums = torch.cat([mean.new_tensor([own]), own * mean, own * (variance + mean * mean)])
        count, means, squares = self.add_up(sums).tensor_split([1, 1 + x.shape[1]])
        mean = means / count
        return count.item(), mean, (squares / count - mean * mean).clamp_min(0)


@contextmanager
def whole_batch(trainable: Trainable, ranks: Ranks, *, device: str) -> Iterator[WholeBatch | None]:
    """Norms and dropout that learn see the whole batch while the block runs; None for a single process.

    The modules stay the very same, with their weights and their names in the state dict.
    """
    if ranks.world == 1:
        yield None
        return
    whole = WholeBatch(ranks, trainable, device=device)
    for norm in trainable.norms:
        norm.forward = partial(whole.normed, norm)  # type: ignore[method-assign]
    for layer in trainable.dropouts:
        layer.forward = partial(whole.dropped, layer)  # type: ignore[method-assign]
    try:
        yield whole
    finally:
        for module in (*trainable.norms, *trainable.dropouts):
            del module.forward


class _Normed(torch.autograd.Function):
    """Batch norm with a mean and a deviation that depend on the clips of all processes."""

    @staticmethod
    def forward(
        ctx: Any,
        x: Tensor,
        weight: Tensor | None,
        bias: Tensor | None,
        mean: Tensor,
        deviation: Tensor,
        count: float,
        whole: WholeBatch,
    ) -> Tensor:
        """``deviation`` is one over it; ``count`` the values per channel in the whole batch."""
        ctx.save_for_backward(x, weight, mean, deviation)
        ctx.count, ctx.whole = count, whole
        ctx.has_bias = bias is not None
        scale = deviation if weight is None else deviation * weight
        shift = -mean * scale if bias is None else bias - mean * scale
        return (x.float() * _wide(scale, x) + _wide(shift, x)).to(x.dtype)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, from_above: Tensor) -> tuple[Tensor | None, ...]:
        """Through the mean and the deviation too, hence with what comes from above in all processes."""
        x, weight, mean, deviation = ctx.saved_tensors
        above = from_above.float()
        standard = (x.float() - _wide(mean, x)) * _wide(deviation, x)
        sums = above.sum(_but_channels(x))
        products = (above * standard).sum(_but_channels(x))
        whole = ctx.whole.add_up(torch.cat([sums, products])) / ctx.count
        mean_sum, mean_product = whole.float().chunk(2)
        scale = deviation if weight is None else deviation * weight
        rest = above - _wide(mean_sum, x) - standard * _wide(mean_product, x)
        down = (rest * _wide(scale, x)).to(x.dtype)
        of_weight = None if weight is None else products
        of_bias = sums if ctx.has_bias else None
        return down, of_weight, of_bias, None, None, None, None


def _follow(norm: _BatchNorm, mean: Tensor, variance: Tensor, *, count: float) -> None:
    """Moves the running statistics as torch does: by the variance of a sample, which is a little larger."""
    if norm.running_mean is None or norm.running_var is None or norm.num_batches_tracked is None:
        return
    norm.num_batches_tracked.add_(1)
    share = norm.momentum if norm.momentum is not None else 1 / norm.num_batches_tracked.item()
    norm.running_mean.lerp_(mean.to(norm.running_mean.dtype), share)
    norm.running_var.lerp_((variance * (count / (count - 1))).to(norm.running_var.dtype), share)


def _but_channels(x: Tensor) -> list[int]:
    return [axis for axis in range(x.ndim) if axis != 1]


def _wide(values: Tensor, x: Tensor) -> Tensor:
    """Values per channel (C,) in the shape that goes with x."""
    return values.view(1, -1, *[1] * (x.ndim - 2))
