"""Converted frames that were shown before, so that short loops and steps back need no decoding."""

from __future__ import annotations

import threading
from collections import OrderedDict

import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]
Key = tuple[int, int, int, int]
"""(stream, frame, width, height)"""


class FrameCache:
    """Keeps the frames used last, up to a number of bytes. Safe to use from any thread."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._bytes = 0
        self._frames: OrderedDict[Key, Picture] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Key) -> Picture | None:
        with self._lock:
            picture = self._frames.get(key)
            if picture is not None:
                self._frames.move_to_end(key)
            return picture

    def put(self, key: Key, picture: Picture) -> None:
        """Keeps the picture and forgets the oldest ones where the room ends."""
        with self._lock:
            old = self._frames.pop(key, None)
            self._bytes += picture.nbytes - (old.nbytes if old is not None else 0)
            self._frames[key] = picture
            while self._bytes > self._max_bytes and self._frames:
                _, oldest = self._frames.popitem(last=False)
                self._bytes -= oldest.nbytes

    def forget(self, stream: int) -> None:
        """The stream is closed."""
        with self._lock:
            for key in [key for key in self._frames if key[0] == stream]:
                self._bytes -= self._frames.pop(key).nbytes
