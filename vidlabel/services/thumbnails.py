"""Pictures of clips: asked of the engine, loaded off the GUI thread, kept within a bound."""

from __future__ import annotations

from collections import OrderedDict
from functools import partial

from PySide6.QtCore import QObject, QTimer, Signal, Slot
from PySide6.QtGui import QImage

from vidlabel.core import messages as m
from vidlabel.core.words import ClipRow, ClipState
from vidlabel.services.crash_guard import CrashGuard
from vidlabel.services.engine_client import EngineClient
from vidlabel.services.tasks import TaskRunner

DEFAULT_POSITION = 0.5
SCRUB_STEPS = 8
MOST_BYTES = 64 * 1024 * 1024
_GATHER_MS = 15
_AT_ONCE = 60
_NO_PICTURE = frozenset({ClipState.MISSING, ClipState.UNREADABLE})

Key = tuple[str, int]
"""(fingerprint of the video, time in µs)"""


def picture_time(row: ClipRow, position: float) -> int:
    """The time of the picture at a fraction of the clip, in steps so that hovering asks for few."""
    step = round(min(max(position, 0.0), 1.0) * SCRUB_STEPS)
    return row.start_us + row.duration_us * min(step, SCRUB_STEPS - 1) // SCRUB_STEPS


class Thumbnails(QObject):
    """What is asked for last comes first; what scrolled away before it was sent is asked for no more."""

    ready = Signal(object)
    """set[int] of clip ids"""

    def __init__(
        self, engine: EngineClient, tasks: TaskRunner, parent: QObject | None = None, *, guard: CrashGuard
    ) -> None:
        super().__init__(parent)
        self._engine = engine
        self._guard = guard
        self._tasks = tasks
        self._images: OrderedDict[Key, QImage] = OrderedDict()
        self._bytes = 0
        self._none: set[Key] = set()
        self._wanted: dict[Key, m.WantedThumbnail] = {}
        self._asked: dict[Key, m.WantedThumbnail] = {}
        self._clips: dict[Key, set[int]] = {}
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_GATHER_MS)
        self._timer.timeout.connect(self._send)
        engine.message_received.connect(self._on_message)
        engine.crashed.connect(self._on_crashed)
        engine.ready.connect(self._send_soon)
        guard.freed.connect(self._send_soon)

    def get(self, row: ClipRow, *, position: float = DEFAULT_POSITION) -> QImage | None:
        """The picture, or None after asking for it; ``ready`` follows if there is one to be had."""
        key = (row.fingerprint, picture_time(row, position))
        image = self._images.get(key)
        if image is not None:
            self._images.move_to_end(key)
            return image
        if row.fingerprint and key not in self._none and row.state not in _NO_PICTURE:
            self._clips.setdefault(key, set()).add(row.clip_id)
            if key not in self._asked:
                self._wanted.pop(key, None)
                self._wanted[key] = m.WantedThumbnail(fingerprint=key[0], path=row.path, at_us=key[1])
                self._send_soon()
        return None

    def clear(self) -> None:
        """Another project."""
        self._images.clear()
        self._bytes = 0
        for kept in (self._none, self._wanted, self._asked, self._clips):
            kept.clear()

    @Slot()
    def _send_soon(self) -> None:
        if self._wanted and not self._timer.isActive():
            self._timer.start()

    @Slot()
    def _send(self) -> None:
        newest = list(self._wanted.items())[-_AT_ONCE:]
        # What is on trial is kept until the verdict; what was found guilty has no picture.
        self._wanted = {key: item for key, item in newest if self._guard.is_suspect(item.path)}
        free = [(key, item) for key, item in newest if self._guard.may_try(item.path)]
        if free:
            self._asked.update(free)
            wanted = tuple(item for _, item in reversed(free))
            self._engine.send(m.Thumbnails(request=self._engine.request_id(), wanted=wanted))

    @Slot(object)
    def _on_message(self, message: m.Message) -> None:
        if not isinstance(message, m.ThumbnailReady):
            return
        key = (message.fingerprint, message.at_us)
        if self._asked.pop(key, None) is None:
            return
        if message.file:
            self._tasks.run(partial(_load, message.file), partial(self._on_loaded, key))
        else:
            self._none.add(key)

    def _on_loaded(self, key: Key, image: QImage) -> None:
        clips = self._clips.pop(key, set())
        if image.isNull():
            self._none.add(key)
            return
        self._images[key] = image
        self._bytes += image.sizeInBytes()
        while self._bytes > MOST_BYTES and len(self._images) > 1:
            _, oldest = self._images.popitem(last=False)
            self._bytes -= oldest.sizeInBytes()
        self.ready.emit(clips)

    @Slot(str, object)
    def _on_crashed(self, _words: str, _suspects: tuple[str, ...]) -> None:
        """What was on its way is asked for again when the engine is back."""
        self._wanted = {**self._asked, **self._wanted}
        self._asked.clear()


def _load(file: str) -> QImage:
    """In the pool: decoding a JPEG takes longer than a scrolling list may wait."""
    return QImage(file).convertToFormat(QImage.Format.Format_RGB32)
