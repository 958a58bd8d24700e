"""Checks of weights against the network and the labels they are said to be for, and words for what differs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from vidlabel.core.errors import ModelError

if TYPE_CHECKING:
    import torch


def refuse_not_finite(model: str, state: Mapping[str, torch.Tensor]) -> None:
    """Raises ``ModelError`` where a weight is infinite or no number."""
    import torch

    for key, value in state.items():
        if value.is_floating_point() and not bool(torch.isfinite(value).all()):
            raise ModelError(
                model, f"weight {key} holds values that are no numbers. Its training went wrong."
            )


def refuse_other_head(
    model: str, state: Mapping[str, torch.Tensor], labels: int, *, called: str = "labels"
) -> None:
    """Raises ``ModelError`` where the head tells another number of ``called`` apart than the list names."""
    head = state.get("head.weight")
    if head is not None and head.ndim == 2 and head.shape[0] != labels:
        raise ModelError(
            model, f"its network tells {head.shape[0]} {called} apart, but its list names {labels}."
        )


def differences(wanted: Mapping[str, torch.Tensor], found: Mapping[str, torch.Tensor]) -> str:
    """In words what keeps weights from being loaded: missing, foreign, of another shape; empty if nothing."""
    missing, unexpected = sorted(set(wanted) - set(found)), sorted(set(found) - set(wanted))
    others = sorted(key for key in set(wanted) & set(found) if wanted[key].shape != found[key].shape)
    reasons = [
        f"{len(keys)} {what} (first {keys[0]})"
        for keys, what in ((missing, "weights are missing"), (unexpected, "weights do not belong to it"))
        if keys
    ]
    if others:
        found_shape, wanted_shape = tuple(found[others[0]].shape), tuple(wanted[others[0]].shape)
        first = f"first {others[0]}: {found_shape}, not {wanted_shape}"
        reasons.append(f"{len(others)} weights have another shape ({first})")
    return "; ".join(reasons)


def refuse_mismatch(
    model: str, network: str, *, wanted: Mapping[str, torch.Tensor], found: Mapping[str, torch.Tensor]
) -> None:
    """Raises ``ModelError`` where ``found`` are not the weights of the network that ``wanted`` are of."""
    words = differences(wanted, found)
    if words:
        raise ModelError(model, f"its weights are not those of {network}: {words}.")
