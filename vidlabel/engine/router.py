"""Hands each message of the window to the part of the engine that answers it."""

from __future__ import annotations

import logging
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from vidlabel.core import messages as m
from vidlabel.core.arena import DATA_START, Arena
from vidlabel.engine.blocks import Blocks
from vidlabel.engine.outbox import Send
from vidlabel.engine.playback import Playback

if TYPE_CHECKING:
    from vidlabel.engine.library import LibraryJobs
    from vidlabel.engine.saliency import SaliencyDesk
    from vidlabel.engine.sound import SoundDesk
    from vidlabel.engine.suggestions import SuggestionDesk
    from vidlabel.engine.sweep_desk import SweepDesk

log = logging.getLogger(__name__)


class Router:
    """The whole engine behind one ``handle``. Parts are made when they are first needed, playback at once.

    Args:
        arena: shared with the window.
        cache_folder: thumbnails go below it.
        send: takes messages for the window, from any thread.
    """

    def __init__(self, arena: Arena, cache_folder: Path, send: Send) -> None:
        self._arena = arena
        self._cache_folder = cache_folder
        self._send = send
        self._blocks = Blocks(DATA_START, arena.nbytes)
        self._playback = Playback(arena, self._blocks, send)

    def handle(self, message: m.Message) -> None:
        """Answers come later, from other threads. An error in here costs the message, not the engine."""
        try:
            self._handle(message)
        except Exception as error:
            log.exception("message %s", type(message).__name__)
            request = getattr(message, "request", None)
            if request is not None:
                self._send(
                    m.JobFailed(request=request, reason=f"The media engine could not do this: {error}")
                )

    def _handle(self, message: m.Message) -> None:
        match message:
            case m.Release():
                for offset in message.offsets:
                    self._blocks.give_back(offset)
                self._playback.room_returned()
            case m.SoundWanted():
                path = self._playback.path_of(message.stream)
                if path is not None:
                    self._sound.handle(message, path)
            case m.CloseStream():
                self._playback.handle(message)
                if "_sound" in self.__dict__:
                    self._sound.closed(message.stream)
            case m.OpenStream() | m.Urgent() | m.Credit() | m.Seek() | m.Resize():
                self._playback.handle(message)
            case m.ListFiles() | m.ProbeFiles() | m.HashFiles() | m.Thumbnails() | m.MakeFilmstrip():
                self._library.handle(message)
            case m.LoadModel() | m.Suggest():
                self._suggestions.handle(message)
            case m.ShowSaliency():
                self._saliency.handle(message)
            case m.SweepVideo() | m.FindFrames():
                self._sweeps.handle(message)
            case m.Cancel():
                # Only one of them knows the request; parts that were never made know none.
                for part in ("_library", "_suggestions", "_sweeps", "_saliency"):
                    if part in self.__dict__:
                        self.__dict__[part].cancel(message.request)
            case _:
                log.warning("no one answers %s", type(message).__name__)

    @cached_property
    def _sound(self) -> SoundDesk:
        from vidlabel.engine.sound import SoundDesk

        return SoundDesk(self._arena, self._blocks, self._send)

    @cached_property
    def _library(self) -> LibraryJobs:
        from vidlabel.engine.library import LibraryJobs

        return LibraryJobs(self._arena, self._cache_folder, self._send, is_pressed=self._playback.is_pressed)

    @cached_property
    def _suggestions(self) -> SuggestionDesk:
        from vidlabel.engine.suggestions import SuggestionDesk

        return SuggestionDesk(self._arena, self._send)

    @cached_property
    def _saliency(self) -> SaliencyDesk:
        from vidlabel.engine.saliency import SaliencyDesk

        return SaliencyDesk(self._arena, self._suggestions, self._send)

    @cached_property
    def _sweeps(self) -> SweepDesk:
        from vidlabel.engine.sweep_desk import SweepDesk

        return SweepDesk(self._arena, self._suggestions, self._send, is_pressed=self._playback.is_pressed)
