"""Looping pictures of clips, many at once: sheets are asked of the engine, loaded in the pool, kept within a bound.

A decoder for each tile would take the processor from the clip on screen; a sheet of small pictures costs one
decoding in all, and a tile that loops then costs one copy of a few thousand pixels.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import partial

from PySide6.QtCore import QObject, QRect, QSize, QTimer, Signal, Slot
from PySide6.QtGui import QImage, QImageReader

from vidlabel.core import messages as m
from vidlabel.core.words import ClipRow, ClipState
from vidlabel.services.crash_guard import CrashGuard
from vidlabel.services.engine_client import EngineClient
from vidlabel.services.tasks import TaskRunner

BOXES = ((160, 90), (240, 135), (320, 180))
"""The sizes in which sheets are made: few, so that a window that is dragged larger finds them again."""
MOST_BYTES = 256 * 1024 * 1024
LONGEST_LOOP_MS = 4000
"""A clip that is longer plays faster: all of it is seen in this time."""
SHORTEST_LOOP_MS = 400
_FRESH_MS = 1000
"""What was painted so recently is on screen, and is not dropped for want of room: it would come back at once."""
_IN_FLIGHT = 4
_TRIES = 2
_GATHER_MS = 5
_NO_PICTURE = frozenset({ClipState.MISSING, ClipState.UNREADABLE})

Clip = tuple[str, int, int]
"""(fingerprint of the video, start, end in µs)"""
Key = tuple[Clip, int, int]
"""The clip, and the width and height in px of the box that its pictures fill."""


def loop_ms(row: ClipRow) -> int:
    """How long a clip's pictures take to go round: as long as the clip, within bounds."""
    return min(max(row.duration_us // 1000, SHORTEST_LOOP_MS), LONGEST_LOOP_MS)


@dataclass(slots=True)
class _Strip:
    """A sheet in the size it is painted in."""

    sheet: QImage
    columns: int
    rows: int
    used_ms: int = 0

    @property
    def count(self) -> int:
        return self.columns * self.rows

    def place(self, number: int) -> QRect:
        width, height = self.sheet.width() // self.columns, self.sheet.height() // self.rows
        return QRect(number % self.columns * width, number // self.columns * height, width, height)


@dataclass(slots=True)
class _Wish:
    key: Key
    path: str
    clips: set[int] = field(default_factory=set)
    load: bool = True
    """Whether it is to be shown; else it is only made, so that it is there when it is."""
    tries: int = 0


class Filmstrips(QObject):
    """What is on screen goes first, then what was asked for ahead; what scrolled away is not asked for any more."""

    ready = Signal(object)
    """set[int] of clip ids whose pictures are there now, or of which it is now known that there are none"""

    def __init__(
        self,
        engine: EngineClient,
        tasks: TaskRunner,
        parent: QObject | None = None,
        *,
        guard: CrashGuard,
        most_bytes: int = MOST_BYTES,
    ) -> None:
        super().__init__(parent)
        self._engine = engine
        self._tasks = tasks
        self._guard = guard
        self._most = most_bytes
        self._strips: OrderedDict[Key, _Strip] = OrderedDict()
        self._sizes: dict[Clip, Key] = {}
        self._bytes = 0
        self._none: set[Clip] = set()
        self._wanted: dict[Key, _Wish] = {}
        self._asked: dict[int, _Wish] = {}
        self._loading: dict[Key, _Wish] = {}
        self._generation = 0
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_GATHER_MS)
        self._timer.timeout.connect(self._send)
        engine.message_received.connect(self._on_message)
        engine.ready.connect(self._send_soon)
        guard.freed.connect(self._on_freed)

    # --- looking ---------------------------------------------------------------------------------
    def frame(self, row: ClipRow, now_ms: int, *, size: QSize) -> tuple[QImage, QRect] | None:
        """The picture of a clip at a moment, as an image and the part of it to paint.

        Args:
            row: the clip.
            now_ms: a running clock; tiles that are handed the same one move together.
            size: the box to fill, in device px. The part keeps the shape of the video; where it is not as
                wide or as high as the box, it belongs in its middle.

        Returns:
            None after asking for it; ``ready`` follows.
        """
        key = _key(row, size)
        strip = self._strips.get(key)
        if strip is not None:
            strip.used_ms = now_ms
            self._strips.move_to_end(key)
            return strip.sheet, strip.place(_number(strip, row, now_ms))
        self._want(row, key, load=True)
        # Until then what there is of it in another size.
        other = self._strips.get(self._sizes.get(key[0], key))
        return None if other is None else (other.sheet, other.place(_number(other, row, now_ms)))

    def number(self, row: ClipRow, now_ms: int, *, size: QSize) -> int:
        """Which picture is on at a moment, -1 while there is none: a tile is painted again when it is another."""
        strip = self._strips.get(_key(row, size))
        return -1 if strip is None else _number(strip, row, now_ms)

    def has_none(self, row: ClipRow) -> bool:
        """Whether no pictures of the clip can be had."""
        return row.state in _NO_PICTURE or _clip(row) in self._none or self._guard.is_guilty(row.path)

    def keep(self, rows: Iterable[ClipRow], *, size: QSize) -> None:
        """Lets the sheets of clips that are about to be shown be made, after those that are on screen."""
        for row in rows:
            key = _key(row, size)
            if key not in self._strips:
                self._want(row, key, load=False)

    @Slot()
    def forget(self) -> None:
        """Drops what was asked for and is not on its way: something else is on screen now."""
        self._wanted.clear()

    @Slot()
    def clear(self) -> None:
        """Another project."""
        self._generation += 1
        self._strips.clear()
        self._sizes.clear()
        self._bytes = 0
        self._none.clear()
        self._wanted.clear()
        self._asked.clear()
        self._loading.clear()

    # --- asking ----------------------------------------------------------------------------------
    def _want(self, row: ClipRow, key: Key, *, load: bool) -> None:
        if not row.fingerprint or self.has_none(row):
            return
        known = self._loading.get(key) or self._wanted.get(key)
        if known is None:
            known = next((wish for wish in self._asked.values() if wish.key == key), None)
        if known is None:
            known = self._wanted[key] = _Wish(key, row.path, load=load)
            self._send_soon()
        known.load = known.load or load
        known.clips.add(row.clip_id)

    @Slot()
    def _send_soon(self) -> None:
        if self._wanted and not self._timer.isActive():
            self._timer.start()

    @Slot()
    def _send(self) -> None:
        # What is on trial is kept until the verdict.
        free = [wish for wish in self._wanted.values() if self._guard.may_try(wish.path)]
        free.sort(key=_ahead)
        for wish in free[: max(0, _IN_FLIGHT - len(self._asked))]:
            del self._wanted[wish.key]
            (fingerprint, start_us, end_us), width, height = wish.key
            box = box_for(width, height)
            request = self._engine.request_id()
            self._asked[request] = wish
            self._engine.send(
                m.MakeFilmstrip(
                    request=request,
                    fingerprint=fingerprint,
                    path=wish.path,
                    start_us=start_us,
                    end_us=end_us,
                    width=box[0],
                    height=box[1],
                )
            )

    @Slot(object)
    def _on_message(self, message: m.Message) -> None:
        if isinstance(message, m.FilmstripReady):
            wish = self._asked.pop(message.request, None)
            if wish is not None:
                self._made(wish, message)
        elif isinstance(message, m.JobFailed | m.JobDone):
            # The engine died over it, or over something else.
            wish = self._asked.pop(message.request, None)
            if wish is not None:
                self._again(wish)
        else:
            return
        self._send_soon()

    def _made(self, wish: _Wish, message: m.FilmstripReady) -> None:
        if not message.file:
            self._give_up(wish)
        elif wish.load:
            self._loading[wish.key] = wish
            grid = (message.columns, message.rows)
            self._tasks.run(
                partial(load_sheet, message.file, grid, (wish.key[1], wish.key[2])),
                partial(self._on_loaded, self._generation, wish, grid),
            )

    def _again(self, wish: _Wish) -> None:
        wish.tries += 1
        if wish.tries < _TRIES or not self._guard.may_try(wish.path):
            self._wanted[wish.key] = wish
        else:
            self._give_up(wish)

    def _give_up(self, wish: _Wish) -> None:
        self._none.add(wish.key[0])
        self.ready.emit(wish.clips)

    def _on_loaded(self, generation: int, wish: _Wish, grid: tuple[int, int], sheet: QImage) -> None:
        if generation != self._generation:
            return
        self._loading.pop(wish.key, None)
        if sheet.isNull():
            self._give_up(wish)
            return
        self._strips[wish.key] = _Strip(sheet, *grid)
        self._sizes[wish.key[0]] = wish.key
        self._bytes += sheet.sizeInBytes()
        self._make_room()
        self.ready.emit(wish.clips)

    def _make_room(self) -> None:
        newest = max(strip.used_ms for strip in self._strips.values())
        while self._bytes > self._most and len(self._strips) > 1:
            key, oldest = next(iter(self._strips.items()))
            if oldest.used_ms > newest - _FRESH_MS and oldest.used_ms:
                return
            del self._strips[key]
            if self._sizes.get(key[0]) == key:
                del self._sizes[key[0]]
            self._bytes -= oldest.sheet.sizeInBytes()

    @Slot(str)
    def _on_freed(self, _path: str) -> None:
        self._send_soon()


def box_for(width: int, height: int) -> tuple[int, int]:
    """The box of the sheet that is sharp enough for a tile: the smallest that is as large, else the largest."""
    return next((box for box in BOXES if box[0] >= width and box[1] >= height), BOXES[-1])


def load_sheet(file: str, grid: tuple[int, int], box: tuple[int, int]) -> QImage:
    """In the pool: the sheet with each picture in the size in which it fills its box.

    Scaled while it is read, which lets Python's other threads run; ``QImage.scaled`` would hold them up.
    """
    reader = QImageReader(file)
    size = reader.size()
    if not size.isValid():
        return QImage()
    columns, rows = grid
    width, height = size.width() / columns, size.height() / rows
    # More would be kept in memory than the sheet holds detail: the painter enlarges the rest.
    most = (min(box[0], BOXES[-1][0]), min(box[1], BOXES[-1][1]))
    scale = min(most[0] / width, most[1] / height)
    fitted = QSize(max(1, round(width * scale)) * columns, max(1, round(height * scale)) * rows)
    if fitted != size:
        reader.setScaledSize(fitted)
    image = reader.read()
    return image if image.format() == QImage.Format.Format_RGB32 else image.convertToFormat(
        QImage.Format.Format_RGB32
    )  # fmt: skip


def _clip(row: ClipRow) -> Clip:
    return row.fingerprint, row.start_us, row.end_us


def _key(row: ClipRow, size: QSize) -> Key:
    return _clip(row), size.width(), size.height()


def _number(strip: _Strip, row: ClipRow, now_ms: int) -> int:
    length = loop_ms(row)
    return now_ms % length * strip.count // length


def _ahead(wish: _Wish) -> bool:
    """Sorts what is only asked for ahead behind what is on screen."""
    return not wish.load
