"""torch's random generators: seeded anew for each step, and given back to the caller as they were."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import torch


@contextmanager
def own_generators(device: str) -> Iterator[None]:
    """The caller's generators are as before afterwards."""
    before = generator_states(device)
    try:
        yield
    finally:
        set_generator_states(device, before)


def seed_step(seed: int, step: int, rank: int) -> None:
    """Dropout of a step follows from these numbers alone, however often the step is tried, and in which process."""
    import torch

    torch.manual_seed(int(np.random.SeedSequence([seed, step, rank]).generate_state(1, np.uint64)[0] >> 1))


def generator_states(device: str) -> dict[str, torch.Tensor]:
    """The states of torch's generators that a run on this device draws from."""
    import torch

    states = {"cpu": torch.get_rng_state()}
    kind = torch.device(device).type
    if kind == "cuda":
        states["cuda"] = torch.cuda.get_rng_state(device)
    elif kind == "mps":
        states["mps"] = torch.mps.get_rng_state()
    return states


def set_generator_states(device: str, states: dict[str, torch.Tensor]) -> None:
    """The inverse of ``generator_states``."""
    import torch

    torch.set_rng_state(states["cpu"])
    if "cuda" in states:
        torch.cuda.set_rng_state(states["cuda"], device)
    if "mps" in states:
        torch.mps.set_rng_state(states["mps"])
