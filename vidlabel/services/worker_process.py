"""A process of the program's own that tells how far it is in lines of JSON, and stops when it is asked to."""

from __future__ import annotations

import json
import logging
from typing import Any

from PySide6.QtCore import QObject, QProcess, QTimer, Signal, Slot

from vidlabel.core.worker import worker_folder

log = logging.getLogger(__name__)

PROTOCOL = 1
STOP = b"stop\n"
_PATIENCE_MS = 5_000
"""A worker that was asked to stop and is still there after this is ended; what it made so far stays."""
_LONGEST_LINE = 1_000_000


class WorkerProcess(QObject):
    """One worker process. It ends with ``gone``, whatever becomes of it."""

    told = Signal(int, object)
    """(job, the line as a dict)"""
    gone = Signal(int, object, str)
    """(job, its last word as a dict or {}, what is known of an end without one)"""

    def __init__(self, job_id: int, program: str, arguments: list[str], *, parent: QObject) -> None:
        super().__init__(parent)
        self._job_id = job_id
        self._last: dict[str, Any] = {}
        self._buffer = b""
        self._complaint = b""
        self._stopping = False
        self._told_gone = False
        self._process = QProcess(self)
        self._process.setProgram(program)
        self._process.setArguments(arguments)
        self._process.setWorkingDirectory(str(worker_folder()))
        self._process.readyReadStandardOutput.connect(self._read)
        self._process.readyReadStandardError.connect(self._read_complaint)
        self._process.started.connect(self._on_started)
        self._process.finished.connect(self._on_finished)
        self._process.errorOccurred.connect(self._on_error)
        self._limit = QTimer(self)
        self._limit.setSingleShot(True)
        self._limit.setInterval(_PATIENCE_MS)
        self._limit.timeout.connect(self._process.kill)

    def start(self) -> None:
        self._process.start()

    def stop(self) -> None:
        """Asks it to stop; it has a few seconds."""
        self._stopping = True
        self._limit.start()
        if self._process.state() == QProcess.ProcessState.Running:
            self._process.write(STOP)

    @Slot()
    def _on_started(self) -> None:
        if self._stopping:
            self._process.write(STOP)

    @Slot()
    def _read(self) -> None:
        self._buffer += bytes(self._process.readAllStandardOutput().data())
        *lines, self._buffer = self._buffer.split(b"\n")
        self._buffer = self._buffer[-_LONGEST_LINE:]
        for line in lines:
            self._hear(line)

    def _hear(self, line: bytes) -> None:
        try:
            event = json.loads(line)
        except ValueError:
            # A library that prints; it is none of the protocol's.
            log.info("worker: %s", line.decode(errors="replace"))
            return
        if not isinstance(event, dict) or event.get("v") != PROTOCOL:
            return
        if event.get("event") in ("finished", "failed", "stopped"):
            self._last = event
        else:
            self.told.emit(self._job_id, event)

    @Slot()
    def _read_complaint(self) -> None:
        fresh = bytes(self._process.readAllStandardError().data())
        log.info("worker: %s", fresh.decode(errors="replace").rstrip())
        self._complaint = (self._complaint + fresh)[-4000:]

    @Slot()
    def _on_finished(self) -> None:
        self._read()
        self._read_complaint()
        self._tell_gone(_why(self._complaint, self._process.exitCode()))

    @Slot(QProcess.ProcessError)
    def _on_error(self, error: QProcess.ProcessError) -> None:
        if error is QProcess.ProcessError.FailedToStart:
            self._tell_gone(f": {self._process.errorString()}")

    def _tell_gone(self, trouble: str) -> None:
        self._limit.stop()
        if not self._told_gone:
            self._told_gone = True
            self.gone.emit(self._job_id, self._last, trouble)


def _why(complaint: bytes, code: int) -> str:
    """``: its last line``, or the exit code where it said nothing."""
    lines = complaint.decode(errors="replace").strip().splitlines()
    return f": {lines[-1].strip()}" if lines else f" (exit code {code})"
