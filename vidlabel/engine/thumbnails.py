"""Thumbnails for the list: what was asked for last is on screen now, so it goes first."""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass, field
from pathlib import Path

from vidlabel.core import messages as m
from vidlabel.core.arena import Arena
from vidlabel.core.errors import MediaError
from vidlabel.engine.outbox import Send
from vidlabel.media.thumbnail import make_thumbnail

log = logging.getLogger(__name__)

LANE = 6


@dataclass(slots=True)
class _Job:
    request: int
    wanted: list[m.WantedThumbnail] = field(default_factory=list)


def thumbnail_file(folder: Path, fingerprint: str, at_us: int) -> Path:
    """Where the picture of a video at a time is kept."""
    return folder / fingerprint[:2] / f"{fingerprint}-{at_us}.jpg"


class ThumbnailMaker:
    """Answers Thumbnails with one ThumbnailReady each.

    A picture that is in the cache already costs no decoding.
    """

    def __init__(self, arena: Arena, folder: Path, send: Send) -> None:
        self._arena = arena
        self._folder = folder
        self._send = send
        self._jobs: list[_Job] = []
        self._working = False
        self._change = threading.Condition()
        self._started = False

    def add(self, request: m.Thumbnails) -> None:
        """Takes a request; never waits."""
        with self._change:
            # Taken from the end.
            self._jobs.append(_Job(request.request, list(reversed(request.wanted))))
            if not self._started:
                self._started = True
                threading.Thread(target=self._serve, name="thumbnails", daemon=True).start()
            self._change.notify()

    def cancel(self, request: int) -> None:
        """Ends the request, if it is here, with ``JobDone(stopped=True)``."""
        with self._change:
            found = [job for job in self._jobs if job.request == request]
            self._jobs = [job for job in self._jobs if job.request != request]
        for _ in found:
            self._send(m.JobDone(request=request, stopped=True))

    def is_working(self) -> bool:
        """Whether there is anything to do."""
        with self._change:
            return self._working or bool(self._jobs)

    def _serve(self) -> None:
        while True:
            with self._change:
                self._change.wait_for(lambda: bool(self._jobs))
                self._working = True
                job = self._jobs[-1]
                wanted = job.wanted.pop() if job.wanted else None
                if not job.wanted:
                    self._jobs.remove(job)
            if wanted is not None:
                file = self._made(wanted)
                self._send(
                    m.ThumbnailReady(
                        request=job.request, fingerprint=wanted.fingerprint, at_us=wanted.at_us, file=file
                    )
                )
            if not job.wanted:
                self._send(m.JobDone(request=job.request))
            with self._change:
                self._working = False

    def _made(self, wanted: m.WantedThumbnail) -> str:
        """The picture's file, or nothing where there is no picture to be had."""
        out = thumbnail_file(self._folder, wanted.fingerprint, wanted.at_us)
        try:
            if not out.exists():
                out.parent.mkdir(parents=True, exist_ok=True)
                with self._arena.working_on(LANE, wanted.path):
                    make_thumbnail(Path(wanted.path), wanted.at_us, out)
        except MediaError as error:
            log.info("no thumbnail: %s", error)
            return ""
        except Exception:
            log.exception("thumbnail of %s", wanted.path)
            return ""
        return str(out)
