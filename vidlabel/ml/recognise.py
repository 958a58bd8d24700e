"""Foreign weights brought into the layout of our networks, and the network they belong to found by shape."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch

from vidlabel.core.errors import ModelError
from vidlabel.ml.networks import build, names
from vidlabel.ml.networks.layouts import from_torchvision
from vidlabel.ml.weights import differences

State = Mapping[str, torch.Tensor]

# Put before every name by data parallel training, torch.compile, and classes that wrap a network.
PREFIXES = ("module.", "_orig_mod.", "backbone.", "model.", "network.", "net.", "encoder.")
# A wrapper's own last layer stands beside the wrapped network: most names begin alike, not all.
_MOST = 0.8


@dataclass(frozen=True)
class Recognised:
    """Weights in our layout.

    Attributes:
        network: one of ``networks.names()``.
        args: JSON values for ``networks.build``.
        state: what ``load_state_dict`` of that network takes.
        classes: how many its head tells apart.
    """

    network: str
    args: dict[str, Any]
    state: dict[str, torch.Tensor]

    @property
    def classes(self) -> int:
        return int(self.state["head.weight"].shape[0])


def without_prefixes(state: State) -> dict[str, torch.Tensor]:
    """The same weights without what wrappers put before their names."""
    bare = dict(state)
    while True:
        heads = Counter(key.partition(".")[0] + "." for key in bare)
        prefix = next((one for one in PREFIXES if heads[one] > _MOST * len(bare)), None)
        if prefix is None:
            return bare
        shorter = {key.removeprefix(prefix): value for key, value in bare.items()}
        if len(shorter) < len(bare):
            return bare  # Two names would become one: the prefix says something after all.
        bare = shorter


def recognise(
    model: str, state: State, *, network: str | None = None, args: Mapping[str, Any] | None = None
) -> Recognised:
    """Finds the network that weights belong to.

    Args:
        model: how errors name them.
        state: as stored, of torchvision's or our own layout, with or without prefixes.
        network: one of ``networks.names()`` if it is known; otherwise it is found by names and shapes.
        args: the network's own arguments, where they are not the usual ones.

    Raises:
        ModelError: they are of no network here, or not of the one named; the message says what differs.
    """
    if network is not None and network not in names():
        raise ModelError(
            model,
            f"there is no network '{network}' here. Known are {', '.join(names())}; leave it out to find it.",
        )
    bare = without_prefixes(state)
    nearest: tuple[int, str, str] | None = None
    for candidate in (network,) if network else names():
        tried = _as(candidate, bare, args or {}, insist=network is not None)
        if tried is None:
            continue
        recognised, words, fitting = tried
        if not words:
            return recognised
        if nearest is None or fitting > nearest[0]:
            nearest = fitting, candidate, words
    if network is not None:
        words = nearest[2] if nearest else "they have no last layer that tells labels apart"
        raise ModelError(model, f"its weights are not those of {network}: {words}. {_other_network(nearest)}")
    if nearest is None or nearest[0] == 0:
        raise ModelError(
            model,
            "its weights are those of none of the networks here, or lack the last layer that tells labels "
            f"apart. Known are {', '.join(names())}.",
        )
    raise ModelError(
        model,
        f"its weights are those of none of the networks here. The nearest is {nearest[1]}: {nearest[2]}. "
        "If it was built with arguments of its own, name network and arguments.",
    )


def _other_network(nearest: tuple[int, str, str] | None) -> str:
    if nearest is not None and nearest[0]:
        return "If it was built with arguments of its own, name them; otherwise name no network to find it."
    return "Name no network to find the one they belong to."


def _as(
    candidate: str, bare: State, args: Mapping[str, Any], *, insist: bool
) -> tuple[Recognised, str, int] | None:
    """The weights as those of a candidate, in words what differs, and how many fit; None if not comparable."""
    found = from_torchvision(candidate, bare)
    head = found.get("head.weight")
    if head is None or head.ndim != 2 or head.shape[0] < 1:
        return None
    args = dict(args)
    if candidate == "resnet18_lstm" and "hidden" not in args and "lstm.weight_hh_l0" in found:
        args["hidden"] = int(found["lstm.weight_hh_l0"].shape[1])
        args["both_ways"] = "lstm.weight_hh_l0_reverse" in found
    try:
        with torch.device("meta"):
            wanted = build(candidate, labels=int(head.shape[0]), **args).state_dict()
    except ModelError:
        if insist:
            raise
        return None  # A network that cannot be built without arguments of its own.
    fitting = sum(1 for key, value in wanted.items() if key in found and found[key].shape == value.shape)
    found = _completed(found, wanted)
    return Recognised(candidate, args, found), differences(wanted, found), fitting


def _completed(found: dict[str, torch.Tensor], wanted: State) -> dict[str, torch.Tensor]:
    """With what older files and heads without a bias lack, and no network's answer depends on."""
    rest = {
        key: torch.zeros(tuple(value.shape), dtype=value.dtype)
        for key, value in wanted.items()
        if key not in found and (key.endswith(".num_batches_tracked") or key == "head.bias")
    }
    return {**found, **rest}
