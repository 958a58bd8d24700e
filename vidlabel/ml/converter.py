"""Converts what was fetched in a process of its own: it can be ended at once, and its memory goes with it.

Importing torch alone holds up every thread of a process for a second.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from vidlabel.core.errors import ModelError, StoppedError, VidlabelError
from vidlabel.core.worker import worker_command, worker_folder
from vidlabel.ml.modelfile import ModelInfo, read_info

WORKER = "convert"
_LOOK_S = 0.05


def convert_apart(name: str, raw: Path, out: Path, *, revision: str, stop: threading.Event) -> ModelInfo:
    """What ``ml.convert.to_model_file`` does, for a published model's name.

    Raises:
        ModelError: ``raw`` is not this model.
        OSError: ``out`` cannot be written.
        StoppedError: ``stop`` was set.
    """
    command = worker_command(WORKER, name, str(raw.absolute()), str(out.absolute()), revision)
    with subprocess.Popen(
        command,
        cwd=worker_folder(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as process:
        try:
            answer = _answer(process, stop)
        finally:
            process.kill()
    if answer is None:
        raise StoppedError("Stopped.")
    if process.returncode == 0:
        return read_info(out)
    try:
        said = json.loads(answer)
    except ValueError:
        reason = "it could not be made a model file: the process for it died. Is there enough memory?"
        raise ModelError(name, reason) from None
    if "errno" in said:
        raise OSError(said["errno"], said["words"], said["file"])
    raise ModelError(name, said["words"])


def _answer(process: subprocess.Popen[bytes], stop: threading.Event) -> bytes | None:
    """All it said; None if it was stopped."""
    while not stop.is_set():
        try:
            return process.communicate(timeout=_LOOK_S)[0]
        except subprocess.TimeoutExpired:
            continue
    return None


def run_convert(arguments: Sequence[str]) -> int:
    """The process: name, file, model file to make, revision. Says on stdout what went wrong."""
    # Ctrl+C in a terminal reaches the whole group; the one that waits decides.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    name, raw, out, revision = arguments
    from vidlabel.ml.convert import to_model_file

    try:
        to_model_file(name, Path(raw), Path(out), revision=revision)
    except OSError as error:
        said = {"errno": error.errno, "words": error.strerror or str(error), "file": error.filename or out}
    except VidlabelError as error:
        said = {"words": error.reason if isinstance(error, ModelError) else str(error)}
    else:
        return 0
    sys.stdout.write(json.dumps(said))
    return 1
