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
_MISTRIALS = 2
REASON = "it makes the video decoder crash"


def trial_engine(engine: EngineClient, parent: QObject) -> EngineClient:
    """An engine of the same make for one file: when it dies, it stays dead."""
    return EngineClient(parent, command=engine.command, arena_bytes=TRIAL_ARENA, restarts=False)


class FaultFinder(QObject):
    """Puts each suspect on trial: it is decoded wholly, alone, in an engine process of its own.

    The engine may have died for another reason (out of memory, ended from outside, a driver), and then the
    files it had open are innocent. A file that is a suspect of three crashes within a minute needs no trial,
    unless the engine was ended from outside or another file was in all three, too.

    Args:
        engine: whose crashes are looked into.
        parent: owner.
        make_engine: makes the engine of a trial; None: of the same make as ``engine``.
    """

    file_at_fault = Signal(str, str)
    """(path, reason): mark it, and leave it alone until the person asks for it"""
    file_cleared = Signal(str)
    ended = Signal()
    """No trial is running and the engine of the last one has gone."""

    def __init__(
        self,
        engine: EngineClient,
        parent: QObject | None = None,
        *,
        make_engine: Callable[[QObject], EngineClient] | None = None,
    ) -> None:
        super().__init__(parent)
        self._engine = engine
        self._make_engine = make_engine
        self._strikes: dict[str, list[float]] = {}
        self._waiting: deque[str] = deque()
        self._on_trial: str | None = None
        self._request = 0
        self._mistrials = 0
        self._judge: EngineClient | None = None
        self._stopped = False
        self._limit = QTimer(self)
        self._limit.setSingleShot(True)
        self._limit.setInterval(TRIAL_MS)
        self._limit.timeout.connect(self._on_limit)
        engine.crashed.connect(self._on_crash)

    def stop(self) -> None:
        """Ends a running trial without a verdict and begins no other; ``ended`` follows if it is busy."""
        self._stopped = True
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

    def is_suspect(self, path: str) -> bool:
        """Whether the file is on trial or waits for its trial."""
        return path == self._on_trial or path in self._waiting

    def strikes(self, path: str) -> int:
        """Of how many crashes within the last minute the file was a suspect."""
        now = monotonic()
        return sum(now - moment < _MEMORY_S for moment in self._strikes.get(path, ()))

    # --- from a crash to a trial -----------------------------------------------------------------
    @Slot(str, object)
    def _on_crash(self, _words: str, suspects: tuple[str, ...]) -> None:
        if self._stopped:
            return
        if not self._engine.ended_from_outside:
            self._strike(suspects)
        proven = [path for path in suspects if self.strikes(path) >= STRIKES]
        for path in suspects:
            if proven == [path]:
                self._condemn(path)
            elif not self.is_suspect(path):
                # Who was in the last crash as well keeps the person waiting: it goes first.
                (self._waiting.appendleft if self.strikes(path) > 1 else self._waiting.append)(path)
        self._next_trial()

    def _strike(self, suspects: tuple[str, ...]) -> None:
        now = monotonic()
        for path in suspects:
            recent = [moment for moment in self._strikes.get(path, ()) if now - moment < _MEMORY_S]
            self._strikes[path] = [*recent, now]

    def _next_trial(self) -> None:
        if self._on_trial is not None:
            return
        if not self._waiting:
            if self._judge is not None:
                self._judge.stop()
            return
        self._on_trial = self._waiting.popleft()
        self._mistrials = 0
        self._limit.start()
        self._try()

    def _try(self) -> None:
        if self._judge is None:
            make = self._make_engine
            self._judge = trial_engine(self._engine, self) if make is None else make(self)
            self._judge.message_received.connect(self._on_message)
            self._judge.crashed.connect(self._on_trial_crashed)
            self._judge.stopped.connect(self._on_judge_stopped)
        # One that is still on its way out is started again once it has stopped.
        if self._judge.state is not EngineState.STOPPING:
            self._judge.start()
            self._send_trial(self._judge)

    def _send_trial(self, judge: EngineClient) -> None:
        if self._on_trial is None:
            return
        path = Path(self._on_trial)
        try:
            status = path.stat()
        except OSError:
            self._acquit()
            return
        wanted = m.WantedFile(relative=path.name, size=status.st_size, mtime_ns=status.st_mtime_ns)
        self._request = judge.request_id()
        judge.send(
            m.ProbeFiles(request=self._request, root=str(path.parent), files=(wanted,), one_by_one=True)
        )

    # --- verdicts --------------------------------------------------------------------------------
    @Slot(object)
    def _on_message(self, message: m.Message) -> None:
        if not isinstance(message, m.JobDone | m.JobFailed) or message.request != self._request:
            return
        # Without a process it is the news of the judge's own death, which comes as its crash.
        if self._judge is not None and self._judge.pid:
            self._acquit()

    @Slot(str, object)
    def _on_trial_crashed(self, _words: str, suspects: tuple[str, ...]) -> None:
        path, judge = self._on_trial, self._judge
        if judge is None or path is None:
            self._tell_ended()
            return
        if path not in suspects:
            self._acquit()
            return
        self._mistrials += judge.ended_from_outside
        if judge.ended_from_outside and self._mistrials < _MISTRIALS:
            # By somebody, or for want of memory: whether that was the file's doing, the next one shows.
            self._try()
        else:
            self._condemn(path)

    @Slot()
    def _on_limit(self) -> None:
        """It is decoded for a minute already. Whatever it is at does not concern the next one."""
        judge = self._judge
        if judge is not None:
            judge.stop()
        self._acquit()

    @Slot()
    def _on_judge_stopped(self) -> None:
        if self._on_trial is not None:
            self._try()
        else:
            self._tell_ended()

    def _condemn(self, path: str) -> None:
        if path in self._waiting:
            self._waiting.remove(path)
        self._strikes.pop(path, None)
        self._end_trial_of(path)
        self.file_at_fault.emit(path, REASON)
        self._next_trial()
        self._tell_ended()

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

    def _tell_ended(self) -> None:
        if not self.is_busy():
            self.ended.emit()
