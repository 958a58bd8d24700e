"""The engine process: reads the window's messages on standard input and answers on standard output."""

from __future__ import annotations

import logging
import os
import signal
import sys
from pathlib import Path

from vidlabel.core import messages as m
from vidlabel.core.arena import Arena
from vidlabel.core.wire import MessageBuffer
from vidlabel.engine.log import start_log
from vidlabel.engine.outbox import Outbox

log = logging.getLogger(__name__)

_STDIN, _STDOUT, _STDERR = 0, 1, 2
_CHUNK = 64 * 1024
# A thread that computes in Python (importing torch) lets the others in after this long, instead of 5 ms.
_SWITCH_S = 0.0005
# Where cores are scarce, the window's painting and the writing of decisions go before decoding ahead.
_NICENESS = 4


def run_engine() -> int:
    """Serves one window until it says goodbye or is gone.

    Returns:
        The exit code: 0 in good order, 1 when the window speaks another protocol.
    """
    outbox = Outbox(_own_stdout())
    # Ctrl+C in a terminal reaches the whole group; what happens then is for the window to decide.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sys.setswitchinterval(_SWITCH_S)
    if hasattr(os, "nice"):
        os.nice(_NICENESS)
    # OpenCV's decoder prints about each damaged picture.
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
    os.environ.setdefault("OPENCV_LOG_LEVEL", "OFF")
    start_log()
    code = _serve(outbox)
    # Threads may be deep in a decoder or in the network: nothing of theirs needs an orderly end.
    logging.shutdown()
    os._exit(code)


def _own_stdout() -> int:
    """A private descriptor for the answers; what any library prints goes to standard error from now on."""
    private = os.dup(_STDOUT)
    if sys.platform == "win32":
        import msvcrt

        msvcrt.setmode(private, os.O_BINARY)
        msvcrt.setmode(_STDIN, os.O_BINARY)
    os.dup2(_STDERR, _STDOUT)
    sys.stdout = sys.stderr
    return private


def _serve(outbox: Outbox) -> int:
    buffer = MessageBuffer()
    router = None
    while data := os.read(_STDIN, _CHUNK):
        for message in buffer.feed(data):
            if isinstance(message, m.Shutdown):
                return 0
            if isinstance(message, m.Hello):
                if message.protocol != m.PROTOCOL:
                    log.error("the window speaks protocol %d, this engine %d", message.protocol, m.PROTOCOL)
                    return 1
                arena = Arena.open(Path(message.arena), message.arena_bytes)
                # Nothing is left behind should the window be killed before it can tidy up.
                arena.unlink()
                outbox.send(m.Ready(pid=os.getpid()))
                # Decoders take longer to import than the answer takes; the window goes on meanwhile.
                from vidlabel.engine.router import Router

                router = Router(arena, Path(message.cache_folder), outbox.send)
            elif router is not None:
                router.handle(message)
    return 0


if __name__ == "__main__":
    raise SystemExit(run_engine())
