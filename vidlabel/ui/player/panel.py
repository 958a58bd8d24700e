"""The centre column: the picture or a page in its place, the transport, the timeline."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, Signal, Slot
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication, QSizePolicy, QStackedWidget, QVBoxLayout, QWidget

from vidlabel.core.words import ClipRow
from vidlabel.services.playback import FrameInfo, Player
from vidlabel.services.sound import Sound
from vidlabel.ui import tokens
from vidlabel.ui.actions import Actions
from vidlabel.ui.parts.message import MessagePage
from vidlabel.ui.player.strip import ProbabilityStrip
from vidlabel.ui.player.timeline import Timeline
from vidlabel.ui.player.transport import Transport
from vidlabel.ui.player.view import PlayerView


class CalmStack(QStackedWidget):
    """A stack as large as the room it gets, not as its largest page."""

    def minimumSizeHint(self) -> QSize:
        return QSize(200, 120)


class PlayerPanel(QWidget):
    """Joins view, transport and timeline to the player service."""

    clip_shown = Signal(object)
    """ClipRow: a picture replaced whatever page was in its place."""

    covered = Signal(bool)
    """Whether words stand in the place of the picture."""
    clip_wished = Signal(int)
    """Another clip of the video on screen."""

    def __init__(
        self, player: Player, sound: Sound, *, actions: Actions, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setObjectName("Ground")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._player = player
        self._actions = actions
        self._kept = False
        self.view = PlayerView(player)
        self.message = MessagePage()
        self.transport = Transport(player, sound, actions=actions)
        self.timeline = Timeline()
        self.strip = ProbabilityStrip()
        self._seek_in: tuple[int, int] | None = None
        """(clip, time in µs) to go to once that clip is open."""
        self._stack = CalmStack()
        self._stack.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self._stack.addWidget(self.view)
        self._stack.addWidget(self.message)
        layout = QVBoxLayout(self)
        margin = tokens.PANEL_MARGIN
        layout.setContentsMargins(margin, margin, margin, 12)
        layout.setSpacing(tokens.GAP)
        layout.addWidget(self._stack, 1)
        layout.addWidget(self.transport)
        layout.addWidget(self.timeline)
        layout.addWidget(self.strip)
        self.setMinimumWidth(max(tokens.CENTRE_MIN, self.transport.minimumWidth() + 2 * margin))
        player.opened.connect(self._opened)
        player.frame_shown.connect(self._frame_shown)
        player.failed.connect(self._failed)
        player.loop_changed.connect(self.timeline.set_loop)
        player.cleared.connect(self._cleared)
        player.playing_changed.connect(self._playing_changed)
        self.timeline.frame_wished.connect(player.seek_frame)
        self.strip.time_wished.connect(self._time_wished)
        self.strip.clip_wished.connect(self.clip_wished)

    @property
    def shows_message(self) -> bool:
        """Whether words stand in the place of the picture."""
        return self._stack.currentWidget() is self.message

    def focus_player(self) -> None:
        """Gives the keys back to the page: to the picture, or to the words in its place."""
        page = self.message if self.shows_message else self.view
        page.setFocus(Qt.FocusReason.OtherFocusReason)

    def say(
        self, title: str, words: str = "", *, detail: str = "", icon: str = "", trouble: bool = False
    ) -> None:
        """Puts words in the place of the picture, without buttons."""
        self.message.set_buttons()
        self.message.say(title, words, detail=detail, icon=icon, trouble=trouble)
        self._kept = False
        self._turn_to(self.message)

    def keep_words(self) -> None:
        """The clip behind the words is not to come back by itself: it pauses until it is played or left."""
        self._player.pause()
        self._kept = True

    def show_picture(self) -> None:
        """Back to the picture."""
        self._kept = False
        self._turn_to(self.view)

    def _turn_to(self, page: QWidget) -> None:
        """Shows a page; the focus stays in this place, where Qt would give it to the next control."""
        before, now = self._stack.currentWidget(), QApplication.focusWidget()
        focused = before is not None and now is not None and (before is now or before.isAncestorOf(now))
        self._stack.setCurrentWidget(page)
        if focused:
            page.setFocus(Qt.FocusReason.OtherFocusReason)
        if page is not before:
            self.covered.emit(self.shows_message)

    @Slot(object)
    def _opened(self, row: ClipRow) -> None:
        info = self._player.info
        times = self._player.times()
        first = info.first if info is not None else row.start_frame
        last = info.last if info is not None else row.end_frame
        self.timeline.set_clip(times, first=first, last=last)
        self.strip.show_clip(row.clip_id)
        self.show_picture()
        wish, self._seek_in = self._seek_in, None
        if wish is not None and wish[0] == row.clip_id:
            self._player.seek_us(wish[1])
        self.clip_shown.emit(row)

    @Slot(object)
    def _time_wished(self, time_us: int) -> None:
        """A place in the video: within the clip it is a seek, else the whole video is shown from there."""
        row, data = self._player.row, self.strip.data
        if row is None or data is None or data.video_id != row.video_id:
            return
        if row.start_us <= time_us < row.end_us:
            self._player.seek_us(time_us)
        else:
            self._seek_in = (data.whole_id, time_us)
            self.clip_wished.emit(data.whole_id)

    @Slot(object, object)
    def _frame_shown(self, _image: QImage, info: FrameInfo) -> None:
        same = self._player.row is not None and info.clip_id == self._player.row.clip_id
        if self.shows_message and same and not self._kept:
            self.show_picture()
        if info.first != self.timeline.minimum() or info.last - 1 != self.timeline.maximum():
            self.timeline.set_clip(self._player.times(), first=info.first, last=info.last)
        self.timeline.show_frame(info.frame)
        self.strip.show_time(info.time_us)
        self.transport.readout.show_info(info)

    @property
    def _skip_key(self) -> str:
        return next(iter(self._actions.caps("decide.skip")), "Skip")

    @Slot(object, str, bool)
    def _failed(self, row: ClipRow, reason: str, missing: bool) -> None:
        self.transport.readout.show_info(None)
        if missing:
            self.say(
                "This video is not where it was",
                "Its decisions are kept. Connect its disk or put the file back, then look for new videos. "
                f"{self._skip_key} goes on to the next clip.",
                detail=row.path,
                icon="trouble",
                trouble=True,
            )
        else:
            self.say(
                "This video cannot be read",
                f"{reason[:1].upper()}{reason[1:].rstrip('.')}. Replace the file and look for new videos. "
                f"{self._skip_key} goes on to the next clip.",
                detail=row.path,
                icon="trouble",
                trouble=True,
            )

    @Slot(bool)
    def _playing_changed(self, playing: bool) -> None:
        if playing:
            self._kept = False

    @Slot()
    def _cleared(self) -> None:
        self.timeline.set_clip((), first=0, last=0)
        self.transport.readout.show_info(None)
