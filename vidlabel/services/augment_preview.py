"""Pictures of how a training clip is changed, made by a process of its own: it decodes, the window does not."""

from __future__ import annotations

import json
import shutil
import tempfile
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, QProcess, Signal, Slot
from PySide6.QtGui import QImage

from vidlabel.core.worker import worker_command, worker_folder
from vidlabel.services.tasks import TaskRunner

VARIANTS = 3


class AugmentPreview(QObject):
    """One preview at a time; another question ends the one before."""

    shown = Signal(object)
    """tuple[QImage, ...]: strips of frames side by side, the unchanged clip first"""
    failed = Signal(str)
    busy_changed = Signal(bool)

    def __init__(self, tasks: TaskRunner, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._tasks = tasks
        self._process: QProcess | None = None
        self._folder: Path | None = None
        self._last: dict[str, Any] = {}
        self._buffer = b""

    @property
    def busy(self) -> bool:
        return self._process is not None

    def start(self, clip: tuple[Path, int, int], *, model: str, strength: str, seed: int) -> None:
        """Shows a clip as it is and as training would see it; ``shown`` or ``failed`` follows."""
        self.stop()
        self._folder = Path(tempfile.mkdtemp(prefix="vidlabel-preview-"))
        path, start_us, end_us = clip
        job = self._folder / "job.json"
        content = {
            "clip": {"path": str(path), "start_us": start_us, "end_us": end_us}, "model": model,
            "strength": strength, "seed": seed, "count": VARIANTS, "mirror": True, "out": str(self._folder),
        }  # fmt: skip
        job.write_text(json.dumps(content), encoding="utf-8")
        program, *arguments = worker_command("augment-preview", str(job))
        self._last, self._buffer = {}, b""
        process = self._process = QProcess(self)
        process.setProgram(program)
        process.setArguments(arguments)
        process.setWorkingDirectory(str(worker_folder()))
        process.readyReadStandardOutput.connect(self._read)
        process.finished.connect(self._on_finished)
        process.errorOccurred.connect(self._on_error)
        process.start()
        self.busy_changed.emit(True)

    @Slot()
    def stop(self) -> None:
        """Ends what is being made; it is not told."""
        process, self._process = self._process, None
        if process is not None:
            process.readyReadStandardOutput.disconnect(self._read)
            process.finished.disconnect(self._on_finished)
            process.errorOccurred.disconnect(self._on_error)
            process.finished.connect(process.deleteLater)
            process.kill()
            self._clear()
            self.busy_changed.emit(False)

    @Slot()
    def _read(self) -> None:
        if self._process is None:
            return
        self._buffer += bytes(self._process.readAllStandardOutput().data())
        *lines, self._buffer = self._buffer.split(b"\n")
        for line in lines:
            try:
                event = json.loads(line)
            except ValueError:
                continue
            if isinstance(event, dict) and event.get("event") in ("finished", "failed"):
                self._last = event

    @Slot()
    def _on_finished(self) -> None:
        self._read()
        process, self._process = self._process, None
        if process is not None:
            process.deleteLater()
        self.busy_changed.emit(False)
        if self._last.get("event") == "finished":
            paths = [str(self._last["original"]), *(_path(one) for one in self._last["pictures"])]
            self._tasks.run(
                lambda: tuple(QImage(path) for path in paths), self._on_pictures, self._on_no_pictures
            )
        else:
            self._clear()
            self.failed.emit(str(self._last.get("words") or "The preview could not be made."))

    @Slot(QProcess.ProcessError)
    def _on_error(self, error: QProcess.ProcessError) -> None:
        if error is QProcess.ProcessError.FailedToStart:
            self._on_finished()

    def _on_pictures(self, pictures: tuple[QImage, ...]) -> None:
        self._clear()
        self.shown.emit(pictures)

    def _on_no_pictures(self, words: str) -> None:
        self._clear()
        self.failed.emit(words)

    def _clear(self) -> None:
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None


def _path(picture: Any) -> str:
    """A picture is told by its path, alone or among its facts."""
    return str(picture["path"]) if isinstance(picture, dict) else str(picture)
