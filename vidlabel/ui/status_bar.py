"""Below the columns: device, background work with its stop button, what was saved, what is left."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QSize, Qt, QTimer, Slot
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QWidget

from vidlabel.core.words import Counts
from vidlabel.services.background import Background, BackgroundJob
from vidlabel.ui import tokens
from vidlabel.ui.parts.basics import Chip, Words, sentence
from vidlabel.ui.tokens import current_colours

HEIGHT = 28
NOTICE_MS = 6000


class Dot(QWidget):
    """A disc: filled while something works, a ring while nothing does."""

    def __init__(self) -> None:
        super().__init__()
        self._busy = False
        self.setFixedSize(QSize(10, 10))
        self.setAccessibleName("Background work")

    def set_busy(self, busy: bool) -> None:
        self._busy = busy
        self.update()

    # --- Qt ---
    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        colours = current_colours()
        colour = QColor(colours.done if self._busy else colours.third)
        painter.setPen(colour)
        painter.setBrush(colour if self._busy else Qt.BrushStyle.NoBrush)
        painter.drawEllipse(QPointF(5, 5), 3.5, 3.5)


class JobLine(QWidget):
    """One piece of background work in words, with its stop button."""

    def __init__(self, background: Background) -> None:
        super().__init__()
        self._background = background
        self._key = ""
        self.words = ElidedWords()
        self.stop = Chip("Stop")
        self.stop.clicked.connect(self._stop)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(tokens.GAP)
        layout.addWidget(self.words)
        layout.addWidget(self.stop)

    def show_job(self, job: BackgroundJob) -> None:
        self._key = job.key
        self.words.set_text(job.words or job.name)
        self.stop.setVisible(job.can_stop)
        self.stop.setAccessibleName(f"Stop {job.name}")

    @Slot()
    def _stop(self) -> None:
        self._background.stop(self._key)


class ElidedWords(Words):
    """A line that gives way where there is no room, and is whole in its tooltip."""

    def __init__(self, *, level: str = "second") -> None:
        super().__init__(level=level, size=tokens.SECONDARY)
        self._full = ""
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Preferred)

    @property
    def full(self) -> str:
        return self._full

    def set_text(self, text: str) -> None:
        if text != self._full:
            self._full = text
            self.setToolTip(text)
            self.setAccessibleName(text)
            self.updateGeometry()
            self._fit()

    def _fit(self) -> None:
        self.setText(self.fontMetrics().elidedText(self._full, Qt.TextElideMode.ElideRight, self.width()))

    # --- Qt ---
    def sizeHint(self) -> QSize:
        return QSize(self.fontMetrics().horizontalAdvance(self._full) + 4, 18)

    def minimumSizeHint(self) -> QSize:
        return QSize(min(48, self.sizeHint().width()), 18)

    def resizeEvent(self, event: object) -> None:
        super().resizeEvent(event)  # type: ignore[arg-type]
        self._fit()


class StatusBar(QWidget):
    """One line; jobs to the left, notices in the middle, queue and 'Saved' to the right."""

    def __init__(self, background: Background, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("Status")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setFixedHeight(HEIGHT)
        self.setAccessibleName("Status")
        self._background = background
        self._dot = Dot()
        self.device = Words(level="second", size=tokens.SECONDARY)
        self._jobs: list[JobLine] = []
        self._job_room = QHBoxLayout()
        self._job_room.setSpacing(16)
        self.notice = ElidedWords(level="")
        self.left_words = Words(level="second", size=tokens.SECONDARY)
        self.saved = Words(level="second", size=tokens.SECONDARY)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(12, 0, 12, 0)
        layout.setSpacing(12)
        for widget in (self._dot, self.device):
            layout.addWidget(widget)
        layout.addLayout(self._job_room)
        layout.addStretch(1)
        for widget in (self.notice, self.left_words, self.saved):
            layout.addWidget(widget)
        self._fade = QTimer(self)
        self._fade.setSingleShot(True)
        self._fade.setInterval(NOTICE_MS)
        self._fade.timeout.connect(self._forget_notice)
        background.changed.connect(self._jobs_changed)
        background.device_changed.connect(self._device_changed)
        self._device_changed(background.device)
        self._jobs_changed(background.jobs)

    @Slot(str)
    def say(self, words: str) -> None:
        """Shows words for a few seconds."""
        self.notice.set_level("")
        self.notice.set_text(sentence(words))
        self._fade.start()

    @Slot(str)
    def warn(self, words: str) -> None:
        """Like :meth:`say` for what went wrong."""
        self.say(words)
        self.notice.set_level("trouble")

    @Slot(str)
    def show_saved(self, words: str) -> None:
        """What was just written; the word stays."""
        self.saved.setText("Saved")
        self.saved.setAccessibleDescription(words)
        self.say(words)

    @Slot(object)
    def show_counts(self, counts: Counts) -> None:
        self.left_words.setText(f"{counts.pending:,} left" if counts.total else "")

    def clear(self) -> None:
        """Forgets the project that was closed."""
        self.left_words.setText("")
        self.saved.setText("")
        self._forget_notice()

    @Slot()
    def _forget_notice(self) -> None:
        self.notice.set_level("")
        self.notice.set_text("")

    @Slot(str)
    def _device_changed(self, device: str) -> None:
        self.device.setText(device)
        self.device.setVisible(bool(device))

    @Slot(object)
    def _jobs_changed(self, jobs: tuple[BackgroundJob, ...]) -> None:
        while len(self._jobs) < len(jobs):
            line = JobLine(self._background)
            self._job_room.addWidget(line)
            self._jobs.append(line)
        for index, line in enumerate(self._jobs):
            line.setVisible(index < len(jobs))
            if index < len(jobs):
                line.show_job(jobs[index])
        self._dot.set_busy(bool(jobs))
