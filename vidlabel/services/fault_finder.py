"""After a crash of the engine: which of the files it was working on is to blame?"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from pathlib import Path
from time import monotonic

from PySide6.QtCore import QObject, QTimer, Signal, Slot

from vidlabel.core import messages as m
from vidlabel.services.engine_client import EngineClient, EngineState

TRIAL_ARENA = 1024 * 1024
TRIAL_MS = 60_000
STRIKES = 3
_MEMORY_S = 60.0
REASON = "it makes the video decoder crash"


def trial_engine(parent: QObject) -> EngineClient:
    """An engine for one file: when it dies, it stays dead."""
    return EngineClient(parent, arena_bytes=TRIAL_ARENA, restarts=False)


class FaultFinder(QObject):
    """Puts each suspect on trial: it is decoded wholly, alone, in an engine process of its own.

    The engine may have died for another reason (out of memory, ended from outside, a driver), and then the
    files it had open are innocent. A file that is a suspect of three crashes within a minute needs no trial.

    Args:
        engine: whose crashes are looked into.
        parent: owner.
        make_engine: makes the engine of a trial.
    """

    file_at_fault = Signal(str, str)
    """(path, reason): mark it, and leave it alone until the person asks for it"""
    file_cleared = Signal(str)

    def __init__(
        self,
        engine: EngineClient,
        parent: QObject | None = None,
        *,
        make_engine: Callable[[QObject], EngineClient] = trial_engine,
    ) -> None:
        super().__init__(parent)
        self._make_engine = make_engine
        self._strikes: dict[str, list[float]] = {}
        self._waiting: deque[str] = deque()
        self._on_trial: str | None = None
        self._judge: EngineClient | None = None
        self._limit = QTimer(self)
        self._limit.setSingleShot(True)
        self._limit.setInterval(TRIAL_MS)
        self._limit.timeout.connect(self._acquit)
        engine.crashed.connect(self._on_crash)

    def stop(self) -> None:
        """Ends a running trial without a verdict."""
        self._waiting.clear()
        self._on_trial = None
        self._limit.stop()
        if self._judge is not None:
            self._judge.stop()

    def is_busy(self) -> bool:
        """Whether a trial is running or its engine has not yet ended."""
        return self._on_trial is not None or (
            self._judge is not None and self._judge.state is not EngineState.STOPPED
        )

    @Slot(str, object)
    def _on_crash(self, _words: str, suspects: tuple[str, ...]) -> None:
        for path in suspects:
            now = monotonic()
            strikes = [moment for moment in self._strikes.get(path, ()) if now - moment < _MEMORY_S]
            self._strikes[path] = [*strikes, now]
            if len(self._strikes[path]) >= STRIKES:
                self._condemn(path)
            elif path != self._on_trial and path not in self._waiting:
                self._waiting.append(path)
        self._next_trial()

    def _next_trial(self) -> None:
        if self._on_trial is not None:
            return
        if not self._waiting:
            if self._judge is not None:
                self._judge.stop()
            return
        self._on_trial = self._waiting.popleft()
        self._limit.start()
        if self._judge is None:
            self._judge = self._make_engine(self)
            self._judge.message_received.connect(self._on_message)
            self._judge.crashed.connect(self._on_trial_crashed)
            self._judge.stopped.connect(self._on_judge_stopped)
        # One that is still on its way out is started again once it has stopped.
        self._judge.start()
        self._send_trial()

    def _send_trial(self) -> None:
        if self._judge is None or self._on_trial is None:
            return
        path = Path(self._on_trial)
        try:
            status = path.stat()
        except OSError:
            self._acquit()
            return
        wanted = m.WantedFile(relative=path.name, size=status.st_size, mtime_ns=status.st_mtime_ns)
        request = self._judge.request_id()
        self._judge.send(
            m.ProbeFiles(request=request, root=str(path.parent), files=(wanted,), one_by_one=True)
        )

    @Slot(object)
    def _on_message(self, message: m.Message) -> None:
        # A JobFailed may also be the news of the judge's own death, which comes as its crash.
        if isinstance(message, m.JobDone):
            self._acquit()

    @Slot(str, object)
    def _on_trial_crashed(self, _words: str, suspects: tuple[str, ...]) -> None:
        path = self._on_trial
        if path is not None and path in suspects:
            self._condemn(path)
        else:
            self._acquit()

    @Slot()
    def _on_judge_stopped(self) -> None:
        if self._on_trial is not None and self._judge is not None:
            self._judge.start()
            self._send_trial()

    def _condemn(self, path: str) -> None:
        if path in self._waiting:
            self._waiting.remove(path)
        self._strikes.pop(path, None)
        self._end_trial_of(path)
        self.file_at_fault.emit(path, REASON)
        self._next_trial()

    @Slot()
    def _acquit(self) -> None:
        path = self._on_trial
        if path is None:
            return
        self._end_trial_of(path)
        self.file_cleared.emit(path)
        self._next_trial()

    def _end_trial_of(self, path: str) -> None:
        if self._on_trial == path:
            self._on_trial = None
            self._limit.stop()
