"""Jobs about files.

Listing roots, probing, hashing in spare time, thumbnails and filmstrips. Each kind has threads of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from vidlabel.core import messages as m
from vidlabel.core.arena import Arena
from vidlabel.engine.filmstrips import FilmstripMaker
from vidlabel.engine.hashing import Hasher
from vidlabel.engine.jobs import Stoppable
from vidlabel.engine.listing import Lister
from vidlabel.engine.outbox import Send
from vidlabel.engine.probing import Prober
from vidlabel.engine.thumbnails import ThumbnailMaker

Message = m.ListFiles | m.ProbeFiles | m.HashFiles | m.Thumbnails | m.MakeFilmstrip


class LibraryJobs:
    """Takes the window's requests about files.

    Args:
        arena: for the flight recorder.
        cache_folder: thumbnails and filmstrips go below it.
        send: takes answers, from any thread.
        is_pressed: whether the clip on screen waits for frames; spare-time work then pauses.
    """

    def __init__(
        self, arena: Arena, cache_folder: Path, send: Send, *, is_pressed: Callable[[], bool]
    ) -> None:
        self._lister = Lister(send)
        self._prober = Prober(arena, send)
        self._thumbnails = ThumbnailMaker(arena, cache_folder / "thumbnails", send)
        self._filmstrips = FilmstripMaker(arena, cache_folder / "filmstrips", send, is_pressed=is_pressed)
        self._hasher = Hasher(arena, send, others_work=lambda: is_pressed() or self._is_working())

    def handle(self, message: Message) -> None:
        """Takes one request; never waits."""
        match message:
            case m.ListFiles():
                self._lister.add(message)
            case m.ProbeFiles():
                self._prober.add(message)
            case m.Thumbnails():
                self._thumbnails.add(message)
            case m.MakeFilmstrip():
                self._filmstrips.add(message)
            case m.HashFiles():
                self._hasher.add(message)

    def cancel(self, request: int) -> None:
        """Stops a request wherever it is; unknown ones are none of ours."""
        parts: tuple[Stoppable, ...] = (
            self._lister, self._prober, self._thumbnails, self._filmstrips, self._hasher,
        )  # fmt: skip
        for part in parts:
            part.cancel(request)

    def _is_working(self) -> bool:
        return any(part.is_working() for part in (self._prober, self._thumbnails, self._filmstrips))
