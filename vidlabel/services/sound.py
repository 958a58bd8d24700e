"""Sound, where QtMultimedia can: the engine decodes it, the window hands it on in step with the picture."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

from PySide6.QtCore import QLibraryInfo, QLoggingCategory, QObject, QTimer, Signal, Slot

from vidlabel.core import messages as m
from vidlabel.services.engine_client import EngineClient
from vidlabel.services.playback import Player
from vidlabel.services.settings import Settings
from vidlabel.services.tasks import TaskRunner

RATE = 48_000
CHUNK_US = 400_000
AHEAD_US = 600_000
FEED_MS = 60
_BYTES_PER_SAMPLE = 2 * 2
_BYTES_PER_SECOND = RATE * _BYTES_PER_SAMPLE
_QUIET = "qt.multimedia.*.warning=false\nqt.multimedia.*.info=false\nqt.multimedia.*.debug=false"
_NO_LIBRARY = "a library is missing ({}). Install libpulse0 (Debian, Ubuntu) or pulseaudio-libs (Fedora)"


_LIBRARIES = ("*Multimedia*", "*avcodec*", "*avformat*", "*avutil*", "*swresample*", "*swscale*")


def read_libraries() -> None:
    """In the pool: reads what opening the sound loads, so that the window does not wait a second for the disk."""
    plugins = Path(QLibraryInfo.path(QLibraryInfo.LibraryPath.PluginsPath)) / "multimedia"
    libraries = Path(QLibraryInfo.path(QLibraryInfo.LibraryPath.LibrariesPath))
    files = [*plugins.glob("*"), *(file for name in _LIBRARIES for file in libraries.glob(name))]
    for file in files:
        if file.is_file():
            file.read_bytes()


def open_output() -> Any:
    """A QAudioSink for 48 kHz stereo int16.

    Raises:
        RuntimeError: the libraries it needs (libpulse on Linux) or a sound device are not there, in words.
    """
    # Else it lists on the terminal each optional library that the computer does not have.
    QLoggingCategory.setFilterRules(_QUIET)
    try:
        multimedia = importlib.import_module("PySide6.QtMultimedia")
    except ImportError as error:
        raise RuntimeError(_NO_LIBRARY.format(error)) from error
    device = multimedia.QMediaDevices.defaultAudioOutput()
    if device.isNull():
        raise RuntimeError("this computer has no sound device")
    wanted = multimedia.QAudioFormat()
    wanted.setSampleRate(RATE)
    wanted.setChannelCount(2)
    wanted.setSampleFormat(multimedia.QAudioFormat.SampleFormat.Int16)
    return multimedia.QAudioSink(device, wanted)


class Sound(QObject):
    """Plays at normal speed only. Each jump of the picture starts the sound anew at that place."""

    unavailable = Signal(str)
    """Told once: why the program plays silently."""
    changed = Signal(float, bool)
    """volume 0..1, muted"""

    def __init__(
        self,
        engine: EngineClient,
        player: Player,
        settings: Settings,
        *,
        tasks: TaskRunner,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._engine = engine
        self._player = player
        self._settings = settings
        self._tasks = tasks
        self._preparing = False
        self._sink: Any = None
        self._device: Any = None
        self._refused = False
        self._generation = 0
        self._next_us = 0
        self._asked_us = 0
        self._waiting = bytearray()
        self._timer = QTimer(self)
        self._timer.setInterval(FEED_MS)
        self._timer.timeout.connect(self._feed)
        self._opening = QTimer(self)
        self._opening.setSingleShot(True)
        # Qt paints before it looks at timers: the picture does not wait for the libraries of the sound.
        self._opening.setInterval(0)
        self._opening.timeout.connect(self._open)
        engine.message_received.connect(self._on_message)
        player.sought.connect(self._on_sought)
        player.playing_changed.connect(self._on_anything)
        player.speed_changed.connect(self._on_anything)
        player.cleared.connect(self._silence)

    @property
    def volume(self) -> float:
        return self._settings.volume

    @property
    def muted(self) -> bool:
        return self._settings.muted

    def set_volume(self, volume: float) -> None:
        """0 to 1."""
        self._settings.volume = volume
        if self._sink is not None:
            self._sink.setVolume(self.volume)
        self.changed.emit(self.volume, self.muted)

    def set_muted(self, muted: bool) -> None:
        self._settings.muted = muted
        self._begin_here()
        self.changed.emit(self.volume, self.muted)

    def toggle_muted(self) -> None:
        self.set_muted(not self.muted)

    def close(self) -> None:
        """No more sound."""
        self._silence()
        self._opening.stop()
        self._sink = self._device = None
        self._refused = True

    # --- following the picture -------------------------------------------------------------------
    @Slot(object)
    def _on_sought(self, time_us: int) -> None:
        self._begin(time_us)

    @Slot(bool)
    @Slot(float)
    def _on_anything(self, _value: object) -> None:
        self._begin_here()

    def _begin_here(self) -> None:
        info = self._player.info
        if info is None:
            self._silence()
        else:
            self._begin(info.time_us)

    def _begin(self, time_us: int) -> None:
        self._silence()
        wanted = self._player.playing and not self.muted and self._player.speed == 1.0
        if not wanted or self._refused or self._player.stream_id is None:
            return
        if self._sink is None:
            self._prepare()
            return
        self._next_us = time_us
        self._device = self._sink.start()
        if self._device is None:
            self._refuse("the sound device cannot be opened")
            return
        self._sink.setVolume(self.volume)
        self._ask()
        self._timer.start()

    def _prepare(self) -> None:
        if not self._preparing:
            self._preparing = True
            self._tasks.run(read_libraries, self._on_read, self._on_read)

    def _on_read(self, _what: object) -> None:
        """Whether or not they could be read: opening tells what is the matter."""
        if not self._refused:
            self._opening.start()

    @Slot()
    def _open(self) -> None:
        try:
            self._sink = open_output()
        except RuntimeError as error:
            self._refuse(str(error))
        else:
            self._begin_here()

    def _refuse(self, why: str) -> None:
        self._refused = True
        self.unavailable.emit(f"Playing without sound: {why}.")

    @Slot()
    def _silence(self) -> None:
        self._timer.stop()
        self._waiting.clear()
        self._generation += 1
        self._asked_us = 0
        if self._device is not None:
            self._sink.reset()
            self._device = None

    def _ask(self) -> None:
        stream, info = self._player.stream_id, self._player.info
        if stream is None or info is None or self._asked_us:
            return
        low, high = self._player.bounds_us()
        if high <= low:
            return
        if not low <= self._next_us < high:
            self._next_us = low
        end = min(self._next_us + CHUNK_US, high)
        self._asked_us = end - self._next_us
        self._engine.send(
            m.SoundWanted(stream=stream, generation=self._generation, start_us=self._next_us, end_us=end)
        )
        self._next_us = end

    @Slot(object)
    def _on_message(self, message: m.Message) -> None:
        if not isinstance(message, m.SoundReady):
            return
        samples = self._engine.take_sound(message)
        if message.generation == self._generation and self._device is not None:
            # A silent part takes its time, too.
            self._waiting += samples or bytes(self._asked_us * RATE // 1_000_000 * _BYTES_PER_SAMPLE)
            self._asked_us = 0
            self._feed()

    @Slot()
    def _feed(self) -> None:
        """Gives the system what it takes and keeps about half a second in hand."""
        if self._device is None or self._sink is None:
            return
        room = self._sink.bytesFree()
        if room > 0 and self._waiting:
            written = self._device.write(bytes(self._waiting[:room]))
            del self._waiting[: max(written, 0)]
        if len(self._waiting) < _BYTES_PER_SECOND * AHEAD_US // 1_000_000:
            self._ask()
