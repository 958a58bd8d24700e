"""The best epoch of a run so far, and when it is time to end because none gets better."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from vidlabel.core.errors import TrainingError

if TYPE_CHECKING:
    import torch


class Best:
    """Keeps the weights of the epoch that validation liked best.

    Args:
        by: names of measures, the deciding one first; ``-`` before a name means the lowest is best. Empty keeps none.
        patience: epochs without a better one after which ``is_over``; 0 is never.
    """

    def __init__(self, by: tuple[str, ...], patience: int) -> None:
        self._by = by
        self._patience = patience
        self._marks: list[float] = []
        self._since = 0
        self.epoch: int | None = None
        self.weights: dict[str, torch.Tensor] = {}

    @property
    def is_over(self) -> bool:
        """Whether there is nothing more to be hoped for."""
        return 0 < self._patience <= self._since

    def offer(self, epoch: int, metrics: Mapping[str, float], weights: Mapping[str, torch.Tensor]) -> bool:
        """Takes note of an epoch; whether it is the best so far. Of equals the earlier stays.

        Raises:
            TrainingError: validation does not answer what decides.
        """
        if not self._by:
            return False
        marks = [_mark(name, metrics) for name in self._by]
        if self.epoch is not None and marks <= self._marks:
            self._since += 1
            return False
        self._marks, self.epoch, self._since = marks, epoch, 0
        # On the CPU: the GPU's memory is scarcer. The old copy goes first.
        self.weights = {}
        self.weights = {name: value.detach().to("cpu", copy=True) for name, value in weights.items()}
        return True

    def state(self) -> dict[str, Any]:
        """As tensors and plain values."""
        return {"epoch": self.epoch, "marks": self._marks, "since": self._since, "weights": self.weights}

    def restore(self, state: Mapping[str, Any]) -> None:
        """The reverse of ``state``."""
        self.epoch, self._since = state["epoch"], state["since"]
        self._marks, self.weights = list(state["marks"]), dict(state["weights"])


def _mark(name: str, metrics: Mapping[str, float]) -> float:
    """A measure so that higher is better; what is no number is worse than any."""
    lowest = name.startswith("-")
    value = metrics.get(name.removeprefix("-"))
    if value is None:
        raise TrainingError(
            f"The validation does not measure {name.removeprefix('-')}, by which the best is kept."
        )
    if math.isnan(value):
        return -math.inf
    return -value if lowest else value
