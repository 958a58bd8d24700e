"""Which weights of a network learn, and in which mode the rest of it stands."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, TypeGuard

from vidlabel.core.runs import Tunes
from vidlabel.learning.groups import HEAD, layer_of, layers, streams

if TYPE_CHECKING:
    from torch import nn
    from torch.nn.modules.batchnorm import _BatchNorm

    from vidlabel.ml.networks import Embedder

LAST_STAGES = 2


class Trainable:
    """A network of which only a part learns.

    What does not learn stays as it is in every respect: its batch norms keep their means and deviations and its dropout
    is off, else the weights above would learn from features that nobody will see again.

    Args:
        network: changed in place: ``requires_grad`` of all its parameters.
        tunes: the head; the last two stages too (of a network of two streams, of each); or everything.
    """

    def __init__(self, network: Embedder, tunes: Tunes) -> None:
        learning = _learning(network, tunes)
        for name, parameter in network.named_parameters():
            parameter.requires_grad_(name in learning)
        # Gathered once: a walk through a large network at each step would take longer than the head's whole step.
        self._in_training = list(_trained(network))
        self._others = [one for one in network.modules() if one not in set(self._in_training)]
        self._parameters = [one for one in network.parameters() if one.requires_grad]
        self.train()
        self.norms = [module for module in network.modules() if _is_batch_norm(module) and module.training]
        """Batch norms that follow the clips they see."""
        self.dropouts = [module for module in network.modules() if _is_dropout(module) and module.training]
        # What never moves needs no averaging, no sending around and no copy of the best.
        followed = {id(buffer) for module in self.norms for buffer in module.buffers()}
        self.moving = frozenset(
            name
            for name, value in network.state_dict(keep_vars=True).items()
            if tunes is Tunes.ALL or value.requires_grad or id(value) in followed
        )
        """Names in the state dict of what training changes."""

    def train(self) -> None:
        """Puts what learns into training mode, and the rest into eval mode."""
        # Writing to a module is slow, reading is not.
        for module in self._others:
            if module.training:
                module.training = False
        for module in self._in_training:
            if not module.training:
                module.training = True

    def parameters(self) -> list[nn.Parameter]:
        """Those that learn."""
        return self._parameters


def _learning(network: Embedder, tunes: Tunes) -> frozenset[str]:
    """The names of the parameters that learn."""
    names = [name for name, _ in network.named_parameters()]
    if tunes is Tunes.ALL:
        return frozenset(names)
    chosen = {HEAD}
    if tunes is Tunes.LAST:
        axes = {name: parameter.ndim for name, parameter in network.named_parameters()}
        for stream in streams(names):
            chosen |= _last_stages([name for name in names if name.startswith(stream)], axes)
    return frozenset(name for name in names if layer_of(name) in chosen)


def _last_stages(names: list[str], axes: dict[str, int]) -> set[str]:
    """The last two layers that have weights, and the norms after them: a norm alone is no stage."""
    found = [layer for layer in layers(names) if layer != HEAD]
    weighty = {layer_of(name) for name in names if axes[name] > 1}
    stages = [place for place, layer in enumerate(found) if layer in weighty]
    first = stages[-LAST_STAGES] if len(stages) >= LAST_STAGES else 0
    return set(found[first:])


def _is_batch_norm(module: nn.Module) -> TypeGuard[_BatchNorm]:
    from torch.nn.modules.batchnorm import _BatchNorm

    return isinstance(module, _BatchNorm)


def _is_dropout(module: nn.Module) -> TypeGuard[nn.Dropout]:
    from torch import nn

    return isinstance(module, nn.Dropout)


def _trained(module: nn.Module) -> Iterator[nn.Module]:
    """The modules that learn, or stand among those that do without weights of their own, such as dropout."""
    parameters = list(module.parameters())
    if parameters and not any(one.requires_grad for one in parameters):
        return
    yield module
    for child in module.children():
        yield from _trained(child)
