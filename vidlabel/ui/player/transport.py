"""The row under the picture: play, where we are, steps, speed, loop, sound, full screen."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt, Slot
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QSlider, QWidget

from vidlabel.core.time import timecode
from vidlabel.services.playback import FrameInfo, Player
from vidlabel.services.sound import Sound
from vidlabel.ui import tokens
from vidlabel.ui.actions import Actions
from vidlabel.ui.parts.basics import Words
from vidlabel.ui.parts.flow import FlowRow
from vidlabel.ui.parts.keycap import CapButton
from vidlabel.ui.tokens import current_colours, font


class Readout(QWidget):
    """Timecode, frame and rate. Painted by hand: it changes with each frame and must not lay anything out."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._now = ""
        self._rest = ""
        self._font = font(tokens.BODY)
        self._metrics = QFontMetricsF(self._font)
        self._small = font(tokens.SECONDARY)
        self._small_metrics = QFontMetricsF(self._small)
        self._width = 0
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.setAccessibleName("Position")

    @property
    def words(self) -> str:
        """All of it as text."""
        return f"{self._now} {self._rest}".strip()

    def show_info(self, info: FrameInfo | None) -> None:
        """Shows where the clip is; None empties it."""
        if info is None:
            self._now = self._rest = ""
            self.update()
            return
        frames = info.last - info.first
        self._now = timecode(info.time_us)
        rate = f"{info.fps:.2f}".rstrip("0").rstrip(".")
        before, after = f"/ {timecode(info.duration_us)} · frame ", f" of {frames:,} · {rate} fps"
        self._rest = f"{before}{info.frame - info.first + 1:,}{after}"
        widest = f"{before}{frames:,}{after}"
        width = (
            round(self._metrics.horizontalAdvance(self._now) + self._small_metrics.horizontalAdvance(widest))
            + 16
        )
        if width != self._width:
            self._width = width
            self.updateGeometry()
        self.update()

    # --- Qt ---
    def sizeHint(self) -> QSize:
        return QSize(max(self._width, 280), tokens.CONTROL)

    def paintEvent(self, event: QPaintEvent) -> None:
        if not self._now:
            return
        painter = QPainter(self)
        colours = current_colours()
        painter.setFont(self._font)
        painter.setPen(QColor(colours.text))
        box = QRectF(4, 0, self.width(), self.height())
        painter.drawText(box, Qt.AlignmentFlag.AlignVCenter, self._now)
        box.setLeft(4 + self._metrics.horizontalAdvance(self._now) + 6)
        painter.setFont(self._small)
        painter.setPen(QColor(colours.second))
        painter.drawText(box, Qt.AlignmentFlag.AlignVCenter, self._rest)


class Group(QWidget):
    """A few controls that stay together when the row wraps."""

    def __init__(self, *widgets: QWidget, gap: int = 2) -> None:
        super().__init__()
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(gap)
        for widget in widgets:
            layout.addWidget(widget)


class Transport(FlowRow):
    """The controls of playback, each with its key in it."""

    def __init__(
        self, player: Player, sound: Sound, *, actions: Actions, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent, gap=12, line_gap=4)
        self._player = player
        self._sound = sound
        self._actions = actions
        self.play = self._button("play.toggle", "", icon_name="pause", name="Pause")
        self.readout = Readout()
        self._back = self._button("play.frame_back", "", look="quiet")
        self._forward = self._button("play.frame_forward", "", look="quiet")
        self._slower = self._button("play.slower", "", look="quiet")
        self._faster = self._button("play.faster", "", look="quiet")
        self.speed = self._button("play.normal", "1.0x", look="quiet", capped=False)
        self.loop = self._button("play.loop", "loop A–B", look="quiet")
        self.loop.setCheckable(True)
        self.mute = self._button("play.mute", "", look="quiet", icon_name="sound", name="Sound on or off")
        self.volume = QSlider(Qt.Orientation.Horizontal)
        self.full = self._button("play.full_screen", "", look="quiet", icon_name="full-screen")
        self._build()
        player.playing_changed.connect(self._playing_changed)
        player.speed_changed.connect(self._speed_changed)
        player.loop_changed.connect(self._loop_changed)
        sound.changed.connect(self._sound_changed)
        actions.keys_changed.connect(self._show_keys)
        self._sound_changed(sound.volume, sound.muted)

    def _build(self) -> None:
        self.volume.setRange(0, 100)
        self.volume.setPageStep(10)
        self.volume.setSingleStep(5)
        self.volume.setFixedWidth(64)
        self.volume.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.volume.setProperty("takesArrows", True)
        self.volume.setAccessibleName("Volume")
        self.volume.setToolTip("Volume")
        self.volume.valueChanged.connect(self._volume_moved)
        step = Words("step", level="second", size=tokens.SECONDARY)
        self.add(self.play)
        self.add(self.readout)
        controls = Group(
            Group(self._back, self._forward, step),
            Group(self.speed, self._slower, self._faster),
            self.loop,
            Group(self.mute, self.volume),
            self.full,
            gap=12,
        )
        self.add(controls)
        # Narrower, its parts would stand on each other.
        self.setMinimumWidth(controls.sizeHint().width())

    def _button(
        self,
        action_id: str,
        words: str,
        *,
        look: str = "",
        icon_name: str = "",
        name: str = "",
        capped: bool = True,
    ) -> CapButton:
        action = self._actions[action_id]
        caps = self._actions.caps(action_id) if capped else ()
        button = CapButton(words, caps, look=look, icon_name=icon_name, name=name or action.text())
        button.setProperty("action", action_id)
        button.setProperty("capped", capped)
        button.setToolTip(action.toolTip())
        button.clicked.connect(action.trigger)
        return button

    @Slot()
    def _show_keys(self) -> None:
        for button in self.findChildren(CapButton):
            action_id = button.property("action")
            if action_id:
                button.setToolTip(self._actions[action_id].toolTip())
                if button.property("capped"):
                    button.set_caps(self._actions.caps(action_id))

    @Slot(bool)
    def _playing_changed(self, playing: bool) -> None:
        self.play.set_icon_name("pause" if playing else "play")
        self.play.set_words("", name="Pause" if playing else "Play")

    @Slot(float)
    def _speed_changed(self, speed: float) -> None:
        words = f"{speed:.2f}".rstrip("0")
        words += "0" if words.endswith(".") else ""
        self.speed.set_words(f"{words}x", name=f"Speed {words}x; press for normal speed")

    @Slot(object, object)
    def _loop_changed(self, start: object, end: object) -> None:
        self.loop.setChecked(start is not None)
        state = "loop A–B" if start is None or end is not None else "loop A–…"
        self.loop.set_words(state, name=self._actions["play.loop"].text())

    @Slot(float, bool)
    def _sound_changed(self, volume: float, muted: bool) -> None:
        self.mute.set_icon_name("muted" if muted else "sound")
        self._actions["play.mute"].setChecked(muted)
        self.volume.blockSignals(True)
        self.volume.setValue(round(volume * 100))
        self.volume.blockSignals(False)

    @Slot(int)
    def _volume_moved(self, value: int) -> None:
        self._sound.set_volume(value / 100)
