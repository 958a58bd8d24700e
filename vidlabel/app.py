"""The composition root of the window: Qt, services, main window, and the order in which they start."""

from __future__ import annotations

import gc
import logging
import signal
import socket
import sys
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from PySide6.QtCore import QEvent, QObject, QSocketNotifier, QTimer, Signal, Slot
from PySide6.QtWidgets import QApplication, QWidget

from vidlabel import __version__
from vidlabel.core.paths import log_folder
from vidlabel.services.engine_client import EngineClient
from vidlabel.services.startup_trace import StartupTrace
from vidlabel.services.workbench import Workbench
from vidlabel.ui.main_window import MainWindow

log = logging.getLogger(__name__)

MOST_LOG_BYTES = 2_000_000
_FIRST_PAINT = frozenset({QEvent.Type.Paint, QEvent.Type.UpdateRequest})
_STARTED_AT_THE_LATEST_MS = 5_000
_SWITCH_INTERVAL_S = 0.001
"""The GUI thread gets Python back from a busy thread after this; Python's own 5 ms is a third of a frame."""


@dataclass(frozen=True, slots=True)
class Program:
    """What one running window is made of."""

    application: QApplication
    workbench: Workbench
    window: MainWindow
    startup: Startup
    trace: StartupTrace


class Startup(QObject):
    """Opens the project once the window has been painted: nothing heavy before that."""

    painted = Signal()

    def __init__(
        self, window: QWidget, workbench: Workbench, *, project: Path | None, trace: StartupTrace
    ) -> None:
        super().__init__(window)
        self._window = window
        self._workbench = workbench
        self._project = project
        self._trace = trace
        window.installEventFilter(self)

    @Slot()
    def _on_painted(self) -> None:
        self._trace.mark("painted")
        if self._project is not None:
            self._workbench.open_project(self._project)
        else:
            # For the project that is going to be opened from the welcome page.
            self._workbench.engine.start()
        self.painted.emit()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() in _FIRST_PAINT:
            watched.removeEventFilter(self)
            # The window itself is painted after its filters; this runs when that is done.
            QTimer.singleShot(0, self._on_painted)
        return False


class Interrupts(QObject):
    """Lets Ctrl+C and SIGTERM close the window in good order: Qt's loop does not notice Python's handlers."""

    def __init__(self, application: QApplication, workbench: Workbench) -> None:
        super().__init__(application)
        self._workbench = workbench
        self._reading, self._writing = socket.socketpair()
        for end in (self._reading, self._writing):
            end.setblocking(False)
        self._old_descriptor = signal.set_wakeup_fd(self._writing.fileno())
        self._old_handlers = {
            number: signal.signal(number, self._note) for number in (signal.SIGINT, signal.SIGTERM)
        }
        self._notifier = QSocketNotifier(self._reading.fileno(), QSocketNotifier.Type.Read, self)
        self._notifier.activated.connect(self._on_interrupt)

    def release(self) -> None:
        """Gives the handlers back."""
        self._notifier.setEnabled(False)
        signal.set_wakeup_fd(self._old_descriptor)
        for number, handler in self._old_handlers.items():
            signal.signal(number, handler)
        self._reading.close()
        self._writing.close()

    def _note(self, _number: int, _frame: object) -> None:
        """Python needs a handler to write to the descriptor; what is to be done is done in Qt's loop."""

    @Slot()
    def _on_interrupt(self) -> None:
        self._reading.recv(64)
        self._workbench.close()


class _Trouble:
    """An error nobody expected: to the log with all its lines, to the person in one."""

    def __init__(self, workbench: Workbench) -> None:
        self._workbench = workbench

    def hook(self, kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if issubclass(kind, KeyboardInterrupt):
            self._workbench.close()
            return
        log.critical("unexpected", exc_info=(kind, error, trace))
        sys.__excepthook__(kind, error, trace)
        self._workbench.trouble.emit(
            f"Something went wrong: {kind.__name__}: {error}. What was saved is safe. "
            f"{log_folder() / 'window.log'} says more."
        )


def build(project: Path | None = None, *, engine: EngineClient | None = None) -> Program:
    """Makes the application, the services and the window, and wires them; shows and runs nothing yet.

    Args:
        project: project file or media folder to open after the first paint; None shows the welcome page.
        engine: another engine client than the usual one, for tests.
    """
    existing = QApplication.instance()
    application = existing if isinstance(existing, QApplication) else QApplication(sys.argv[:1])
    application.setApplicationName("vidlabel")
    application.setApplicationDisplayName("vidlabel")
    application.setApplicationVersion(__version__)
    application.setDesktopFileName("vidlabel")
    application.setQuitOnLastWindowClosed(False)
    trace = StartupTrace()
    workbench = Workbench(engine=engine)
    if project is not None:
        # It boots on another core while the window is made.
        workbench.engine.start()
    window = MainWindow(workbench, opening=project)
    startup = Startup(window, workbench, project=project, trace=trace)
    application.lastWindowClosed.connect(workbench.close)
    if trace.wanted:
        workbench.session.opened.connect(trace.on_opened)
        workbench.engine.ready.connect(trace.on_engine_ready)
        workbench.player.first_frame_painted.connect(trace.on_clip_painted)
    return Program(application, workbench, window, startup, trace)


class _GarbageCollection(QObject):
    """Begins when the program has started; what start-up made stays and is never looked through again."""

    def __init__(self, workbench: Workbench) -> None:
        super().__init__(workbench)
        workbench.player.first_frame_painted.connect(self._begin)
        # Where no clip is painted: the welcome page, an empty folder.
        QTimer.singleShot(_STARTED_AT_THE_LATEST_MS, self._begin)

    @Slot()
    def _begin(self) -> None:
        if not gc.isenabled():
            gc.freeze()
            gc.enable()


def run_window(project: Path | None) -> int:
    """Runs the window until it is closed; answers the exit code of the program."""
    sys.setswitchinterval(_SWITCH_INTERVAL_S)
    program = build(project)
    _write_log()
    interrupts = Interrupts(program.application, program.workbench)
    sys.excepthook = _Trouble(program.workbench).hook
    program.workbench.closed.connect(program.application.quit)
    _GarbageCollection(program.workbench)
    program.window.show()
    code = program.application.exec()
    interrupts.release()
    program.workbench.engine.stop_and_wait()
    return code


def _write_log() -> None:
    file = log_folder() / "window.log"
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        if file.exists() and file.stat().st_size > MOST_LOG_BYTES:
            file.replace(file.with_suffix(".old.log"))
        logging.basicConfig(
            filename=file, level=logging.INFO, format="%(asctime)s %(name)s %(levelname)s %(message)s"
        )
    except OSError:
        # A log is no reason not to start.
        logging.basicConfig(level=logging.WARNING)
