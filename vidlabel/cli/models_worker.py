"""Changes models for the window, in a process of its own: lines of JSON on stdout, ``stop`` on stdin.

Each line is an object with ``"v": 1`` and an ``event``: ``started`` (``name``, ``bytes``), ``progress``
(``done``, ``total``, ``rate`` in bytes), ``step`` (``words``); and, last, ``finished`` (``model``, ``hash``,
``path``; for ``remove`` also ``active_in``), ``stopped``, or ``failed`` (``kind``, ``words``). The end of stdin
means ``stop``, too: the window is gone.
"""

from __future__ import annotations

import json
import os
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from vidlabel.cli import model_work
from vidlabel.core.errors import DownloadError, StoppedError, UsageError, VidlabelError
from vidlabel.ml.download import Progress
from vidlabel.ml.install import Event, Started, Tell, install
from vidlabel.ml.modelfile import ModelInfo

PROTOCOL = 1
_DONE, _FAILED, _WRONG_USAGE, _INTERRUPTED = 0, 1, 2, 130
_STDIN = 0


def run_models(arguments: Sequence[str]) -> int:
    """Does one thing and answers the exit code; everything else is said on stdout."""
    write = _own_stdout()
    stop = threading.Event()
    threading.Thread(target=_listen, args=(stop,), daemon=True).start()
    try:
        answer, code = _do(arguments, tell=lambda event: write(_told(event)), stop=stop), _DONE
    except (StoppedError, KeyboardInterrupt):
        answer, code = {"event": "stopped"}, _INTERRUPTED
    except (VidlabelError, OSError) as error:
        answer = {"event": "failed", "kind": _kind(error), "words": str(error)}
        code = _WRONG_USAGE if isinstance(error, UsageError) else _FAILED
    write(answer)
    sys.stderr.flush()
    # A thread may hang in a name server or in torch: nothing of it needs an orderly end.
    os._exit(code)


def _do(arguments: Sequence[str], *, tell: Tell, stop: threading.Event) -> dict[str, Any]:
    """The action, and what to say of its outcome."""
    match list(arguments):
        case ["install", name]:
            from vidlabel.core.catalogue import published_model

            return _finished(install(published_model(name), tell=tell, stop=stop).model)
        case ["import", path]:
            return _finished(model_work.import_file(Path(path), tell=tell, stop=stop))
        case ["import", path, "--name", name]:
            return _finished(model_work.import_file(Path(path), tell=tell, stop=stop, name=name))
        case ["export", model, out, "--kind", kind]:
            # The window's file dialog has asked whether to replace it.
            written = model_work.export(model, Path(out), kind=kind, replace=True, tell=tell, stop=stop)
            return {"event": "finished", "model": model, "hash": None, "path": str(written.absolute())}
        case ["remove", model]:
            removed = model_work.remove(model)
            return {
                "event": "finished",
                "model": removed.model.name if removed.model else removed.path.name,
                "hash": removed.model.hash if removed.model else None,
                "path": str(removed.path),
                "active_in": [str(project) for project in removed.active_in],
            }
    raise UsageError(f"the models worker does not know '{' '.join(arguments)}'.")


def _finished(model: ModelInfo) -> dict[str, Any]:
    return {"event": "finished", "model": model.name, "hash": model.hash, "path": str(model.path)}


def _told(event: Event) -> dict[str, Any]:
    name = "started" if isinstance(event, Started) else "progress" if isinstance(event, Progress) else "step"
    return {"event": name, **asdict(event)}


def _kind(error: Exception) -> str:
    if isinstance(error, DownloadError):
        return error.kind
    if isinstance(error, UsageError):
        return "usage"
    return "disk" if isinstance(error, OSError) else "model"


def _listen(stop: threading.Event) -> None:
    """Until told to stop, or until nobody is left to tell it."""
    heard = b""
    while data := os.read(_STDIN, 4096):
        heard = (heard + data)[-4096:]
        if b"stop" in heard.split(b"\n")[:-1]:
            break
    stop.set()


def _own_stdout() -> Callable[[dict[str, Any]], None]:
    """Writes lines to the window; what any library prints goes to standard error from now on."""
    private = os.dup(1)
    os.dup2(2, 1)

    def write(line: dict[str, Any]) -> None:
        # ASCII, so that no encoding can come between.
        os.write(private, json.dumps({"v": PROTOCOL, **line}).encode() + b"\n")

    return write
