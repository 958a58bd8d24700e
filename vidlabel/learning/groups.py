"""Which learning rate and decay each weight of a network gets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from vidlabel.ml.networks import Embedder

HEAD = "head"
# The two networks side by side in ``networks.two_stream``; the image network's own classes are not a stage of it, they
# are one of the things its features are read with.
_TWO_STREAMS = ("motion.", "stills.layers.")


def parameter_groups(
    network: Embedder, *, weight_decay: float, layer_decay: float = 1.0
) -> list[dict[str, Any]]:
    """Groups for an optimizer; ``scale`` is what the learning rate of a group is multiplied with.

    Decay shrinks what multiplies; biases and norms (one axis) are left alone. With a layer decay below 1 the head
    learns at the full rate and each layer below it slower than the one above, by that factor: what was learned
    before is kept longest where it is most general (Howard and Ruder 2018; Bao et al. 2022, "BEiT").
    """
    parameters = [(name, one) for name, one in network.named_parameters() if one.requires_grad]
    if layer_decay == 1.0:
        ranked = {0: [one for _, one in parameters]}
    else:
        below = depths([name for name, _ in parameters])
        ranked = {}
        for name, one in parameters:
            ranked.setdefault(below[layer_of(name)], []).append(one)
    groups = []
    for rank, own in sorted(ranked.items()):
        for decay, chosen in (
            (weight_decay, [one for one in own if one.ndim > 1]),
            (0.0, [one for one in own if one.ndim <= 1]),
        ):
            groups.append({"params": chosen, "weight_decay": decay, "scale": layer_decay**rank})
    return groups


def depths(names: list[str]) -> dict[str, int]:
    """How many layers lie above each layer, the head's 0; of two streams side by side each counts for itself."""
    found = {}
    for stream in streams(names):
        own = [layer for layer in layers([one for one in names if one.startswith(stream)]) if layer != HEAD]
        found.update({layer: place for place, layer in enumerate(reversed(own), start=1)})
    return {layer: found.get(layer, 0 if layer == HEAD else 1) for layer in layers(names)}


def streams(names: list[str]) -> tuple[str, ...]:
    """What the names of each of a network's streams begin with; ``("",)`` where there is only one."""
    found = tuple(stream for stream in _TWO_STREAMS if any(name.startswith(stream) for name in names))
    return found if any(name.startswith("stills.") for name in names) else ("",)


def layer_of(name: str) -> str:
    """The layer a parameter belongs to: its name up to the first part that ends in a digit, or that is a stem."""
    parts = name.split(".")[:-1]
    for place, part in enumerate(parts):
        if part[-1:].isdigit() or part == "stem":
            return ".".join(parts[: place + 1])
    return ".".join(parts)


def layers(names: list[str]) -> list[str]:
    """The layers from the input to the head, in the order in which a network names its parameters."""
    found = list(dict.fromkeys(layer_of(name) for name in names))
    # The head is made before the trunk, since every network has one.
    return [one for one in found if one != HEAD] + [one for one in found if one == HEAD]
