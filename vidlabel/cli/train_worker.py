"""The process of a run: reads its folder, writes its events, and outlives whoever started it.

    vidlabel --worker train RUNFOLDER

Each line of ``events.jsonl`` in the folder, and of stdout, is an object with ``"v": 1``, ``at`` (unix seconds) and an
``event``; the last is ``finished``, ``stopped`` or ``failed`` (``kind``, ``words``). Wishes (``stop``, ``keep``,
``pause``, ``resume``) are read from the folder's ``wish`` and from lines on stdin. The end of stdin wishes nothing.
"""

from __future__ import annotations

import errno
import json
import os
import signal
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from vidlabel.core.errors import (
    DeviceError,
    FormatError,
    MediaError,
    ModelError,
    TrainingError,
    VidlabelError,
)
from vidlabel.core.proof import Proof
from vidlabel.core.runs import PROTOCOL, RunFolder
from vidlabel.core.snapshot import Snapshot
from vidlabel.engine.inference import wait_without_spinning
from vidlabel.learning.run_events import RunEvents
from vidlabel.learning.run_order import RunOrder
from vidlabel.learning.run_wishes import Wishes
from vidlabel.ml.modelfile import ModelInfo

FINISHED, FAILED, WRONG_USAGE, STOPPED = 0, 1, 2, 130
_STDIN = 0
_LOCK_WAIT_S = 10.0
"""Whoever lists the runs holds the lock for a moment to see whether anybody else does."""
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_KINDS = {"nan": "nan", "memory": "memory", "checkpoint": "checkpoint"}

OnEvent = Callable[[dict[str, Any]], None]


def run_train(arguments: Sequence[str]) -> int:
    """The worker: does one run and answers the exit code."""
    if len(arguments) != 1:
        sys.stderr.write("vidlabel: the train worker takes one folder of a run.\n")
        return WRONG_USAGE
    wait_without_spinning()
    write = _own_stdout()
    wishes = Wishes()
    with _signals(wishes):
        last = train_here(RunFolder(Path(arguments[0])), on_event=write, wishes=wishes, stdin=_STDIN)
    code = {"finished": FINISHED, "stopped": STOPPED}.get(str(last.get("event")), FAILED)
    sys.stderr.flush()
    # A thread may hang in a decoder or in torch: nothing of it needs an orderly end.
    os._exit(code)


def train_here(
    folder: RunFolder, *, on_event: OnEvent, wishes: Wishes | None = None, stdin: int | None = None
) -> dict[str, Any]:
    """Does a run in this process and answers its last event.

    Args:
        folder: with snapshot and settings.
        on_event: told each event, on this thread.
        wishes: what is wished of the run, besides what lies in its folder.
        stdin: a file descriptor to read wishes from.
    """
    wishes = wishes or Wishes()
    if not _is_first():
        return _beside(folder, wishes)
    busy = f"{folder.name} is being worked on by another process already. Wait for it, or stop it first."
    lock = FileLock(folder.lock)
    try:
        if not folder.path.is_dir():
            raise FormatError(
                folder.path, "there is no run here. `vidlabel runs list` shows those there are."
            )
        lock.acquire(timeout=_LOCK_WAIT_S, poll_interval=0.1)
    except Timeout:
        return _unwritten("busy", busy, on_event)
    except (VidlabelError, OSError) as error:
        return _unwritten(*failure(error, folder), on_event)
    try:
        with RunEvents(folder, also=on_event) as tell, wishes.watching(folder, stdin=stdin):
            _guarded(folder, tell, wishes)
            return tell.last
    except OSError as error:
        return _unwritten(*failure(error, folder), on_event)
    finally:
        lock.release()


def _guarded(folder: RunFolder, tell: RunEvents, wishes: Wishes) -> None:
    """The run; whatever goes wrong becomes its last event."""
    try:
        tell("preparing", words="reading the base model", done=0, total=0)
        from vidlabel.learning.tuning import tune

        tune(folder, tell=tell, wishes=wishes, prove=_prove)
    except KeyboardInterrupt:
        tell("stopped", step=None, kept=folder.checkpoint.is_file())
    except Exception as error:  # noqa: BLE001  the border of the process: its last word says what happened
        kind, words = failure(error, folder)
        if kind == "crash":
            traceback.print_exc(file=sys.stderr)
        tell("failed", kind=kind, words=words)


def failure(error: Exception, folder: RunFolder) -> tuple[str, str]:
    """The kind of trouble that a run has, and words a person can act on."""
    if isinstance(error, TrainingError):
        return _KINDS.get(error.kind, "clips"), str(error)
    if isinstance(error, ModelError):
        return "model", str(error)
    if isinstance(error, MediaError):
        return "clips", str(error)
    if isinstance(error, DeviceError):
        return ("memory" if "memory" in str(error) else "device"), str(error)
    if isinstance(error, VidlabelError):
        return "run", str(error)
    if _is_out_of_memory(error):
        return "memory", (
            "The memory of the device does not suffice. Close other programs that use it, take a smaller batch or "
            f"model, or tune only the head. {_kept(folder)}"
        )
    if isinstance(error, OSError):
        full = error.errno in _FULL
        reason = "the disk is full" if full else error.strerror or str(error)
        return "disk", (
            f"{error.filename or folder.path}: a file of the run cannot be written, for {reason}. Make room. "
            if full
            else f"{error.filename or folder.path}: a file cannot be read or written ({reason}). "
        ) + _kept(folder)
    return "crash", f"{type(error).__name__}: {error}. What was printed before says more. {_kept(folder)}"


def _kept(folder: RunFolder) -> str:
    """What a run that failed can go on from."""
    if folder.model.is_file():
        return "Its model is kept, and the run can be resumed from there."
    if folder.checkpoint.is_file():
        return "The last checkpoint is kept, and the run can be resumed from it."
    return "It has no checkpoint yet; resumed, it begins from its start."


def _is_out_of_memory(error: Exception) -> bool:
    if isinstance(error, OSError) or "torch" not in sys.modules:
        return isinstance(error, MemoryError)
    from vidlabel.ml.devices import is_out_of_memory

    return is_out_of_memory(error)


def _prove(
    active: ModelInfo,
    candidate: ModelInfo,
    snapshot: Snapshot,
    *,
    order: RunOrder,
    should_stop: Callable[[], bool],
    on_progress: Callable[[int, int], None],
    on_note: Callable[[str], None],
) -> Proof:
    from vidlabel.engine.proving import prove

    return prove(
        active, candidate, snapshot, device=order.settings.device.partition(":")[0], aliases=order.aliases,
        paths={content: str(path) for content, path in order.paths.items()},
        should_stop=should_stop, on_progress=on_progress, on_note=on_note,
    )  # fmt: skip


def _is_first() -> bool:
    """Whether this is the process that holds the folder, of those that ``torchrun`` started."""
    return os.environ.get("RANK", "0") == "0"


def _beside(folder: RunFolder, wishes: Wishes) -> dict[str, Any]:
    """Another process of the same run: computes, and says nothing but to standard error."""
    from vidlabel.learning.tuning import tune

    try:
        tuned = tune(folder, tell=lambda event, **values: None, wishes=wishes, prove=_prove)
    except (VidlabelError, OSError) as error:
        sys.stderr.write(f"vidlabel: process {os.environ['RANK']}: {error}\n")
        return {"event": "failed", "kind": failure(error, folder)[0], "words": str(error)}
    return {"event": tuned.state}


def _unwritten(kind: str, words: str, on_event: OnEvent) -> dict[str, Any]:
    """A last word that is not the run's own: it goes to whoever listens, and not into the folder."""
    line = {"v": PROTOCOL, "event": "failed", "kind": kind, "words": words}
    on_event(line)
    return line


@contextmanager
def _signals(wishes: Wishes) -> Iterator[None]:
    """A polite end is a wish to stop: the run leaves a checkpoint."""
    for name in ("SIGTERM", "SIGINT"):
        with suppress(ValueError, OSError):
            signal.signal(getattr(signal, name), lambda number, frame: wishes.stop())
    if hasattr(signal, "SIGHUP"):
        # Whose terminal or window closes is not ended by that.
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
    yield


def _own_stdout() -> OnEvent:
    """Writes lines to whoever listens; what any library prints goes to standard error from now on."""
    private = os.dup(1)
    os.dup2(2, 1)

    def write(line: dict[str, Any]) -> None:
        # Nobody may be left to listen: the folder has it all.
        with suppress(OSError):
            os.write(private, json.dumps(line).encode() + b"\n")

    return write
