"""The process that plans and begins runs: it opens models and deals clips, which the window's own process must not."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, QProcess, QTimer, Signal, Slot

from vidlabel.core.runs import RunFolder
from vidlabel.core.worker import worker_command, worker_folder
from vidlabel.services.run_planning import Plan, Wanted

log = logging.getLogger(__name__)

PROTOCOL = 1
IDLE_MS = 60_000
"""Nothing asked for so long, it is let go; it is there again in half a second."""


class RunPlanner(QObject):
    """Starts the process when something is asked, and again where it is gone. Only the newest plan is answered."""

    planned = Signal(object)
    """:class:`Plan`"""
    plan_failed = Signal(str)
    progressed = Signal(int, int)
    """files hashed for the plan, and how many there are to hash"""
    begun = Signal(object)
    """:class:`RunFolder`; its process is not started yet"""
    not_begun = Signal(str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._process: QProcess | None = None
        self._buffer = b""
        self._complaint = ""
        self._number = 0
        self._plan: tuple[int, Wanted] | None = None
        self._begin = 0
        self._idle = QTimer(self)
        self._idle.setSingleShot(True)
        self._idle.setInterval(IDLE_MS)
        self._idle.timeout.connect(self._let_go)

    @property
    def planning(self) -> bool:
        """Whether a plan is on its way."""
        return self._plan is not None

    def plan(self, project: Path, wanted: Wanted) -> None:
        """``planned`` or ``plan_failed`` follows, unless something else is asked before."""
        self._plan = self._next(), wanted
        self._send({"id": self._number, "do": "plan", "project": str(project), "wanted": wanted.to_json()})

    def begin(self, project: Path, plan: Plan) -> None:
        """``begun`` or ``not_begun`` follows."""
        self._begin = self._next()
        self._plan = None
        self._send(
            {
                "id": self._number, "do": "begin", "project": str(project), "plan": plan.number,
                "wanted": plan.wanted.to_json(),
            }
        )  # fmt: skip

    def go_on(self, project: Path, name: str) -> None:
        """Makes a stopped, failed or interrupted run ready to be started again; answered like ``begin``."""
        self._begin = self._next()
        self._plan = None
        self._send({"id": self._number, "do": "resume", "project": str(project), "name": name})

    @Slot()
    def forget(self) -> None:
        """The plan on its way is not wanted any more."""
        if self._plan is not None:
            self._plan = None
            if self._process is not None:
                self._send({"do": "forget"})

    def close(self) -> None:
        """Nothing is answered any more."""
        self._plan = None
        self._begin = 0
        self._let_go()

    def _next(self) -> int:
        self._number += 1
        return self._number

    def _send(self, wish: Mapping[str, Any]) -> None:
        if self._process is None:
            self._start()
        assert self._process is not None
        self._idle.start()
        self._process.write(json.dumps(wish).encode("ascii") + b"\n")

    def _start(self) -> None:
        program, *arguments = worker_command("plan")
        self._buffer, self._complaint = b"", ""
        process = self._process = QProcess(self)
        process.setProgram(program)
        process.setArguments(arguments)
        process.setWorkingDirectory(str(worker_folder()))
        process.readyReadStandardOutput.connect(self._read)
        process.readyReadStandardError.connect(self._read_complaint)
        process.finished.connect(self._on_finished)
        process.errorOccurred.connect(self._on_error)
        process.start()

    @Slot()
    def _let_go(self) -> None:
        self._idle.stop()
        process, self._process = self._process, None
        if process is not None:
            for signal, slot in (
                (process.readyReadStandardOutput, self._read), (process.finished, self._on_finished),
                (process.readyReadStandardError, self._read_complaint), (process.errorOccurred, self._on_error),
            ):  # fmt: skip
                signal.disconnect(slot)
            process.finished.connect(process.deleteLater)
            process.kill()

    @Slot()
    def _read(self) -> None:
        if self._process is None:
            return
        self._buffer += bytes(self._process.readAllStandardOutput().data())
        *lines, self._buffer = self._buffer.split(b"\n")
        for line in lines:
            try:
                told = json.loads(line)
            except ValueError:
                continue
            if isinstance(told, dict) and told.get("v") == PROTOCOL:
                self._hear(told)

    def _hear(self, told: Mapping[str, Any]) -> None:
        self._idle.start()
        event, number = told.get("event"), told.get("id")
        if self._plan is not None and number == self._plan[0]:
            wanted = self._plan[1]
            if event == "hashing":
                self.progressed.emit(told["done"], told["total"])
                return
            self._plan = None
            if event == "planned":
                self.planned.emit(Plan.from_json(told, wanted))
            elif event == "refused":
                self.plan_failed.emit(told["words"])
        elif number == self._begin and event in ("begun", "refused"):
            self._begin = 0
            if event == "begun":
                self.begun.emit(RunFolder(Path(told["folder"])))
            else:
                self.not_begun.emit(told["words"])

    @Slot()
    def _read_complaint(self) -> None:
        if self._process is not None:
            fresh = bytes(self._process.readAllStandardError().data()).decode(errors="replace")
            log.info("planner: %s", fresh.rstrip())
            self._complaint = (self._complaint + fresh)[-4000:]

    @Slot()
    def _on_finished(self) -> None:
        self._read()
        self._read_complaint()
        last = self._complaint.strip().splitlines()[-1:] or [""]
        self._gone(f": {last[0]}" if last[0] else ".")

    @Slot(QProcess.ProcessError)
    def _on_error(self, error: QProcess.ProcessError) -> None:
        if error is QProcess.ProcessError.FailedToStart and self._process is not None:
            self._gone(f": {self._process.errorString()}")

    def _gone(self, why: str) -> None:
        """What was asked gets an answer all the same; the next question starts another process."""
        self._idle.stop()
        process, self._process = self._process, None
        if process is not None:
            process.deleteLater()
        words = f"The process that prepares runs is gone{why}"
        plan, self._plan = self._plan, None
        begin, self._begin = self._begin, 0
        if plan is not None:
            self.plan_failed.emit(words)
        if begin:
            self.not_begun.emit(words)
