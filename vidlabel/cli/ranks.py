"""Several processes of ``torchrun`` that run one command: the first prepares, the others are told what to join."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

from vidlabel.core.errors import DeviceError

if TYPE_CHECKING:
    from torch.distributed import TCPStore

_PATIENCE = timedelta(days=1)
"""Scanning and hashing of a large folder come before the first word."""
_FOLDER, _HEARD = "vidlabel/folder", "vidlabel/heard"


def world() -> int:
    """How many processes ``torchrun`` started; 1 without it."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def is_first() -> bool:
    """Whether this process is the one that prepares, tells and answers."""
    return world() == 1 or int(os.environ.get("RANK", "0")) == 0


class Crew:
    """The first process's way to tell the others which run they join."""

    def __init__(self, store: TCPStore | None) -> None:
        self._store = store
        self._told = store is None

    def join(self, folder: str) -> None:
        """All of them join the run in this folder."""
        self._tell(folder)

    def _tell(self, folder: str | None) -> None:
        if self._store is None or self._told:
            return
        self._told = True
        self._store.set(_FOLDER, json.dumps(folder))
        for rank in range(1, world()):
            self._store.wait([f"{_HEARD}/{rank}"], _PATIENCE)

    def dismiss(self) -> None:
        """There is nothing to join; called again, or after :meth:`join`, it does nothing."""
        self._tell(None)


@contextmanager
def crew() -> Iterator[Crew]:
    """For the first process: however the block is left, nobody waits for ever."""
    leading = Crew(_store() if world() > 1 else None)
    try:
        yield leading
    finally:
        leading.dismiss()


def told_folder() -> str | None:
    """For the others: the run's folder, or None if there is nothing to do.

    Raises:
        DeviceError: the first process is not found.
    """
    store = _store()
    store.set_timeout(_PATIENCE)
    folder: str | None = json.loads(store.get(_FOLDER))
    store.set(f"{_HEARD}/{int(os.environ['RANK'])}", "yes")
    return folder


def _store() -> TCPStore:
    from torch.distributed import TCPStore

    # torchrun's own process keeps a store at this address; where another starter set the ranks, the first one does.
    kept = os.environ.get("TORCHELASTIC_USE_AGENT_STORE") == "True"
    host, port = os.environ.get("MASTER_ADDR", "127.0.0.1"), int(os.environ.get("MASTER_PORT", "29500"))
    try:
        return TCPStore(host, port, is_master=not kept and is_first(), wait_for_workers=False)
    except (RuntimeError, ValueError) as error:
        raise DeviceError(
            f"The processes of this run do not find each other at {host}:{port}. Start all of them with the same "
            "torchrun --rdzv-endpoint, and see that the machines reach each other."
        ) from error
