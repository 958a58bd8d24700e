"""One clock for all looping tiles of a view: it repaints the tiles whose picture changed, and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from PySide6.QtCore import QElapsedTimer, QEvent, QObject, QRect, QSize, Qt, QTimer, Slot
from PySide6.QtGui import QRegion
from PySide6.QtWidgets import QAbstractItemView

from vidlabel.core.words import ClipRow
from vidlabel.services.filmstrips import Filmstrips
from vidlabel.services.settings import Settings

TICK_MS = 28
PARTS = 3
"""At each tick a part of the tiles, from the top down: a dozen pictures a second for each, and never all at once."""

Tile = tuple[ClipRow, QRect, QSize]
"""The clip, where its picture stands in the viewport, and that box in device px."""


class Looping(QObject):
    """Runs while the view is on screen and motion is wanted; else every tile stands at its first picture.

    Args:
        view: whose viewport is repainted.
        tiles: the tiles in sight. Asked for at each tick, so it should be quick.
    """

    def __init__(
        self,
        view: QAbstractItemView,
        filmstrips: Filmstrips,
        settings: Settings,
        *,
        tiles: Callable[[], Iterable[Tile]],
    ) -> None:
        super().__init__(view)
        self._view = view
        self._filmstrips = filmstrips
        self._settings = settings
        self._tiles = tiles
        self._wanted = True
        self._painted: dict[int, int] = {}
        self._clock = QElapsedTimer()
        self._clock.start()
        self._still_ms = 1
        self._part = 0
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.CoarseTimer)
        self._timer.setInterval(TICK_MS)
        self._timer.timeout.connect(self.tick)
        view.installEventFilter(self)
        filmstrips.ready.connect(self._on_ready)
        settings.changed.connect(self._on_setting)
        self._look()

    @property
    def now_ms(self) -> int:
        """The moment to paint; it stands still with the tiles."""
        return self._still_ms

    @property
    def running(self) -> bool:
        return self._timer.isActive()

    def set_wanted(self, wanted: bool) -> None:
        """Whether the tiles loop at all, as in a list they do not."""
        self._wanted = wanted
        self._look()

    @Slot()
    def tick(self) -> None:
        """Goes on to the present moment."""
        self._still_ms = self._clock.elapsed() + 1
        self._part = (self._part + 1) % PARTS
        numbers: dict[int, int] = {}
        dirty = QRegion()
        tiles = tuple(self._tiles())
        for place, (row, rect, size) in enumerate(tiles):
            # Neighbours: Qt's views paint all that lies in the rectangle around what is to be painted.
            if place * PARTS // len(tiles) != self._part:
                numbers[row.clip_id] = self._painted.get(row.clip_id, -1)
                continue
            number = self._filmstrips.number(row, self._still_ms, size=size)
            numbers[row.clip_id] = number
            if number >= 0 and number != self._painted.get(row.clip_id):
                dirty = dirty.united(rect)
        self._painted = numbers
        if not dirty.isEmpty():
            self._view.viewport().update(dirty)

    def _look(self) -> None:
        window = self._view.window()
        seen = self._view.isVisible() and not window.isMinimized()
        if self._wanted and seen and not self._settings.reduce_motion:
            self._timer.start()
        else:
            self._timer.stop()

    @Slot(object)
    def _on_ready(self, clips: set[int]) -> None:
        dirty = QRegion()
        for row, rect, _size in self._tiles():
            if row.clip_id in clips:
                dirty = dirty.united(rect)
        if not dirty.isEmpty():
            self._view.viewport().update(dirty)

    @Slot(str)
    def _on_setting(self, name: str) -> None:
        if name == "reduce_motion":
            self._look()

    # --- Qt ---
    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() in (QEvent.Type.Show, QEvent.Type.Hide, QEvent.Type.WindowStateChange):
            QTimer.singleShot(0, self, self._look)
        return False
