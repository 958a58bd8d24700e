"""What every way of fetching a file shares: where the bytes go, whether they are right, and when to leave."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from vidlabel.core.errors import DownloadError, StoppedError
from vidlabel.ml.network import Patience
from vidlabel.ml.part import Checksum, Known, Part

_BLOCK = 1 << 20


@dataclass(frozen=True)
class Remote:
    """A file to fetch.

    Attributes:
        url: ``http``, ``https`` or a path of this computer.
        size: bytes, if they are known for certain.
        checksum: what it must hash to.
        headers: to be sent along.
    """

    url: str
    size: int | None = None
    checksum: Checksum | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


class Fetching(ABC):
    """What both ways of fetching share. Runs in a thread; the attributes may be read from another."""

    def __init__(
        self, remote: Remote, part: Part, *, stop: threading.Event, room_for: float, patience: Patience
    ) -> None:
        self.remote = remote
        self.part = part
        self.total = remote.size
        self.received = 0
        self.stop = stop
        self._room_for = room_for
        self.patience = patience

    @abstractmethod
    def run(self) -> None:
        """Fetches until the file is complete and right."""

    def wake(self) -> None:  # noqa: B027 - most have nothing to wait for
        """Ends a wait of the thread, from another."""

    @property
    def what(self) -> str:
        return self.part.path.stem

    def leave_if_stopped(self) -> None:
        if self.stop.is_set():
            raise StoppedError("Stopped.")

    def check_room(self) -> None:
        if self.total is not None:
            self.part.check_room(int(self._room_for * self.total) - self.part.done)

    def check_hash(self) -> bool:
        """True if the file is right, False if it should be fetched once more from its first byte."""
        if self.part.fits():
            return True
        mixed = self.part.from_before > 0
        self.part.forget()
        if mixed:
            return False
        raise DownloadError(
            self.what,
            f"what {self.remote.url} gave is not the published file: its hash is another. It was thrown away. "
            "Try again; if it stays so, the server or a proxy in between changes it.",
            kind="hash",
        )


class Copy(Fetching):
    """From a folder of this computer or network: a mirror on a disk."""

    def run(self) -> None:
        """Copies the file."""
        source = Path(self.remote.url)
        if not source.is_file():
            raise DownloadError(
                self.what, f"there is no {source}. Put the file there, or unset VIDLABEL_WEIGHTS_MIRROR."
            )
        self.total = source.stat().st_size
        self.part.begin(Known(self.remote.url, self.total, ""))
        self.check_room()
        with source.open("rb") as reading, self.part.open() as writing:
            while block := reading.read(_BLOCK):
                self.leave_if_stopped()
                self.part.add(writing, block)
                self.received += len(block)
        self.check_hash()
