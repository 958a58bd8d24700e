"""torch.compile, where the machine has what it needs: a C++ compiler on the CPU, Triton on a GPU."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable
from typing import cast

import torch

log = logging.getLogger(__name__)

Forward = Callable[[torch.Tensor], torch.Tensor]


def compiled(forward: Forward) -> Forward | None:
    """A function that is compiled when it is first called, or None where torch cannot do so here.

    It may still fail at that first call, and be slower: whoever asks must measure.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return cast(Forward, torch.compile(forward, dynamic=False))
    except (RuntimeError, ImportError, OSError) as error:
        log.info("no compiling here: %s", error)
        return None
