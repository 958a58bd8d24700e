"""Hashes whole files in spare time.

Whenever other work is waiting, it pauses, even in the middle of a file.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

from vidlabel.core import messages as m
from vidlabel.core.arena import Arena
from vidlabel.core.errors import MediaError
from vidlabel.core.fingerprint import content_hash
from vidlabel.engine.jobs import JobQueue, Rate
from vidlabel.engine.outbox import Send

LANE = 5
_NAP_S = 0.05


class Hasher(JobQueue[m.HashFiles]):
    """Answers HashFiles with one FileHashed for each video.

    Args:
        arena: for the flight recorder.
        send: takes answers.
        others_work: whether something more urgent wants the disk and the processor.
    """

    def __init__(self, arena: Arena, send: Send, *, others_work: Callable[[], bool]) -> None:
        super().__init__("hashing", self._hash, send)
        self._arena = arena
        self._others_work = others_work
        self._nap = threading.Event()

    def _hash(self, request: m.HashFiles, should_stop: Callable[[], bool]) -> None:
        progress = Rate(request.request, len(request.videos), self._send)

        def give_way() -> bool:
            while self._others_work() and not should_stop():
                self._nap.wait(_NAP_S)
            return should_stop()

        for done, (video_id, path) in enumerate(request.videos, start=1):
            if give_way():
                return
            digest, reason = "", None
            try:
                with self._arena.working_on(LANE, path):
                    digest = content_hash(Path(path), give_way)
            except MediaError as error:
                reason = error.reason
            except OSError as error:
                reason = f"it cannot be read: {error.strerror or error}"
            if should_stop():
                return
            self._send(
                m.FileHashed(request=request.request, video_id=video_id, content_hash=digest, reason=reason)
            )
            progress.tell(done)
