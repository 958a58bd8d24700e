"""Fetches one file, whole or not at all.

What came in lies beside the file as ``.part`` until it is complete and its hash is right; a later call, also
of another process, asks the server for the rest only.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

from vidlabel.ml.fetching import Copy, Fetching, Remote
from vidlabel.ml.network import Patience, refuse_offline
from vidlabel.ml.part import Part
from vidlabel.ml.transfer import Transfer
from vidlabel.ml.watched import watched

PART = ".part"
_PATIENCE = Patience()
_TELL_S = 0.1


@dataclass(frozen=True)
class Progress:
    """How far a download is: bytes ``done`` of ``total`` (None: not known), ``rate`` in bytes a second."""

    done: int
    total: int | None
    rate: float


@dataclass(frozen=True)
class Fetched:
    """A complete file. ``received``: bytes that came over the network; ``resumed``: bytes there before."""

    path: Path
    size: int
    received: int
    resumed: int


def fetch(
    remote: Remote,
    place: Path,
    *,
    stop: threading.Event,
    tell: Callable[[Progress], None] = lambda _progress: None,
    room_for: float = 1.0,
    patience: Patience = _PATIENCE,
) -> Fetched:
    """Fetches a file to ``place``. Nobody else may fetch to the same place meanwhile.

    Args:
        remote: what to fetch.
        place: where it goes once it is complete; ``place`` + ``.part`` until then.
        stop: set from anywhere to leave within 0.3 s; what was fetched stays for the next call.
        tell: called up to ten times a second, on the caller's thread.
        room_for: how many files of this size the disk must have room for, this one included.
        patience: with the server.

    Raises:
        DownloadError: it cannot be had; ``kind`` says what stood in the way.
        StoppedError: ``stop`` was set.
    """
    copying = "://" not in remote.url
    if not copying:
        refuse_offline(place.name)
    part = Part(place.with_name(place.name + PART), remote.checksum)
    work = (Copy if copying else Transfer)(remote, part, stop=stop, room_for=room_for, patience=patience)
    meter = _Meter(work, tell)
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        watched(work.run, stop=stop, look=meter.look, wake=work.wake)
        size = part.done
        part.finish(place)
    except OSError as error:
        raise part.disk_error(error) from error
    return Fetched(place, size, received=work.received, resumed=part.from_before)


class _Meter:
    """Reads how far the thread is, and how fast it was during the last seconds."""

    def __init__(self, work: Fetching, tell: Callable[[Progress], None]) -> None:
        self._work = work
        self._tell = tell
        self._told: Progress | None = None
        self._last = (monotonic(), 0)
        self._rate = 0.0

    def look(self) -> None:
        """Tells, if something moved and the last time was long enough ago."""
        now, received = monotonic(), self._work.received
        done, total = self._work.part.done, self._work.total
        passed = now - self._last[0]
        complete = total is not None and done >= total
        unknown = total is None and done == 0
        if unknown or (passed < _TELL_S and not complete):
            return
        if passed > 0:
            fresh = (received - self._last[1]) / passed
            weight = min(1.0, passed) if self._rate else 1.0
            self._rate += (fresh - self._rate) * weight
        self._last = (now, received)
        progress = Progress(done, total, self._rate)
        if self._told is None or (progress.done, progress.total) != (self._told.done, self._told.total):
            self._told = progress
            self._tell(progress)
