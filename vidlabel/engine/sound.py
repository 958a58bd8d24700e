"""Decodes sound for the clip on screen, on a thread of its own so that pictures never wait for it."""

from __future__ import annotations

import logging
import threading
from collections import deque
from pathlib import Path

from vidlabel.core import messages as m
from vidlabel.core.arena import Arena
from vidlabel.core.errors import MediaError
from vidlabel.engine.blocks import Blocks
from vidlabel.engine.outbox import Send
from vidlabel.media.sound import SoundReader

log = logging.getLogger(__name__)

LANE = 2
RATE = 48_000
CHANNELS = 2


class SoundDesk:
    """Answers each SoundWanted with one SoundReady, silent where there is no sound to be had."""

    def __init__(self, arena: Arena, blocks: Blocks, send: Send) -> None:
        self._arena = arena
        self._blocks = blocks
        self._send = send
        self._paths: dict[int, str] = {}
        self._wishes: deque[m.SoundWanted] = deque()
        self._change = threading.Condition()
        self._reader: SoundReader | None = None
        self._reads = -1
        self._started = False

    def closed(self, stream: int) -> None:
        """The stream's sound is no longer wanted."""
        with self._change:
            self._paths.pop(stream, None)
            self._wishes = deque(wish for wish in self._wishes if wish.stream != stream)
            self._change.notify()

    def handle(self, wish: m.SoundWanted, path: str) -> None:
        """Takes one wish about the file ``path``; those of older generations of its stream are forgotten."""
        with self._change:
            self._paths[wish.stream] = path
            self._wishes = deque(
                kept
                for kept in self._wishes
                if kept.stream != wish.stream or kept.generation == wish.generation
            )
            self._wishes.append(wish)
            self._change.notify()
            if not self._started:
                self._started = True
                threading.Thread(target=self._serve, name="sound", daemon=True).start()

    def _serve(self) -> None:
        while True:
            with self._change:
                self._change.wait_for(lambda: bool(self._wishes) or self._is_idle_reader())
                if self._is_idle_reader():
                    self._close_reader()
                    continue
                wish = self._wishes.popleft()
                path = self._paths.get(wish.stream)
            if path is not None:
                self._answer(wish, path)

    def _is_idle_reader(self) -> bool:
        return self._reader is not None and self._reads not in self._paths

    def _answer(self, wish: m.SoundWanted, path: str) -> None:
        samples = b""
        try:
            with self._arena.working_on(LANE, path):
                samples = self._read(wish, path)
        except MediaError as error:
            log.info("no sound: %s", error)
            self._close_reader()
        except Exception:
            log.exception("sound of %s", path)
            self._close_reader()
        offset = self._blocks.take(len(samples)) if samples else None
        if offset is not None:
            self._arena.view(offset, len(samples))[:] = samples
        self._send(
            m.SoundReady(
                stream=wish.stream, generation=wish.generation, start_us=wish.start_us, offset=offset or 0,
                nbytes=len(samples) if offset is not None else 0, rate=RATE, channels=CHANNELS,
            )
        )  # fmt: skip

    def _read(self, wish: m.SoundWanted, path: str) -> bytes:
        if self._reader is None or self._reads != wish.stream:
            self._close_reader()
            self._reader = SoundReader(Path(path))
            self._reads = wish.stream
        return self._reader.read(wish.start_us, wish.end_us).tobytes()

    def _close_reader(self) -> None:
        reader, self._reader = self._reader, None
        if reader is not None:
            reader.close()
