"""Filmstrips for tiles that loop: what was asked for last is on screen now, so it goes first."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable
from pathlib import Path

from vidlabel.core import messages as m
from vidlabel.core.arena import Arena
from vidlabel.core.errors import MediaError
from vidlabel.engine.outbox import Send
from vidlabel.media.filmstrip import make_filmstrip

log = logging.getLogger(__name__)

LANES = (7, 27)
GRID = (6, 4)
"""24 pictures: two seconds at twelve a second."""
MOST_BYTES = 1024 * 1024 * 1024
"""On the disk; a sheet takes about 150 KB."""
_KEPT_SHARE = 0.9
_NAP_S = 0.02


def filmstrip_file(folder: Path, wanted: m.MakeFilmstrip) -> Path:
    """Where the sheet of a clip at a size is kept."""
    name = f"{wanted.fingerprint}-{wanted.start_us}-{wanted.end_us}-{wanted.width}x{wanted.height}.jpg"
    return folder / wanted.fingerprint[:2] / name


class SheetFolder:
    """The sheets on the disk, kept within a bound: those not used for longest go first."""

    def __init__(self, folder: Path, *, most_bytes: int = MOST_BYTES) -> None:
        self._folder = folder
        self._most = most_bytes
        self._bytes: int | None = None
        self._lock = threading.Lock()

    def used(self, file: Path) -> None:
        """It was asked for again."""
        try:
            os.utime(file)
        except OSError as error:
            log.info("%s: %s", file, error)

    def added(self, nbytes: int) -> None:
        """A sheet was written; makes room where there are too many."""
        with self._lock:
            if self._bytes is None or self._bytes + nbytes > self._most:
                self._bytes = self._make_room()
            else:
                self._bytes += nbytes

    def _make_room(self) -> int:
        sheets = []
        for file in self._folder.glob("*/*.jpg"):
            try:
                status = file.stat()
            except OSError:
                continue
            sheets.append((status.st_mtime_ns, status.st_size, file))
        total = sum(size for _, size, _ in sheets)
        if total <= self._most:
            return total
        for _, size, file in sorted(sheets):
            if total <= self._most * _KEPT_SHARE:
                break
            file.unlink(missing_ok=True)
            total -= size
        return total


class FilmstripMaker:
    """Answers MakeFilmstrip on two threads. A sheet that is in the cache already costs no decoding.

    Args:
        arena: for the flight recorder.
        folder: of the sheets.
        send: takes answers.
        is_pressed: whether the clip on screen waits for frames; that one goes first.
    """

    def __init__(
        self,
        arena: Arena,
        folder: Path,
        send: Send,
        *,
        is_pressed: Callable[[], bool],
        most_bytes: int = MOST_BYTES,
    ) -> None:
        self._arena = arena
        self._folder = folder
        self._send = send
        self._is_pressed = is_pressed
        self._sheets = SheetFolder(folder, most_bytes=most_bytes)
        self._waiting: list[m.MakeFilmstrip] = []
        self._working = 0
        self._change = threading.Condition()
        self._nap = threading.Event()
        self._started = False

    def add(self, request: m.MakeFilmstrip) -> None:
        """Takes a request; never waits."""
        with self._change:
            self._waiting.append(request)
            if not self._started:
                self._started = True
                for lane in LANES:
                    threading.Thread(
                        target=self._serve, args=(lane,), name=f"filmstrips-{lane}", daemon=True
                    ).start()
            self._change.notify()

    def cancel(self, request: int) -> None:
        """Ends the request, if it still waits here, with ``JobDone(stopped=True)``."""
        with self._change:
            found = [each for each in self._waiting if each.request == request]
            self._waiting = [each for each in self._waiting if each.request != request]
        for _ in found:
            self._send(m.JobDone(request=request, stopped=True))

    def is_working(self) -> bool:
        """Whether there is anything to do."""
        with self._change:
            return bool(self._working or self._waiting)

    def _serve(self, lane: int) -> None:
        while True:
            with self._change:
                self._change.wait_for(lambda: bool(self._waiting))
                wanted = self._waiting.pop()
                self._working += 1
            while self._is_pressed():
                self._nap.wait(_NAP_S)
            file = self._made(wanted, lane)
            with self._change:
                self._working -= 1
            self._send(m.FilmstripReady(request=wanted.request, file=file, columns=GRID[0], rows=GRID[1]))

    def _made(self, wanted: m.MakeFilmstrip, lane: int) -> str:
        """The sheet's file, or nothing where there is none to be had."""
        out = filmstrip_file(self._folder, wanted)
        try:
            if out.exists():
                self._sheets.used(out)
                return str(out)
            out.parent.mkdir(parents=True, exist_ok=True)
            with self._arena.working_on(lane, wanted.path):
                made = make_filmstrip(
                    Path(wanted.path), wanted.start_us, wanted.end_us,
                    out=out, box=(wanted.width, wanted.height), grid=GRID,
                )  # fmt: skip
            self._sheets.added(made)
        except MediaError as error:
            log.info("no filmstrip: %s", error)
            return ""
        except Exception:
            log.exception("filmstrip of %s", wanted.path)
            return ""
        return str(out)
