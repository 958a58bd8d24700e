"""What the strip under the timeline shows of the video on screen, asked for when the picture is there."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QObject, QTimer, Signal, Slot

from vidlabel.core.words import Changes, ClipRow
from vidlabel.services import sweep_jobs
from vidlabel.services.project import ProjectSession
from vidlabel.services.sweep_jobs import StripData

SHOW_MS = 150
"""After the clip on screen has changed; the picture comes first."""


class SweepStrip(QObject):
    """Follows the clip on screen."""

    changed = Signal(object)
    """:class:`StripData` of the video on screen, or None where no model has looked through it."""

    def __init__(self, session: ProjectSession, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._row: ClipRow | None = None
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(SHOW_MS)
        self._timer.timeout.connect(self.ask)
        session.changed.connect(self._on_changed)

    @property
    def row(self) -> ClipRow | None:
        """The clip on screen."""
        return self._row

    def show_row(self, row: ClipRow | None) -> None:
        """The clip on screen is another one; ``changed`` follows."""
        same = row is not None and self._row is not None and row.video_id == self._row.video_id
        self._row = row
        if not same:
            self.changed.emit(None)
            self._timer.start()

    @Slot()
    def ask(self) -> None:
        """Asks for what is known by now."""
        self._timer.stop()
        if self._row is not None:
            self._session.read(partial(sweep_jobs.strip, self._row), self._on_strip, self._on_no_strip)

    def forget(self) -> None:
        """The project is closed."""
        self._timer.stop()
        self._row = None
        self.changed.emit(None)

    def _on_strip(self, data: StripData | None) -> None:
        if data is None or (self._row is not None and self._row.video_id == data.video_id):
            self.changed.emit(data)

    def _on_no_strip(self, _words: str) -> None:
        """A strip is not worth an error's place on the screen: the library says what is wrong with the project."""
        self.changed.emit(None)

    @Slot(object)
    def _on_changed(self, changes: Changes) -> None:
        """Clips came, or were decided: the bars say so."""
        if self._row is not None and (changes.clips or changes.library or changes.models):
            self._timer.start()
