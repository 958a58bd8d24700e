"""Starting the process of a run, which goes on when the window is gone."""

from __future__ import annotations

import os

from PySide6.QtCore import QProcess

from vidlabel.core.runs import RunFolder
from vidlabel.core.worker import worker_command, worker_folder


def start_run(folder: RunFolder) -> str:
    """Starts it and lets it go; what it tells is in its folder.

    Returns:
        Why it could not be started, '' if it was.
    """
    program, *arguments = worker_command("train", str(folder.path))
    process = QProcess()
    process.setProgram(program)
    process.setArguments(arguments)
    process.setWorkingDirectory(str(worker_folder()))
    process.setStandardInputFile(os.devnull)
    process.setStandardOutputFile(os.devnull)
    process.setStandardErrorFile(str(folder.log), QProcess.OpenModeFlag.Append)
    started = process.startDetached()
    # Binding versions differ in whether the process id is told, too.
    if not (started[0] if isinstance(started, tuple) else started):
        return f"The process of {folder.name} could not be started: {process.errorString()}"
    return ""
