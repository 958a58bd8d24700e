"""The engine's voice: messages from any thread, whole and one after the other."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable

from vidlabel.core.messages import Message
from vidlabel.core.wire import encode

Send = Callable[[Message], None]


class Outbox:
    """Writes messages to a pipe. When the other end is gone, so is the reason to live: the process ends."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._lock = threading.Lock()

    def send(self, message: Message) -> None:
        """Writes one message, waiting while the pipe is full."""
        data = memoryview(encode(message))
        with self._lock:
            try:
                while data:
                    data = data[os.write(self._descriptor, data) :]
            except OSError:
                os._exit(0)
