"""The window's end of the engine: starts it, speaks with it, and starts it again when it dies."""

from __future__ import annotations

import logging
from array import array
from collections import deque
from collections.abc import Sequence
from enum import StrEnum
from time import monotonic

from PySide6.QtCore import QObject, QProcess, QTimer, Signal, Slot
from PySide6.QtGui import QImage

from vidlabel.core import messages as m
from vidlabel.core.arena import DEFAULT_BYTES, Arena
from vidlabel.core.paths import cache_folder, log_folder
from vidlabel.core.wire import MessageBuffer, encode
from vidlabel.core.worker import worker_command, worker_folder
from vidlabel.services.engine_crash import CrashRecord, crash_words
from vidlabel.services.engine_inbox import Inbox

log = logging.getLogger(__name__)

CALM_CRASHES = 3
"""So many crashes within a minute are answered at once; after that, ``BACK_OFF_S`` sets in."""
BACK_OFF_S = (1.0, 2.0, 5.0, 10.0)
_CRASH_MEMORY_S = 60.0
_PATIENCE_MS = 2000


class EngineState(StrEnum):
    """Where the engine process is in its life."""

    STOPPED = "stopped"
    STARTING = "starting"
    READY = "ready"
    WAITING = "waiting"
    """It died several times; the next start is a little later."""
    STOPPING = "stopping"


class EngineClient(QObject):
    """The engine as an object of the GUI thread. Nothing here ever waits, but for :meth:`stop_and_wait`.

    What is sent before the engine is ready is kept until then. After a crash all that was sent is forgotten:
    open requests end with :class:`~vidlabel.core.messages.JobFailed`, ``crashed`` is emitted, and on the next
    ``ready`` the owner sends again what it still wants. Frames of closed streams and of generations that a
    later Seek made stale are given back unseen.

    Args:
        parent: owner.
        command: program and arguments in place of the usual ones.
        arena_bytes: size of the shared memory.
        restarts: whether a dead engine is started again.
    """

    message_received = Signal(object)
    ready = Signal()
    crashed = Signal(str, object)
    """(what happened in words, tuple of paths the engine was working on, most likely none or one)"""
    state_changed = Signal(object)
    stopped = Signal()

    def __init__(
        self,
        parent: QObject | None = None,
        *,
        command: Sequence[str] | None = None,
        arena_bytes: int = DEFAULT_BYTES,
        restarts: bool = True,
    ) -> None:
        super().__init__(parent)
        self._command = tuple(command or worker_command("engine"))
        self._arena_bytes = arena_bytes
        self._restarts = restarts
        self._state = EngineState.STOPPED
        self._process: QProcess | None = None
        self._arena: Arena | None = None
        self._pid = 0
        self._last_request = 0
        self._waiting: list[m.Message] = []
        self._inbox = Inbox()
        self._buffer = MessageBuffer()
        self._last_crash: CrashRecord | None = None
        self._crash_moments: deque[float] = deque(maxlen=CALM_CRASHES + len(BACK_OFF_S))
        self._release_timer = self._timer(0, self._send_releases)
        self._restart_timer = self._timer(0, self._launch)
        self._kill_timer = self._timer(_PATIENCE_MS, self._kill)

    @property
    def state(self) -> EngineState:
        return self._state

    @property
    def command(self) -> tuple[str, ...]:
        """Program and arguments of the process."""
        return self._command

    @property
    def ended_from_outside(self) -> bool:
        """Whether the last crash was somebody's or the system's doing (killed, out of memory)."""
        return self._last_crash is not None and self._last_crash.from_outside

    @property
    def pid(self) -> int:
        """The engine's process id, 0 while it is not ready."""
        return self._pid if self._state is EngineState.READY else 0

    def suspects(self) -> tuple[str, ...]:
        """The files that the engine has open for work at this moment."""
        return self._arena.suspects() if self._arena is not None else ()

    def start(self) -> None:
        """Starts the engine; ``ready`` follows. Does nothing where it is running already."""
        if self._state is EngineState.STOPPED:
            self._crash_moments.clear()
            self._launch()

    def stop(self) -> None:
        """Ends the engine in good order, by force after two seconds; ``stopped`` follows."""
        if self._state in (EngineState.STOPPED, EngineState.STOPPING):
            return
        self._restart_timer.stop()
        process = self._process
        if process is None:
            self._set_state(EngineState.STOPPED)
            self.stopped.emit()
            return
        self._set_state(EngineState.STOPPING)
        self._waiting.clear()
        process.write(encode(m.Shutdown()))
        process.closeWriteChannel()
        self._kill_timer.start()

    def stop_and_wait(self, timeout_ms: int = _PATIENCE_MS) -> None:
        """For the very end of the program, when nothing is painted any more.

        ``stop``, and wait until it is done.
        """
        self.stop()
        process = self._process
        if process is not None and not process.waitForFinished(timeout_ms):
            process.kill()
            process.waitForFinished(timeout_ms)

    def request_id(self) -> int:
        """A number for a new request or stream, never given before."""
        self._last_request += 1
        return self._last_request

    def send(self, message: m.Message) -> None:
        """Sends a message, or keeps it until the engine is ready."""
        if self._state in (EngineState.STOPPED, EngineState.STOPPING):
            return
        self._inbox.note_sent(message)
        if self._state is EngineState.READY and self._process is not None:
            self._process.write(encode(message))
            self._schedule_release()
        else:
            self._waiting.append(message)

    def take_frame(self, frame: m.FrameReady) -> QImage:
        """A copy of the picture (Format_RGB32), giving its memory back.

        Returns:
            A null image when the frame is of an engine that has died since, or was taken before.
        """
        block = self._block(frame, frame.offset, frame.stride * frame.height)
        if block is None:
            return QImage()
        # QImage does not own the memory it is made of.
        image = QImage(block, frame.width, frame.height, frame.stride, QImage.Format.Format_RGB32).copy()
        self._give_back(frame.offset, block)
        return image

    def take_times(self, opened: m.StreamOpened) -> array[int]:
        """The time of each frame of the video in µs, giving the memory back.

        Empty where ``take_frame`` is null.
        """
        times: array[int] = array("q")
        block = self._block(opened, opened.times_offset, opened.frames * times.itemsize)
        if block is not None:
            times.frombytes(block)
            self._give_back(opened.times_offset, block)
        return times

    def take_sound(self, sound: m.SoundReady) -> bytes:
        """Interleaved int16 samples, giving the memory back.

        Empty for silence and where ``take_frame`` is null.
        """
        block = self._block(sound, sound.offset, sound.nbytes) if sound.nbytes else None
        if block is None:
            return b""
        samples = bytes(block)
        self._give_back(sound.offset, block)
        return samples

    def drop(self, message: m.FrameReady | m.StreamOpened | m.SoundReady) -> None:
        """Gives the memory of a message back unread."""
        self._inbox.drop(message)
        self._schedule_release()

    # --- life ------------------------------------------------------------------------------------
    @Slot()
    def _launch(self) -> None:
        self._set_state(EngineState.STARTING)
        self._buffer = MessageBuffer()
        self._inbox = self._inbox.for_next_life()
        for message in self._waiting:
            self._inbox.note_sent(message)
        try:
            self._arena = Arena.create(self._arena_bytes)
        except OSError as error:
            self._fell(
                f"There is no room for the memory shared with the media engine: {error.strerror or error}.",
                (),
            )
            return
        process = QProcess(self)
        process.setProgram(self._command[0])
        process.setArguments(list(self._command[1:]))
        process.setWorkingDirectory(str(worker_folder()))
        process.setStandardErrorFile(_log_file(), QProcess.OpenModeFlag.Append)
        process.readyReadStandardOutput.connect(self._read)
        process.finished.connect(self._on_finished)
        process.errorOccurred.connect(self._on_error)
        self._process = process
        process.start()
        hello = m.Hello(
            arena=str(self._arena.path), arena_bytes=self._arena.nbytes, cache_folder=str(cache_folder())
        )
        process.write(encode(hello))

    @Slot()
    def _read(self) -> None:
        process = self._process
        if process is None:
            return
        data = bytes(process.readAllStandardOutput().data())
        try:
            for message in self._buffer.feed(data):
                self._received(message)
        except ValueError as error:
            log.error("the engine's answers cannot be understood: %s", error)
            process.kill()

    def _received(self, message: m.Message) -> None:
        if isinstance(message, m.Ready):
            self._on_ready(message)
        elif self._state is EngineState.READY and self._inbox.accepts(message):
            self.message_received.emit(message)
        if self._inbox.to_release:
            self._schedule_release()

    def _on_ready(self, message: m.Ready) -> None:
        if self._arena is None or self._process is None or self._state is not EngineState.STARTING:
            return
        self._arena.unlink()
        self._pid = message.pid
        self._set_state(EngineState.READY)
        waiting, self._waiting = self._waiting, []
        self._process.write(b"".join(encode(kept) for kept in waiting))
        self.ready.emit()

    @Slot(int, QProcess.ExitStatus)
    def _on_finished(self, code: int, status: QProcess.ExitStatus) -> None:
        # Of an earlier life, or already dealt with by _on_error.
        if self.sender() is not self._process:
            return
        self._read()
        self._kill_timer.stop()
        if self._state is EngineState.STOPPING:
            self._let_go()
            self._set_state(EngineState.STOPPED)
            self.stopped.emit()
            return
        suspects = self.suspects()
        crashed = status is QProcess.ExitStatus.CrashExit
        self._last_crash = CrashRecord(code=code, crashed=crashed, suspects=suspects)
        self._fell(crash_words(self._last_crash), suspects)

    @Slot(QProcess.ProcessError)
    def _on_error(self, error: QProcess.ProcessError) -> None:
        if error is QProcess.ProcessError.FailedToStart and self._process is not None:
            reason = self._process.errorString()
            if self._state is EngineState.STOPPING:
                self._let_go()
                self._set_state(EngineState.STOPPED)
                self.stopped.emit()
            else:
                self._last_crash = None
                self._fell(f"The media engine cannot be started: {reason}. Install vidlabel again.", ())

    def _fell(self, words: str, suspects: tuple[str, ...]) -> None:
        """The engine is gone without having been asked to: forget its life, tell, and start the next one."""
        log.warning("%s", words)
        self._let_go()
        self._waiting.clear()
        failed = self._inbox.open_requests()
        self._inbox = self._inbox.for_next_life()
        delay_s = self._delay_after_crash()
        self._set_state(EngineState.WAITING if self._restarts else EngineState.STOPPED)
        if self._restarts:
            self._restart_timer.start(round(delay_s * 1000))
        for request in failed:
            self.message_received.emit(m.JobFailed(request=request, reason=words))
        self.crashed.emit(words, suspects)

    def _delay_after_crash(self) -> float:
        now = monotonic()
        self._crash_moments.append(now)
        recent = sum(now - moment < _CRASH_MEMORY_S for moment in self._crash_moments)
        beyond = recent - CALM_CRASHES
        return 0.0 if beyond <= 0 else BACK_OFF_S[min(beyond, len(BACK_OFF_S)) - 1]

    def _let_go(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.deleteLater()
        arena, self._arena = self._arena, None
        if arena is not None:
            arena.close()
        self._release_timer.stop()
        self._pid = 0

    @Slot()
    def _kill(self) -> None:
        if self._process is not None:
            self._process.kill()

    # --- memory ----------------------------------------------------------------------------------
    def _block(self, message: m.Message, offset: int, nbytes: int) -> memoryview | None:
        if self._arena is None or not self._inbox.holds(message, offset):
            return None
        return self._arena.view(offset, nbytes)

    def _give_back(self, offset: int, block: memoryview) -> None:
        block.release()
        self._inbox.give_back(offset)
        self._schedule_release()

    def _schedule_release(self) -> None:
        if self._inbox.to_release and not self._release_timer.isActive():
            self._release_timer.start()

    @Slot()
    def _send_releases(self) -> None:
        """Once a turn of the event loop: all that was read meanwhile, in one message."""
        offsets = self._inbox.releases()
        if offsets and self._process is not None and self._state is EngineState.READY:
            self._process.write(encode(m.Release(offsets=offsets)))

    # --- small things ----------------------------------------------------------------------------
    def _set_state(self, state: EngineState) -> None:
        if state is not self._state:
            self._state = state
            self.state_changed.emit(state)

    def _timer(self, interval_ms: int, slot: object) -> QTimer:
        timer = QTimer(self)
        timer.setSingleShot(True)
        timer.setInterval(interval_ms)
        timer.timeout.connect(slot)
        return timer


def _log_file() -> str:
    """The engine's own log; it keeps it short itself."""
    folder = log_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return QProcess.nullDevice()
    return str(folder / "engine.log")
